"""A project inherits the bump of what it is built on."""

from __future__ import annotations

import msgspec
import pytest

from release.core.config import ChangeRules, Config, Upstream
from release.core.facts import Facts
from release.core.inheritance import unread_upstreams, upstream_files, upstream_reasons
from release.core.model import Reason
from release.core.wanted import wanted

K3S = Upstream("k3s", "versions.env", r"^K3S=(?P<value>\S+)", scheme="semver+revision", revision="k3s")
PLAIN = Upstream("lib", "go.mod", r"example\.com/lib (?P<value>\S+)")


def config(*upstreams: Upstream, sources: tuple[str, ...] = ("upstream",)) -> Config:
    changes = msgspec.convert({"sources": sources}, ChangeRules)
    return Config(changes=changes, upstream=upstreams)


def told(upstream: Upstream, before: str | None, after: str | None) -> list[Reason]:
    facts = Facts(before={upstream.path: before}, after={upstream.path: after})
    return list(upstream_reasons(config(upstream), facts, ()))


@pytest.mark.parametrize(
    ("before", "after", "bump", "why"),
    [
        ("v1.33.1+k3s1", "v2.0.0+k3s1", "major", "major of the upstream"),
        ("v1.33.1+k3s1", "v1.34.0+k3s1", "minor", "minor of the upstream"),
        ("v1.33.1+k3s1", "v1.33.2+k3s1", "patch", "patch of the upstream"),
        ("v1.33.1+k3s1", "v1.33.1+k3s2", "patch", "revision or candidate of the upstream"),
        ("v1.33.1-rc1+k3s1", "v1.33.1+k3s1", "patch", "revision or candidate of the upstream"),
        ("v1.33.1-rc9+k3s1", "v1.33.1-rc10+k3s1", "patch", "revision or candidate of the upstream"),
        ("1.33.1+k3s1", "v1.34.0-rc1+k3s1", "minor", "minor of the upstream"),
        ("v1.34.0+k3s1", "v1.33.9+k3s1", "patch", "upstream went back: look whether users lose anything"),
        ("v2.0.0+k3s1", "v1.0.0+k3s1", "patch", "upstream went back: look whether users lose anything"),
    ],
)
def test_the_bump_is_the_way_from_the_old_version_to_the_new(before: str, after: str, bump: str, why: str) -> None:
    found = told(K3S, f"# x\nK3S={before}\n", f"# x\n# y\nK3S={after}\n")
    assert found == [Reason("versions.env:3", f"k3s from {before} to {after}", bump, why)]


def test_the_same_version_is_no_reason_whatever_else_changed() -> None:
    assert told(K3S, "K3S=v1.33.1+k3s1\nA=1\n", "A=2\nK3S=1.33.1+k3s1\n") == []
    assert told(K3S, "nothing", "nothing") == []
    assert told(K3S, None, None) == []


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (None, "K3S=v1.33.1+k3s1", "k3s: no version before, 1.33.1+k3s1 now"),
        ("K3S=v1.33.1+k3s1", None, "k3s: 1.33.1+k3s1 before, no version now"),
        ("K3S=v1.33.1+k3s1", "X=1", "k3s: 1.33.1+k3s1 before, no version now"),
        ("K3S=v1.33.1+k3s1", "K3S=main", 'k3s: 1.33.1+k3s1 before, "main", which is no version of it now'),
        ("a", "b", "k3s: no version before, no version now"),
    ],
)
def test_what_cannot_be_compared_is_told(before: str | None, after: str | None, what: str) -> None:
    assert told(K3S, before, after) == [
        Reason("versions.env", what, "patch", "the version of the upstream cannot be compared")
    ]


def test_each_of_several_upstreams_has_its_say() -> None:
    other = msgspec.structs.replace(PLAIN, path="versions.env", pattern=r"LIB=(?P<value>\S+)")
    facts = Facts(
        before={"versions.env": "K3S=v1.33.1+k3s1\nLIB=v0.1.0"}, after={"versions.env": "K3S=v1.33.2+k3s1\nLIB=v0.2.0"}
    )
    found = upstream_reasons(config(K3S, other), facts, ())
    assert [(one.source, one.bump) for one in found] == [("versions.env:1", "patch"), ("versions.env:2", "minor")]


def test_a_pattern_whose_group_took_no_part_is_no_version() -> None:
    odd = msgspec.structs.replace(K3S, pattern=r"x|(?P<value>y)")
    assert [one.bump for one in told(odd, "a", "x")] == ["patch"]


def test_hostile_contents_are_safe_to_show() -> None:
    (reason,) = told(msgspec.structs.replace(K3S, pattern="(?P<value>(?s:.*))"), "a", "\x1b[2J\n\u202e" * 100_000)
    assert "\x1b" not in reason.what
    assert "\n" not in reason.what
    assert len(reason.what) < 300


def test_an_upstream_whose_version_is_not_there_now_is_named() -> None:
    assert unread_upstreams(config(K3S, PLAIN), {"versions.env": "K3S=v1.33.1+k3s1", "go.mod": None}) == (
        "upstream lib: go.mod has no version",
    )
    assert unread_upstreams(config(K3S), {"versions.env": "K3S=main"}) == (
        'upstream k3s: versions.env has "main", which is no version of it',
    )


def test_texts_are_wanted_of_changed_manifests_and_of_upstreams_as_far_as_a_source_reads_them() -> None:
    changed = ["a.py", "go.mod", "requirements.txt"]
    both = config(K3S, PLAIN, sources=("dependencies", "upstream"))
    assert upstream_files(both) == ("versions.env", "go.mod")
    assert wanted(both, changed) == ("go.mod", "requirements.txt", "versions.env")
    assert wanted(config(K3S, sources=("upstream",)), changed) == ("versions.env",)
    assert wanted(config(K3S, sources=("dependencies",)), changed) == ("go.mod", "requirements.txt")
    assert wanted(config(K3S, sources=("conventional",)), changed) == ()
