"""Components of components: what they follow, what they wait for, and how far behind each is."""

from __future__ import annotations

import pytest

from release.core.behind import Behind
from release.core.config import Config
from release.core.evidence import Listed
from release.core.fleet import resolved
from release.core.fleet_status import holes
from release.core.fleet_window import Wanted, asked
from release.core.model import Tag
from tests.listings import DAY, RELEASES, UPSTREAM, judged, listed, settings

RC, FINAL, NEXT = RELEASES
BLIND = Listed(errors={"tags": "no route"})


def chain(**of_the_first: object) -> Config:
    return resolved(
        settings({"name": "c", "of": "b", "tag": "c-{tag}"}, {"name": "b", "of": "a"}, {"name": "a", **of_the_first})
    )


def test_what_the_one_below_lacks_is_waited_for_and_not_missing() -> None:
    fleet = judged(chain(), {"a": listed(RC, FINAL), "b": listed(RC, NEXT), "c": listed("c-" + FINAL)})
    told = fleet.summary
    assert (told["a"].missing, told["a"].waiting) == ((NEXT,), ())
    assert (told["b"].missing, told["b"].waiting, told["b"].found) == ((FINAL,), (), (RC, NEXT))
    assert (told["c"].missing, told["c"].waiting, told["c"].found) == ((RC, NEXT), (), (FINAL,))
    assert [cell.state for cell in fleet.components[1].releases] == ["missing", "found", "missing"]
    assert [one.name for one in fleet.components] == ["app", "c", "b", "a"]


def test_who_waits_says_so_along_the_whole_chain() -> None:
    told = judged(chain(), {"a": listed(RC), "b": listed(), "c": listed()}).summary
    assert (told["b"].missing, told["b"].waiting) == ((RC,), (FINAL, NEXT))
    assert (told["c"].missing, told["c"].waiting) == ((), RELEASES)


def test_of_a_component_that_could_not_be_seen_its_children_wait_and_lack_nothing_that_we_know_of() -> None:
    fleet = judged(chain(), {"a": BLIND, "b": listed(FINAL), "c": listed()})
    assert (fleet.summary["b"].missing, fleet.summary["b"].waiting) == ((), (RC, NEXT))
    assert (fleet.summary["c"].missing, fleet.summary["c"].waiting) == ((FINAL,), (RC, NEXT))
    assert holes(fleet, chain().downstream) == ((FINAL, "c"),)


def test_what_waits_is_filled_in_after_what_it_waits_for() -> None:
    fleet = judged(chain(), {"a": listed(RC, FINAL), "b": listed(RC), "c": listed()})
    assert holes(fleet, chain().downstream) == (
        (RC, "c"),
        (FINAL, "b"),
        (FINAL, "c"),
        (NEXT, "a"),
        (NEXT, "b"),
        (NEXT, "c"),
    )


def test_what_the_one_below_does_not_follow_is_not_expected() -> None:
    for narrow in ({"when": "final"}, {"lines": ["1.1"]}):
        fleet = judged(chain(**narrow), {"a": listed(), "b": listed(), "c": listed()})
        assert fleet.summary["c"].expected == fleet.summary["a"].expected != RELEASES
        assert fleet.summary["c"].waiting == fleet.summary["c"].expected


def test_what_is_built_on_another_follows_it_even_where_the_configuration_does_not_say_it_twice() -> None:
    config = settings({"name": "b", "of": "a"}, {"name": "a", "when": "final"})
    assert judged(config, {"a": listed(*RELEASES), "b": listed()}).summary["b"].missing == (FINAL, NEXT)
    assert judged(config, {"a": BLIND, "b": listed()}).summary["b"].waiting == RELEASES


def test_who_is_asked_about_is_judged_with_all_that_it_is_built_on() -> None:
    assert [one.name for one in asked(chain(), Wanted(components=("b",)))] == ["b", "a"]
    assert [one.name for one in asked(chain(), Wanted())] == ["c", "b", "a"]
    fleet = judged(chain(), {"a": listed(RC), "b": listed()}, components=("b",))
    assert (list(fleet.summary), fleet.summary["b"].waiting) == (["b"], (FINAL, NEXT))


def test_a_component_that_only_has_its_files_updated_has_no_releases_to_lack() -> None:
    fleet = judged(settings({"name": "docs", "trigger": "none"}), {})
    assert (fleet.components[1].error, fleet.summary["docs"].expected, fleet.blind) == (None, (), False)


def test_who_is_behind_is_told_line_by_line_with_since_when() -> None:
    told = judged(chain(), {"a": listed(RC), "b": listed(), "c": listed()}).summary
    assert told["a"].behind == (
        Behind("1.0", RC, FINAL, 1, UPSTREAM[1].date, 58 * DAY - 11 * 3600),
        Behind("1.1", None, NEXT, 1, UPSTREAM[2].date, 57 * DAY - 11 * 3600),
    )
    assert told["b"].behind == (Behind("1.0", None, RC, 1, UPSTREAM[0].date, 59 * DAY - 11 * 3600),)
    assert told["c"].behind == ()


def test_a_hole_before_the_newest_is_no_arrears() -> None:
    told = judged(settings({"name": "a"}), {"a": listed(FINAL, NEXT)}).summary["a"]
    assert (told.missing, told.behind) == ((RC,), ())


def test_the_newest_counts_even_where_it_is_older_than_what_is_asked_about() -> None:
    told = judged(settings({"name": "a"}), {"a": listed(RC)}, since="2026-01-02").summary["a"]
    assert [(late.line, late.newest, late.by) for late in told.behind] == [("1.0", RC, 1), ("1.1", None, 1)]
    finals = judged(settings({"name": "a"}), {"a": listed(RC)}, kind="final", lines=("1.0",)).summary["a"]
    assert [(late.line, late.newest, late.by) for late in finals.behind] == [("1.0", None, 1)]


def test_since_when_is_the_first_that_came_out_and_not_the_lowest() -> None:
    upstream = (
        *UPSTREAM,
        Tag("v1.1.1", "f" * 40, "2026-01-02T00:00:00Z"),
        Tag("v1.1.2", "e" * 40, "2026-01-09T00:00:00Z"),
    )
    told = judged(settings({"name": "a"}), {"a": listed(RC, FINAL)}, upstream=upstream).summary["a"]
    assert [(late.upstream, late.by, late.since) for late in told.behind] == [("v1.1.2", 3, "2026-01-02T00:00:00Z")]


@pytest.mark.parametrize("depth", [3000])
def test_a_long_chain_is_judged(depth: int) -> None:
    config = settings(*({"name": f"n{i}", "of": f"n{i + 1}" if i + 1 < depth else ""} for i in range(depth)))
    fleet = judged(config, {f"n{depth - 1}": listed(RC), **{f"n{i}": listed() for i in range(depth - 1)}})
    assert fleet.summary[f"n{depth - 2}"].missing == (RC,)
    assert fleet.summary["n0"].waiting == RELEASES
