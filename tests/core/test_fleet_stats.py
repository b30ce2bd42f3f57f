"""Figures of a fleet, from lists: what is counted, and what is said not to be known."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from release.core.config import Config
from release.core.evidence import Listed
from release.core.finding import Conflict
from release.core.fleet_stats import NO_FORGE, NO_RUNS, Failures, Figures, Lead, Month, Open, Span, Stats, span, stats
from release.core.fleet_window import Wanted
from release.core.model import Tag
from release.core.record import Proof
from tests.core.test_fleet_real import GOOD, facts
from tests.listings import DAY, NOW, RELEASES, UPSTREAM, listed, published, run, settings

RC, FINAL, NEXT = RELEASES
ONE = {"name": "one"}
AT = {RC: "2026-01-01T12:00:00+00:00", FINAL: "2026-01-02T12:00:00+00:00", NEXT: "2026-01-03T12:00:00+00:00"}
HOME = Listed(releases={tag: published(tag, at) for tag, at in AT.items()}, runs=())


def counted(
    config: Config,
    found: dict[str, Listed],
    home: Listed = HOME,
    upstream: tuple[Tag, ...] = UPSTREAM,
    proved: Any = None,
    **wanted: Any,
) -> Stats:
    told = stats(config, upstream, home, found, proved or {}, NOW, Wanted(**wanted))
    assert isinstance(told, Stats), told
    return told


def one(found: Listed, table: dict[str, Any] = ONE, **more: Any) -> Figures:
    return counted(settings(table), {"one": found}, **more).components[1]


def test_releases_are_counted_by_months_of_utc_with_the_empty_ones_between() -> None:
    upstream = (
        Tag("v1.0.0-rc.1", "a", "2025-12-31T23:30:00-02:00"),
        Tag("v1.0.0", "b", "2026-01-01T00:30:00+02:00"),
        Tag("v1.1.0", "c", "2026-03-01T00:00:00Z"),
        Tag("odd", "c", "2026-03-01T00:00:00Z"),
    )
    told = counted(settings(ONE), {}, Listed(), upstream)
    assert told.months == (Month("2025-12", 1, 0), Month("2026-01", 0, 1), Month("2026-02"), Month("2026-03", 1))
    assert told.by_commit == 3


def test_of_no_release_there_are_no_figures() -> None:
    assert counted(settings(ONE), {"one": Listed(tags={})}, Listed(), ()).months == ()
    nothing = counted(settings(ONE), {"one": listed(FINAL)}, since="2030-01-01")
    assert (nothing.months, nothing.by_commit) == ((), 0)
    assert nothing.components[1].leads == ()


def test_a_forge_tells_when_a_release_came_out_and_where_it_does_not_the_commit_counts() -> None:
    home = Listed(releases={FINAL: published(FINAL, "2026-02-01T00:00:00+00:00"), NEXT: published(NEXT, "")})
    told = counted(settings(ONE), {}, home)
    assert (told.months, told.by_commit) == ((Month("2026-01", 1, 1), Month("2026-02", 1)), 2)


def test_a_commit_of_another_age_makes_no_table_of_empty_months() -> None:
    upstream = (*UPSTREAM, Tag("v0.1.0", "c", "0001-01-01T00:00:00+14:00"), Tag("v0.2.0", "c", "1970-01-01T00:00:00Z"))
    assert [one.month for one in counted(settings(ONE), {}, Listed(), upstream).months] == ["1970-01", "2026-01"]


def test_a_window_that_is_none_is_refused() -> None:
    assert isinstance(stats(settings(ONE), UPSTREAM, HOME, {}, {}, NOW, Wanted(since="yesterday")), Conflict)


def test_the_lead_time_goes_from_publication_to_publication() -> None:
    out = {
        RC: published(RC, "2026-01-01T11:00:00+00:00"),
        FINAL: published(FINAL, "2026-01-02T14:00:00+00:00"),
        NEXT: published(NEXT, "2026-01-05T12:00:00Z"),
    }
    found = one(listed(*RELEASES, releases=out))
    assert found.leads == (Lead(Span(3, 7200, 2 * DAY, 2 * DAY, NEXT)),)
    assert one(listed(*RELEASES, releases=out), kind="candidate").leads == (Lead(Span(1, -3600, -3600, -3600, RC)),)
    assert one(listed(*RELEASES, releases=out), lines=("1.1",)).leads == (
        Lead(Span(1, 2 * DAY, 2 * DAY, 2 * DAY, NEXT)),
    )


def test_what_is_there_without_a_time_is_counted_as_unknown() -> None:
    found = one(listed(RC, FINAL, releases={FINAL: published(FINAL, "2026-01-02T14:00:00+00:00")}))
    assert found.leads == (Lead(Span(1, 7200, 7200, 7200, FINAL), 1),)
    half = Listed(releases={RC: published(RC)}, runs=())
    assert one(listed(FINAL), home=half).leads == (Lead(None, 1),)


def test_plain_git_and_a_forge_that_could_not_be_seen_tell_no_lead_time_and_that_is_said() -> None:
    plain = Listed(tags={FINAL: "c"})
    assert one(plain).unknown == {"lead": NO_FORGE, "runs": NO_RUNS}
    assert (one(plain).leads, one(plain).failures, one(plain).restored) == ((), None, None)
    down = listed(FINAL, releases=None, runs=None, errors={"releases": "503", "runs": "502"})
    assert one(down).unknown == {"lead": "503", "runs": "502"}
    assert one(listed(FINAL), home=Listed(errors={"releases": "401"})).unknown == {"lead": "401"}
    assert one(Listed(errors={"tags": "gone"})).unknown == {"tags": "gone"}
    assert counted(settings(ONE), {}).components[1].unknown == {"tags": "nobody looked at it"}


def test_of_a_channel_the_first_that_came_out_counts() -> None:
    table = {"name": "one", "per": "channel", "tag": "{tag}.{channel}.{n}"}
    tags = [f"{FINAL}.{end}" for end in ("testing.0", "testing.1", "stable.0", "latest.0")]
    hours = {tags[0]: "15", tags[1]: "14", tags[2]: "20"}
    out = {tag: published(tag, f"2026-01-02T{hour}:00:00+00:00") for tag, hour in hours.items()}
    found = one(listed(*tags, releases=out), table)
    assert found.leads == (
        Lead(None, 1, "latest"),
        Lead(Span(1, 8 * 3600, 8 * 3600, 8 * 3600, tags[2]), 0, "stable"),
        Lead(Span(1, 2 * 3600, 2 * 3600, 2 * 3600, tags[1]), 0, "testing"),
    )


def test_failures_are_runs_that_ended_red_and_their_share() -> None:
    runs = (
        run(FINAL, "failure", 1),
        run(FINAL, "success", 2),
        run(RC, "success", 3, attempt=2),
        run(NEXT, "", 4),
        run(NEXT, "skipped", 5),
        run("v9.9.9", "failure", 6),
        run("main", "failure", 7, event="push"),
    )
    assert one(listed(*RELEASES, runs=runs)).failures == Failures(3, 1, 1 / 3, 1)
    assert one(listed(*RELEASES, runs=runs), lines=("1.1",)).failures == Failures(0, 0, None)
    assert one(listed(FINAL, runs=())).failures == Failures(0, 0, None)


def test_a_dispatch_belongs_to_the_tag_of_its_title_or_its_record_else_to_nobody_known() -> None:
    runs = (
        run("main", "failure", 1, event="workflow_dispatch", title=f"Release {FINAL}"),
        run("main", "failure", 2, event="workflow_dispatch"),
        run("main", "success", 3, event="repository_dispatch"),
        run("main", "failure", 4, event="workflow_dispatch", created="2025-01-01T00:00:00+00:00"),
    )
    proved = {NEXT: {"dispatch one": Proof(id=2)}}
    found = listed(NEXT, runs=runs)
    assert one(found, since="2026-01-01").failures == Failures(3, 2, 2 / 3, 0, 2)
    assert one(found, since="2026-01-01", proved=proved).failures == Failures(3, 2, 2 / 3, 0, 1)
    assert one(found).failures == Failures(4, 3, 3 / 4, 0, 3)
    begun = settings(ONE, project={"name": "app", "since": RC})
    assert counted(begun, {"one": found}).components[1].failures == Failures(3, 2, 2 / 3, 0, 2)
    assert one(found, kind="final").failures == Failures(1, 1, 1.0)
    assert one(found, lines=("1.1",), proved=proved).failures == Failures(1, 1, 1.0)


def test_a_run_for_a_tag_that_is_gone_was_a_run_for_that_release() -> None:
    assert one(listed(runs=(run(FINAL, "failure"),))).failures == Failures(1, 1, 1.0)


def at(hour: int, day: int = 10) -> str:
    return f"2026-01-{day}T{hour:02}:00:00+00:00"


def test_time_to_restore_goes_from_the_first_red_run_to_the_green_one_or_the_publication() -> None:
    runs = (
        run(FINAL, "success", 3, created=at(5), updated=at(6)),
        run(FINAL, "failure", 2, created=at(3), updated=at(4)),
        run(FINAL, "cancelled", 1, created=at(1), updated=at(2)),
        run(NEXT, "failure", 4, created=at(1), updated=at(2)),
        run(RC, "success", 5, created=at(1), updated=at(4), attempt=2),
    )
    out = {FINAL: published(FINAL, at(0)), NEXT: published(NEXT, at(9)), RC: published(RC, at(0, 11))}
    found = one(listed(*RELEASES, releases=out, runs=runs)).restored
    assert found is not None
    assert found.span == Span(3, 5 * 3600, 8 * 3600, 8 * 3600, NEXT)
    assert found.open == ()


def test_what_was_never_mended_is_open_and_what_never_broke_is_not_counted() -> None:
    runs = (run(NEXT, "failure", 2, created=at(2)), run(NEXT, "failure", 1, created=at(1)), run(FINAL, "success", 3))
    early = {NEXT: published(NEXT, at(0))}
    found = one(listed(FINAL, NEXT, releases=early, runs=runs)).restored
    assert found is not None
    assert (found.span, found.open) == (None, (Open(NEXT, at(1), 50 * DAY - 3600, "https://forge/1"),))


def test_what_is_green_again_at_a_time_that_nobody_tells_is_neither_open_nor_measured() -> None:
    runs = (run(FINAL, "success", 2), run(FINAL, "failure", 1, created=at(1)))
    found = one(listed(FINAL, releases={}, runs=runs)).restored
    assert found is not None
    assert (found.span, found.open) == (None, ())


def test_the_upstreams_own_runs_are_counted_as_well() -> None:
    home = Listed(runs=(run(FINAL, "failure", 1), run("v0.0.1", "failure", 2)), releases={})
    told = counted(settings(ONE), {}, home).components[0]
    assert (told.name, told.failures, told.leads) == ("app", Failures(1, 1, 1.0), ())


def test_only_who_is_asked_about_is_counted_and_nobody_who_releases_nothing() -> None:
    config = settings(ONE, {"name": "two"}, {"name": "docs", "trigger": "none"})
    assert [each.name for each in counted(config, {}).components] == ["app", "one", "two"]
    assert [each.name for each in counted(config, {}, components=("two",)).components] == ["app", "two"]


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.text(max_size=3)), min_size=1))
def test_a_span_is_made_of_what_was_measured(measured: list[tuple[float, str]]) -> None:
    found = span(measured)
    assert found is not None
    times = [time for time, _ in measured]
    assert (found.count, found.median, found.worst) == (len(times), statistics.median(times), max(times))
    assert (found.worst, found.worst_tag) in measured
    assert sum(time <= found.ninety for time in times) * 10 >= 9 * len(times)
    assert sum(time < found.ninety for time in times) * 10 < 9 * len(times)


def test_a_real_fleets_months_are_what_a_count_finds() -> None:
    upstream = tuple(Tag(name, commit, date) for name, (date, commit) in facts("rke2").items())
    settings_ = settings(ONE, version={"scheme": "semver+revision", "revision": "rke2r"})
    told = counted(settings_, {}, Listed(), upstream, since="2022-01-01")
    good = {tag: date for tag, (date, _) in facts("rke2").items() if GOOD.fullmatch(tag) and date >= "2022"}
    wanted = Counter(
        (datetime.fromisoformat(date).astimezone(UTC).isoformat()[:7], "-" in tag) for tag, date in good.items()
    )
    found = {(one_.month, False): one_.finals for one_ in told.months} | {
        (one_.month, True): one_.candidates for one_ in told.months
    }
    assert {key: count for key, count in found.items() if count} == wanted
