"""Channels that cannot mean one thing are told before the first look at the world, with the place and a remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.contradictions import contradictions

ROOT = Path(__file__).parent.parent.parent
RKE2 = {"scheme": "semver+revision", "revision": "rke2r", "tag": "v{version}"}
IMAGE = {"kind": "image", "image": "rancher/rke2-runtime:stable"}
FILE = {"kind": "file", "path": "channels.yaml", "key": "channels[name=stable].latest"}
RELEASE = {"kind": "release"}
COMMAND = {"kind": "command", "run": ["move", "{tag}"], "shows": ["show"]}
UPGRADE = {"name": "rke2-upgrade", "repository": "rancher/rke2-upgrade"}
PACKAGING = {**UPGRADE, "name": "packaging", "repository": "rancher/rke2-packaging", "tag": "{tag}.{channel}.{n}", "per": "channel"}  # fmt: skip
HTTP = {"name": "answers", "kind": "http", "url": "https://example.org/healthz?v={version}"}
METRICS = {"name": "failures", "kind": "prometheus", "url": "env:PROMETHEUS", "query": "sum(x)", "below": 0.01}
BAD_NAMES = ["", "Stable", "1st", "a/b", "a.b", "a b", "-a", "ä", "a" * 51, "stable\n"]


def told(*channels: dict[str, Any], forge: str = "github", **more: Any) -> list[str]:
    """All that is said about channels: the rule, and what is so."""
    project = {"name": "rke2", "forge": forge, **({"repository": "rancher/rke2"} if forge == "github" else {})}
    tables = {"project": project, "version": RKE2, "channel": list(channels), **more}
    found = contradictions(msgspec.convert(tables, Config, strict=True))
    assert all(one.why and one.remedy for one in found)
    return [f"{one.rule}: {one.why}" for one in found]


def stable(**more: Any) -> dict[str, Any]:
    return {"name": "stable", **more}


def pointing(*points: dict[str, Any], **more: Any) -> list[str]:
    return told(stable(point=list(points), **more))


def asking(*questions: dict[str, Any], **more: Any) -> list[str]:
    return told(stable(health=list(questions)), **more)


def test_the_channels_of_the_example_mean_one_thing() -> None:
    tables = tomllib.loads((ROOT / "examples" / "rke2" / "release.toml").read_text())
    assert contradictions(msgspec.convert(tables, Config, strict=True)) == ()


def test_what_means_one_thing_is_taken() -> None:
    testing = {
        "name": "testing",
        "accepts": "candidate",
        "scope": "line",
        "point": [{**IMAGE, "image": "a/b:testing-{line}"}],
    }
    latest = {"name": "latest", "follows": "testing", "soak": "24h", "point": [{**IMAGE, "image": "a/b:{channel}"}]}
    last = stable(
        follows="latest", soak="7d", new_minor_from_patch=4, freeze=["fri", "2026-12-20..2027-01-06"], approvals=2,
        windows=["mon-thu 09:00-16:00"], timezone="Europe/Berlin", approval="stable", requires=["rke2-upgrade"],
        point=[IMAGE, FILE, RELEASE, COMMAND, {**FILE, "key": "other", "mode": "pull-request", "repository": "a/b"}],
        health=[HTTP, METRICS, {"name": "soak", "kind": "workflow", "workflow": "soak.yml"},
                {"name": "issues", "kind": "issues", "label": "regression/{version}", "most": 1},
                {"name": "own", "kind": "command", "run": ["check", "{tag}"], "env": ["KUBECONFIG"]}],
    )  # fmt: skip
    alerts = [
        {"kind": "slack", "url": "env:SLACK_URL"},
        {
            "kind": "webhook",
            "url": "https://example.org/hook",
            "headers": {"Authorization": "env:HOOK", "X-Team": "one"},
        },
    ]
    downstreams = [UPGRADE, {**PACKAGING, "channels": ["stable", "latest"]}]
    assert told(testing, latest, last, downstream=downstreams, alert=alerts) == []


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_channels_name_fits_a_ref_and_a_tag(name: str) -> None:
    assert any(one.startswith("bad-name: channel[0].name") for one in told({"name": name}))


def test_names_tell_channels_apart() -> None:
    assert told(stable(), stable()) == ["duplicate-name: two channels are named 'stable'"]


def test_a_channel_follows_one_that_is_there() -> None:
    (found,) = told({"name": "latest"}, stable(follows="lates"))
    assert found.startswith("follows-unknown: channel[1].follows is 'lates'")


def test_channels_that_follow_each_other_would_stay_empty() -> None:
    ring = [{"name": one, "follows": other} for one, other in (("a", "b"), ("b", "c"), ("c", "a"))]
    assert [one.partition(":")[0] for one in told(*ring)] == ["follows-ring"]
    assert any(one.startswith("follows-ring") for one in told(stable(follows="stable")))


def test_what_never_gets_into_the_channel_before_cannot_be_waited_for() -> None:
    (found,) = told({"name": "latest"}, {"name": "testing", "accepts": "candidate", "follows": "latest"})
    assert found.startswith("follows-narrower: testing accepts candidates")
    (found,) = told({"name": "latest"}, {"name": "lines", "scope": "line", "follows": "latest"})
    assert found.startswith("follows-narrower: lines has a version for each line")
    assert told({"name": "testing", "accepts": "candidate"}, stable(follows="testing")) == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"soak": "a day"}, "bad-duration: channel[0].soak"),
        ({"deadline": ""}, "bad-duration: channel[0].deadline"),
        ({"new_minor_from_patch": -1}, "bad-number: channel[0].new_minor_from_patch"),
        ({"approvals": -1}, "bad-number: channel[0].approvals"),
        ({"approval": " a"}, "bad-name: channel[0].approval"),
        ({"freeze": ["friday"]}, "bad-freeze: channel[0].freeze has 'friday': it is neither a day"),
        ({"freeze": ["2026-02-30"]}, "bad-freeze: channel[0].freeze has '2026-02-30': there is no 2026-02-30"),
        ({"windows": ["9-17"]}, "bad-window: channel[0].windows has '9-17'"),
        ({"timezone": "Berlin"}, "bad-timezone: channel[0].timezone has 'Berlin': there is no such time zone"),
        ({"freeze": ["mon-sun"]}, "never-open: channel[0].freeze leaves nothing of the week"),
        ({"freeze": ["fri"], "windows": ["fri 09:00-10:00"]}, "never-open: channel[0].freeze leaves nothing of the week that"),
        ({"requires": ["rke2-upgrad"]}, "requires-unknown: channel[0].requires has 'rke2-upgrad', and there is no such"),
        ({"requires": ["packaging"]}, "requires-unknown: channel[0].requires has 'packaging', which no release"),
        ({"requires": ["rke2-upgrade"] * 2}, "duplicate-name: channel[0].requires"),
    ],
)  # fmt: skip
def test_what_no_channel_can_be_is_told(more: dict[str, Any], why: str) -> None:
    found = told(stable(**more), downstream=[UPGRADE, PACKAGING])
    assert [one for one in found if one.startswith(why)], found


def test_components_are_released_to_channels_that_are_there() -> None:
    (found,) = told(stable(), downstream=[{**PACKAGING, "channels": ["stabl"]}])
    assert found.startswith("channel-unknown: downstream[0].channels has 'stabl'")
    (found,) = told(stable(), downstream=[{**UPGRADE, "channels": ["stable"]}])
    assert found.startswith("unused: downstream[0].channels")


@pytest.mark.parametrize(
    ("channel", "count"),
    [
        (stable(approval="stable"), 1),
        (stable(point=[RELEASE]), 1),
        (stable(point=[{**FILE, "mode": "pull-request"}]), 1),
        (stable(health=[{"name": "a", "kind": "workflow", "workflow": "a.yml"}]), 1),
        (stable(health=[{"name": "a", "kind": "issues", "label": "bug"}]), 1),
        (stable(approvals=2, point=[IMAGE, FILE, COMMAND], health=[HTTP, METRICS]), 0),
    ],
)
def test_what_only_a_forge_has_needs_one(channel: dict[str, Any], count: int) -> None:
    found = told(channel, forge="none")
    assert len(found) == count
    assert all(one.startswith("no-forge") for one in found)


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ({"kind": "image"}, "lacks-key: channel[0].point[0] is of kind image, and has no image"),
        ({"kind": "file", "path": "a.yaml"}, "lacks-key: channel[0].point[0] is of kind file, and has no key"),
        ({"kind": "command", "run": ["a"]}, "lacks-key: channel[0].point[0] is of kind command, and has no shows"),
        ({**IMAGE, "path": "a.yaml"}, "unused: channel[0].point[0].path is of no use with kind = 'image'"),
        ({**FILE, "source": "{tag}"}, "unused: channel[0].point[0].source"),
        ({**RELEASE, "value": "x{tag}"}, "unused: channel[0].point[0].value"),
        ({**IMAGE, "image": "rancher/rke2"}, "bad-image: channel[0].point[0].image is 'rancher/rke2'"),
        ({**IMAGE, "image": "a/b@sha256:" + "0" * 64}, "bad-image: channel[0].point[0].image"),
        ({**IMAGE, "image": "a/b:{tag}"}, "unknown-name: channel[0].point[0].image is 'a/b:{tag}', and {tag}"),
        ({**IMAGE, "image": "ghcr.io/a/b:stable", "registries": ["docker.io"]}, "bad-image: channel[0].point[0].image"),
        ({**IMAGE, "registries": ["a/b"]}, "bad-registry: channel[0].point[0].registries has 'a/b'"),
        ({**IMAGE, "source": "{line}"}, "bad-value: channel[0].point[0].source is '{line}', which is the same"),
        ({**IMAGE, "source": "{image_tag}/x"}, "bad-image-tag: channel[0].point[0].source"),
        ({**IMAGE, "source": "{n}"}, "unknown-name: channel[0].point[0].source"),
        ({**FILE, "path": "../a.yaml"}, "bad-path: channel[0].point[0].path"),
        ({**FILE, "path": ".git/a.yaml"}, "bad-path: channel[0].point[0].path"),
        ({**FILE, "path": "channels.txt"}, "bad-path: channel[0].point[0].path is 'channels.txt', and its ending"),
        ({**FILE, "path": "{tag}.yaml"}, "unknown-name: channel[0].point[0].path"),
        ({**FILE, "key": "a..b"}, "bad-key: channel[0].point[0].key is 'a..b': it cannot be read from '..b' on"),
        ({**FILE, "branch": "a b"}, "bad-branch: channel[0].point[0].branch"),
        ({**FILE, "branch": ""}, "bad-branch: channel[0].point[0].branch"),
        ({**FILE, "repository": "../other.git"}, "bad-repository: channel[0].point[0].repository"),
        (
            {**FILE, "repository": "https://me:hunter2@example.org/a"},
            "secret-in-config: channel[0].point[0].repository",
        ),
        ({**FILE, "value": "{core}"}, "bad-value: channel[0].point[0].value is '{core}', which is the same"),
        ({**FILE, "value": "{tag}\n"}, "bad-value: channel[0].point[0].value"),
        ({**COMMAND, "run": ["move", "{nope}"]}, "unknown-name: channel[0].point[0].run"),
        ({**COMMAND, "env": ["TOKEN=hunter2"]}, "bad-variable: channel[0].point[0].env gives a variable a value"),
        ({**COMMAND, "env": ["A B"]}, "bad-variable: channel[0].point[0].env has 'A B'"),
        ({**FILE, "name": "a\nb"}, "bad-name: channel[0].point has the name"),
    ],
)
def test_a_pointer_that_could_not_be_moved_is_told(point: dict[str, Any], why: str) -> None:
    found = pointing(point)
    assert [one for one in found if one.startswith(why)], found
    assert not any("hunter2" in one for one in found)


def test_a_pointer_is_named_once_and_moved_by_one_channel() -> None:
    assert pointing(IMAGE, {**IMAGE, "registries": ["docker.io"]}) == [
        "pointer-shared: stable has two pointers 'image docker.io/rancher/rke2-runtime:stable'"
    ]
    assert any("has two pointers 'prerelease mark'" in one for one in pointing(RELEASE, {**RELEASE, "latest": False}))
    assert any("are named 'a'" in one for one in pointing({**IMAGE, "name": "a"}, {**FILE, "name": "a"}))
    (found,) = told(stable(point=[FILE]), {"name": "latest", "point": [FILE]})
    assert found.startswith("pointer-shared: stable and latest both move 'file rancher/rke2 main channels.yaml")
    (found,) = told(stable(point=[RELEASE]), {"name": "latest", "point": [RELEASE]})
    assert "both move 'latest mark'" in found
    assert told(stable(point=[{**RELEASE, "latest": False}]), {"name": "latest", "point": [RELEASE]}) == []
    own = {**IMAGE, "image": "a/b:{channel}"}
    assert told(stable(point=[own]), {"name": "latest", "point": [own]}) == []


@pytest.mark.parametrize("point", [IMAGE, FILE])
def test_lines_of_a_channel_do_not_share_a_pointer(point: dict[str, Any]) -> None:
    (found,) = pointing(point, scope="line")
    assert found.startswith("channel-line-pointer: channel[0].point[0] is the same for every line")


@pytest.mark.parametrize(
    "point",
    [
        {**IMAGE, "image": "a/b:v{line}"}, {**IMAGE, "image": "a/b:{major}-{minor}-stable"},
        {**FILE, "path": "{line}/a.yaml"}, {**FILE, "key": "lines[name={line}].latest"},
        {**FILE, "branch": "release-{line}"}, COMMAND,
    ],
)  # fmt: skip
def test_a_pointer_of_each_line_names_its_line(point: dict[str, Any]) -> None:
    assert pointing(point, scope="line") == []


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"name": " ", "kind": "http", "url": "https://a.example"}, "bad-name: channel[0].health has the name ' '"),
        ({"name": "a", "kind": "http"}, "lacks-key: channel[0].health[0] is of kind http, and has no url"),
        ({**HTTP, "url": "ftp://a.example"}, "bad-address: channel[0].health[0].url"),
        ({**HTTP, "url": "https://me:hunter2@a.example"}, "secret-in-config: channel[0].health[0].url"),
        ({**HTTP, "url": "https://a.example/{nope}"}, "unknown-name: channel[0].health[0].url"),
        ({**HTTP, "url": "env:A B"}, "bad-variable: channel[0].health[0].url"),
        ({**HTTP, "status": 42}, "bad-status: channel[0].health[0].status is 42"),
        ({**HTTP, "query": "up"}, "unused: channel[0].health[0].query"),
        ({**HTTP, "deadline": "soon"}, "bad-duration: channel[0].health[0].deadline"),
        ({**METRICS, "query": ""}, "lacks-key: channel[0].health[0] is of kind prometheus, and has no query"),
        ({**METRICS, "below": float("inf")}, "no-threshold: channel[0].health[0] has neither above nor below"),
        ({**METRICS, "above": 0.5}, "no-threshold: channel[0].health[0] has above = 0.5 and below = 0.01"),
        ({**METRICS, "below": float("nan")}, "no-threshold: channel[0].health[0] has above = -inf and below = nan"),
        ({**METRICS, "at_least": 0.0}, "bad-number: channel[0].health[0].at_least is 0"),
        ({**METRICS, "samples": "count(x{a})\x1b"}, "bad-value: channel[0].health[0].samples"),
        ({"name": "a", "kind": "workflow", "workflow": "../a.yml"}, "bad-workflow: channel[0].health[0].workflow"),
        ({"name": "a", "kind": "issues", "label": "b", "most": -1}, "bad-number: channel[0].health[0].most"),
        ({"name": "a", "kind": "issues", "label": "b", "repository": "c"}, "bad-repository: channel[0].health[0]"),
        ({"name": "a", "kind": "command", "run": [""]}, "empty-run: channel[0].health[0].run"),
    ],
)
def test_a_question_without_an_answer_is_told(question: dict[str, Any], why: str) -> None:
    found = asking(question)
    assert [one for one in found if one.startswith(why)], found
    assert not any("hunter2" in one for one in found)


def test_questions_have_names_of_their_own_and_queries_may_have_lines() -> None:
    assert any("are named 'failures'" in one for one in asking(METRICS, METRICS))
    nameless = {key: value for key, value in METRICS.items() if key != "name"}
    assert asking(nameless, HTTP) == []
    assert any("are named 'prometheus'" in one for one in asking(nameless, nameless))
    query = 'sum(rate(upgrade_failures_total{version="{version}"}[5m]))\n  / sum(rate(upgrades_total[5m]))'
    assert asking({**METRICS, "query": query}) == []


@pytest.mark.parametrize(
    ("alert", "why"),
    [
        ({"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/hunter2"}, "secret-in-config: alert[0].url"),
        ({"kind": "webhook", "url": "https://a.example/?token=hunter2"}, "secret-in-config: alert[0].url"),
        ({"kind": "webhook", "url": "a.example"}, "bad-address: alert[0].url"),
        ({"kind": "webhook", "url": ""}, "bad-address: alert[0].url"),
        ({"kind": "webhook", "url": "env:"}, "bad-variable: alert[0].url"),
        ({"kind": "webhook", "url": "env:A", "headers": {"Authorization": "Bearer hunter2"}}, "secret-in-config: alert[0].headers"),
        ({"kind": "webhook", "url": "env:A", "headers": {"X-Api-Key": "hunter2"}}, "secret-in-config: alert[0].headers"),
        ({"kind": "webhook", "url": "env:A", "headers": {"A B": "c"}}, "bad-header: alert[0].headers has 'A B'"),
        ({"kind": "webhook", "url": "env:A", "headers": {"A": "b\r\nC: d"}}, "bad-header: alert[0].headers has 'A'"),
        ({"kind": "webhook", "url": "env:A", "headers": {"A": "env:B-C"}}, "bad-variable: alert[0].headers.A"),
    ],
)  # fmt: skip
def test_an_alert_holds_no_secret_and_gets_somewhere(alert: dict[str, Any], why: str) -> None:
    found = told(stable(), alert=[alert])
    assert [one for one in found if one.startswith(why)], found
    assert not any("hunter2" in one for one in found)
