"""A release without a forge: what lies in its folder is read as what lies on a forge is, down to what the release says of itself."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.world import Answer, World, made

SBOM, PROVENANCE = "demo.cdx.json", "demo.intoto.jsonl"
CONFIG = """\
[project]
name = "demo"

[version]
scheme = "semver"

[release]
output = "{output}"
deadline = "20s"

[attest]
sbom = "{project}.cdx.json"
provenance = "{project}.intoto.jsonl"

[[artifact]]
name = "app-{arch}.txt"
run = ["sh", "-c", "echo $SLUICE_PLATFORM > $SLUICE_OUTPUT/app-${SLUICE_PLATFORM#*/}.txt"]
platforms = ["linux/amd64", "linux/arm64"]
"""


@pytest.fixture
def out(tmp_path: Path) -> tuple[World, Path]:
    """A release that is out, with the folder of its files; nobody's record tells of it any more."""
    world = made(tmp_path, CONFIG, [])
    clone = world.clone("ada")
    world.invoke(clone, "release", "--yes").expect(0)
    verified = world.invoke(clone, "release.verify").expect(
        0, rf"file {SBOM} +done .* as the manifest and the record say", rf"provenance {PROVENANCE} +done +3 subjects"
    )
    assert "file sha256sum-amd64.txt" in verified.said
    world.git(world.remote(), "update-ref", "-d", "refs/sluice/0.1")
    return world, world.output / "v0.1.0"


def verify(world: World, name: str) -> Answer:
    """By somebody who has a fresh clone, and can see the folder."""
    return world.invoke(world.clone(name), "release.verify", "--version", "v0.1.0")


def test_without_the_record_the_files_and_what_the_release_says_of_them_have_to_agree(out: tuple[World, Path]) -> None:
    world, folder = out
    answer = verify(world, "bob").expect(
        1, rf"sbom {SBOM} +done +2 files", rf"provenance {PROVENANCE} +done +3 subjects"
    )
    assert answer.said.count("✗") == 0
    assert re.search("output +blocked", answer.said)  # whose files these are, only the record can tell
    place = folder / "app-arm64.txt"
    old, new = (hashlib.sha256(content).hexdigest() for content in (place.read_bytes(), b"linux/evil6\n"))
    for file in (place, folder / "release.json", folder / "sha256sum-arm64.txt"):
        file.chmod(0o644)
    place.write_bytes(b"linux/evil6\n")
    for name in ("release.json", "sha256sum-arm64.txt"):  # whoever does it does it well
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
    answer = verify(world, "cyd").expect(
        1,
        rf"sbom {SBOM} +failed +it has another digest of app-arm64\.txt",
        rf"provenance {PROVENANCE} +failed +it has another digest of app-arm64\.txt",
    )
    assert "✗ file" not in answer.said


def test_a_file_more_and_a_file_less_are_named(out: tuple[World, Path]) -> None:
    world, folder = out
    (folder / "backdoor.sh").write_text("#!/bin/sh\n")
    (folder / "app-amd64.txt").unlink()
    verify(world, "bob").expect(
        1,
        r"file backdoor\.sh +failed +extra: no list has it",
        r"file app-amd64\.txt +failed +missing: the manifest has it",
    )


def test_a_manifest_that_is_none_is_told(out: tuple[World, Path]) -> None:
    world, folder = out
    (folder / "release.json").chmod(0o644)
    (folder / "release.json").write_text(json.dumps({"artifacts": "none"}))
    verify(world, "bob").expect(1, r"file release\.json +failed +it is no manifest")
