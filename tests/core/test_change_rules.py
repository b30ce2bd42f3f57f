"""What [changes] and [[upstream]] say is heard, or the configuration is told to be mended."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.contradictions import contradictions

UPSTREAM = {"name": "k3s", "path": "a/versions.env", "pattern": "K3S=(?P<value>.+)"}
REVISED = {**UPSTREAM, "scheme": "semver+revision", "revision": "k3s"}
RULE = {"match": ["charts/**"], "bump": "minor", "why": "charts are shipped"}


def told(**tables: Any) -> list[tuple[str, str]]:
    conflicts = contradictions(msgspec.convert(tables, Config, strict=True))
    assert all(conflict.remedy for conflict in conflicts)
    return [(conflict.rule, conflict.why) for conflict in conflicts]


@pytest.mark.parametrize(
    "tables",
    [
        {"changes": {"sources": []}},
        {"changes": {"sources": ["conventional", "fragments", "dependencies"]}},
        {"changes": {"sources": ["fragments"], "fragments": "docs/news", "fragment": {"Improvement": "minor"}}},
        {"changes": {"sources": ["paths"], "path": [RULE, {"match": ["[id].ts", "a?c", "**"]}]}},
        {"changes": {"sources": ["python-api"], "packages": ["src/foo", "bar", "one.py"]}},
        {"changes": {"sources": ["upstream"]}, "upstream": [UPSTREAM, {**REVISED, "name": "other"}]},
        {"changes": {"sources": ["upstream"]}, "upstream": [{**UPSTREAM, "tag": "{name}-{version}"}]},
        {"changes": {"sources": ["labels", "release-note"]}, "project": {"forge": "github"}},
        {"changes": {"manifests": ["deploy/*.Dockerfile"]}},
        {"changes": {"fragments": "/nowhere/"}},
    ],
)
def test_what_can_be_heard_has_no_conflict(tables: dict[str, Any]) -> None:
    assert told(**tables) == []


@pytest.mark.parametrize(
    ("tables", "rule", "part"),
    [
        ({"changes": {"sources": ["paths", "paths"], "path": [RULE]}}, "duplicate-name", '"paths" twice'),
        ({"changes": {"sources": ["paths"]}}, "source-without-rules", "there is no [[changes.path]]"),
        ({"changes": {"sources": ["python-api"]}}, "source-without-rules", "there is no changes.packages"),
        ({"changes": {"sources": ["upstream"]}}, "source-without-rules", "there is no [[upstream]]"),
        ({"changes": {"path": [RULE]}}, "rules-without-source", 'no "paths"'),
        ({"changes": {"packages": ["foo"]}}, "rules-without-source", 'no "python-api"'),
        ({"upstream": [UPSTREAM]}, "rules-without-source", 'no "upstream"'),
        ({"changes": {"sources": ["labels"]}}, "source-without-forge", '"labels"'),
        ({"changes": {"sources": ["release-note"]}}, "source-without-forge", '"release-note"'),
        ({"changes": {"sources": ["fragments"], "fragments": "changes.d/"}}, "bad-path", "'changes.d/'"),
        ({"changes": {"sources": ["fragments"], "fragments": ""}}, "bad-path", "changes.fragments is ''"),
        ({"changes": {"fragment": {"a.b": "minor"}}}, "bad-kind", "'a.b'"),
        ({"changes": {"fragment": {"7": "minor"}}}, "bad-kind", "'7'"),
        ({"changes": {"fragment": {"fix": "minor", "Fix": "patch"}}}, "duplicate-name", "'fix' twice"),
        ({"changes": {"sources": ["paths"], "path": [{"match": []}]}}, "bad-glob", "changes.path[0].match is empty"),
        ({"changes": {"sources": ["paths"], "path": [RULE, {"match": ["/a"]}]}}, "bad-glob", "changes.path[1]"),
        ({"changes": {"manifests": ["a//b"]}}, "bad-glob", "changes.manifests has 'a//b'"),
        ({"changes": {"manifests": ["./go.mod"]}}, "bad-glob", "'./go.mod'"),
        ({"changes": {"manifests": ["docs/"]}}, "bad-glob", "'docs/'"),
        ({"changes": {"manifests": ["x" * 501]}}, "bad-glob", "xxx..."),
        ({"changes": {"sources": ["python-api"], "packages": ["src/my-foo"]}}, "bad-package", "'my-foo'"),
        ({"changes": {"sources": ["python-api"], "packages": ["../foo"]}}, "bad-path", "'../foo'"),
        ({"changes": {"sources": ["python-api"], "packages": ["a/foo", "b/foo"]}}, "duplicate-name", "'foo'"),
    ],
)
def test_what_would_not_be_heard_is_told(tables: dict[str, Any], rule: str, part: str) -> None:
    ((name, why),) = told(**tables)
    assert name == rule
    assert part in why


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"name": ""}, "bad-name"),
        ({"name": "a\x1bb"}, "bad-name"),
        ({"path": "../go.mod"}, "bad-path"),
        ({"pattern": "("}, "bad-pattern"),
        ({"pattern": "K3S=(.*)"}, "pattern-without-value"),
        ({"pattern": "x" * 501}, "pattern-too-long"),
        ({"tag": "v1"}, "bad-tag"),
        ({"tag": "v{version}-{line}"}, "bad-tag"),
        ({"scheme": "semver+revision"}, "revision-missing"),
        ({"revision": "k3s"}, "revision-unused"),
    ],
)
def test_an_upstream_that_cannot_be_read_is_told(change: dict[str, Any], rule: str) -> None:
    tables = {"changes": {"sources": ["upstream"]}, "upstream": [{**UPSTREAM, **change}]}
    ((name, why),) = told(**tables)
    assert name == rule
    assert why.startswith("upstream[0].")


def test_two_upstreams_of_one_name_are_told() -> None:
    tables: dict[str, Any] = {"changes": {"sources": ["upstream"]}, "upstream": [UPSTREAM, UPSTREAM]}
    assert [rule for rule, _ in told(**tables)] == ["duplicate-name"]
