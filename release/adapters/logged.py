"""Commands of the project, whose output is kept in a log and heard line by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from release.adapters.children import Children, printable
from release.errors import Refused

TAIL = 3  # lines


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code or minus its signal, the last lines that said something, and its log."""

    code: int
    tail: tuple[str, ...]
    log: Path

    @property
    def said(self) -> str:
        """The end of its output, for people."""
        return " | ".join(self.tail) or "it printed nothing"


def logged(
    children: Children,
    logs: Path,
    what: str,
    run: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    say: Callable[[str], None],
    seconds: float | None = None,
    lines: int = TAIL,
    edit: Callable[[bytes], bytes] = bytes,
    printed: Callable[[bytes], None] | None = None,
) -> Ran:
    """Run to the end, or for so many seconds; every line, as `edit` gives it back, goes to the log and to whoever listens.

    `printed` gets the lines of stdout besides. Refused where it cannot begin.
    """
    log = logs / f"{named(what)}.log"
    tail: list[str] = []
    try:
        logs.mkdir(parents=True, exist_ok=True)
        kept = log.open("wb")
    except OSError as error:
        raise Refused(f"cannot write {log}: {error.strerror}", "mend that, then run the same command again") from error

    one_at_a_time = Lock()

    def hear(line: bytes) -> None:
        line = edit(line)
        shown = printable(line)
        with one_at_a_time:
            kept.write(line)
            if shown.strip():
                tail[:] = [*tail, shown][-lines:]
            say(shown)

    def apart(line: bytes) -> None:
        assert printed is not None
        printed(line)
        hear(line)

    with kept:
        code = children.run(what, run, cwd, env, hear, seconds, apart if printed is not None else None)
    return Ran(code, tuple(tail), log)


def named(what: str) -> str:
    """What a log is called, and what else is kept of the same."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", what)
