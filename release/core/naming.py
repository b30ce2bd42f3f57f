"""How a component writes its tags: which release one is of, and which one a release gets."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from release.core.version import Scheme, Version, names_in, render, template_values

LONGEST_TAG = 255  # a longer one is nobody's release
OF_A_PROMOTION = {"channel": r"[a-z][a-z0-9-]*", "n": r"[0-9]{1,9}"}
OF_THE_RELEASE = ("tag", "version")
DERIVED = {
    "core": r"[0-9]+\.[0-9]+\.[0-9]+",
    "line": r"[0-9]+\.[0-9]+",
    **dict.fromkeys(("major", "minor", "patch", "revision"), r"[0-9]+"),
    "image_tag": r"[0-9A-Za-z._-]+",
}


class Match(msgspec.Struct, frozen=True):
    """What a component's tag says: of which release it is, and where its channel comes, if it has one."""

    release: str
    version: Version
    order: tuple[str, int] = ("", 0)


class Naming(msgspec.Struct, frozen=True):
    """How a component's tags are written: what one says (None: it is malformed), and which one a release gets."""

    read: Callable[[str], Match | None]
    write: Callable[[str], str | None]


def versions_in(template: str, rules: Scheme, tags: Collection[str]) -> Iterator[tuple[str, Version]]:
    """Those of a downstream's tags that are of a release, each with its version; `template` is how they are written."""
    read = naming(template, rules).read
    yield from ((tag, match.version) for tag in tags if (match := read(tag)) is not None)


def naming(template: str, rules: Scheme) -> Naming:
    """Read tags by a pattern made from `template`, and believe only what renders to the same tag again.

    The pattern has one part of any length, {tag} or {version}; the rest is digits and a channel's name, so that
    a hostile tag costs little. Fleets repeat the same tags in every component: each is read once.
    """
    pattern = re.compile(_pattern(template))

    @functools.cache
    def read(name: str) -> Match | None:
        parts = pattern.fullmatch(name) if len(name) <= LONGEST_TAG else None
        version = _version(parts.groupdict(), rules) if parts else None
        if parts is None or version is None:
            return None
        own = {key: text for key, text in parts.groupdict().items() if key in OF_A_PROMOTION}
        release = rules.tag(version)
        if render(template, {**template_values(version, release, rules), **own}) != name:
            return None
        return Match(release, version, (own.get("channel", ""), int(own.get("n", "0"))))

    @functools.cache
    def write(release: str) -> str | None:
        version = rules.of_tag(release)
        if version is None or any(name in OF_A_PROMOTION for name in names_in(template)):
            return None
        return render(template, template_values(version, release, rules))

    return Naming(read, write)


def _pattern(template: str) -> str:
    """The regular expression of `template`: it captures what identifies; what follows from that is only skipped."""
    parts: list[str] = []
    captured: set[str] = set()
    for number, piece in enumerate(re.split(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", template)):
        parts.append(_part(piece, captured) if number % 2 else re.escape(piece))
    return "".join(parts)


def _part(name: str, captured: set[str]) -> str:
    if name in captured:
        return f"(?P={name})"
    if name in OF_A_PROMOTION or name in OF_THE_RELEASE:
        captured.add(name)
        return f"(?P<{name}>{OF_A_PROMOTION.get(name, '.+')})"
    return DERIVED.get(name, re.escape(f"{{{name}}}"))


def _version(parts: Mapping[str, str], rules: Scheme) -> Version | None:
    if "tag" in parts:
        return rules.of_tag(parts["tag"])
    return rules.parse(parts["version"]) if "version" in parts else None
