"""The pieces of a release: which there are, what each is made of, and which do not fit."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.model import ArtifactWish, ImagePart, ImageWish, Person, Release
from release.core.shards import Contents, Shard, build_of, image_of, only, shards, unmatched, with_parts

COMMIT = "c" * 40
ARCHES = ("amd64", "arm64")
APPS = tuple(ArtifactWish(f"app-{arch}", ("make",), f"linux/{arch}") for arch in ARCHES)
TOOL = ArtifactWish("tool", ("make",), files=("tool.bin", "tool.map"))
ALL = ArtifactWish("all.tar.gz", kind="archive", artifacts=("app-amd64", "tool.map"))
LAST = ArtifactWish("last.zip", kind="archive", artifacts=("all.tar.gz",))
IMAGE = ImageWish(
    "acme/app", "v1.0.0", "Dockerfile", ".",
    tuple(ImagePart(f"linux/{arch}", artifacts=(f"app-{arch}",)) for arch in ARCHES),
)  # fmt: skip


def release(artifacts: tuple[ArtifactWish, ...] = (*APPS, TOOL, ALL, LAST), *images: ImageWish) -> Release:
    ada = Person("Ada", "ada@example.org")
    known = Release("1.0.0", "v1.0.0", "1.0", "final", "minor", None, "main", "b" * 40, "2030-01-01T00:00:00Z", ada)
    return msgspec.structs.replace(known, artifacts=artifacts, images=images or (IMAGE,))


def contents(name: str, **more: Any) -> Contents:
    return Contents(**{"tag": "v1.0.0", "commit": COMMIT, "shard": name, **more})


def test_what_is_made_of_other_builds_is_no_piece_and_an_image_is_one_for_each_platform() -> None:
    assert shards(release()) == (
        Shard("app-amd64", "artifact", "app-amd64", "linux/amd64", "linux", "amd64"),
        Shard("app-arm64", "artifact", "app-arm64", "linux/arm64", "linux", "arm64"),
        Shard("tool", "artifact", "tool", "", "", ""),
        Shard("image.acme-app.v1.0.0.linux-amd64", "image", "acme/app:v1.0.0", "linux/amd64", "linux", "amd64"),
        Shard("image.acme-app.v1.0.0.linux-arm64", "image", "acme/app:v1.0.0", "linux/arm64", "linux", "arm64"),
    )


def test_a_piece_is_found_again_as_what_it_is() -> None:
    whole = release()
    *builds, _, arm = shards(whole)
    assert [build_of(whole, shard) for shard in builds[:3]] == [*APPS, TOOL]
    assert image_of(whole, arm) == (IMAGE, IMAGE.parts[1])


def test_a_piece_alone_is_the_release_without_all_that_it_does_not_need() -> None:
    whole = release()
    by_name = {shard.name: shard for shard in shards(whole)}
    tool = only(whole, by_name["tool"])
    assert (tool.artifacts, tool.images) == ((TOOL,), ())
    arm = only(whole, by_name["image.acme-app.v1.0.0.linux-arm64"])
    assert arm.artifacts == (APPS[1],)
    assert [image.parts for image in arm.images] == [(IMAGE.parts[1],)]
    assert arm.decided == whole.decided


def test_builds_are_found_with_those_that_they_are_made_of_in_their_order() -> None:
    assert with_parts(release(), ["last.zip"]) == (APPS[0], TOOL, ALL, LAST)
    assert with_parts(release(), ["tool.bin", "app-arm64"]) == (APPS[1], TOOL)
    assert with_parts(release(), []) == ()


NAMES = st.text("aB1._-+/:@ é", min_size=1, max_size=8)


@given(st.lists(st.tuples(NAMES, NAMES), unique=True, min_size=1, max_size=6))
def test_every_piece_has_a_name_of_its_own_that_a_job_can_have(names: list[tuple[str, str]]) -> None:
    images = [ImageWish(name, tag, "Dockerfile", ".", (ImagePart("linux/amd64"),)) for name, tag in names]
    found = [shard.name for shard in shards(release((), *images))]
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._+-]+", name) for name in found)


def test_pieces_that_fit_are_all_that_is_asked_for() -> None:
    whole = release()
    found = {shard.name: contents(shard.name) for shard in shards(whole)}
    assert unmatched(shards(whole), whole, found, COMMIT) == ()
    assert unmatched((), whole, {}, COMMIT) == ()


@pytest.mark.parametrize(
    ("wrong", "rule", "words"),
    [
        ({"tag": "v0.9.0"}, "shard-foreign", "v0.9.0"),
        ({"commit": "d" * 40}, "shard-foreign", "dddddddddd"),
    ],
)
def test_a_piece_of_another_release_or_commit_is_foreign(wrong: dict[str, str], rule: str, words: str) -> None:
    whole = release()
    found = {"tool": contents("tool", **wrong)}
    (conflict,) = unmatched((), whole, found, COMMIT)
    assert conflict.rule == rule
    assert words in conflict.why


def test_a_piece_that_nobody_knows_is_foreign_and_what_is_missing_is_named_with_its_command() -> None:
    whole = release()
    wanted = [shard for shard in shards(whole) if shard.name in ("tool", "app-amd64")]
    conflicts = unmatched(wanted, whole, {"app-amd64": contents("app-amd64"), "new": contents("new")}, COMMIT)
    assert [(one.rule, one.remedy) for one in conflicts] == [
        ("shard-missing", "build it: invoke release.build --shard tool"),
        ("shard-foreign", "leave its folder out"),
    ]
