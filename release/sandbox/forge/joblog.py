"""A job's log: what its steps print, with secrets masked and workflow commands obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

LINE = 1 << 16  # bytes; a longer line is taken in pieces
COMMAND = re.compile(r"\s*::([^\s:]+)(?: (?:(?!::).)*)?::(.*)", re.DOTALL)
SHOWN = ("error", "warning", "notice", "group", "endgroup")


class JobLog:
    """Writes lines with their times to a file."""

    def __init__(self, path: Path, secrets: Iterable[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._masks: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None
        self._resume = ""
        self._held = b""
        for secret in secrets:
            self.mask(secret)

    def mask(self, secret: str) -> None:
        """From now on `***` stands for this text, and for each of its lines."""
        for part in (secret, *secret.splitlines()):
            if part.strip():
                self._masks.add(part.strip().encode("utf-8", "replace"))
        if self._masks:
            longest_first = sorted(self._masks, key=len, reverse=True)
            self._pattern = re.compile(b"|".join(re.escape(one) for one in longest_first))

    def hides(self, text: str) -> bool:
        """Whether a text holds something that is masked."""
        return bool(self._pattern and self._pattern.search(text.encode("utf-8", "replace")))

    def masked(self, line: bytes) -> bytes:
        """A text with `***` for everything that is hidden."""
        return self._pattern.sub(b"***", line) if self._pattern else line

    def say(self, text: str) -> None:
        """A line of our own."""
        for line in text.splitlines() or [""]:
            self._write(line.encode("utf-8", "replace"))

    def take(self, line: bytes) -> None:
        """A line (or a piece of a long one) that a step printed."""
        if not line.endswith(b"\n") and len(line) >= LINE:
            self._take_piece(line)
            return
        line, self._held = self._held + line, b""
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if (told := self._obeyed(text)) is not None:
            self._write(told.encode("utf-8", "surrogateescape"))

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _take_piece(self, piece: bytes) -> None:
        """The end is held back, so that a secret that lies across two pieces is still seen whole."""
        whole = self.masked(self._held + piece)
        cut = len(whole) - max((len(one) for one in self._masks), default=0)
        self._held = whole[cut:]
        self._write(whole[:cut])

    def _obeyed(self, text: str) -> str | None:
        """What to write for a line: commands are done, and mostly leave a mark; None leaves none."""
        found = COMMAND.match(text)
        if self._resume:
            if found and found[1] == self._resume:
                self._resume = ""
                return None
            return text
        if not found:
            return text
        name, value = found[1].lower(), _unescaped(found[2])
        if name == "add-mask":
            self.mask(value)
            return "::add-mask::***"
        if name == "stop-commands":
            self._resume = value
            return text
        if name == "debug":
            return None
        return f"##[{name}]{value}" if name in SHOWN else text

    def _write(self, line: bytes) -> None:
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z").encode()
        self._file.write(time + b" " + self.masked(line).replace(b"\n", b"\\n") + b"\n")


def _unescaped(value: str) -> str:
    return value.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
