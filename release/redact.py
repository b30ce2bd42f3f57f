"""Hides secrets in what is about to be shown: the secret itself, and every form that tools make of it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from threading import Lock
from urllib.parse import quote, quote_plus

SHORTEST = 6  # characters: what is shorter is also a piece of innocent words
HIDDEN = "***"


class Redactor:
    """Knows this process's secrets. Every sink shows a text only as `redacted` gives it back."""

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return "Redactor()"

    def learn(self, secret: str) -> None:
        """Hide this from now on; of one with several lines, such as a key, each line."""
        parts = {secret.strip(), *(line.strip() for line in secret.splitlines())}
        found = {form for part in parts if tells(part) for form in forms(part)}
        with self._lock:
            if not found <= self._forms:
                self._forms |= found
                self._pattern = re.compile(_factored(sorted(self._forms)))

    def redacted(self, text: str) -> str:
        """The text with `***` for every secret; secrets that overlap are hidden as one."""
        pattern = self._pattern
        if pattern is None or (first := pattern.search(text)) is None:
            return text
        shown, upto, hidden = [text[: first.start()]], first.start(), first.end()
        while found := pattern.search(text, upto + 1):
            if found.start() >= hidden:
                shown += [HIDDEN, text[hidden : found.start()]]
            upto, hidden = found.start(), max(hidden, found.end())
        return "".join((*shown, HIDDEN, text[hidden:]))


HIDE = Redactor()  # this process's: what it learns, every sink hides


def tells(part: str) -> bool:
    """Whether a line is worth hiding: long enough, and not the frame of a PEM key."""
    return len(part) >= SHORTEST and not (part.startswith("-----") and part.endswith("-----"))


def forms(secret: str) -> frozenset[str]:
    """A secret and what URLs, JSON, Basic authentication and dumps make of it."""
    raw = secret.encode("utf-8", "surrogatepass")
    quoted = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    escaped = {json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
    plain = {secret, *quoted, *(_lower_percent(one) for one in quoted), *escaped}
    return frozenset({*plain, raw.hex(), raw.hex().upper(), *_in_base64(raw)})


def _in_base64(raw: bytes) -> Iterator[str]:
    """What is certain to be seen of a secret in the base64 of any text that holds it, whatever comes before and after.

    `x-access-token:SECRET`, as git sends it, is one of those. A character that also depends on its neighbours is not
    searched for: it tells at most four bits.
    """
    for before in range(3):
        whole = b64encode(b"\0" * before + raw).decode().rstrip("=")
        core = whole[(0, 2, 3)[before] :]
        if (before + len(raw)) % 3:
            core = core[:-1]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def _lower_percent(quoted: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)


def _factored(words: list[str]) -> str:
    """One expression for many sorted words, the longest first where one begins another; common beginnings are shared,
    so that the time for a text hardly grows with the number of words."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word[:1], []).append(word)
    ends = "" in groups
    found = []
    for first, group in groups.items():
        if first:
            common = _common(group)
            found.append(re.escape(common) + _factored([word[len(common) :] for word in group]))
    if not found:
        return ""
    inner = found[0] if len(found) == 1 else f"(?:{'|'.join(found)})"
    return f"(?:{inner})?" if ends else inner


def _common(words: list[str]) -> str:
    """The beginning that sorted words share."""
    first, last = words[0], words[-1]
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:length]
