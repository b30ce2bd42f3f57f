"""Which downstream releases exist, which are missing, and which belong to nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.behind import Behind
from release.core.cells import Cell
from release.core.config import Config
from release.core.evidence import Listed
from release.core.finding import Conflict
from release.core.fleet_status import Component, Status, Summary, holes, status
from release.core.fleet_window import Wanted
from release.core.model import Tag

REVISED = {"scheme": "semver+revision", "revision": "rke2r"}
NAMES = ("v1.33.1-rc1+rke2r1", "v1.33.1+rke2r1", "v1.34.0-rc9+rke2r1", "v1.34.0-rc13+rke2r1", "v1.34.0+rke2r1")
UPSTREAM = tuple(Tag(name, f"c{number}", f"2025-0{number + 1}-01T00:00:00+00:00") for number, name in enumerate(NAMES))
ALL = dict.fromkeys(NAMES, "d")
NOW = "2026-01-01T00:00:00+00:00"
DAY = 86400


def tagged(names: Iterable[str]) -> Listed:
    return Listed(dict.fromkeys(names, "d"))


def unseen(why: str) -> Listed:
    return Listed(errors={"tags": why})


def config(*downstreams: dict[str, Any], since: str = "") -> Config:
    tables = {
        "project": {"name": "rke2", "repository": "../rke2.git", "since": since},
        "version": REVISED,
        "downstream": [{"repository": f"../{one['name']}.git", **one} for one in downstreams],
    }
    return msgspec.convert(tables, Config, strict=True)


ONE = {"name": "one"}
PACKAGING = {"name": "packaging", "per": "channel", "tag": "{tag}.{channel}.{n}"}


def judged(
    configuration: Config, seen: Mapping[str, Any], upstream: tuple[Tag, ...] = UPSTREAM, **window: Any
) -> Status:
    components = {name: one if isinstance(one, Listed) else tagged(one) for name, one in seen.items()}
    found = status(configuration, upstream, Listed(), components, {}, NOW, Wanted(**window))
    assert isinstance(found, Status)
    return found


def refused(configuration: Config, upstream: tuple[Tag, ...] = UPSTREAM, **window: Any) -> Conflict:
    found = status(configuration, upstream, Listed(), {}, {}, NOW, Wanted(**window))
    assert isinstance(found, Conflict)
    assert found.remedy
    return found


def component(fleet: Status, name: str) -> Component:
    return next(one for one in fleet.components if one.name == name)


def test_a_component_that_has_everything_lacks_nothing() -> None:
    fleet = judged(config(ONE), {"one": NAMES})
    assert fleet.summary == {"one": Summary(expected=NAMES, found=NAMES)}


def test_what_a_component_lacks_is_listed_by_precedence_and_finals_again() -> None:
    summary = judged(config(ONE), {"one": [NAMES[2]]}).summary["one"]
    assert summary.found == (NAMES[2],)
    assert summary.missing == (NAMES[0], NAMES[1], NAMES[3], NAMES[4])
    assert summary.missing_final == (NAMES[1], NAMES[4])


def test_the_upstream_comes_first_with_what_it_released() -> None:
    fleet = judged(config(ONE, {"name": "two"}), {"one": [], "two": []}, UPSTREAM[::-1])
    assert [(one.name, one.role) for one in fleet.components] == [
        ("rke2", "upstream"),
        ("one", "downstream"),
        ("two", "downstream"),
    ]
    upstream = fleet.components[0]
    assert [cell.release for cell in upstream.releases] == list(NAMES)
    since, age = UPSTREAM[0].date, 365 * DAY
    assert upstream.releases[0] == Cell(NAMES[0], NAMES[0], "c0", since, "released", (NAMES[0],), since=since, age=age)


def test_a_downstreams_cells_tell_the_tag_found_or_to_be_made() -> None:
    found, missing = component(
        judged(config({**ONE, "tag": "x-{version}", "lines": ["1.33"]}), {"one": ["x-1.33.1-rc1+rke2r1"]}), "one"
    ).releases
    assert found == Cell(NAMES[0], "x-1.33.1-rc1+rke2r1", "d", None, "found", ("x-1.33.1-rc1+rke2r1",))
    assert missing == Cell(NAMES[1], "x-1.33.1+rke2r1", None, None, "missing", since=UPSTREAM[1].date, age=334 * DAY)


def test_a_tag_of_no_upstream_release_is_extra_and_one_that_does_not_parse_is_malformed() -> None:
    tags = ["v1.9.0+rke2r1", "v1.10.0+rke2r1", "v1.33.1+rke2", "v1.33.1", "latest", "v1.33.1+rke2r1.testing.0"]
    summary = judged(config(ONE), {"one": tags}).summary["one"]
    assert summary.extra == ("v1.9.0+rke2r1", "v1.10.0+rke2r1")
    assert summary.malformed == ("latest", "v1.33.1", "v1.33.1+rke2", "v1.33.1+rke2r1.testing.0")


@pytest.mark.parametrize("tag", ["v1.18.4-alpha8+rke2", "v1.25.15-rc1+rke2r2\u2028", "v1.33.1-rc1+rke2r1.lastest.0"])
def test_a_malformed_upstream_tag_is_malformed_everywhere_and_never_lost(tag: str) -> None:
    fleet = judged(config(ONE), {"one": [tag]}, (*UPSTREAM, Tag(tag, "c")))
    assert [one.malformed for one in fleet.components] == [(tag,), (tag,)]
    assert fleet.summary["one"].malformed == (tag,)
    assert fleet.summary["one"].extra == ()


def test_malformed_tags_without_a_date_do_not_hinder_a_window() -> None:
    fleet = judged(config(ONE), {"one": []}, (*UPSTREAM, Tag("x", "c")), since="2025-05-01")
    assert fleet.components[0].malformed == ("x",)


def test_lines_and_stages_narrow_what_is_expected_and_what_is_there_besides_is_no_extra() -> None:
    fleet = judged(config({**ONE, "lines": ["1.34"], "when": "final"}), {"one": NAMES})
    assert fleet.summary["one"] == Summary(expected=(NAMES[4],), found=(NAMES[4],))


def test_candidates_alone_can_be_expected() -> None:
    assert judged(config({**ONE, "when": "candidate"}), {"one": []}).summary["one"].missing == (
        NAMES[0],
        NAMES[2],
        NAMES[3],
    )


def test_the_window_holds_both_its_days_and_makes_no_extras() -> None:
    summary = judged(config(ONE), {"one": NAMES}, since="2025-02-01", until="2025-03-01").summary["one"]
    assert summary == Summary(expected=NAMES[1:3], found=NAMES[1:3])


def test_the_window_goes_by_the_day_that_git_prints_for_the_commit() -> None:
    late = Tag(NAMES[0], "c", "2025-01-31T23:30:00-08:00")
    early = Tag(NAMES[1], "c", "2025-02-02T00:30:00+08:00")
    fleet = judged(config(ONE), {"one": []}, (late, early), since="2025-01-31", until="2025-01-31")
    assert fleet.summary["one"].expected == (NAMES[0],)
    fleet = judged(config(ONE), {"one": []}, (late, early), since="2025-02-02")
    assert fleet.summary["one"].expected == (NAMES[1],)


def test_what_came_before_the_projects_since_is_history() -> None:
    fleet = judged(config(ONE, since=NAMES[2]), {"one": NAMES[:2]})
    late = Behind("1.34", None, NAMES[4], 3, UPSTREAM[2].date, 306 * DAY)
    assert fleet.summary["one"] == Summary(
        expected=NAMES[2:], missing=NAMES[2:], missing_final=NAMES[4:], behind=(late,)
    )
    assert [cell.release for cell in fleet.components[0].releases] == list(NAMES[2:])


def test_an_explicit_since_opens_history_again() -> None:
    assert judged(config(ONE, since=NAMES[2]), {"one": []}, since="2025-01-01").summary["one"].expected == NAMES


def test_until_alone_keeps_the_projects_since() -> None:
    fleet = judged(config(ONE, since=NAMES[2]), {"one": []}, until="2025-04-30")
    assert fleet.summary["one"].expected == NAMES[2:4]


def test_a_since_that_the_upstream_does_not_have_is_a_conflict() -> None:
    assert refused(config(ONE, since="v1.0.0+rke2r1")).rule == "since-unknown"


def test_an_explicit_since_does_not_ask_for_the_projects() -> None:
    assert judged(config(ONE, since="v1.0.0+rke2r1"), {"one": []}, since="2025-05-01").summary["one"].missing


ODD_DAYS = [
    "2025-1-1",
    "20250101",
    "2025-02-30",
    "2025-W01-1",
    "today",
    "\u0662\u0660\u0662\u0665-01-01",
    "2025-01-01\n",
]


@pytest.mark.parametrize("day", ODD_DAYS)
def test_a_day_is_written_in_one_way(day: str) -> None:
    assert refused(config(ONE), since=day).rule == "bad-date"
    assert refused(config(ONE), until=day).rule == "bad-date"


def test_a_window_that_ends_before_it_begins_is_a_conflict() -> None:
    assert refused(config(ONE), since="2025-02-01", until="2025-01-31").rule == "empty-window"


@pytest.mark.parametrize("window", [{}, {"since": "2025-01-01"}, {"until": "2025-12-31"}])
def test_a_tag_on_no_commit_is_malformed_and_hinders_no_window(window: dict[str, str]) -> None:
    blob = msgspec.structs.replace(UPSTREAM[1], date="")
    upstream = (UPSTREAM[0], blob, *UPSTREAM[2:], Tag("x", "c"))
    fleet = judged(config(ONE), {"one": [blob.name]}, upstream, **window)
    assert fleet.components[0].malformed == (blob.name, "x")
    assert blob.name not in [cell.release for cell in fleet.components[0].releases]
    assert fleet.summary["one"].missing == (NAMES[0], *NAMES[2:])
    assert fleet.summary["one"].extra == (blob.name,)


def test_history_does_not_end_at_a_tag_on_no_commit() -> None:
    undated = tuple(msgspec.structs.replace(tag, date="") for tag in UPSTREAM)
    conflict = refused(config(ONE, since=NAMES[0]), undated)
    assert conflict.rule == "since-unknown"
    assert f"project.since is {NAMES[0]}, and that tag is on no commit" in conflict.why


def test_an_address_is_told_without_what_opens_it() -> None:
    address = "https://bob:s3@cret@example.org/{}.git?access_token=s3cret&x=1"
    settings = msgspec.convert(
        {
            "project": {"repository": address.format("up")},
            "downstream": [{"name": name, "repository": address.format(name)} for name in ("one", "two")],
        },
        Config,
    )
    fleet = judged(settings, {"one": [], "two": unseen("gone")})
    assert [one.repository for one in fleet.components] == [
        f"https://example.org/{name}.git?access_token=***&x=1" for name in ("up", "one", "two")
    ]
    assert "cret" not in msgspec.json.encode(fleet).decode()


def test_a_component_that_cannot_be_seen_lacks_nothing_that_we_know_of() -> None:
    fleet = judged(config(ONE, {"name": "two"}), {"one": unseen("it timed out"), "two": []})
    assert fleet.summary["one"] == Summary(expected=NAMES)
    assert component(fleet, "one") == Component("one", "downstream", "../one.git", "it timed out")
    assert component(fleet, "two").error is None


def test_a_component_that_nobody_looked_at_is_not_taken_for_empty() -> None:
    fleet = judged(config(ONE), {})
    assert component(fleet, "one").error == "nobody looked at it"
    assert fleet.summary["one"].missing == ()


def test_a_component_released_by_promotions_has_a_release_if_any_channel_has_it() -> None:
    tags = [f"{NAMES[1]}.{end}" for end in ("testing.10", "testing.9", "latest.1")]
    fleet = judged(config(PACKAGING), {"packaging": [*tags, f"{NAMES[4]}.Testing.1", f"{NAMES[4]}.testing", NAMES[3]]})
    summary = fleet.summary["packaging"]
    assert summary.found == (NAMES[1],)
    assert summary.malformed == (f"{NAMES[4]}.Testing.1", f"{NAMES[4]}.testing", NAMES[3])
    missing, found = component(fleet, "packaging").releases[:2]
    assert found.tags == (tags[2], tags[1], tags[0])
    assert (found.tag, found.commit) == (tags[2], "d")
    assert (missing.tag, missing.tags) == (None, ())


def test_a_promotion_of_no_upstream_release_is_extra() -> None:
    tags = ["v1.2.3+rke2r1.latest.2", "v1.2.3+rke2r1.latest.1"]
    assert judged(config(PACKAGING), {"packaging": tags}).summary["packaging"].extra == tuple(sorted(tags))


@pytest.mark.parametrize(
    ("template", "good", "bad"),
    [
        ("{tag}-x", "v1.33.1+rke2r1-x", "v1.33.1+rke2r1"),
        ("{version}", "1.33.1+rke2r1", "v1.33.1+rke2r1"),
        ("{line}/{tag}", "1.33/v1.33.1+rke2r1", "1.34/v1.33.1+rke2r1"),
        ("{core}_{revision}/{tag}", "1.33.1_1/v1.33.1+rke2r1", "1.33.1_01/v1.33.1+rke2r1"),
        ("a.c/{tag}", "a.c/v1.33.1+rke2r1", "abc/v1.33.1+rke2r1"),
        ("{tag}/{odd}", "v1.33.1+rke2r1/{odd}", "v1.33.1+rke2r1/odd"),
    ],
)
def test_a_tag_is_read_by_its_template_and_nothing_else(template: str, good: str, bad: str) -> None:
    summary = judged(config({**ONE, "tag": template}), {"one": [good, bad]}).summary["one"]
    assert (summary.found, summary.malformed) == ((NAMES[1],), (bad,))


def test_semver_is_read_as_well() -> None:
    upstream = tuple(
        Tag(name, "c", "2025-01-01T00:00:00Z")
        for name in ("v1.10.0", "v1.9.0", "v1.9.0-rc.2", "v1.9.0-rc.10", "v01.0.0")
    )
    settings = msgspec.convert({"downstream": [{"name": "one", "repository": "x"}]}, Config)
    fleet = judged(settings, {"one": []}, upstream)
    assert fleet.summary["one"].missing == ("v1.9.0-rc.2", "v1.9.0-rc.10", "v1.9.0", "v1.10.0")
    assert fleet.components[0].name == "upstream"
    assert fleet.components[0].malformed == ("v01.0.0",)


def test_versions_of_equal_precedence_are_told_apart_and_always_in_one_order() -> None:
    upstream = (Tag("v1.0.0+b", "c", "2025-01-01T00:00:00Z"), Tag("v1.0.0+a", "c", "2025-01-01T00:00:00Z"))
    settings = msgspec.convert({"downstream": [{"name": "one", "repository": "x"}]}, Config)
    assert judged(settings, {"one": ["v1.0.0+b"]}, upstream).summary["one"].missing == ("v1.0.0+a",)
    assert judged(settings, {"one": []}, upstream) == judged(settings, {"one": []}, upstream[::-1])


TEXT = st.text(max_size=40) | st.text("v1.0-rc+ke2testing\u2028", max_size=30)


@given(st.sets(st.sampled_from(NAMES)), st.sets(TEXT), st.sampled_from(["{tag}", "{version}", "{tag}.{channel}.{n}"]))
def test_every_tag_and_every_release_is_counted_once(good: set[str], odd: set[str], template: str) -> None:
    fleet = judged(config({**ONE, "tag": template}), {"one": good | odd})
    summary = fleet.summary["one"]
    assert sorted((*summary.found, *summary.missing)) == sorted(summary.expected)
    claimed = [tag for cell in component(fleet, "one").releases for tag in cell.tags]
    assert sorted((*claimed, *summary.extra, *summary.malformed)) == sorted(good | odd)


def test_the_shape_as_json() -> None:
    built = msgspec.json.decode(msgspec.json.encode(judged(config(ONE), {"one": NAMES[1:]}, UPSTREAM[:1])))
    assert list(built) == ["components", "summary", "upstream"]
    assert list(built["components"][1]) == ["name", "role", "repository", "error", "malformed", "releases", "unseen"]
    assert built["components"][1]["error"] is None
    cell = built["components"][1]["releases"][0]
    assert list(cell)[:6] == ["release", "tag", "commit", "date", "state", "tags"]
    nothing = {
        "published",
        "unpublished",
        "run",
        "run_url",
        "assets",
        "images",
        "channels",
        "wrong",
        "since",
        "age",
        "lacks",
    }
    assert set(list(cell)[6:]) == nothing
    summary = built["summary"]["one"]
    assert list(summary)[:6] == ["expected", "found", "missing", "missing_final", "extra", "malformed"]
    late = {"line": "1.33", "newest": None, "upstream": NAMES[0], "by": 1, "since": UPSTREAM[0].date, "age": 365 * DAY}
    assert {name: found for name, found in summary.items() if found} == {
        "expected": [NAMES[0]],
        "missing": [NAMES[0]],
        "extra": list(NAMES[1:]),
        "behind": [late],
    }
    assert set(summary) == set(Summary.__struct_fields__)
    assert built["upstream"] == {**summary, "found": [NAMES[0]], "missing": [], "extra": [], "behind": []}


def test_holes_go_by_release_and_then_dependencies_first() -> None:
    settings = config({**ONE, "after": ["two"]}, {"name": "two"}, PACKAGING, {"name": "three"})
    fleet = judged(settings, {"one": NAMES[1:4], "two": NAMES[1:], "packaging": [], "three": unseen("gone")})
    assert holes(fleet, settings.downstream) == ((NAMES[0], "two"), (NAMES[0], "one"), (NAMES[4], "one"))


def test_a_thousand_components_of_fifty_releases_are_judged_in_linear_time() -> None:
    upstream = tuple(Tag(f"v1.{n}.0+rke2r1", "c", "2025-01-01T00:00:00Z") for n in range(50))
    settings = config(*({"name": f"c{i}", "after": [f"c{i - 1}"] if i else []} for i in range(1000)))
    tags = {tag.name: "d" for tag in upstream[::2]}
    seen = {one.name: Listed(tags) for one in settings.downstream}
    begin = time.perf_counter()
    fleet = status(settings, upstream, Listed(), seen, {}, NOW)
    assert isinstance(fleet, Status)
    assert len(holes(fleet, settings.downstream)) == 25_000
    assert time.perf_counter() - begin < 5


def test_hostile_tags_cost_little() -> None:
    hostile = [f"v1.33.1+rke2r1{'.a-1' * 50}{n}" for n in range(500)] + ["v" + "1." * 100_000]
    begin = time.perf_counter()
    summary = judged(config({**PACKAGING, "tag": "{tag}-{channel}-{n}"}), {"packaging": hostile}).summary["packaging"]
    assert len(summary.malformed) == len(hostile)
    assert time.perf_counter() - begin < 5
