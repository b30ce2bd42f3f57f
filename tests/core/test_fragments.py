"""A news fragment is known by its name, and none is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import Config
from release.core.facts import Facts, Fragment
from release.core.fragments import (
    Name,
    fragment_reasons,
    kinds,
    named,
    removals,
    unknown_fragments,
    used_fragments,
)
from release.core.model import Level, Reason, Splice


def config(folder: str = "changes.d", kinds: Mapping[str, Level] | None = None) -> Config:
    changes = msgspec.structs.replace(Config().changes, sources=("fragments",), fragments=folder, fragment=kinds or {})
    return Config(changes=changes)


def told(path: str, text: str = "it", kinds: Mapping[str, Level] | None = None) -> Reason:
    (reason,) = fragment_reasons(config(kinds=kinds), Facts(fragments=(Fragment(path, text),)), ())
    return reason


@pytest.mark.parametrize(
    ("name", "issue", "kind"),
    [
        ("12.feature", "12", "feature"),
        ("12.feature.md", "12", "feature"),
        ("12.bugfix.rst", "12", "bugfix"),
        ("12.fixed.3.md", "12", "fixed"),
        ("12.removal.1", "12", "removal"),
        ("+.feature.md", "", "feature"),
        ("+a-word.misc.txt", "", "misc"),
        ("+1.2.doc", "", "doc"),
        ("fix-1.2.3.feature.4.md", "fix-1.2.3", "feature"),
        ("removed.added.md", "removed", "added"),
        ("12.Breaking.MD", "12", "breaking"),
        ("sub/12.feature.md", "12", "feature"),
        ("12.feture.md", "", ""),
        ("12", "", ""),
        ("feature.md", "", ""),
        ("feature", "", ""),
        ("no issue", "", ""),
    ],
)
def test_a_name_says_issue_and_kind(name: str, issue: str, kind: str) -> None:
    assert named(config(), f"changes.d/{name}") == Name(issue, kind)


@pytest.mark.parametrize(
    "path",
    [
        "12.feature.md",
        "other/12.feature.md",
        "changes.d2/12.feature.md",
        "changes.d",
        "changes.d/.gitkeep",
        "changes.d/.12.feature.md",
        "changes.d/README",
        "changes.d/readme.rst",
        "changes.d/sub/README.md",
        "changes.d/template.md",
        "changes.d/_template.rst",
        "changes.d/changelog.md.j2",
        "changes.d/news.jinja",
    ],
)
def test_what_lies_beside_fragments_is_none(path: str) -> None:
    assert named(config(), path) is None
    assert list(fragment_reasons(config(), Facts(fragments=(Fragment(path, "x"),)), ())) == []
    assert unknown_fragments(config(), [path]) == used_fragments(config(), [path]) == ()


@pytest.mark.parametrize(
    ("kind", "bump"),
    [
        ("breaking", "major"),
        ("removal", "major"),
        ("removed", "major"),
        ("feature", "minor"),
        ("added", "minor"),
        ("changed", "minor"),
        ("deprecated", "minor"),
        ("bugfix", "patch"),
        ("fixed", "patch"),
        ("security", "patch"),
        ("doc", "none"),
        ("misc", "none"),
    ],
)
def test_each_built_in_kind_has_its_bump(kind: str, bump: str) -> None:
    path = f"changes.d/7.{kind}.md"
    assert told(path) == Reason(path, "it", bump, f"fragment of the kind {kind}")
    assert set(kinds(config())) == {
        "breaking", "removal", "removed", "feature", "added", "changed", "deprecated", "bugfix", "fixed", "security",
        "doc", "misc",
    }  # fmt: skip


def test_a_project_adds_kinds_and_changes_what_they_ask_for() -> None:
    own: dict[str, Level] = {"Improvement": "minor", "removal": "minor"}
    assert told("changes.d/1.improvement.md", kinds=own).bump == "minor"
    assert told("changes.d/1.removal.md", kinds=own).bump == "minor"
    assert told("changes.d/1.fixed.md", kinds=own).bump == "patch"


def test_a_fragment_of_an_unknown_kind_is_told_and_not_lost() -> None:
    reason = told("changes.d/1.braking.md")
    assert reason.bump == "patch"
    assert "no known kind" in reason.why
    paths = ["changes.d/1.braking.md", "changes.d/2.fixed.md", "changes.d/README.md", "x/1.braking.md"]
    assert unknown_fragments(config(), paths) == ("changes.d/1.braking.md",)
    assert used_fragments(config(), paths) == ("changes.d/2.fixed.md",)


def test_used_fragments_are_taken_away() -> None:
    assert removals(["changes.d/2.fixed.md"]) == (Splice("changes.d/2.fixed.md", 0, 0, "", removes=True),)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("- One line.\n- Another\n", "One line."),
        ("\n\n  * Starred  \n", "Starred"),
        ("", "changes.d/1.fixed.md"),
        (" \n\t\n", "changes.d/1.fixed.md"),
        ("a\x1b[2Jb", "a[2Jb"),
    ],
)
def test_its_first_line_is_shown(text: str, what: str) -> None:
    assert told("changes.d/1.fixed.md", text).what == what


@given(st.text(max_size=50), st.text(max_size=50))
def test_whatever_lies_there_is_used_or_unknown_or_aside_and_safe_to_show(name: str, text: str) -> None:
    path = f"changes.d/{name}"
    paths = [path]
    kept = (named(config(), path) is None, unknown_fragments(config(), paths) == (path,), used_fragments(config(), paths) == (path,))  # fmt: skip
    assert sum(kept) == 1
    for reason in fragment_reasons(config(), Facts(fragments=(Fragment(path, text),)), ()):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]", reason.source + reason.what)
