"""The next version follows from the changes, and is never one that was there before."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.bump import level
from release.core.commits import Change
from release.core.config import ChangeRules, Config, PathRule, Source, Upstream, VersionRules
from release.core.facts import ApiChange, Facts, Fragment
from release.core.model import Level, Person, Reason
from release.core.needs import Asked, Manifest, Need
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


LEVELS: dict[str, int] = {"none": 0, "patch": 1, "minor": 2, "major": 3}
SOURCES: tuple[Source, ...] = ("conventional", "fragments", "paths", "python-api", "dependencies", "upstream")
EVERY = Config(
    changes=ChangeRules(
        sources=SOURCES,
        path=(PathRule(("a/**",), "minor"), PathRule(("b/**",), "none"), PathRule(("c/**",), "major")),
        fragment={"docs": "none"},
    ),
    upstream=(Upstream("up", "up.txt", "(?P<value>.+)"),),
)
X_1_1 = Asked((Need("x", "==1.1", (1, 1)),))
X_1_2 = Asked((Need("x", "==1.2", (1, 2)),))
X_2_0 = Asked((Need("x", "==2.0", (2, 0)),))
X_UNREADABLE = Asked(unreadable="line 1: no requirement")


def x_asked(now: Asked) -> tuple[Manifest, ...]:
    return (Manifest("requirements.txt", X_1_1, now),)


FACTS = st.builds(
    Facts,
    fragments=st.lists(
        st.builds(
            Fragment,
            st.sampled_from([f"changes.d/1.{kind}.md" for kind in ("removed", "added", "fixed", "docs", "odd")]),
            st.just("it"),
        ),
        max_size=3,
    ).map(tuple),
    paths=st.lists(st.sampled_from(["a/x", "b/x", "c/x", "requirements.txt"]), unique=True).map(tuple),
    api=st.lists(
        st.builds(
            ApiChange, st.sampled_from(["removed", "narrowed", "added"]), st.just("n"), st.just("w"), st.just("p")
        ),
        max_size=30,
    ).map(tuple),
    manifests=st.sampled_from([X_1_2, X_2_0, X_UNREADABLE]).map(x_asked) | st.just(()),
    before=st.just({"up.txt": "v1.1.1"}),
    after=st.fixed_dictionaries(
        {"up.txt": st.sampled_from(["v1.1.1", "v1.1.2", "v1.2.0", "v2.0.0", "v1.1.0", "main"])}
    ),
)
CHANGES = st.lists(st.builds(a_change, st.sampled_from(["feat", "fix", "docs"]), breaking=st.booleans()), max_size=3)


@given(FACTS, CHANGES, st.permutations(SOURCES))
def test_the_bump_is_the_maximum_over_all_sources_in_any_order(
    facts: Facts, changes: list[Change], order: list[Source]
) -> None:
    base = read("1.2.3")

    def by(*sources: Source) -> tuple[Level, tuple[Reason, ...]]:
        return level(
            msgspec.structs.replace(EVERY, changes=msgspec.structs.replace(EVERY.changes, sources=sources)),
            facts,
            changes,
            base=base,
        )

    found, reasons = by(*order)
    alone = [by(source) for source in order]
    assert found == max((bump for bump, _ in alone), key=LEVELS.__getitem__)
    assert found == max((reason.bump for reason in reasons), key=LEVELS.__getitem__, default="none")
    assert reasons == tuple(reason for _, said in alone for reason in said)
    assert all(reason.source and reason.what and reason.why for reason in reasons)


@given(FACTS, CHANGES)
def test_what_the_sources_saw_is_in_the_bump(facts: Facts, changes: list[Change]) -> None:
    """Worked out from the facts by another way than the sources go."""
    wants = {
        "major": any(change.breaking for change in changes)
        or any("removed" in fragment.path for fragment in facts.fragments)
        or "c/x" in facts.paths
        or any(change.kind != "added" for change in facts.api)
        or facts.after["up.txt"] == "v2.0.0",
        "minor": any(change.type == "feat" for change in changes)
        or any("added" in fragment.path for fragment in facts.fragments)
        or "a/x" in facts.paths
        or bool(facts.api)
        or facts.after["up.txt"] == "v1.2.0"
        or any(one.after == X_2_0 for one in facts.manifests),
        "patch": any(change.type == "fix" for change in changes)
        or any(part in fragment.path for fragment in facts.fragments for part in ("fixed", "odd"))
        or facts.after["up.txt"] != "v1.1.1"
        or bool(facts.manifests),
        "none": True,
    }
    assert level(EVERY, facts, changes, base=read("1.2.3"))[0] == next(bump for bump, asked in wants.items() if asked)


@given(FACTS)
def test_while_major_is_0_no_source_asks_for_more_than_minor(facts: Facts) -> None:
    found, reasons = level(EVERY, facts, (), base=None)
    assert "major" not in {found, *(reason.bump for reason in reasons)}
