"""The next version follows from the changes, and is never one that was there before."""

from __future__ import annotations

import pytest

from release.core.bump import level
from release.core.commits import Change
from release.core.config import Config, VersionRules
from release.core.facts import Facts
from release.core.model import Level, Person, Reason
from release.core.version import Scheme, Version, scheme

SEMVER = scheme(VersionRules())
RKE2 = scheme(VersionRules(scheme="semver+revision", revision="rke2r"))


def a_change(type_: str, *, breaking: bool = False, scope: str = "", description: str = "it") -> Change:
    return Change("0123456789abcdef", type_, scope, breaking, description, "", Person("Ann", "ann@example.org"))


def called_for(changes: list[Change], *, base: Version | None) -> tuple[Level, tuple[Reason, ...]]:
    """What commits alone call for."""
    return level(Config(), Facts(), changes, base=base)


def read(text: str, by: Scheme = SEMVER) -> Version:
    version = by.parse(text)
    assert version is not None
    return version


@pytest.mark.parametrize(
    ("type_", "bump"),
    [
        ("feat", "minor"),
        ("fix", "patch"),
        ("perf", "patch"),
        ("revert", "patch"),
        ("docs", "none"),
        ("chore", "none"),
        ("refactor", "none"),
        ("feature", "none"),
        ("", "none"),
    ],
)
def test_a_type_calls_for_its_bump(type_: str, bump: str) -> None:
    found, reasons = called_for([a_change(type_)], base=read("1.2.3"))
    assert found == bump
    assert [reason.bump for reason in reasons] == ([] if bump == "none" else [bump])


@pytest.mark.parametrize("type_", ["feat", "fix", "docs", ""])
def test_breaking_is_major_whatever_its_type(type_: str) -> None:
    assert called_for([a_change(type_, breaking=True)], base=read("1.2.3"))[0] == "major"


@pytest.mark.parametrize("base", [read("0.9.3"), None])
def test_while_major_is_0_breaking_is_minor_and_the_reason_says_so(base: Version | None) -> None:
    found, (reason,) = called_for([a_change("fix", breaking=True)], base=base)
    assert found == reason.bump == "minor"
    assert "SemVer clause 4" in reason.why
    assert "clause 4" not in called_for([a_change("fix", breaking=True)], base=read("1.0.0"))[1][0].why


def test_the_highest_bump_wins_and_each_reason_tells_its_own() -> None:
    changes = [a_change("fix"), a_change("feat", scope="api"), a_change("docs"), a_change("fix", breaking=True)]
    found, reasons = called_for(changes, base=read("1.2.3"))
    assert found == "major"
    assert [(reason.what, reason.bump) for reason in reasons] == [
        ("fix: it", "patch"),
        ("feat(api): it", "minor"),
        ("fix!: it", "major"),
    ]
    assert {reason.source for reason in reasons} == {"0123456789"}


def test_no_changes_call_for_nothing() -> None:
    assert called_for([], base=read("1.0.0")) == ("none", ())


def test_a_reason_is_safe_to_show() -> None:
    _, (reason,) = called_for([a_change("fix", description="a\x1b[2Jb\u2028c" + "d" * 10_000)], base=None)
    assert "\x1b" not in reason.what
    assert "\u2028" not in reason.what
    assert len(reason.what) <= 200
