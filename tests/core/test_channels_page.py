"""What docs/channels.md shows can be typed, and it says how to go on from each refusal."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from release.config import parse
from release.core.channel_config import Alert, Channel, Health, Point
from release.core.channels import WAIVABLE
from release.core.conflicts import ALL
from release.core.contradictions import contradictions

PAGE = (Path(__file__).parent.parent.parent / "docs" / "channels.md").read_text(encoding="utf-8")
PROJECT = """
[project]
name = "app"
repository = "acme/app"
forge = "github"

[version]
candidates = ["rc"]
"""
MET_IN = ("a move of a channel", "a pointer of a channel", "a question about health", "channel.rollback")


def test_its_configuration_is_one_and_contradicts_nothing() -> None:
    config = parse(
        PROJECT + "".join(re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)), "release.toml"
    )
    assert [channel.name for channel in config.channel] == ["testing", "latest", "stable"]
    assert [health.kind for health in config.channel[-1].health] == ["issues", "prometheus"]
    assert contradictions(config) == ()


def test_every_key_is_told() -> None:
    told = set(re.findall(r"`([a-z_.]+)`", PAGE))
    for prefix, table in (("channel", Channel), ("point", Point), ("alert", Alert)):
        keys = {f"{prefix}.{field}" for field in table.__struct_fields__} - {"channel.point", "channel.health"}
        assert keys <= told
    assert set(Health.__struct_fields__) - {"query"} <= told | {"kind"}
    assert "answers `query` with" in PAGE


def test_defaults_are_as_they_are_told() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    for prefix, table in (("channel", Channel), ("point", Point)):
        for field in msgspec.structs.fields(table):
            if (text := rows.get(f"{prefix}.{field.name}")) is not None:
                assert msgspec.json.decode(text) == field.default
    assert {"channel.timezone", "channel.deadline", "point.value", "point.latest"} <= set(rows)


def test_it_says_how_to_go_on_from_each_refusal() -> None:
    _, _, recovering = PAGE.partition("## Recovering from each refusal")
    told = {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", recovering, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    }
    assert {rule.name for rule in ALL if any(place in rule.where for place in MET_IN)} <= told


def test_it_names_all_rules_that_can_be_waived() -> None:
    (waived,) = re.findall(r"`--waive RULE .*?and no other", PAGE, re.DOTALL)
    assert set(re.findall(r"`([a-z-]+)`", waived)) == set(WAIVABLE)
