"""Updates that cannot mean anything are told before the first look at the world, with the place and a remedy."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.fleet import resolved

ONE = {"name": "one", "repository": "../one.git"}
FINE = {"path": "values.yaml", "kind": "yaml", "key": "image.tag"}


def told(updates: list[dict[str, Any]], **more: Any) -> list[str]:
    """All that is said about a component."""
    tables = {"project": {"name": "app"}, "downstream": [{**ONE, "update": updates, **more}]}
    return [str(one) for one in contradictions(msgspec.convert(tables, Config, strict=True))]


@pytest.mark.parametrize(
    "update",
    [
        FINE,
        {"path": "a.txt", "pattern": "^v = (?P<value>.*)$"},
        {"path": "{line}/a.toml", "kind": "toml", "key": "channels[name=v{line}].latest", "value": "{tag}"},
        {"path": "a.json", "kind": "json", "key": '"a.b"[0].c', "value": "{image_tag}-x"},
        {"path": "Dockerfile", "kind": "docker-arg", "key": "APP_VERSION"},
        {"path": "go.mod", "kind": "go-mod", "key": "example.com/app/v2", "value": "v{core}"},
        {"path": "Chart.yaml", "kind": "helm"},
        {"path": "Chart.yaml", "kind": "helm", "key": "app"},
    ],
)
def test_what_means_one_thing_is_taken(update: dict[str, Any]) -> None:
    assert told([update]) == []
    assert told([update], trigger="none") == []


@pytest.mark.parametrize(
    ("update", "why"),
    [
        ({**FINE, "path": "../a"}, "downstream[0].update[0].path"),
        ({**FINE, "path": ".git/config"}, "downstream[0].update[0].path"),
        ({**FINE, "path": "{nope}.yaml"}, "{nope} is not known there"),
        ({**FINE, "key": ""}, "downstream[0].update[0].key is ''"),
        ({**FINE, "key": "a..b"}, "cannot be read from '..b' on"),
        ({**FINE, "key": "a.{nope}"}, "{nope} is not known there"),
        ({**FINE, "pattern": "(?P<value>a)"}, "pattern is of no use in an update of kind yaml"),
        ({**FINE, "value": "1.0"}, "the same for every release"),
        ({**FINE, "value": "{version}\n"}, "printable"),
        ({**FINE, "value": "{version}" + "x" * 200}, "printable"),
        ({"path": "a"}, "no group named value"),
        ({"path": "a", "pattern": "("}, "is not a regular expression"),
        ({"path": "a", "pattern": "(?P<value>a)", "key": "b"}, "key is of no use in an update of kind regex"),
        ({"path": "a", "kind": "docker-arg", "key": "A-B"}, "write the name of an ARG"),
        ({"path": "a", "kind": "go-mod", "key": ""}, "write the path of a module"),
        ({"path": "a", "kind": "helm", "key": "a b"}, "write the name of a dependency"),
    ],
)
def test_what_means_nothing_is_told(update: dict[str, Any], why: str) -> None:
    assert any(why in one for one in told([update])), told([update])


def test_a_place_is_named_once() -> None:
    assert any("two updates of 'values.yaml image.tag'" in one for one in told([FINE, {**FINE, "value": "{tag}"}]))
    assert told([FINE, {**FINE, "key": "other"}]) == []


def test_a_component_that_releases_nothing_has_updates_and_nothing_else() -> None:
    assert any("there is nothing to do for it" in one for one in told([], trigger="none"))
    assert any("packages is of no use" in one for one in told([FINE], trigger="none", packages=["app"]))
    assert any('per is "channel"' in one for one in told([FINE], per="channel", tag="{tag}.{channel}.{n}"))


def test_components_that_make_no_tag_may_share_a_repository() -> None:
    tables = {"downstream": [{**ONE, "name": name, "trigger": "none", "update": [FINE]} for name in ("a", "b")]}
    assert contradictions(msgspec.convert(tables, Config, strict=True)) == ()


def test_what_is_built_on_another_component_names_that_ones_tag() -> None:
    parent = {**ONE, "tag": "{tag}-one"}
    update = {**FINE, "value": "{tag}", "key": "image[of={tag}]"}
    child = {**ONE, "name": "two", "repository": "../two.git", "of": "one", "update": [update]}
    config = resolved(msgspec.convert({"downstream": [parent, child]}, Config, strict=True))
    (found,) = config.downstream[1].update
    assert (found.value, found.key) == ("{tag}-one", "image[of={tag}-one]")
