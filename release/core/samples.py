"""Releases that might be: by them it is seen what a template gives before there is a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from release.core.config import Config
from release.core.model import Kind
from release.core.version import Version, scheme, template_values

SAMPLE = (97, 89, 83)
"""A version that no template says by chance: two templates that give one text for it mean the same."""


class Sample(msgspec.Struct, frozen=True):
    """A release that might be: what selects tables, and what templates may say."""

    line: str
    kind: Kind
    version: str
    values: Mapping[str, str]


def samples(config: Config, lines: Iterable[str]) -> tuple[Sample, ...]:
    """Releases of a line (the first of `lines`, else one of our own): two finals, and two candidates where there are any.

    None where the rules of the version do not hold: that is a conflict of its own.
    """
    try:
        rules = scheme(config.version, config.project.name)
        major, minor = _line(lines)
        stage = next(iter(config.version.candidates), "")
        first, second = (73, 74) if rules.revisions == "always" else (0, 0)
        made = [rules.make((major, minor, patch), revision=first) for patch in (SAMPLE[2], SAMPLE[2] + 1)]
        made += [rules.make((major, minor, SAMPLE[2]), stage, number, revision=first) for number in (71, 72) if stage]
        made += [rules.make((major, minor, SAMPLE[2]), revision=second)] if second else []
    except ValueError:
        return ()

    def sample(version: Version) -> Sample:
        return Sample(version.line, version.kind, version.text, template_values(version, rules.tag(version), rules))

    return tuple(map(sample, made))


def _line(lines: Iterable[str]) -> tuple[int, int]:
    for line in lines:
        major, _, minor = line.partition(".")
        return int(major), int(minor)
    return SAMPLE[:2]
