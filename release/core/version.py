"""What a version is: how it is written, read from a tag, and ordered.

Three schemes: `semver` is SemVer 2.0.0 to the letter; `semver+revision` is `X.Y.Z[-<stage><N>]+<revision><M>`
(`1.33.1-rc2+rke2r1`), whose metadata carries precedence and whose numbers are numbers, so that rc13 follows rc9;
`pep440` is what PEP 440 calls the normal form of `X.Y.Z[{a|b|rc}N][.postM]`.

Every scheme reads by an expression of its own: a repository with thousands of tags has each of them read on every run,
and the packages `semver` and `packaging` take two to three times as long. The tests hold the expressions against
both. `packaging` reads what people type; of it, only its versions are imported here, which costs 2 ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, Literal, Protocol

import msgspec
from packaging.version import InvalidVersion
from packaging.version import Version as Pep440Version

from release.core.config import SchemeName
from release.core.model import Kind

Key = tuple[int, int, int, tuple[tuple[int, int, str], ...]]

LONGEST = 200
"""A tag or version of more characters is never a version."""

PEP440_WORDS = {"a": "a", "alpha": "a", "b": "b", "beta": "b", "rc": "rc"}
"""What a candidate may be called in the scheme pep440 -> how PEP 440 writes it, in the order of precedence."""

_NUMBER = r"(?:0|[1-9][0-9]{0,17})"
_CORE = rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
_PRERELEASE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD = r"[0-9A-Za-z-]+"
_SEMVER = re.compile(rf"{_CORE}(?:-({_PRERELEASE}(?:\.{_PRERELEASE})*))?(?:\+{_BUILD}(?:\.{_BUILD})*)?")
_TYPED = re.compile(r"[A-Za-z0-9._-]+")
_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FINAL = ((2, 0, ""),)
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PEP440_RANKS = {word: rank for rank, word in enumerate(dict.fromkeys(PEP440_WORDS.values()))}
_PEP440_FINAL = len(_PEP440_RANKS)


class Rules(Protocol):
    """What a scheme has to know; [version], [[upstream]] and [[component]] all say it.

    `tag` is a template, `revision` the word before a revision's number, `candidates` the words of candidates.
    """

    @property
    def scheme(self) -> SchemeName: ...
    @property
    def tag(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def candidates(self) -> tuple[str, ...]: ...


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
    def release(self) -> tuple[int, int, int]:
        """X, Y and Z."""
        return self.major, self.minor, self.patch

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
    """How a project writes its versions. `before` and `after` are what its tags have around the version.

    `revisions`: "none"; "always", where each version has one, from 1; "asked", where only who asks for one gets it.
    """

    rules: Rules
    before: str
    after: str

    revisions: ClassVar[Literal["none", "always", "asked"]] = "none"

    def parse(self, text: str) -> Version | None:
        """Read a version, strictly: None for anything that the scheme would not write itself.

        Any text will do: names come from anywhere, git lets a tag end in U+2028, and rke2 has one that does.
        """
        return self._read(text) if len(text) <= LONGEST else None

    def of_tag(self, tag: str) -> Version | None:
        """Read the version in a tag's name; None for a tag of something else."""
        if len(tag) > LONGEST or not (tag.startswith(self.before) and tag.endswith(self.after)):
            return None
        return self._read(tag[len(self.before) : len(tag) - len(self.after)])

    def requested(self, text: str) -> Version | None:
        """Read what a person types: the version with or without what the tag has around it."""
        return self.of_tag(text) or self.parse(text)

    def tag(self, version: Version) -> str:
        """The name of the version's tag."""
        return f"{self.before}{version.text}{self.after}"

    def image_tag(self, version: Version | str) -> str:
        """An image tag that registries allow: the version's tag (or the text given), made to fit.

        By the OCI distribution spec that is `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`. What is not in it becomes "-" ("+" of
        metadata, "/" and "@" of a monorepo's tags); "." and "-" at the beginning are dropped, and so is what is too
        much at the end. The way back is lost: `v1.33.1-rke2r1` reads as a prerelease, and two versions may share one.
        """
        text = self.tag(version) if isinstance(version, Version) else version
        if _IMAGE_TAG.fullmatch(text):
            return text
        return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip(".-")[:128] or "_"

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
        seen = _SEMVER.fullmatch(text)
        if not seen:
            return None
        one, two, three, prerelease = seen.groups()
        major, minor, patch = int(one), int(two), int(three)
        if prerelease is None:
            return Version(text, major, minor, patch, "", 0, 0, (major, minor, patch, _FINAL))
        names = prerelease.split(".")
        key = (major, minor, patch, _precedence(names))
        if len(names) == 2 and names[0] in self.rules.candidates and names[1].isdigit():
            return Version(text, major, minor, patch, names[0], int(names[1]), 0, key)
        return Version(text, major, minor, patch, prerelease, 0, 0, key)

    def _write(self, core: str, stage: str, number: int, revision: int) -> str:
        return f"{core}-{stage}.{number}" if stage else core


class Revised(Scheme, frozen=True):
    """`X.Y.Z[-<stage><N>]+<revision><M>`: ordered by X.Y.Z, then M, then stage (final last), then N as a number."""

    revisions = "always"

    def _read(self, text: str) -> Version | None:
        stages = self.rules.candidates
        seen = _revised(stages, self.rules.revision).fullmatch(text)
        if not seen:
            return None
        one, two, three, stage, candidate, last = seen.groups()
        major, minor, patch, revision = int(one), int(two), int(three), int(last)
        if stage is None:
            key = (major, minor, patch, ((revision, len(stages), ""), (0, 0, "")))
            return Version(text, major, minor, patch, "", 0, revision, key)
        number = int(candidate)
        key = (major, minor, patch, ((revision, stages.index(stage), ""), (number, 0, "")))
        return Version(text, major, minor, patch, stage, number, revision, key)

    def _write(self, core: str, stage: str, number: int, revision: int) -> str:
        return f"{core}{f'-{stage}{number}' if stage else ''}+{self.rules.revision}{revision}"


class Pep440(Scheme, frozen=True):
    """PEP 440: candidates are `1.2.0a1`, `1.2.0b1` and `1.2.0rc1`, in that order; a revision is a post release, `1.2.0.post1`.

    Of what PEP 440 has besides, nothing is a version here, because nothing here would write it, and a tag of it is
    named as invalid: epochs, which would outrank every X.Y.Z without one; development releases and local versions,
    which are not for publishing; post releases of candidates, which come before the final; `.post0`; `1.2` and
    `1.2.0.0`, which an index takes for `1.2.0`.
    """

    revisions = "asked"

    def requested(self, text: str) -> Version | None:
        """Read what a person types, in any spelling that PEP 440 allows: `1.2-RC.1` is `1.2.0rc1`, `1.2.0-1` a post release."""
        return super().requested(text) or self._normalised(text)

    def _normalised(self, text: str) -> Version | None:
        if len(text) > LONGEST or not _TYPED.fullmatch(text):
            return None
        try:
            seen = Pep440Version(text)
        except InvalidVersion:
            return None
        padded = (*seen.release, 0, 0)[: max(3, len(seen.release))]
        after_release = str(seen)[len(".".join(map(str, seen.release))) :]
        return self.parse(".".join(map(str, padded)) + after_release)

    def _read(self, text: str) -> Version | None:
        pattern, stages = _pep440(self.rules.candidates)
        seen = pattern.fullmatch(text)
        if not seen:
            return None
        one, two, three, word, candidate, post = seen.groups()
        major, minor, patch = int(one), int(two), int(three)
        if word is not None:
            number = int(candidate)
            key = (major, minor, patch, ((_PEP440_RANKS[word], number, ""),))
            return Version(text, major, minor, patch, stages[word], number, 0, key)
        revision = int(post or 0)
        return Version(
            text, major, minor, patch, "", 0, revision, (major, minor, patch, ((_PEP440_FINAL, revision, ""),))
        )

    def _write(self, core: str, stage: str, number: int, revision: int) -> str:
        word = f"{PEP440_WORDS.get(stage, stage)}{number}" if stage else ""
        return f"{core}{word}{f'.post{revision}' if revision else ''}"


_SCHEMES: dict[SchemeName, type[Scheme]] = {"semver": Semantic, "semver+revision": Revised, "pep440": Pep440}


def scheme(rules: Rules, name: str = "") -> Scheme:
    """The scheme that the rules ask for; `name` is the project's, for tags like "{name}-v{version}".

    ValueError for a tag template that does not have `{version}` exactly once.
    """
    parts = rules.tag.split("{version}")
    if len(parts) != 2:
        raise ValueError(f'the tag template "{rules.tag}" must contain {{version}} once')
    before, after = (render(part, {"name": name} if name else {}) for part in parts)
    return _SCHEMES[rules.scheme](rules, before, after)


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


def _precedence(names: list[str]) -> tuple[tuple[int, int, str], ...]:
    """SemVer clause 11: numbers below words, words in ASCII order, a list above its own beginning."""
    return tuple([(0, int(name), "") if name.isdigit() else (1, 0, name) for name in names])


@lru_cache
def _revised(candidates: tuple[str, ...], revision: str) -> re.Pattern[str]:
    stages = "|".join(map(re.escape, candidates)) or "(?!)"
    return re.compile(rf"{_CORE}(?:-({stages})({_NUMBER}))?\+{re.escape(revision)}({_NUMBER})")


@lru_cache
def _pep440(candidates: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """The form of a version, and PEP 440's words -> the project's own. A word that PEP 440 does not have is never read."""
    stages = {PEP440_WORDS[name]: name for name in candidates if name in PEP440_WORDS}
    words = "|".join(stages) or "(?!)"
    return re.compile(rf"{_CORE}(?:({words})({_NUMBER})|\.post([1-9][0-9]{{0,17}}))?"), stages
