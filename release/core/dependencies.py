"""What a difference in dependencies and base images calls for.

A dependency is not the project's own API, so no difference here is ever major: whoever re-exports one says so in a
commit or a fragment. It is minor where users are likely to notice, and else a patch, so that it is released at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from release.core.commits import Change, plain
from release.core.config import Config
from release.core.facts import Facts
from release.core.model import Level, Reason
from release.core.needs import Manifest, Need, Number, Role
from release.core.paths import matches
from release.core.reasons import weightiest

Key = tuple[str, str]
ByKey = Mapping[Key, Mapping[str, Need]]
"""What is asked for, by name and place, then by what is wanted of it."""

WORD: Mapping[Role, str] = {
    "dependency": "dependency",
    "indirect": "indirect dependency",
    "language": "language",
    "image": "base image",
}


def manifests(config: Config, changed: Iterable[str]) -> tuple[str, ...]:
    """Those of the changed paths whose dependencies count."""
    return tuple(path for path in changed if matches(config.changes.manifests, path))


def dependency_reasons(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """Reasons for each file of dependencies that changed, its weightiest first; a great many are told in part.

    Before a project's first release there is nothing to compare with, and each of its files is new.
    """
    for manifest in facts.manifests:
        yield from weightiest(_of_file(manifest))


def _of_file(manifest: Manifest) -> Iterator[Reason]:
    where, before, after = plain(manifest.path, 200), manifest.before, manifest.after
    if why := (before and before.unreadable) or (after and after.unreadable):
        yield Reason(where, f"it changed, and cannot be read: {plain(why, 200)}", "patch", "dependencies unknown")
    elif before and after:
        yield from _differences(where, _by_key(before.needs), _by_key(after.needs))
    elif one := before or after:
        word = "went away" if before else "is new"
        yield Reason(where, f"the file {word}, with {len(one.needs)} of what it asks for", "patch", "dependencies")


def _by_key(asked: Sequence[Need]) -> ByKey:
    """One name can be there several times, for other platforms or stages; whether it is indirect makes no difference."""
    found: dict[Key, dict[str, Need]] = {}
    for one in asked:
        found.setdefault((one.name, one.place), {})[one.wants] = one
    return found


def _differences(where: str, old: ByKey, new: ByKey) -> Iterator[Reason]:
    for key in dict.fromkeys([*old, *new]):
        was, is_ = old.get(key, {}), new.get(key, {})
        gone = [one for wants, one in was.items() if wants not in is_]
        come = [one for wants, one in is_.items() if wants not in was]
        if gone or come:
            yield _difference(where, gone, come, moved=key in old and key in new)


def _difference(where: str, gone: Sequence[Need], come: Sequence[Need], *, moved: bool) -> Reason:
    one = (come or gone)[0]
    name = f"{one.name} ({one.place})" if one.place else one.name
    word = WORD[one.role]
    if not moved:
        verb = "added" if come else "removed"
        wants = f" {_wants(come or gone)}" if one.wants else ""
        return Reason(where, f"{name}{wants} {verb}", "patch", f"{word} {verb}")
    before, after = _highest(gone), _highest(come)
    verb = _verb(before, after)
    bump, why = _rise(one.role, before, after) if verb == "raised" else ("patch", f"{word} {verb}")
    return Reason(where, f"{name} {verb} from {_wants(gone)} to {_wants(come)}", bump, why)


def _wants(asked: Sequence[Need]) -> str:
    return " and ".join(plain(one.wants, 100) or "any version" for one in asked[:3]) or "nothing"


def _highest(asked: Sequence[Need]) -> Number:
    return max((_padded(one.number) for one in asked if one.number), default=())


def _padded(number: Number) -> Number:
    """1.2 and 1.2.0 are the same."""
    return number + (0,) * (6 - len(number))


def _verb(before: Number, after: Number) -> str:
    if not before or not after or before == after:
        return "changed"
    return "raised" if after > before else "lowered"


def _rise(role: Role, before: Number, after: Number) -> tuple[Level, str]:
    """By SemVer's promise: a new major may break, and so may a new minor before 1.0.0 (clause 4).

    A language has no such promise and drops what is old with each minor: whoever is on the old one cannot go along. What
    is indirect, others have dealt with.
    """
    word = WORD[role]
    if role == "language" and before[:2] != after[:2]:
        return "minor", f"{word} raised: who has the old one cannot go along"
    if role in ("dependency", "image") and before[0] != after[0]:
        return "minor", f"{word} raised by a major version"
    if role in ("dependency", "image") and before[0] == 0 and before[1] != after[1]:
        return "minor", f"{word} raised by a minor version of 0.x"
    return "patch", f"{word} raised"
