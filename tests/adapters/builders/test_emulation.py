"""A RUN for another machine's programs is seen before anything is built; what runs here, or only copies, is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builders.builder import Recipe
from release.adapters.builders.emulation import instructions, lacking, native, needed, registered
from release.core.model import ImagePart

AMD64, ARM64 = "linux/amd64", "linux/arm64"
HERE = ("amd64", "386")
HANDLER = "enabled\ninterpreter /usr/bin/qemu-{}-static\nflags: {}\noffset 0\nmagic 7f454c46\n"


def lines(tmp_path: Path, dockerfile: str, *platforms: str, architectures: tuple[str, ...] = HERE) -> list[str]:
    """Which lines of a Dockerfile cannot be run, each with its platform."""
    (tmp_path / "Dockerfile").write_text(dockerfile)
    parts = tuple(ImagePart(one) for one in platforms or (AMD64, ARM64))
    found = lacking(Recipe("app", tmp_path / "Dockerfile", tmp_path, parts, 0), architectures)
    assert all(one.rule == "needs-emulation" for one in found)
    return [one.why.removeprefix("line ").partition(", and")[0] for one in found]


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM scratch\nCOPY a /a\nENTRYPOINT [\"/a\"]\n",
        "FROM alpine:3\n# RUN make\nLABEL run=RUN\nENV A RUN\nONBUILD RUN make\n",
        "FROM --platform=$BUILDPLATFORM golang:1 AS build\nRUN go build\nFROM scratch\nCOPY --from=build /a /a\n",
        "FROM --platform=${BUILDPLATFORM} golang:1 AS build\nFROM build AS more\nRUN go build\nFROM scratch\nCOPY --from=more /a /a\n",
        "FROM --platform=linux/amd64 alpine\nRUN make\n",
        "FROM alpine AS test\nRUN make test\nFROM scratch\nCOPY a /a\n",
        "FROM scratch\nCOPY <<EOF /script\nRUN make\nEOF\n",
        "FROM scratch\nLABEL a=b \\\n  RUN=make\n",
        "",
    ],
)  # fmt: skip
def test_what_only_copies_or_runs_here_needs_no_emulation(tmp_path: Path, dockerfile: str) -> None:
    assert lines(tmp_path, dockerfile) == []


@pytest.mark.parametrize(
    ("dockerfile", "line"),
    [
        ("FROM alpine\nRUN make\n", 2),
        ("\n\n# a comment\nFROM alpine\n\ncopy a \\\n  # within\n  b /\nrun make && \\\n make more\nRUN again\n", 9),
        ("# escape=`\nFROM alpine\nCOPY a `\n /\nRUN make\n", 5),
        ("FROM alpine AS base\nRUN make\nFROM base\nCOPY a /\n", 2),
        ("FROM alpine as Tools\nRUN make\nFROM scratch\nCOPY --from=tools /a /a\n", 2),
        ("FROM alpine\nRUN make\nFROM scratch\nCOPY --from=0 /a /a\n", 2),
        ("FROM a AS t\nRUN x\nFROM scratch AS end\nRUN --mount=type=bind,from=t,target=/t /t/y\n", 2),
        ("FROM --platform=$TARGETPLATFORM alpine\nRUN make\n", 2),
        ("FROM alpine\nCOPY <<ONE <<-'TWO' /\nRUN one\nONE\n\tTWO\nRUN make\n", 6),
    ],
)
def test_a_run_for_another_machine_is_told_with_its_line(tmp_path: Path, dockerfile: str, line: int) -> None:
    assert lines(tmp_path, dockerfile) == [f"{line} of Dockerfile is RUN for linux/arm64"]


def test_a_stage_for_one_platform_is_told_for_all_that_are_made_of_it(tmp_path: Path) -> None:
    dockerfile = "FROM --platform=linux/s390x alpine AS build\nRUN make\nFROM scratch\nCOPY --from=build /a /a\n"
    assert lines(tmp_path, dockerfile) == ["2 of Dockerfile is RUN for linux/s390x"] * 2


def test_what_is_emulated_can_be_run(tmp_path: Path) -> None:
    dockerfile = "FROM alpine\nRUN make\n"
    assert lines(tmp_path, dockerfile, "linux/arm/v7", ARM64, architectures=(*HERE, "arm64")) == [
        "2 of Dockerfile is RUN for linux/arm/v7"
    ]


def test_there_are_two_ways_out(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM alpine\nRUN make\n")
    (only,) = lacking(Recipe("app", tmp_path / "Dockerfile", tmp_path, (ImagePart(ARM64),), 0), HERE)
    assert only.why.endswith(", and this machine runs 386, amd64")
    assert "build the shard of linux/arm64 on such a machine" in only.remedy
    assert "install qemu-user-static" in only.remedy


def test_a_file_that_cannot_be_read_is_not_judged_here(tmp_path: Path) -> None:
    assert lacking(Recipe("app", tmp_path / "none", tmp_path, (ImagePart(ARM64),), 0), HERE) == ()


def test_an_emulator_counts_if_the_kernel_keeps_it_open(tmp_path: Path) -> None:
    for name, text in {
        "qemu-aarch64": HANDLER.format("aarch64", "OCF"),
        "qemu-s390x": HANDLER.format("s390x", "F"),
        "qemu-arm": HANDLER.format("arm", "OC"),
        "qemu-riscv64": HANDLER.format("riscv64", "OCF").replace("enabled", "disabled"),
        "python3.11": HANDLER.format("python", "F"),
    }.items():
        (tmp_path / name).write_text(text)
    assert registered(tmp_path) == {"arm64", "s390x"}
    assert registered(tmp_path / "nowhere") == frozenset()


@pytest.mark.parametrize(
    ("machine", "expected"),
    [("x86_64", {"amd64", "386"}), ("aarch64", {"arm64", "arm"}), ("AMD64", {"amd64", "386"}), ("s390x", {"s390x"})],
)
def test_a_machine_runs_its_own_programs(machine: str, expected: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert native() == expected


def test_an_instruction_is_where_it_begins() -> None:
    text = "from scratch\n\nRUN a \\\n\n  # no end\n  b\n  \nCMD c"
    assert list(instructions(text)) == [(1, "FROM", "scratch"), (3, "RUN", "a   b"), (8, "CMD", "c")]


def test_stages_that_the_last_one_is_not_made_of_are_left_out() -> None:
    text = "FROM a AS one\nFROM one AS two\nFROM b AS three\nFROM c\nCOPY --from=two x /\n"
    assert [stage.name for stage in needed(text)] == ["one", "two", ""]


def test_stages_that_name_each_other_have_an_end(tmp_path: Path) -> None:
    assert lines(tmp_path, "FROM b AS a\nRUN x\nFROM a AS b\nRUN y\n") == ["2 of Dockerfile is RUN for linux/arm64"]
    assert len(needed("FROM a AS a\nCOPY --from=b x /\nFROM a AS b\nCOPY --from=a x /\nCOPY --from=b y /\n")) == 2
