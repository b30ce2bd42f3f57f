"""The version that a go.mod requires of a module: https://go.dev/ref/mod#go-mod-file-require."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release.core.finding import Conflict
from release.core.model import UpdateWish
from release.core.references.leaf import Leaf, Unfit, the_one

VERSION = re.compile(r"v([0-9]+)\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(\+incompatible)?")
_REQUIRED = re.compile(
    r"\s*(?P<module>\"[^\"]*\"|`[^`]*`|[^\s\"`()]+)\s+(?P<version>\"[^\"]*\"|`[^`]*`|[^\s\"`()]+)\s*(?://|$)"
)
_LINE = re.compile(r"(?P<verb>[a-z]+)\b\s*(?P<block>\(\s*(?://.*)?$)?")


def leaves(wish: UpdateWish, text: str) -> list[Leaf]:
    """The required versions, and every other line as it is."""
    found: list[Leaf] = []
    verb, at = "", 0
    for whole in text.split("\n"):
        start, at = at, at + len(whole) + 1
        line = whole.rstrip()
        code = line.partition("//")[0].strip()
        seen = None if verb or not code else _LINE.match(line.lstrip())
        indent = len(line) - len(line.lstrip())
        if seen and seen["block"]:
            verb = seen["verb"]
        elif code == ")":
            verb = ""
        elif code:
            skip = 0 if verb else indent + len(seen["verb"]) if seen else 0
            found += _lines(verb or (seen["verb"] if seen else ""), line, start, skip)
            continue
        found.append(Leaf((), line, start, start + len(line), "other"))
    return found


def chosen(wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
    """What is required of the module, where nothing stands in its place."""
    if any(leaf.path == ("replace", wish.key) for leaf in found):
        why = f"replaces {wish.key}: what it requires of it has no effect"
        raise Unfit(Conflict("update-refused", why, "take the replace out, or leave this update out"))
    return the_one([leaf for leaf in found if leaf.path == ("require", wish.key)], f"require {wish.key}")


def written(wish: UpdateWish, raw: str, leaf: Leaf) -> str:
    """A version as Go writes them, of the major that the module's path has."""
    seen = VERSION.fullmatch(wish.value)
    if seen is None:
        why = f"cannot take {wish.value!r:.80}, which is no version of a Go module"
        raise Unfit(Conflict("update-refused", why, 'write one like v1.2.3, as in value = "v{core}"'))
    major = int(seen[1])
    if not _fits(wish.key, major, bool(seen[2])):
        why = f"requires {wish.key}, which has no version {wish.value}: a major from v2 on is part of a module's path"
        raise Unfit(
            Conflict("update-refused", why, "require the module with that path, and mend [[downstream.update]] key")
        )
    quote = raw[0] if raw[:1] in ('"', "`") else ""
    return f"{quote}{wish.value}{quote}"


def _fits(module: str, major: int, incompatible: bool) -> bool:
    """https://go.dev/ref/mod#major-version-suffixes; gopkg.in always has one, after a dot."""
    gopkg = module.startswith("gopkg.in/")
    seen = re.search(r"\.v([0-9]{1,9})$" if gopkg else r"/v([0-9]{1,9})$", module)
    if seen:
        return int(seen[1]) == major and not incompatible
    return incompatible == (major > 1)


def _lines(verb: str, line: str, start: int, skip: int) -> Iterator[Leaf]:
    rest = line[skip:]
    seen = _REQUIRED.match(rest) if verb == "require" else None
    if seen is not None:
        begin, end = (start + skip + place for place in seen.span("version"))
        about = rest[seen.end("version") :].strip()
        yield Leaf(("require", _bare(seen["module"])), _bare(seen["version"]), begin, end)
        yield Leaf(("about", _bare(seen["module"])), about, end, start + len(line), "other")
        return
    words = rest.split()
    path = ("replace", _bare(words[0])) if verb == "replace" and words else ()
    yield Leaf(path, line, start, start + len(line), "other")


def _bare(word: str) -> str:
    return word[1:-1] if word[:1] in ('"', "`") else word
