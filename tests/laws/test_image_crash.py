"""The crash law for images: a client killed while it changes the disk to build one is made good by the same command."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.imaged import HEAD, IMAGE, TAG, Yard, picture, yard
from tests.laws.test_crash import BOUND, KILLED, Death
from tests.world import Answer

pytestmark = pytest.mark.slow

STRIDE = 7  # most changes come in threes (a file is begun, filled, and gets its name): these are some of each kind
FILES = {"Dockerfile": "FROM scratch\nCOPY payload /payload\n", "payload": "payload\n"}
PICTURE = (
    picture().replace('"linux/amd64", "linux/arm64"', '"linux/amd64"').replace('artifacts = ["app-{arch}.txt"]\n', "")
)
IMAGES = ("release.images", "--format", "json")
MADE = ("oci", "making", "memory", "files", "logs")


def fresh(clone: Path) -> None:
    """As a machine that has the commits, and has built nothing."""
    for name in MADE:
        shutil.rmtree(clone / ".release" / name, ignore_errors=True)


def built(some: Yard, clone: Path, env: dict[str, str]) -> Answer:
    return some.world.invoke(clone, *IMAGES, env={"TMPDIR": str(some.world.folder / "tmp"), **env})


def survived(some: Yard, clone: Path, death: Death) -> tuple[bool, Any]:
    """Whether the client was killed there, and the images that the next run tells of."""
    fresh(clone)
    shutil.rmtree(some.world.folder / "count", ignore_errors=True)
    first = built(some, clone, death.settings(some.world))
    assert first.code in (0, KILLED), first
    again = some.invoke(clone, *IMAGES)
    assert again.code == 0, (death.moment(some.world), again)
    return first.code == KILLED, again.value


def whole(layout: Path) -> bool:
    """Whether a layout has what it names, and every blob the bytes of its name; half a file has another name."""
    blobs = {path.name: path.read_bytes() for path in (layout / "blobs" / "sha256").iterdir()}
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": f"{IMAGE}:{TAG}"}
    assert entry["digest"].removeprefix("sha256:") in blobs
    return all(hashlib.sha256(content).hexdigest() == name for name, content in blobs.items())


def test_a_client_killed_at_a_change_of_the_disk_while_it_builds_an_image_is_made_good(tmp_path: Path) -> None:
    with yard(tmp_path, HEAD + PICTURE, FILES) as some:
        (some.world.folder / "tmp").mkdir()
        clone = some.clone("captain")
        undisturbed = some.invoke(clone, *IMAGES).expect(0).value
        for n in range(1, BOUND, STRIDE):
            death = Death("disk", n)
            killed, told = survived(some, clone, death)
            assert told == undisturbed, death.moment(some.world)
            assert whole(clone / ".release" / "oci"), death.moment(some.world)
            if not killed:
                assert n > 40, "these are too few moments for an image"
                return
        raise AssertionError(f"still dying at {BOUND}")
