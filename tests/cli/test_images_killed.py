"""Releases with images whose machine dies: the same command ends in the same world, on this machine or on another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.registry import Fault
from tests.imaged import APPS, ARCHIVE, CHANCE, HEAD, IMAGE, ONE, STAGING, TAG, TAG_REF, TWO, Yard, picture, yard

CONFIG = HEAD + APPS + picture(ONE, TWO)
KILLED = -9
UPLOADS, BLOBS, MANIFESTS = (f"/v2/{IMAGE}/{kind}/*" for kind in ("blobs/uploads", "blobs", "manifests"))
# Where the client dies, told by what it asks of the registry.
MOMENTS: dict[str, dict[str, Any]] = {
    "built, and nothing sent": {"method": "HEAD", "path": BLOBS},
    "a blob is on its way": {"method": "PUT", "path": UPLOADS},
    "a blob has arrived": {"method": "PUT", "path": UPLOADS, "when": "after"},
    "a manifest has arrived": {"method": "PUT", "path": MANIFESTS, "when": "after"},
    "the image has its staging tag": {"method": "PUT", "path": f"/v2/{IMAGE}/manifests/{STAGING}", "when": "after"},
    "tagged in git, and not yet here": {"method": "PUT", "path": f"/v2/{IMAGE}/manifests/{TAG}"},
    "tagged here": {"method": "PUT", "path": f"/v2/{IMAGE}/manifests/{TAG}", "when": "after"},
}
PUBLIC = {"tagged in git, and not yet here", "tagged here"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What comes of the release when nobody disturbs."""
    with yard(tmp_path_factory.mktemp("peace"), CONFIG, names=(ONE, TWO)) as some:
        some.release(some.clone("captain")).expect(0)
        yield some.outcome()


def dies(some: Yard, name: str) -> Path:
    """A captain whose client is killed at that moment."""
    clone = some.clone("captain")
    some.registry.faults(Fault(kill=str(some.clients.pid), **MOMENTS[name]))
    answer = some.release(clone)
    assert answer.code == KILLED, answer
    assert (TAG_REF in some.world.refs()) == (name in PUBLIC)
    return clone


@pytest.mark.parametrize(("name", "again"), [*zip(MOMENTS, ["captain", "night"] * 4, strict=False)])
def test_a_client_killed_at_any_moment_of_a_push_is_made_good_by_the_same_command(
    undisturbed: dict[str, Any], tmp_path: Path, name: str, again: str
) -> None:
    with yard(tmp_path, CONFIG, names=(ONE, TWO)) as some:
        clone = dies(some, name)
        some.release(clone if again == "captain" else some.clone(again)).expect(0)
        assert some.outcome() == undisturbed


@pytest.mark.parametrize("name", ["the image has its staging tag", "tagged in git, and not yet here"])
def test_what_is_never_the_same_twice_is_adopted_by_digest_from_a_machine_that_is_gone(
    tmp_path: Path, name: str
) -> None:
    with yard(tmp_path, HEAD + CHANCE + picture(ONE)) as some:
        dies(some, name)
        record, staged = some.evidence(), some.registry.tags(IMAGE)[STAGING]
        assert record[f"image {IMAGE}:{TAG}"]["digest"] == staged
        counts = (some.world.folder / "counts").read_text()
        some.registry.forget()
        some.release(some.clone("night")).expect(0)
        assert (some.world.folder / "counts").read_text() == counts
        assert some.registry.tags(IMAGE) == {STAGING: staged, TAG: staged}
        now = some.evidence()
        assert {proof: now[proof] for proof in record} == record
        assert not [one for one in some.registry.requests if "blobs" in one.path and one.method == "PUT"]


@pytest.mark.parametrize("start", [HEAD + ARCHIVE, f'{HEAD}output = "../out"\n'], ids=["an archive", "a directory"])
def test_an_image_is_built_anew_where_a_file_in_it_has_to_be_made_again_and_comes_out_as_another_one(
    tmp_path: Path, start: str
) -> None:
    with yard(tmp_path, start + CHANCE + picture(ONE)) as some:
        dies(some, "the image has its staging tag")
        lost, night = some.registry.tags(IMAGE)[STAGING], some.clone("night")
        some.release(night).expect(0)
        tags, evidence = some.registry.tags(IMAGE), some.evidence()
        image = evidence[f"image {IMAGE}:{TAG}"]
        assert tags == {STAGING: image["digest"], TAG: image["digest"]} != {STAGING: lost, TAG: lost}
        assert image["assets"] == {name: evidence[name]["sha256"] for name in image["assets"]}
        assert sorted(image["assets"]) == ["build app-amd64.txt", "build app-arm64.txt"]
        some.invoke(some.clone("later"), "release.verify").expect(0, "verified")


def test_what_was_built_and_pushed_nowhere_is_built_anew_on_another_machine(tmp_path: Path) -> None:
    with yard(tmp_path, HEAD + CHANCE + picture(ONE)) as some:
        dies(some, "built, and nothing sent")
        lost = some.evidence()
        some.release(some.clone("night")).expect(0)
        now, tags = some.evidence(), some.registry.tags(IMAGE)
        assert now[f"image {IMAGE}:{TAG}"]["digest"] == tags[TAG] == tags[STAGING]
        assert tags[TAG] != lost[f"image {IMAGE}:{TAG}"]["digest"]
        some.invoke(some.clone("later"), "release.verify").expect(0, "verified")
