"""A release with files and images on plain git: what is built, where it goes and in which order, seen from outside."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.imaged import (
    APPS,
    ARCHIVE,
    HEAD,
    IMAGE,
    ONE,
    PLATFORMS,
    STAGING,
    TAG,
    TAG_REF,
    TWO,
    VERSION,
    Yard,
    picture,
    yard,
)
from tests.registries import registry
from tests.world import Answer

CONFIG = HEAD + APPS + ARCHIVE + picture(ONE, TWO)
INDEX = "application/vnd.oci.image.index.v1+json"
# What the registries have of the image when the tag in git is about to be accepted.
WATCHING = """\
#!/bin/sh
while read -r old new ref; do
    case $ref in refs/tags/*) ;; *) continue ;; esac
    {python} -I -S -c 'import sys, urllib.request as ask
for url in sys.argv[1:]: print(ask.urlopen(f"{url}/v2/acme/app/tags/list").read().decode().strip())' {urls} > watched
done
"""


@dataclass
class Story:
    """What was said on the way, by name."""

    yard: Yard
    clone: Path
    said: dict[str, Answer] = field(default_factory=dict)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A release to the sandbox's registry and to a real one; nothing in it is changed by who looks."""
    folder = tmp_path_factory.mktemp("story")
    (folder / "real").mkdir()
    with (
        registry(folder / "real") as real,
        yard(folder, CONFIG, places={TWO: f"http://{real.host}"}) as some,
    ):
        one = Story(some, some.clone("captain"))
        urls = " ".join(some.places.values())
        some.world.refuse("upstream", WATCHING.replace("{python}", sys.executable).replace("{urls}", urls))
        other, later = some.clone("other"), some.clone("later")
        told: dict[str, tuple[Path, tuple[str, ...]]] = {
            "files": (one.clone, ("release.build", "--format", "json")),
            "images": (one.clone, ("release.images", "--format", "json")),
            "too early": (one.clone, ("release.images", "--push", "--yes")),
            "images elsewhere": (other, ("release.images", "--format", "json")),
            "release": (one.clone, ("release", "--yes")),
            "images later": (later, ("release.images", "--format", "json")),
            "files later": (later, ("release.build", "--format", "json")),
        }
        for name, (clone, words) in told.items():
            one.said[name] = some.invoke(clone, *words)
        yield one


def skopeo(*words: str) -> str:
    """What skopeo says."""
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not here; scripts/images fetches it")
    return subprocess.run(["skopeo", *words], check=True, capture_output=True, encoding="utf-8").stdout


def raw(place: str) -> tuple[Any, str]:
    """A manifest or an index as skopeo fetched it, and its digest, computed here."""
    plain = ["--tls-verify=false"] if place.startswith("docker:") else []
    content = skopeo("inspect", "--raw", *plain, place)
    return json.loads(content), f"sha256:{sha256(content.encode()).hexdigest()}"


def image_of(answer: Answer) -> dict[str, Any]:
    (image,) = answer.expect(0).value["images"]
    return dict(image)


def test_files_are_told_with_name_place_size_and_sha256(story: Story) -> None:
    value = story.said["files"].expect(0).value
    assert [*value] == ["artifacts"]
    names = ["app-amd64.txt", "app-arm64.txt", f"app-{VERSION}.tar.gz"]
    assert [file["name"] for file in value["artifacts"]] == names
    for file in value["artifacts"]:
        content = Path(file["path"]).read_bytes()
        told = {"name": Path(file["path"]).name, "path": file["path"], "size": len(content)}
        assert file == {**told, "sha256": sha256(content).hexdigest()}
    assert Path(value["artifacts"][1]["path"]).read_text() == f"{VERSION} linux/arm64"
    with tarfile.open(value["artifacts"][2]["path"]) as archive:
        assert sorted(archive.getnames()) == ["app/README", "app/app-amd64.txt", "app/app-arm64.txt"]


def test_images_are_told_with_digests_platforms_and_the_layout_that_skopeo_reads(story: Story) -> None:
    image = image_of(story.said["images"])
    assert [*story.said["images"].value] == ["images"]
    assert [*image] == ["name", "digest", "platforms", "builder", "location", "pushed"]
    assert (image["name"], image["builder"], image["pushed"]) == (IMAGE, "embedded", [])
    assert image["location"] == f"oci:{story.clone}/.release/oci:{IMAGE}:{TAG}"
    index, digest = raw(image["location"])
    assert (index["mediaType"], digest) == (INDEX, image["digest"])
    assert [one["digest"] for one in image["platforms"]] == [one["digest"] for one in index["manifests"]]
    for told, child in zip(image["platforms"], index["manifests"], strict=True):
        assert [*told] == ["platform", "digest", "size"]
        assert told["platform"] == "{os}/{architecture}".format(**child["platform"])
        blob = story.clone / ".release" / "oci" / "blobs" / "sha256" / child["digest"].removeprefix("sha256:")
        manifest = json.loads(blob.read_bytes())
        below = sum(one["size"] for one in (manifest["config"], *manifest["layers"]))
        assert told["size"] == child["size"] + below


def test_the_same_commit_gives_the_same_digests_in_any_clone_before_and_after_it_is_out(story: Story) -> None:
    told = [image_of(story.said[name]) for name in ("images", "images elsewhere", "images later")]
    assert len({image["digest"] for image in told}) == 1
    assert len({image["location"] for image in told}) == 3
    files = [
        [(file["name"], file["sha256"]) for file in story.said[name].expect(0).value["artifacts"]]
        for name in ("files", "files later")
    ]
    assert files[0] == files[1]
    evidence = story.yard.evidence()
    assert evidence[f"image {IMAGE}:{TAG}"]["digest"] == told[0]["digest"]
    assert {name: evidence[f"build {name}"]["sha256"] for name, _ in files[0]} == dict(files[0])


@pytest.mark.parametrize("name", [ONE, TWO])
def test_each_registry_has_the_index_under_its_version_and_under_the_tag_that_nobody_follows(
    story: Story, name: str
) -> None:
    story.said["release"].expect(0)
    place = f"docker://{story.yard.places[name].removeprefix('http://')}/{IMAGE}"
    digest = image_of(story.said["images"])["digest"]
    for tag in (TAG, STAGING):
        index, found = raw(f"{place}:{tag}")
        assert found == digest
        assert ["{os}/{architecture}".format(**one["platform"]) for one in index["manifests"]] == [*PLATFORMS]
    tags = skopeo("list-tags", "--tls-verify=false", place)
    assert sorted(json.loads(tags)["Tags"]) == [STAGING, TAG]
    config = json.loads(skopeo("inspect", "--config", "--tls-verify=false", "--override-arch=arm64", f"{place}:{TAG}"))
    assert (config["architecture"], config["config"]["Entrypoint"]) == ("arm64", ["/app.txt"])
    assert config["config"]["Labels"]["org.opencontainers.image.version"] == VERSION


def test_a_version_tag_of_an_image_comes_after_the_tag_in_git(story: Story) -> None:
    story.said["release"].expect(0)
    watched = (story.yard.world.remote() / "watched").read_text().splitlines()
    assert [json.loads(line)["tags"] for line in watched] == [[STAGING], [STAGING]]
    assert TAG_REF in story.yard.world.refs()


def test_images_that_are_to_be_pushed_before_their_release_name_what_is_unmet(story: Story) -> None:
    remedy = f"invoke release --version {TAG}"
    story.said["too early"].expect(3, rf"\[unmet-need\] {TAG} is not tagged", remedy)


def test_a_second_run_finds_nothing_to_do_and_writes_nothing(story: Story) -> None:
    before, refs = story.yard.outcome(), story.yard.world.refs()
    story.yard.registry.forget()
    story.yard.release(story.clone).expect(0, "nothing to do")
    assert {one.method for one in story.yard.registry.requests} <= {"GET", "HEAD"}
    assert (story.yard.outcome(), story.yard.world.refs()) == (before, refs)


def test_pushing_what_is_out_already_changes_nothing_and_says_where_it_is(story: Story) -> None:
    before = story.yard.outcome()
    answer = story.yard.invoke(story.clone, "release.images", "--push", "--yes", "--format", "json")
    image = image_of(answer)
    assert image["pushed"] == [f"{ONE}/{IMAGE}:{TAG}", f"{TWO}/{IMAGE}:{TAG}"]
    assert image["location"] == image["pushed"][0]
    assert story.yard.outcome() == before


def test_an_image_without_registries_stays_here_and_its_release_is_whole(tmp_path: Path) -> None:
    with yard(tmp_path, HEAD + APPS + picture()) as some:
        clone = some.clone("captain")
        some.release(clone).expect(0)
        image = image_of(some.invoke(clone, "release.images", "--format", "json"))
        assert raw(image["location"])[1] == image["digest"]
        assert image["pushed"] == []
        assert some.evidence()[f"image {IMAGE}:{TAG}"]["digest"] == image["digest"]
        assert TAG_REF in some.world.refs()
        assert some.registry.requests == ()


def test_a_candidate_and_its_final_have_tags_of_their_own_over_the_same_blobs(tmp_path: Path) -> None:
    with yard(tmp_path, HEAD + APPS + picture(ONE)) as some:
        clone = some.clone("captain")
        some.release(clone, "--candidate", "rc").expect(0)
        first = some.registry.tags(IMAGE)
        assert set(first) == {"v0.1.0-rc.1", STAGING}
        some.release(clone, "--final").expect(0)
        second = some.registry.tags(IMAGE)
        assert set(second) == {"v0.1.0-rc.1", TAG, STAGING}
        assert second["v0.1.0-rc.1"] == first["v0.1.0-rc.1"]
        assert second[TAG] == second[STAGING] != first[STAGING]
        said = json.loads(some.registry.manifest(IMAGE, TAG))["annotations"]["org.opencontainers.image.version"]
        assert said == VERSION


def test_images_of_a_release_that_only_its_tag_tells_of_are_pushed_once(tmp_path: Path) -> None:
    with yard(tmp_path, HEAD + APPS + picture(ONE)) as some:
        clone = some.clone("captain")
        some.world.git(clone, "push", "--quiet", "origin", f"HEAD:{TAG_REF}")
        words = ("release.images", "--version", VERSION, "--push", "--yes", "--format", "json")
        image = image_of(some.invoke(clone, *words))
        assert some.registry.tags(IMAGE) == {TAG: image["digest"], STAGING: image["digest"]}
        assert image["location"] == f"{ONE}/{IMAGE}:{TAG}"
        assert "refs/sluice/0.1" not in some.world.refs()
        some.registry.forget()
        assert image_of(some.invoke(some.clone("other"), *words)) == image
        assert not [one for one in some.registry.requests if one.method in ("PUT", "PATCH")]
