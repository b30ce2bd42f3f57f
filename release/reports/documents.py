"""JSON: the value that a command returned, on stdout alone."""

from __future__ import annotations

import json

import msgspec

from release.errors import ConfigError, ConflictError, ReleaseError
from release.redact import HIDE


def document(value: object) -> str:
    """Any returned value as JSON, indented; non-ASCII stays as it is, control characters are escaped by JSON's own rules."""
    text = HIDE.redacted(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2))
    plain = "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))
    return plain.replace("##[", "#\\u0023[")  # in a workflow's log, that would be a command


def _escaped(line: str) -> str:
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def of_error(error: ReleaseError) -> str:
    """An error as JSON, so that a program need not read what is meant for people."""
    conflicts = error.conflicts if isinstance(error, ConflictError) else ()
    problems = error.problems if isinstance(error, ConfigError) else ()
    body = {
        "message": error.message,
        "remedy": error.remedy,
        "exit_code": error.exit_code,
        "conflicts": conflicts,
        "problems": problems,
    }
    return document({"error": body})
