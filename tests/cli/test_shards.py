"""A release that several machines build a piece of: each piece is built once, and taken in only if it is what it says."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.imaged import FILES, HEAD, IMAGE, ONE, STAGING, TAG, TAG_REF, VERSION, Yard, picture, yard
from tests.world import Answer

# A program for each platform that is the same twice, and a file that never is.
PROGRAMS = """
[[artifact]]
name = "app-{arch}.txt"
run = ["sh", "-c", "cd \\"$SLUICE_OUTPUT\\" && echo \\"$SLUICE_VERSION $SLUICE_PLATFORM\\" > app-${SLUICE_PLATFORM#*/}.txt && chmod 755 *"]
platforms = ["linux/amd64", "linux/arm64"]

[[artifact]]
name = "chance.bin"
run = ["sh", "-c", "echo built >> '{counts}'; head -c 1000 /dev/urandom > \\"$SLUICE_OUTPUT/chance.bin\\""]

[[artifact]]
kind = "archive"
name = "app-{version}.tar.gz"
artifacts = ["app-amd64.txt", "app-arm64.txt", "chance.bin"]
"""
CONFIG = HEAD + PROGRAMS + picture(ONE)
BUILDS = ["app-amd64.txt", "app-arm64.txt", "chance.bin"]
PICTURES = [f"image.acme-app.{TAG}.linux-{arch}" for arch in ("amd64", "arm64")]
SHARDS = [*BUILDS, *PICTURES]


@dataclass
class Story:
    """A release that has begun, and its pieces in `pieces`, each in a folder of its name."""

    yard: Yard
    pieces: Path
    said: dict[str, Answer] = field(default_factory=dict)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two machines built the pieces; nobody has brought them together."""
    folder = tmp_path_factory.mktemp("begun")
    with yard(folder, CONFIG, FILES) as some:
        story = Story(some, folder / "pieces")
        captain, machine = some.clone("captain"), some.clone("machine")
        story.said["too early"] = some.invoke(captain, "release.build", "--shard", SHARDS[0])
        story.said["alone"] = some.invoke(captain, "release.images", "--format", "json")
        story.said["nobody"] = some.release(captain, "--shards", str(some.world.folder))
        story.said["begin"] = some.invoke(captain, "release.begin", "--yes")
        story.said["refs"] = Answer(0, json.dumps(some.world.every_ref()), "")
        story.said["begin again"] = some.invoke(machine, "release.begin", "--yes")
        story.said["matrix"] = some.invoke(machine, "release.matrix", "--format", "json")
        counts = some.world.folder / "counts"
        counts.unlink(missing_ok=True)
        for number, name in enumerate(SHARDS):
            clone = (captain, machine)[number % 2]
            words = ("release.build", "--shard", name, "--out", str(story.pieces / name), "--format", "json")
            story.said[name] = some.invoke(clone, *words)
        for path in story.pieces.rglob("*"):
            if path.is_file():
                path.chmod(0o644)  # as what is kept between the jobs of CI is
        yield story


def shard(folder: Path, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / name / "shard.json").read_text())
    return value


def told(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Let a shard say something else."""
    value = shard(folder, name)
    change(value)
    (folder / name / "shard.json").write_text(json.dumps(value))


def test_the_matrix_names_what_can_be_built_alone_and_one_image_a_platform(begun: Story) -> None:
    def entry(name: str, kind: str, of: str, platform: str = "") -> dict[str, str]:
        system, _, arch = platform.partition("/")
        return {"name": name, "kind": kind, "of": of, "platform": platform, "os": system, "arch": arch}

    assert begun.said["matrix"].expect(0).value == {
        "include": [
            entry("app-amd64.txt", "artifact", "app-amd64.txt", "linux/amd64"),
            entry("app-arm64.txt", "artifact", "app-arm64.txt", "linux/arm64"),
            entry("chance.bin", "artifact", "chance.bin"),
            entry(PICTURES[0], "image", f"{IMAGE}:{TAG}", "linux/amd64"),
            entry(PICTURES[1], "image", f"{IMAGE}:{TAG}", "linux/arm64"),
        ]
    }


def test_to_begin_writes_the_record_alone_and_a_second_time_nothing(begun: Story) -> None:
    begun.said["begin"].expect(0, "begin +done", rf"invoke release --version {TAG}")
    begun.said["begin again"].expect(0, "begin +done")
    refs = json.loads(begun.said["refs"].out)
    assert set(refs["upstream.git"]) == {"refs/heads/main", "refs/sluice/0.1"}
    assert begun.yard.world.every_ref() == refs


def test_of_what_has_not_begun_no_piece_is_built_and_none_is_taken(begun: Story) -> None:
    for name in ("too early", "nobody"):
        begun.said[name].expect(3, "unmet-need", r"invoke release\.begin")


def test_a_shard_is_told_with_its_folder_and_what_lies_in_it(begun: Story) -> None:
    value = begun.said["chance.bin"].expect(0).value
    content = (begun.pieces / "chance.bin" / "chance.bin").read_bytes()
    assert (value["shard"], value["folder"]) == ("chance.bin", str(begun.pieces / "chance.bin"))
    (file,) = value["files"]
    assert (file["name"], file["sha256"], file["size"]) == ("chance.bin", sha256(content).hexdigest(), 1000)
    image = begun.said[PICTURES[1]].expect(0).value["image"]
    assert image == begun.said["alone"].expect(0).value["images"][0]["platforms"][1]


def test_a_name_that_is_no_shard_is_refused_with_those_that_are(begun: Story) -> None:
    begun.yard.invoke(begun.yard.clone("typo"), "release.build", "--shard", "app").expect(2, *BUILDS)


def test_a_third_machine_takes_them_all_and_builds_nothing_again(begun: Story, tmp_path: Path) -> None:
    with yard(tmp_path, CONFIG, FILES) as some:
        one, two = some.clone("one"), some.clone("two")
        some.invoke(one, "release.begin", "--yes").expect(0)
        for number, name in enumerate(SHARDS):
            out = str(tmp_path / "pieces" / name)
            some.invoke((one, two)[number % 2], "release.build", "--shard", name, "--out", out).expect(0)
        for path in (tmp_path / "pieces").rglob("*.txt"):
            path.chmod(0o644)
        content = (tmp_path / "pieces" / "chance.bin" / "chance.bin").read_bytes()
        third = some.clone("third")
        some.release(third, "--shards", str(tmp_path / "pieces")).expect(0)

        assert (some.world.folder / "counts").read_text() == "built\n"
        evidence, tags = some.evidence(), some.registry.tags(IMAGE)
        assert evidence["build chance.bin"]["sha256"] == sha256(content).hexdigest()
        told = some.invoke(some.clone("alone"), "release.images", "--format", "json").expect(0).value
        alone = told["images"][0]["digest"]
        assert evidence[f"image {IMAGE}:{TAG}"]["digest"] == alone
        assert tags == {TAG: alone, STAGING: alone}
        assert TAG_REF in some.world.refs()
        (archive,) = third.glob(f".release/files/sha256/{evidence[f'build app-{VERSION}.tar.gz']['sha256']}")
        with tarfile.open(archive) as packed:
            modes = {one.name.rpartition("/")[2]: one.mode for one in packed if one.isfile()}
            assert modes == {"app-amd64.txt": 0o755, "app-arm64.txt": 0o755, "chance.bin": 0o644}
        some.release(third, "--shards", str(tmp_path / "pieces")).expect(0, "nothing to do")


def byte_in(path: Path) -> None:
    """Change the last byte of a file."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def layer_changed(folder: Path) -> None:
    blobs = folder / PICTURES[0] / "oci" / "blobs" / "sha256"
    byte_in(max(blobs.iterdir(), key=lambda path: path.stat().st_size))


def linked(folder: Path) -> None:
    """The same bytes, but by a link."""
    place = folder / BUILDS[0] / BUILDS[0]
    place.rename(folder / "elsewhere")
    place.symlink_to(folder / "elsewhere")


def linked_blob(folder: Path) -> None:
    blobs = folder / PICTURES[0] / "oci" / "blobs" / "sha256"
    place = max(blobs.iterdir(), key=lambda path: path.stat().st_size)
    place.unlink()
    place.symlink_to("/etc/hostname")


def other_program(folder: Path) -> None:
    """A shard that is whole, but whose file is not the one that the image was made of."""
    place = folder / BUILDS[0] / BUILDS[0]
    byte_in(place)
    digest = sha256(place.read_bytes()).hexdigest()
    told(folder, BUILDS[0], lambda value: value["files"][0].update(sha256=digest))


def renamed(folder: Path) -> None:
    os.rename(folder / BUILDS[0] / BUILDS[0], folder / BUILDS[0] / "b")
    told(folder, BUILDS[0], lambda value: value["files"][0].update(name="b"))


def exchanged(folder: Path) -> None:
    """The image for one platform, said to be the one for the other."""
    shutil.rmtree(folder / PICTURES[1] / "oci")
    shutil.copytree(folder / PICTURES[0] / "oci", folder / PICTURES[1] / "oci")


SPOILT: dict[str, tuple[Callable[[Path], object], int, tuple[str, ...]]] = {
    "missing": (lambda folder: shutil.rmtree(folder / PICTURES[1]), 3, ("shard-missing", PICTURES[1])),
    "without shard.json": (lambda folder: (folder / BUILDS[2] / "shard.json").unlink(), 3, ("shard-missing", BUILDS[2])),
    "of another release": (lambda folder: told(folder, BUILDS[1], lambda value: value.update(tag="v0.2.0")), 3, ("shard-foreign", r"v0\.2\.0")),
    "of another commit": (lambda folder: told(folder, BUILDS[1], lambda value: value.update(commit="0" * 40)), 3, ("shard-foreign", "0000000000")),
    "of no piece": (lambda folder: told(folder, BUILDS[1], lambda value: value.update(shard="else")), 3, ("shard-foreign", "'else'")),
    "a byte in a file": (lambda folder: byte_in(folder / BUILDS[2] / BUILDS[2]), 3, ("shard-differs", BUILDS[2])),
    "a byte in a blob": (layer_changed, 1, ("not what its name says", "build it again")),
    "a blob that is a link": (linked_blob, 1, ("build it again",)),
    "a byte in shard.json": (lambda folder: byte_in(folder / BUILDS[0] / "shard.json"), 1, (r"shard\.json cannot be read",)),
    "a key that is not ours": (lambda folder: told(folder, BUILDS[0], lambda value: value.update(run="rm")), 1, ("unknown field",)),
    "twice the same": (lambda folder: shutil.copytree(folder / BUILDS[0], folder / "again"), 1, ("are the same shard",)),
    "a link": (linked, 1, ("is no file beside it",)),
    "a file elsewhere": (lambda folder: told(folder, BUILDS[0], lambda value: value["files"][0].update(name=f"../{BUILDS[0]}/{BUILDS[0]}")), 1, ("is no file beside it",)),
    "a file of another name": (renamed, 3, ("shard-differs", "holds b")),
    "an image of another file": (other_program, 3, ("shard-differs", f"{BUILDS[0]} in image {IMAGE}")),
    "an image for another platform": (exchanged, 1, ("linux/arm64 holds linux/amd64",)),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_pieces_that_are_not_what_they_say_are_refused_and_nothing_is_public(
    begun: Story, tmp_path: Path, name: str
) -> None:
    spoil, code, says = SPOILT[name]
    pieces = tmp_path / "pieces"
    shutil.copytree(begun.pieces, pieces)
    spoil(pieces)
    refs = begun.yard.world.every_ref()
    clone = begun.yard.clone(f"third-{tmp_path.name}")
    begun.yard.release(clone, "--shards", str(pieces)).expect(code, *says)
    assert begun.yard.world.every_ref() == refs
    assert begun.yard.registry.tags(IMAGE) == {}
