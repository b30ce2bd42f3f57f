"""A real fleet is judged as a count judges it that shares nothing with ours: small expressions and sets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from release.config import parse
from release.core.evidence import Listed
from release.core.fleet_status import Component, Status, Summary, status
from release.core.fleet_window import Wanted
from release.core.model import Tag

EXAMPLE = Path(__file__).parents[2] / "examples" / "rke2"
GOOD = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-(alpha|beta|rc)(\d+))?\+rke2r(\d+)", re.ASCII)
PROMOTED = re.compile(r"(.+?)\.([a-z]+)\.([0-9]+)", re.ASCII)
NOW = "2026-01-01T00:00:00+00:00"
NAMES = ("rke2-upgrade", "system-agent-installer-rke2", "rke2-packaging")
CUTS: list[dict[str, Any]] = [
    {},
    {"since": "2024-01-01"},
    {"since": "2023-06-15", "until": "2024-02-01"},
    {"lines": ("1.28",)},
    {"lines": ("1.27", "1.30"), "since": "2023-01-01"},
    {"kind": "final"},
    {"kind": "candidate", "lines": ("1.22",)},
    {"components": ("rke2-packaging",), "kind": "final", "since": "2022-01-01"},
]


@cache
def facts(name: str) -> dict[str, tuple[str, str]]:
    """Tag -> date and commit, as the example has them. Not by lines: one tag holds what Unicode takes for a line's end."""
    text = (EXAMPLE / "tags" / f"{name}.tsv").read_text(encoding="utf-8")
    rows = (row.split("\t") for row in text.split("\n") if row)
    return {tag: (date, commit) for date, commit, tags in rows for tag in tags.split(" ")}


@cache
def judged(cut: int) -> Status:
    settings = parse((EXAMPLE / "release.toml").read_text(encoding="utf-8"), "example")
    upstream = tuple(Tag(name, commit, date) for name, (date, commit) in facts("rke2").items())
    listed = {name: Listed({tag: commit for tag, (_, commit) in facts(name).items()}) for name in NAMES}
    fleet = status(settings, upstream, Listed(), listed, {}, NOW, Wanted(**CUTS[cut]))
    assert isinstance(fleet, Status)
    return fleet


def one(cut: int, name: str) -> tuple[Component, Summary]:
    fleet = judged(cut)
    return next(each for each in fleet.components if each.name == name), fleet.summary[name]


def asked(tag: str, cut: dict[str, Any]) -> bool:
    """Whether a release is of a line and the kind that are asked about."""
    parts = GOOD.fullmatch(tag)
    assert parts
    kind = "candidate" if parts[4] else "final"
    return cut.get("kind") in (None, kind) and f"{parts[1]}.{parts[2]}" in cut.get("lines", [f"{parts[1]}.{parts[2]}"])


def rank(tag: str) -> tuple[int, ...]:
    """X, Y, Z, then the revision, then the stage with the final last, then its number as a number."""
    parts = GOOD.fullmatch(tag)
    assert parts
    x, y, z, stage, number, revision = parts.groups()
    return int(x), int(y), int(z), int(revision), ["alpha", "beta", "rc", None].index(stage), int(number or 0)


def base(name: str) -> Iterator[tuple[str, str]]:
    """A component's well-formed tags, each with its release."""
    for tag in facts(name):
        parts = PROMOTED.fullmatch(tag)
        release = parts[1] if parts and name == "rke2-packaging" else tag if name != "rke2-packaging" else ""
        if GOOD.fullmatch(release):
            yield tag, release


def expected(cut: dict[str, Any]) -> set[str]:
    since, until = cut.get("since", ""), cut.get("until", "9999")
    good = {tag: date[:10] for tag, (date, _) in facts("rke2").items() if GOOD.fullmatch(tag)}
    return {tag for tag, day in good.items() if since <= day <= until and asked(tag, cut)}


def sets(cut: dict[str, Any], name: str) -> dict[str, set[str]]:
    """What is found, missing, extra, malformed, by set arithmetic alone."""
    upstream = {tag for tag in facts("rke2") if GOOD.fullmatch(tag)}
    own, due = dict(base(name)), expected(cut)
    missing = due - set(own.values())
    return {
        "expected": due,
        "found": due - missing,
        "missing": missing,
        "missing_final": {tag for tag in missing if "-" not in tag},
        "extra": {tag for tag, release in own.items() if release not in upstream and asked(release, cut)},
        "malformed": set(facts(name)) - set(own),
    }


ASKED = [
    (cut, name) for cut, asked_for in enumerate(CUTS) for name in NAMES if name in asked_for.get("components", NAMES)
]


@pytest.mark.parametrize(("cut", "name"), ASKED)
def test_what_is_there_and_what_is_not_are_what_set_arithmetic_says(cut: int, name: str) -> None:
    _, summary = one(cut, name)
    for part, wanted in sets(CUTS[cut], name).items():
        told = getattr(summary, part)
        assert (set(told), len(told)) == (wanted, len(wanted)), part
    assert summary.found == tuple(sorted(summary.found, key=rank))
    assert summary.missing == tuple(sorted(summary.missing, key=rank))


@pytest.mark.parametrize(("cut", "name"), ASKED)
def test_a_component_is_behind_where_its_newest_of_a_line_is_older_than_the_upstreams(cut: int, name: str) -> None:
    due, had = expected(CUTS[cut]), {release for _, release in base(name) if asked(release, CUTS[cut])}
    had &= set(facts("rke2"))
    wanted = set()
    for line in {rank(tag)[:2] for tag in due}:
        newest = max((tag for tag in had if rank(tag)[:2] == line), key=rank, default=None)
        later = [tag for tag in due if rank(tag)[:2] == line and (newest is None or rank(tag) > rank(newest))]
        if later:
            since = min((facts("rke2")[tag][0] for tag in later), key=lambda date: (utc(date), date))
            wanted.add((".".join(map(str, line)), newest, max(later, key=rank), len(later), utc(since)))
    _, summary = one(cut, name)
    told = [(late.line, late.newest, late.upstream, late.by, utc(late.since or "")) for late in summary.behind]
    assert (set(told), len(told)) == (wanted, len(wanted))


def utc(date: str) -> int:
    """Minutes of a git date since the year 0, months of 31 days: enough to put any two in order."""
    parts = re.fullmatch(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)([+-])(\d+):(\d+)", date)
    assert parts, date
    year, month, day, hour, minute, second = (int(part) for part in parts.groups()[:6])
    shift = (int(parts[8]) * 60 + int(parts[9])) * (-1 if parts[7] == "+" else 1)
    return ((((year * 12 + month) * 31 + day) * 24 + hour) * 60 + minute + shift) * 60 + second


@pytest.mark.parametrize("cut", [cut for cut, name in ASKED if name == "rke2-packaging"])
def test_channels_and_their_numbers_are_those_that_the_tags_of_a_packaging_repository_carry(cut: int) -> None:
    wanted: dict[str, dict[str, list[int]]] = {}
    for tag, release in base("rke2-packaging"):
        parts = PROMOTED.fullmatch(tag)
        assert parts
        wanted.setdefault(release, {}).setdefault(parts[2], []).append(int(parts[3]))
    component, summary = one(cut, "rke2-packaging")
    told = {cell.release: cell.channels for cell in component.releases if cell.channels}
    assert told.keys() == set(summary.found)
    for release, channels in told.items():
        assert {name: list(numbers) for name, numbers in channels.items()} == {
            name: sorted(numbers) for name, numbers in wanted[release].items()
        }
        assert list(channels) == sorted(channels)


@pytest.mark.parametrize(("cut", "name"), ASKED)
def test_every_tag_that_is_found_has_its_own_commit(cut: int, name: str) -> None:
    component, _ = one(cut, name)
    releases = dict(base(name))
    for cell in component.releases:
        assert (cell.commit is None) == (cell.state == "missing")
        if cell.tag is not None and cell.state == "found":
            assert cell.commit == facts(name)[cell.tag][1]
            assert Counter(cell.tags) == Counter(tag for tag, release in releases.items() if release == cell.release)


def test_only_the_components_that_are_asked_about_are_told_of() -> None:
    assert [each.name for each in judged(7).components] == ["rke2", "rke2-packaging"]
    assert list(judged(7).summary) == ["rke2-packaging"]


def test_what_is_no_version_of_the_upstream_is_told_whatever_is_asked() -> None:
    malformed = {name for name in facts("rke2") if not GOOD.fullmatch(name)}
    for cut in range(len(CUTS)):
        assert set(judged(cut).components[0].malformed) == malformed
