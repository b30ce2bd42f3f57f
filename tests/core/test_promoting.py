"""What a promotion wishes: every template filled in, pointers in the order in which they may be seen to move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.channel_record import MoveKind
from release.core.channels import Offer
from release.core.config import Config
from release.core.fleet import resolved
from release.core.instances import filled
from release.core.model import DownstreamWish, Waiver
from release.core.promoting import promotion_of
from release.core.promotion import PointWish, Promotion
from release.core.reference import reference
from release.core.version import scheme

RKE2 = {"scheme": "semver+revision", "revision": "rke2r"}
COMMIT = "c0ffee" * 6 + "c0ff"


def promoted(
    tables: Mapping[str, Any], version: str = "1.30.2+rke2r1", kind: MoveKind = "promotion", **more: Any
) -> Promotion:
    """The promotion of a version to the first channel of a configuration."""
    config = resolved(msgspec.convert({"version": RKE2, **tables}, Config, strict=True))
    rules = scheme(config.version, config.project.name)
    found = rules.parse(version)
    assert found is not None
    offer = Offer(found, rules.tag(found), COMMIT, "2026-03-04T12:00:00Z")
    return promotion_of(
        config, config.channel[0], offer, more.get("before", ""), kind, more.get("waivers", ()), more.get("releases", 7),
        more.get("why", ""),
    )  # fmt: skip


def channel(*points: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"channel": [{"name": "stable", "point": list(points), **more}]}


def names(promotion: Promotion) -> list[str]:
    return [wish.name for wish in promotion.points]


def one(promotion: Promotion) -> PointWish:
    (wish,) = promotion.points
    return wish


def test_what_it_is_about_is_said_once_and_for_all() -> None:
    waived = (Waiver("soak", "it is urgent", "captain"),)
    found = promoted(
        channel(approval="release", approvals=2, deadline="2h"), before="1.30.1+rke2r1", waivers=waived, why="a fix"
    )
    assert (found.channel, found.kind, found.line) == ("stable", "promotion", "")
    assert (found.version, found.tag, found.commit) == ("1.30.2+rke2r1", "v1.30.2+rke2r1", COMMIT)
    assert (found.before, found.waivers, found.why) == ("1.30.1+rke2r1", waived, "a fix")
    assert (found.environment, found.approvals, found.deadline, found.releases) == ("release", 2, 7200, 7)


def test_of_a_channel_by_line_the_line_is_told() -> None:
    assert promoted(channel(scope="line")).line == "1.30"


def test_users_see_nothing_before_the_images_are_moved_and_the_marks_of_the_release_come_last() -> None:
    points = (
        {"kind": "release"},
        {"kind": "file", "path": "channels.yaml", "key": "channels[name={channel}].latest"},
        {"kind": "command", "run": ["./move", "{tag}"], "shows": ["./show"]},
        {"kind": "file", "repository": "../docs.git", "path": "a.json", "key": "stable", "branch": "gh-pages"},
        {"kind": "image", "image": "rancher/rke2-upgrade:{channel}"},
        {"kind": "image", "image": "rancher/rke2-runtime:{channel}"},
    )
    assert names(promoted(channel(*points))) == [
        "image docker.io/rancher/rke2-upgrade:stable",
        "image docker.io/rancher/rke2-runtime:stable",
        "command ./move {tag}",
        "file channels.yaml channels[name=stable].latest",
        "file ../docs.git@gh-pages a.json stable",
        "prerelease mark",
        "latest mark",
    ]


KINDS = st.sampled_from(["image", "file", "command", "release"])


@given(st.lists(KINDS, max_size=8))
def test_in_any_order_of_the_file_no_kind_comes_before_one_that_fewer_watch(kinds: list[str]) -> None:
    keys: dict[str, dict[str, Any]] = {"image": {"image": "a/b:{channel}"}, "file": {"path": "a.yaml", "key": "b"}}
    points = [{"kind": kind, "name": f"n{number}", **keys.get(kind, {})} for number, kind in enumerate(kinds)]
    found = [wish.kind for wish in promoted(channel(*points)).points]
    rank = {"image": 0, "command": 1, "file": 2, "prerelease": 3, "latest": 4}
    coarse = [min(rank[kind], 3) for kind in found]
    assert coarse == sorted(coarse)
    assert len(found) == len(kinds) + kinds.count("release")


def test_an_image_is_moved_in_every_registry_that_the_release_pushes_it_to() -> None:
    images = [
        {"name": "rancher/rke2-runtime", "registries": ["docker.io", "ghcr.io"], "file": "Dockerfile"},
        {"name": "rancher/rke2-runtime", "registries": ["quay.io", "GHCR.io"]},
        {"name": "rancher/rke2-runtime", "registries": ["old.example"], "lines": ["1.29"]},
        {"name": "rancher/other", "registries": ["other.example"]},
    ]
    found = promoted({"image": images, **channel({"kind": "image", "image": "rancher/rke2-runtime:{channel}"})})
    assert [str(wish.image) for wish in found.points] == [
        "docker.io/rancher/rke2-runtime:stable", "ghcr.io/rancher/rke2-runtime:stable",
        "quay.io/rancher/rke2-runtime:stable",
    ]  # fmt: skip
    assert {str(wish.source).rpartition(":")[2] for wish in found.points} == {"v1.30.2-rke2r1"}
    assert all(wish.source and wish.image and wish.source.registry == wish.image.registry for wish in found.points)


@pytest.mark.parametrize(
    ("image", "registries", "where"),
    [
        ("app:stable", [], ["docker.io/library/app:stable"]),
        ("ghcr.io/acme/app:stable", [], ["ghcr.io/acme/app:stable"]),
        (
            "acme/app:stable",
            ["ghcr.io", "127.0.0.1:5000"],
            ["ghcr.io/acme/app:stable", "127.0.0.1:5000/acme/app:stable"],
        ),
        ("app:v{line}", ["docker.io"], ["docker.io/library/app:v1.30"]),
    ],
)
def test_where_an_image_lies_is_said_by_the_point_or_else_by_the_image(
    image: str, registries: list[str], where: list[str]
) -> None:
    found = promoted(channel({"kind": "image", "image": image, "registries": registries}))
    assert [str(wish.image) for wish in found.points] == where
    assert names(found) == [f"image {text}" for text in where]


def test_a_name_of_ones_own_stays_and_is_told_apart_only_where_it_has_to_be() -> None:
    point = {"kind": "image", "name": "runtime", "image": "acme/app:{channel}"}
    assert names(promoted(channel(point))) == ["runtime"]
    assert names(promoted(channel({**point, "registries": ["a.example", "b.example"]}))) == [
        "runtime in a.example", "runtime in b.example",
    ]  # fmt: skip
    assert names(promoted(channel({"kind": "release", "name": "github"}))) == [
        "github prerelease mark", "github latest mark",
    ]  # fmt: skip
    assert names(promoted(channel({"kind": "command", "name": "helm", "run": ["x"]}))) == ["helm"]


def test_a_pointer_is_called_the_same_for_every_version() -> None:
    points = (
        {"kind": "command", "run": ["./move", "{tag}"]},
        {"kind": "file", "path": "c.yaml", "key": "latest", "value": "{tag}"},
        {"kind": "image", "image": "acme/app:{channel}"},
        {"kind": "release"},
    )
    assert names(promoted(channel(*points))) == names(promoted(channel(*points), "1.30.3+rke2r2"))


def test_a_candidate_stays_a_prerelease() -> None:
    points = ({"kind": "release"}, {"kind": "file", "path": "c.yaml", "key": "testing"})
    assert names(promoted(channel(*points, accepts="candidate"), "1.30.2-rc1+rke2r1")) == ["file c.yaml testing"]


@pytest.mark.parametrize(("more", "scope"), [({}, "line"), ({"latest": False}, "global")])
def test_the_latest_mark_is_only_for_a_channel_with_one_version(more: dict[str, Any], scope: str) -> None:
    wish = one(promoted(channel({"kind": "release", **more}, scope=scope)))
    assert (wish.kind, wish.value) == ("prerelease", "release")


def test_a_key_in_a_file_and_a_command_are_filled_in_but_for_their_variables() -> None:
    file = {
        "kind": "file", "repository": "../{channel}.git", "branch": "v{line}", "path": "{major}/c.yaml",
        "key": "a[name={channel}].b", "value": "{image_tag}", "mode": "pull-request",
    }  # fmt: skip
    command = {"kind": "command", "run": ["move", "{channel}={tag}"], "shows": ["show", "{channel}"], "env": ["{tag}"]}
    found = promoted(channel(file, command))
    moves, text = found.points
    assert (moves.run, moves.shows, moves.value) == (("move", "stable=v1.30.2+rke2r1"), ("show", "stable"), found.tag)
    assert moves.env == ("{tag}",)
    assert (text.repository, text.branch, text.path) == ("../stable.git", "v1.30", "1/c.yaml")
    assert (text.key, text.value, text.by_pull_request) == ("a[name=stable].b", "v1.30.2-rke2r1", True)
    assert (moves.template, text.template) == ("{tag}", "{image_tag}"), "by it what a pointer says is read back"


def test_questions_about_health_are_filled_in_too() -> None:
    asked = {
        "name": "errors", "kind": "prometheus", "url": "http://127.0.0.1:9090/{channel}", "below": 0.01, "at_least": 50,
        "query": 'rate(failures{version="{version}"}[5m])', "samples": 'count(up{v="{tag}"})', "deadline": "90s",
    }  # fmt: skip
    del asked["name"]
    (wish,) = promoted(channel(health=[asked])).health
    assert wish.name == "prometheus", "without a name it is called as its kind"
    assert wish.url == "http://127.0.0.1:9090/stable"
    assert wish.query == 'rate(failures{version="1.30.2+rke2r1"}[5m])'
    assert wish.samples == 'count(up{v="v1.30.2+rke2r1"})'
    assert (wish.below, wish.above, wish.at_least, wish.deadline) == (0.01, float("-inf"), 50, 90)


PACKAGING = {
    "name": "packaging", "repository": "acme/packaging", "per": "channel", "tag": "{tag}.{channel}.{n}",
    "images": ["acme/rpm:{image_tag}-{channel}.{n}"], "assets": ["app-{version}.{n}.{arch}.rpm"],
    "platforms": ["linux/amd64", "linux/arm64"], "inputs": {"tag": "{tag}.{channel}.{n}"},
}  # fmt: skip


def instances(*downstreams: dict[str, Any], version: str = "1.30.2+rke2r1", **more: Any) -> list[DownstreamWish]:
    return list(promoted({"downstream": list(downstreams), **channel(**more)}, version).instances)


def test_a_component_of_promotions_gets_its_channel_and_leaves_its_number_open() -> None:
    (wish,) = instances(PACKAGING)
    assert wish.tag == "v1.30.2+rke2r1.stable.{n}"
    assert wish.inputs == {"tag": "v1.30.2+rke2r1.stable.{n}"}
    assert wish.assets == ("app-1.30.2+rke2r1.{n}.amd64.rpm", "app-1.30.2+rke2r1.{n}.arm64.rpm")
    known = filled(wish, 2)
    assert known.tag == "v1.30.2+rke2r1.stable.2"
    assert known.assets[0] == "app-1.30.2+rke2r1.2.amd64.rpm"
    assert known.images == (reference("acme/rpm:v1.30.2-rke2r1-stable.2"),)
    assert known.inputs == {"tag": "v1.30.2+rke2r1.stable.2"}


def test_only_what_is_released_to_this_channel_by_this_line_and_kind_comes_along() -> None:
    tables: list[dict[str, Any]] = [
        {**PACKAGING, "name": "here", "channels": ["stable"]},
        {**PACKAGING, "name": "elsewhere", "channels": ["testing"]},
        {**PACKAGING, "name": "older", "lines": ["1.29"]},
        {**PACKAGING, "name": "candidates", "when": "candidate"},
        {"name": "every", "repository": "acme/every"},
    ]
    assert [wish.name for wish in instances(*tables)] == ["here"]


def test_components_come_after_each_other_and_not_after_those_that_are_out_already() -> None:
    upgrade = {"name": "upgrade", "repository": "acme/upgrade"}
    first = {**PACKAGING, "after": ["upgrade"]}
    second = {**PACKAGING, "name": "index", "repository": "acme/index", "of": "packaging", "after": ["upgrade"]}
    packaging, index = instances(upgrade, first, {**second, "tag": "{tag}", "images": []})
    assert packaging.after == ()
    assert (index.after, index.of, index.tag) == (("packaging",), "packaging", "v1.30.2+rke2r1.stable.{n}")


def test_going_back_moves_pointers_and_makes_nothing_and_asks_nobody_how_that_version_did() -> None:
    tables = {"downstream": [PACKAGING], **channel({"kind": "release"}, health=[{"name": "up", "kind": "http"}])}
    back = promoted(tables, kind="rollback")
    assert (back.kind, back.instances, back.health) == ("rollback", (), ())
    assert names(back) == names(promoted(tables))
    assert promoted(tables).instances
