"""What is understood of what docker buildx says of itself, in the words of its versions 0.13 and 0.24."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from release.adapters.builders.builder import Recipe
from release.adapters.builders.buildx import Buildx, Instance, described
from release.core.model import ImagePart
from release.errors import Refused

CONTAINER = """\
Name:          builder-3f
Driver:        docker-container
Last Activity: 2024-05-02 10:11:12 +0000 UTC

Nodes:
Name:                  builder-3f0
Endpoint:              unix:///var/run/docker.sock
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement=network.host
BuildKit version:      {version}
Platforms:             linux/amd64*, linux/amd64/v2, linux/386
Name:                  builder-3f1
Endpoint:              ssh://arm
Platforms:             linux/arm64, linux/arm/v7
"""
DOCKER = """\
Name:   default
Driver: docker

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.0.0+unknown
Platforms:        linux/amd64, linux/amd64/v2
"""
ASLEEP = "Name:   later\nDriver: docker-container\n\nNodes:\nName:     later0\nEndpoint: default\nStatus:   inactive\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            CONTAINER.format(version="v0.13.2"),
            Instance("builder-3f", "docker-container", "", (0, 13), frozenset({"amd64", "386", "arm64", "arm"})),
        ),
        (DOCKER, Instance("default", "docker", "", (), frozenset({"amd64"}))),
        (ASLEEP, Instance("later", "docker-container")),
        ("Name: x\nDriver:\nError: Cannot connect: no daemon\n", Instance("x", "", "Cannot connect: no daemon")),
        ("", Instance()),
    ],
)
def test_a_builder_is_known_by_what_inspect_prints(text: str, expected: Instance) -> None:
    assert described(text.splitlines()) == expected


def docker(folder: Path, inspect: str, code: int = 0, status: str = "null") -> Buildx:
    """A program that stands in for docker where no daemon runs: it answers what the real one was seen to answer."""
    (folder / "inspect").write_text(inspect)
    (folder / "status").write_text(status)
    program = folder / "docker"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$*" in "buildx inspect") cat {folder}/inspect; exit {code};; "info "*) cat {folder}/status; exit 0;; esac\n'
        'printf "arg %s\\n" "$@"; echo "epoch $SOURCE_DATE_EPOCH"; exit 9\n'
    )
    program.chmod(0o755)
    return Buildx({"PATH": f"{folder}:{os.environ['PATH']}"})


@pytest.mark.parametrize(
    ("inspect", "code", "status", "why"),
    [
        (CONTAINER.format(version="v0.13.0"), 0, "null", ""),
        (CONTAINER.format(version="v0.12.5"), 0, "null", "has BuildKit 0.12, and layers are dated since 0.13"),
        (ASLEEP, 0, "null", ""),
        (DOCKER, 0, '[["driver-type","io.containerd.snapshotter.v1"]]', ""),
        (DOCKER, 0, "null", "without the containerd image store"),
        ("docker: unknown command: docker buildx\n", 1, "", "cannot work here: docker: unknown command: docker buildx"),
        ("Name: x\nDriver:\nError: Cannot connect to it\n", 0, "", "cannot work here: Cannot connect to it"),
    ],
)
def test_only_a_builder_that_can_write_dated_layouts_is_used(
    tmp_path: Path, inspect: str, code: int, status: str, why: str
) -> None:
    told = docker(tmp_path, inspect, code, status).absent()
    assert why in told
    assert bool(told) == bool(why)


def test_what_the_builder_runs_needs_no_emulation_here(tmp_path: Path) -> None:
    place = tmp_path / "context"
    place.mkdir()
    (place / "Dockerfile").write_text("FROM scratch\nCOPY a /\nRUN a\n")
    parts = tuple(ImagePart(one) for one in ("linux/arm64", "linux/386", "linux/s390x"))
    engine = docker(tmp_path, CONTAINER.format(version="v0.13.0"))
    (only,) = engine.lacking(Recipe("app", place / "Dockerfile", place, parts, 0))
    assert only.rule == "needs-emulation"
    assert "line 3 of Dockerfile is RUN for linux/s390x" in only.why


def test_a_layout_is_asked_for_with_dates_and_without_attestations(tmp_path: Path) -> None:
    place = tmp_path / "with, comma"
    place.mkdir()
    (place / "Dockerfile").write_text("FROM scratch\n")
    parts = (ImagePart("linux/amd64", {"A": "x y"}), ImagePart("linux/arm64", {"A": "x y"}))
    told: list[str] = []
    with pytest.raises(Refused, match="image app: buildx ended with exit code 9"):
        docker(tmp_path, CONTAINER).build(
            Recipe("app", place / "Dockerfile", place, parts, 1_700_000_000), place / "out", told.append
        )
    dest = f'"dest={place / "out" / "raw-0"}"'
    said = f"arg type=oci,{dest},tar=false,rewrite-timestamp=true,compression=gzip,force-compression=true"
    assert said in told
    assert {"arg --provenance=false", "arg --sbom=false", "arg linux/amd64,linux/arm64", "arg A=x y"} <= set(told)
    assert told[-1] == "epoch 1700000000"
