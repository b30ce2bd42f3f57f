"""What lists tell of one release in one component: each facet by itself, and what could not be seen as such."""

from __future__ import annotations

from typing import Any

import pytest

from release.core.cells import Cell, Held, Wrong
from release.core.evidence import Listed
from release.core.record import Proof
from tests.listings import DAY, RELEASES, UPSTREAM, asset, commit, judged, listed, published, run, settings

ONE = {"name": "one"}
FILES = {"name": "one", "assets": ["tool-{arch}", "sums"], "platforms": ["linux/amd64", "linux/arm64"]}
IMAGES = {"name": "one", "images": ["acme/one:{image_tag}", "quay.io/acme/one:{version}"]}
RC, FINAL, NEXT = RELEASES
PACKAGING = {"name": "one", "per": "channel", "tag": "{tag}.{channel}.{n}", "assets": ["{channel}-{n}.rpm"]}


def cells(table: dict[str, Any], found: Listed, proved: Any = None, **wanted: Any) -> dict[str, Cell]:
    fleet = judged(settings(table), {"one": found}, proved, **wanted)
    return {cell.release: cell for cell in fleet.components[1].releases}


def summary(table: dict[str, Any], found: Listed, proved: Any = None, **wanted: Any) -> Any:
    return judged(settings(table), {"one": found}, proved, **wanted).summary["one"]


def test_a_release_with_everything_lacks_nothing_and_has_the_age_of_its_publication() -> None:
    found = listed(*RELEASES)
    cell = cells(ONE, found)[FINAL]
    assert (cell.state, cell.commit, cell.run, cell.run_url) == ("found", commit(FINAL), "green", "https://forge/2")
    assert (cell.published, cell.since, cell.age) == (*["2026-01-10T00:00:00+00:00"] * 2, 50 * DAY)
    assert (cell.lacks, cell.wrong, cell.unpublished) == ((), (), ())
    assert summary(ONE, found).incomplete == ()


def test_by_plain_git_tags_and_commits_are_known_and_nothing_else_is_claimed() -> None:
    cell = cells({**FILES, **IMAGES}, Listed(tags={FINAL: "a" * 40}))[FINAL]
    assert cell == Cell(FINAL, FINAL, "a" * 40, None, "found", (FINAL,))


def test_what_is_missing_is_so_since_the_upstream_released_it_by_its_forge_if_it_has_one() -> None:
    missing = cells(ONE, listed())[FINAL]
    assert (missing.state, missing.since, missing.age) == ("missing", UPSTREAM[1].date, 58 * DAY - 11 * 3600)
    home = Listed(releases={FINAL: published(FINAL, "2026-02-01T00:00:00+00:00")})
    missing = cells(ONE, listed(), home=home)[FINAL]
    assert (missing.since, missing.age) == ("2026-02-01T00:00:00+00:00", 28 * DAY)


def test_a_clock_that_is_ahead_makes_nothing_younger_than_new() -> None:
    found = listed(FINAL, releases={FINAL: published(FINAL, "2027-01-01T00:00:00+00:00")})
    assert cells(ONE, found)[FINAL].age == 0


@pytest.mark.parametrize(
    ("runs", "state", "lacks"),
    [
        ((run(FINAL),), "green", ()),
        ((run(FINAL, "failure"), run(FINAL)), "red", ("run",)),
        ((run(FINAL), run(FINAL, "failure")), "green", ()),
        ((run(FINAL, "cancelled"),), "red", ("run",)),
        ((run(FINAL, ""),), "running", ()),
        ((run(FINAL, "skipped"), run(FINAL, "failure")), "red", ("run",)),
        ((run(NEXT, "failure"), run("main", "failure", title=f"Release {FINAL}-rc.1")), "none", ()),
        ((run("main", title=f"Release {FINAL}."),), "green", ()),
        ((run("main", "failure", title=f"{NEXT}, not {FINAL}x"),), "none", ()),
        ((), "none", ()),
    ],
)
def test_the_newest_run_for_a_tag_tells(runs: Any, state: str, lacks: tuple[str, ...]) -> None:
    cell = cells(ONE, listed(FINAL, runs=runs))[FINAL]
    assert (cell.run, cell.lacks) == (state, lacks)


def test_a_dispatch_whose_number_the_record_has_is_a_run_for_that_tag() -> None:
    runs = (run("main", "failure", number=7, title="Release"),)
    for name in ("dispatch one", "downstream one"):
        proved = {FINAL: {name: Proof(id=7, tag=FINAL)}}
        assert cells(ONE, listed(FINAL, runs=runs), proved)[FINAL].run == "red"


def test_a_forge_that_forgot_a_run_that_the_record_saw_green_is_believed() -> None:
    proved = {FINAL: {"downstream one": Proof(tag=FINAL, id=7)}}
    assert cells(ONE, listed(FINAL, runs=()), proved)[FINAL].run == "green"


def test_before_a_list_of_runs_begins_nothing_is_known_of_any() -> None:
    found = listed(FINAL, NEXT, runs=(), runs_since="2026-01-03T00:00:00Z")
    assert [cells(ONE, found)[name].run for name in (FINAL, NEXT)] == [None, "none"]


def test_no_run_is_looked_for_where_no_workflow_has_to_be_green() -> None:
    assert cells({"name": "one", "workflow": ""}, listed(FINAL))[FINAL].run is None


def test_a_tag_without_a_release_is_incomplete_and_its_files_are_not_told_one_by_one() -> None:
    found = listed(FINAL, releases={})
    cell = cells(FILES, found)[FINAL]
    assert (cell.published, cell.unpublished, cell.lacks, cell.assets) == ("", (FINAL,), ("release",), None)
    assert (cell.since, cell.age) == (None, None)
    assert summary(FILES, found).incomplete == (FINAL,)
    assert summary(FILES, found).found == (FINAL,)


def test_assets_are_there_missing_half_uploaded_or_not_those_that_the_record_saw() -> None:
    out = published(FINAL, "", asset("tool-amd64", "aa"), asset("tool-arm64", "", complete=False), asset("more"))
    found = listed(FINAL, releases={FINAL: out})
    assert cells(FILES, found)[FINAL].assets == Held(("tool-amd64",), ("sums",), ("tool-arm64",))
    proved = {FINAL: {"downstream one": Proof(tag=FINAL, commit=commit(FINAL), assets={"tool-amd64": "bb"})}}
    cell = cells(FILES, found, proved)[FINAL]
    assert cell.assets == Held((), ("sums",), ("tool-arm64",), ("tool-amd64",))
    assert cell.lacks == ("assets",)
    elsewhere = {FINAL: {"downstream one": Proof(tag="another", assets={"tool-amd64": "bb"})}}
    assert cells(FILES, found, elsewhere)[FINAL].assets == Held(("tool-amd64",), ("sums",), ("tool-arm64",))


def test_a_forge_that_tells_no_digest_tells_no_difference() -> None:
    table = {"name": "one", "assets": ["sums"]}
    proved = {FINAL: {"downstream one": Proof(tag=FINAL, assets={"sums": "bb"})}}
    found = listed(FINAL, releases={FINAL: published(FINAL, "", asset("sums"))})
    assert cells(table, found, proved)[FINAL].assets == Held(("sums",))


def test_images_are_there_by_their_tags_and_a_registry_that_could_not_be_seen_is_neither() -> None:
    first, second = "docker.io/acme/one", "quay.io/acme/one"
    both = listed(RC, FINAL, images={first: frozenset({FINAL}), second: frozenset({"1.0.0", "1.0.0-rc.1"})})
    found = cells(IMAGES, both)
    assert found[FINAL].images == Held((f"{first}:{FINAL}", f"{second}:1.0.0"))
    assert found[RC].images == Held((f"{second}:1.0.0-rc.1",), (f"{first}:{RC}",))
    assert (found[FINAL].lacks, found[RC].lacks) == ((), ("images",))
    half = listed(FINAL, images={first: frozenset[str]()}, errors={"images": "503"})
    cell = cells(IMAGES, half)[FINAL]
    assert (cell.images, cell.lacks) == (Held((), (f"{first}:{FINAL}",), unseen=(f"{second}:1.0.0",)), ("images",))
    blind = cells(IMAGES, listed(FINAL, errors={"images": "503"}))[FINAL]
    assert (blind.images, blind.lacks) == (Held(unseen=(f"{first}:{FINAL}", f"{second}:1.0.0")), ())
    assert cells(IMAGES, listed(FINAL))[FINAL].images is None


@pytest.mark.parametrize("part", ["releases", "runs", "images", "strangers"])
def test_a_list_that_could_not_be_seen_is_told_and_the_rest_is_judged_all_the_same(part: str) -> None:
    table = {**FILES, **IMAGES}
    out = {FINAL: published(FINAL, "", asset("sums"))}
    whole = {"releases": out, "runs": (run(FINAL, "failure"),), "images": {}, "strangers": frozenset({commit(FINAL)})}
    found = listed(FINAL, **{**whole, part: None}, errors={part: "the forge is down"})
    fleet = judged(settings(table), {"one": found})
    component = fleet.components[1]
    cell = component.releases[1]
    assert (component.error, component.unseen, fleet.blind) == (None, {part: "the forge is down"}, True)
    assert fleet.summary["one"].missing == (RC, NEXT)
    assert (cell.published is None) == (cell.assets is None) == (part == "releases")
    assert (cell.run is None) == (part == "runs")
    assert ("run" in cell.lacks) == (part != "runs")
    assert bool(cell.wrong) == (part != "strangers")


def test_what_lacks_something_while_its_run_goes_on_is_under_way_and_not_incomplete() -> None:
    found = listed(FINAL, releases={}, runs=(run(FINAL, ""),))
    told = summary(ONE, found)
    assert (told.underway, told.incomplete, told.found) == ((FINAL,), (), (FINAL,))


def test_a_tag_that_is_not_where_the_record_proved_it_or_on_no_branch_is_on_a_wrong_commit() -> None:
    proved = {
        FINAL: {"downstream one": Proof(tag=FINAL, commit="d" * 40)},
        NEXT: {"downstream one": Proof(tag=NEXT, commit=commit(NEXT))},
        RC: {"downstream one": Proof(tag="another", commit="d" * 40), "downstream two": Proof(tag=RC, commit="d" * 40)},
    }
    found = listed(*RELEASES, strangers=frozenset({commit(NEXT)}))
    judgement = cells(ONE, found, proved)
    assert judgement[FINAL].wrong == (Wrong(FINAL, commit(FINAL), "d" * 40),)
    assert judgement[NEXT].wrong == (Wrong(NEXT, commit(NEXT)),)
    assert judgement[RC].wrong == ()
    assert summary(ONE, found, proved).wrong_commit == (FINAL, NEXT)


def test_of_each_channel_the_newest_number_is_looked_at_for_it_took_the_place_of_the_others() -> None:
    tags = [f"{FINAL}.{end}" for end in ("testing.9", "testing.10", "latest.1")]
    out = {
        tags[0]: published(tags[0], "2026-01-05T00:00:00+00:00"),
        tags[1]: published(tags[1], "2026-01-06T00:00:00+00:00", asset("testing-10.rpm")),
    }
    found = listed(*tags, releases=out, runs=(run(tags[0], "failure"), run(tags[1], "")))
    cell = cells(PACKAGING, found)[FINAL]
    assert cell.channels == {"latest": (1,), "testing": (9, 10)}
    assert cell.tags == (tags[2], tags[0], tags[1])
    assert (cell.published, cell.unpublished) == ("2026-01-05T00:00:00+00:00", (tags[2],))
    assert cell.assets == Held(("testing-10.rpm",))
    assert (cell.run, cell.lacks) == ("running", ("release",))


@pytest.mark.parametrize(
    ("first", "second", "worst"),
    [
        ("success", "failure", "red"),
        ("failure", "success", "red"),
        ("", "failure", "red"),
        ("success", "", "running"),
        ("success", "skipped", "none"),
        ("success", "success", "green"),
    ],
)
def test_of_the_runs_of_several_channels_the_worst_counts(first: str, second: str, worst: str) -> None:
    tags = [f"{FINAL}.latest.1", f"{FINAL}.testing.1"]
    runs = (run(tags[0], first), run(tags[1], second))
    assert cells(PACKAGING, listed(*tags, runs=runs))[FINAL].run == worst


def test_the_upstreams_own_releases_are_judged_by_its_record_its_artifacts_and_its_images() -> None:
    tables = {
        "artifact": [{"name": "app-{arch}", "run": ["make"], "platforms": ["linux/amd64", "linux/arm64"]}],
        "image": [{"name": "acme/app", "file": "Dockerfile", "tag": "{version}"}],
    }
    out = published(FINAL, "2026-02-01T00:00:00+00:00", asset("app-amd64", "aa"), asset("app-arm64", "bb"))
    home = Listed(
        releases={FINAL: out, NEXT: published(NEXT)},
        runs=(run(RC, ""),),
        images={"docker.io/acme/app": frozenset({"1.0.0", "1.1.0"})},
    )
    proved = {
        FINAL: {
            "tag": Proof(commit="d" * 40),
            "build app-amd64": Proof(sha256="cc"),
            "build app-arm64": Proof(sha256="bb"),
        }
    }
    fleet = judged(settings(**tables), {}, proved, home)
    rc, final, following = fleet.components[0].releases
    assert final.wrong == (Wrong(FINAL, UPSTREAM[1].commit, "d" * 40),)
    assert final.assets == Held(("app-arm64",), differing=("app-amd64",))
    assert (final.state, final.since, final.date) == ("released", out.at, UPSTREAM[1].date)
    assert final.images == Held(("docker.io/acme/app:1.0.0",))
    assert following.assets == Held((), ("app-amd64", "app-arm64"))
    assert (rc.run, rc.unpublished, rc.since) == ("running", (RC,), UPSTREAM[0].date)
    told = fleet.upstream
    assert (told.incomplete, told.underway, told.wrong_commit) == ((FINAL, NEXT), (RC,), (FINAL,))
