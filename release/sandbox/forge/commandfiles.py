"""The files by which a step tells something to the steps after it: `name=value` and `name<<delimiter`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MOST = 1 << 20  # bytes of one file
NAMES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")
FORBIDDEN = ("NODE_OPTIONS",)


class BadFile(Exception):
    """A file that GitHub would refuse; the text says why."""


def pairs(path: Path) -> Mapping[str, str]:
    """What a file says, the last word winning."""
    lines, told = _lines(path), dict[str, str]()
    while lines:
        line = lines.pop(0)
        equals, heredoc = line.find("="), line.find("<<")
        if not line:
            continue
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            told[_named(name, line)] = _until(lines, delimiter)
        elif equals >= 0:
            told[_named(line[:equals], line)] = line[equals + 1 :]
        else:
            raise BadFile(f"Invalid format '{line[:100]}'")
    return told


def listed(path: Path) -> list[str]:
    """The lines of a file that are not empty."""
    return [line for line in _lines(path) if line.strip()]


def whole(path: Path) -> bytes:
    """Everything in a file."""
    return "\n".join(_lines(path)).encode()


def _until(lines: list[str], delimiter: str) -> str:
    if not delimiter or delimiter not in lines:
        raise BadFile(f"Invalid value. Matching delimiter not found '{delimiter[:100]}'")
    end = lines.index(delimiter)
    value = "\n".join(lines[:end])
    del lines[: end + 1]
    return value


def _named(name: str, line: str) -> str:
    if not name.strip():
        raise BadFile(f"Invalid format '{line[:100]}'. Name must not be empty")
    return name


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    if path.stat().st_size > MOST:
        raise BadFile(f"{path.name} is larger than {MOST >> 10} KiB")
    return path.read_text("utf-8", "replace").replace("\r\n", "\n").split("\n")
