"""What a version is: how it is written, read from a tag, and ordered.

Two schemes: `semver` is SemVer 2.0.0 to the letter; `semver+revision` is `X.Y.Z[-<stage><N>]+<revision><M>`
(`1.33.1-rc2+rke2r1`), whose metadata carries precedence and whose numbers are numbers, so that rc13 follows rc9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec
import semver

from release.core.config import VersionRules
from release.core.model import Kind

Key = tuple[int, int, int, tuple[tuple[int, int, str], ...]]

LONGEST = 200
"""A tag or version of more characters is never a version."""

_ALLOWED = re.compile(r"[A-Za-z0-9._+/@][A-Za-z0-9._+/@-]*")
_NUMBER = r"(?:0|[1-9][0-9]{0,17})"
_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FINAL = ((2, 0, ""),)


class Version(msgspec.Struct, frozen=True, eq=False):
    """A version: equal by its text, ordered by its key.

    `text` is canonical and without the tag's prefix; `stage` is "" for a final; `number` is the candidate's; `revision`
    is 0 where the scheme has none. Two versions can be unequal and yet neither above the other: SemVer clause 10.
    Versions of different schemes are not to be compared.
    """

    text: str
    major: int
    minor: int
    patch: int
    stage: str
    number: int
    revision: int
    key: Key

    @property
    def core(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def line(self) -> str:
        return f"{self.major}.{self.minor}"

    @property
    def final(self) -> bool:
        return not self.stage

    @property
    def kind(self) -> Kind:
        return "candidate" if self.stage else "final"

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Version) else NotImplemented

    def __ne__(self, other: object) -> bool:
        """Said here, because msgspec brings one of its own, which goes by identity."""
        return self.text != other.text if isinstance(other, Version) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: Version) -> bool:
        return self.key < other.key

    def __le__(self, other: Version) -> bool:
        return self.key <= other.key

    def __gt__(self, other: Version) -> bool:
        return self.key > other.key

    def __ge__(self, other: Version) -> bool:
        return self.key >= other.key


class Scheme(msgspec.Struct, frozen=True):
    """How a project writes its versions. `before` and `after` are what its tags have around the version."""

    rules: VersionRules
    before: str
    after: str

    def parse(self, text: str) -> Version | None:
        """Read a version, strictly: None for anything that the scheme would not write itself."""
        return self._read(text) if _acceptable(text) else None

    def of_tag(self, tag: str) -> Version | None:
        """Read the version in a tag's name; None for a tag of something else."""
        if not _acceptable(tag) or not (tag.startswith(self.before) and tag.endswith(self.after)):
            return None
        return self.parse(tag[len(self.before) : len(tag) - len(self.after)])

    def requested(self, text: str) -> Version | None:
        """Read what a person types: the version with or without what the tag has around it."""
        return self.of_tag(text) or self.parse(text)

    def tag(self, version: Version) -> str:
        """The name of the version's tag."""
        return f"{self.before}{version.text}{self.after}"

    def image_tag(self, version: Version | str) -> str:
        """An image tag: the version's tag (or the text given) with "-" for "+", which registries do not allow.

        The way back is lost: `v1.33.1-rke2r1` reads as a prerelease.
        """
        text = self.tag(version) if isinstance(version, Version) else version
        return text.replace("+", "-")

    def make(self, core: tuple[int, int, int], stage: str = "", number: int = 0, revision: int = 0) -> Version:
        """Write a version; ValueError when the scheme has no such version. `stage` "" makes a final.

        `number` counts for candidates only, `revision` only where the scheme has one.
        """
        text = self._write(".".join(map(str, core)), stage, number, revision)
        version = self.parse(text)
        if version is None or (version.stage, version.number) != (stage, number if stage else 0):
            raise ValueError(f"{text} is not a version of the scheme {self.rules.scheme}")
        return version

    def _read(self, text: str) -> Version | None:
        raise NotImplementedError

    def _write(self, core: str, stage: str, number: int, revision: int) -> str:
        raise NotImplementedError


class Semantic(Scheme, frozen=True):
    """SemVer 2.0.0; candidates are `1.2.0-rc.1`. Any other prerelease is a stage of its own, with number 0."""

    def _read(self, text: str) -> Version | None:
        try:
            seen = semver.Version.parse(text)
        except ValueError:
            return None
        core = (seen.major, seen.minor, seen.patch)
        names = seen.prerelease.split(".") if seen.prerelease else []
        if any(number >= 10**18 for number in (*core, *(int(name) for name in names if name.isdigit()))):
            return None
        return Version(text, *core, *self._stage(names), 0, (*core, _precedence(names)))

    def _stage(self, names: list[str]) -> tuple[str, int]:
        if len(names) == 2 and names[0] in self.rules.candidates and names[1].isdigit():
            return names[0], int(names[1])
        return ".".join(names), 0

    def _write(self, core: str, stage: str, number: int, revision: int) -> str:
        return f"{core}-{stage}.{number}" if stage else core


class Revised(Scheme, frozen=True):
    """`X.Y.Z[-<stage><N>]+<revision><M>`: ordered by X.Y.Z, then M, then stage (final last), then N as a number."""

    def _read(self, text: str) -> Version | None:
        seen = _revised(self.rules.candidates, self.rules.revision).fullmatch(text)
        if not seen:
            return None
        major, minor, patch, number, revision = (int(seen[group] or 0) for group in (1, 2, 3, 5, 6))
        stages = self.rules.candidates
        stage = seen[4] or ""
        rank = stages.index(stage) if stage else len(stages)
        key = (major, minor, patch, ((revision, rank, ""), (number, 0, "")))
        return Version(text, major, minor, patch, stage, number, revision, key)

    def _write(self, core: str, stage: str, number: int, revision: int) -> str:
        return f"{core}{f'-{stage}{number}' if stage else ''}+{self.rules.revision}{revision}"


def scheme(rules: VersionRules, name: str = "") -> Scheme:
    """The scheme that the rules ask for; `name` is the project's, for tags like "{name}-v{version}".

    ValueError for a tag template that does not have `{version}` exactly once.
    """
    parts = rules.tag.split("{version}")
    if len(parts) != 2:
        raise ValueError(f'the tag template "{rules.tag}" must contain {{version}} once')
    before, after = (render(part, {"name": name} if name else {}) for part in parts)
    kind = Revised if rules.scheme == "semver+revision" else Semantic
    return kind(rules, before, after)


def render(template: str, values: Mapping[str, str]) -> str:
    """Put values for their `{name}`, in one pass. Other braces stay as they are, and values are not looked into."""
    return _NAME.sub(lambda seen: values.get(seen[1], seen[0]), template)


def names_in(template: str) -> tuple[str, ...]:
    """The names that a template asks for, each once, in order."""
    return tuple(dict.fromkeys(_NAME.findall(template)))


def template_values(version: Version, tag: str, scheme: Scheme) -> dict[str, str]:
    """What templates may say of a version, by name."""
    return {
        "version": version.text,
        "tag": tag,
        "core": version.core,
        "major": str(version.major),
        "minor": str(version.minor),
        "patch": str(version.patch),
        "line": version.line,
        "revision": str(version.revision),
        "image_tag": scheme.image_tag(tag),
    }


def line_of_branch(template: str, branch: str) -> str | None:
    """The line that a branch is for: "1.33" of "release-1.33" by "release-{line}".

    "" for a branch that is the template itself, without a line; None when the template is not this branch's.
    """
    before, hole, after = template.partition("{line}")
    if not hole:
        return "" if branch == template else None
    seen = re.fullmatch(f"{re.escape(before)}({_NUMBER}\\.{_NUMBER}){re.escape(after)}", branch)
    return seen[1] if seen else None


def _acceptable(text: str) -> bool:
    """An allow-list, because names come from anywhere: git lets a tag end in U+2028, and rke2 has one that does."""
    return len(text) <= LONGEST and _ALLOWED.fullmatch(text) is not None


def _precedence(names: list[str]) -> tuple[tuple[int, int, str], ...]:
    """SemVer clause 11: numbers below words, words in ASCII order, a list above its own beginning, finals last."""
    if not names:
        return _FINAL
    return tuple((0, int(name), "") if name.isdigit() else (1, 0, name) for name in names)


@lru_cache
def _revised(candidates: tuple[str, ...], revision: str) -> re.Pattern[str]:
    stages = "|".join(map(re.escape, candidates)) or "(?!)"
    core = rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
    return re.compile(rf"{core}(?:-({stages})({_NUMBER}))?\+{re.escape(revision)}({_NUMBER})")
