"""A fleet as text: what is not as it should be is in it, for four components, for one and for a thousand."""

from __future__ import annotations

import io
from typing import Any

import pytest

from release.core.cells import Cell
from release.core.evidence import Listed
from release.core.fleet_status import Component, Status, Summary
from release.core.model import Tag
from release.core.record import Proof
from release.reports import console
from release.reports.fleet_text import FEW, ROWS
from release.reports.text import SOME, shown
from tests.listings import RELEASES, UPSTREAM, asset, commit, judged, listed, published, run, settings

RC, FINAL, NEXT = RELEASES
HOSTILE = "a\x1b[31mred\x1b]0;title\x07\r\n\0\u2028\u2029\u202ebidi\x7f\x9b2J\u200b\ufeff##[error]"
BLIND = Listed(errors={"tags": "no \x1broute"})


def text_of(value: object) -> str:
    out = io.StringIO()
    console.show(value, out)
    return out.getvalue()


def rows(said: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in said.splitlines() if line.startswith("v")}


def test_a_few_components_are_columns_and_a_row_is_a_release_that_is_not_as_it_should_be() -> None:
    names = ("good", "holed", "red", "slow", "stray", "child", "blind")
    config = settings(*({"name": name, "of": "holed" if name == "child" else ""} for name in names))
    found = {
        "good": listed(*RELEASES),
        "holed": listed(RC, NEXT),
        "red": listed(*RELEASES, runs=(run(FINAL, "failure"),)),
        "slow": listed(*RELEASES, runs=(run(FINAL, ""),), releases={tag: published(tag) for tag in (RC, NEXT)}),
        "stray": listed(*RELEASES, strangers=frozenset({commit(FINAL)})),
        "child": listed(RC, NEXT),
        "blind": BLIND,
    }
    said = text_of(judged(config, found))
    assert said.splitlines()[0].split() == list(names)
    assert {tag: "".join(marks) for tag, marks in rows(said).items()} == {FINAL: "✓✗57d!…≠·"}
    assert "! incomplete" in said
    assert "· waits for the component that it is built on" in said
    for words in (
        "good: 3 of 3 found, 0 missing\n",
        "holed: 2 of 3 found, 1 missing (1 final)\n",
        f"missing the longest: {FINAL}, for 57d",
        "red: 3 of 3 found, 0 missing, 1 incomplete\n",
        f"incomplete {FINAL}: its run is red (https://forge/1)",
        "slow: 3 of 3 found, 0 missing, 1 under way\n",
        f"under way {FINAL}: is not published",
        "stray: 3 of 3 found, 0 missing, 1 on a wrong commit\n",
        f"wrong commit {FINAL}: it is on {commit(FINAL)[:10]}, which is not in its branch",
        "child: 2 of 3 found, 0 missing, 1 waiting\n",
        "blind: could not be seen: no \\x1broute",
    ):
        assert words in said, (words, said)


def test_what_is_incomplete_is_named() -> None:
    table = {"name": "one", "assets": ["a", "b", "c"], "images": ["acme/one:{image_tag}"]}
    out = published(FINAL, "2026-01-10T00:00:00+00:00", asset("a", "aa"), asset("b", complete=False))
    found = listed(FINAL, releases={FINAL: out}, images={"docker.io/acme/one": frozenset[str]()})
    proved = {FINAL: {"downstream one": Proof(tag=FINAL, commit="d" * 40, assets={"a": "bb"})}}
    said = text_of(judged(settings(table), {"one": found}, proved, lines=("1.0",), kind="final"))
    assert (
        f"incomplete {FINAL}: assets missing: c, half uploaded: b, not as recorded: a; images missing: docker.io/acme/one:{FINAL}"
        in said
    )
    assert f"wrong commit {FINAL}: it is on {commit(FINAL)[:10]}, the record proved dddddddddd" in said
    assert rows(said) == {FINAL: ["wrong", "commit", commit(FINAL)[:10], "50d", "green", "0/3", "0/1"]}


def test_one_component_is_shown_in_full_and_its_channels_with_their_numbers() -> None:
    table = {"name": "one", "per": "channel", "tag": "{tag}.{channel}.{n}"}
    tags = [f"{FINAL}.{end}" for end in ("testing.0", "testing.1", "latest.0")]
    said = text_of(judged(settings(table), {"one": listed(*tags)}))
    assert rows(said) == {
        RC: ["missing", "58d"],
        FINAL: ["found", commit(tags[2])[:10], "50d", "green", "latest.0", "testing.0,1"],
        NEXT: ["missing", "56d"],
    }
    assert said.split()[:6] == ["RELEASE", "COMMIT", "AGE", "RUN", "CHANNELS", RC]
    said = text_of(judged(settings(table), {"one": listed(*tags, releases={})}))
    assert f"incomplete {FINAL}: {tags[2]}, {tags[1]} are not published" in said


def test_what_a_component_is_behind_by_and_what_belongs_to_nothing_are_told() -> None:
    found = listed(RC, *(f"v3.0.{n}" for n in range(SOME + 2)), "strange")
    said = text_of(judged(settings({"name": "one"}), {"one": found}, upstream=(*UPSTREAM, Tag("odd", "c"))))
    assert f"behind on 1.0 by 1 release for 57d: its newest is {RC}, the upstream's {FINAL}" in said
    assert f"behind on 1.1 by 1 release for 56d: it has none, the upstream's {NEXT}" in said
    assert "of no release: v3.0.0, v3.0.1" in said
    assert "and 2 more (--format json has all)" in said
    assert "no version: strange" in said
    assert "app: odd are no versions" in said


def test_by_tags_alone_nobody_is_made_to_believe_more() -> None:
    words = "seen by tags and commits alone"
    assert words in text_of(judged(settings({"name": "one"}), {"one": Listed(tags={FINAL: "c"})}))
    assert words not in text_of(judged(settings({"name": "one"}), {"one": listed(FINAL)}))
    refused = Listed(tags={FINAL: "c"}, errors={"releases": "403"})
    said = text_of(judged(settings({"name": "one"}), {"one": refused}))
    assert words not in said
    assert "not seen, releases: 403" in said


@pytest.mark.parametrize("components", [2, FEW, FEW + 1, 1000])
def test_a_long_list_is_cut_and_says_how_to_see_the_rest(components: int) -> None:
    names = [f"c{n}" for n in range(components)]
    said = text_of(
        judged(
            settings(*({"name": name} for name in names)), {name: listed() for name in names}, upstream=_upstream(200)
        )
    )
    assert len(said.splitlines()) <= ROWS + FEW * (SOME + 4)
    cut = components <= FEW or components > ROWS
    assert cut == ("--format json has all; --component, --line and --since narrow it" in said)
    if components <= FEW:
        assert list(rows(said)) == [tag.name for tag in _upstream(200)[-ROWS:]]
        assert "160 older ones not shown" in said


def test_of_a_thousand_only_those_are_told_that_have_something_to_say() -> None:
    names = [f"c{n}" for n in range(1000)]
    found = {name: listed(*RELEASES) for name in names}
    assert (
        text_of(judged(settings(*({"name": name} for name in names)), found))
        == "1000 of 1000 components have all that is expected\n"
    )
    found |= {
        "c7": listed(FINAL),
        "c8": listed(RC, FINAL),
        "c9": BLIND,
        "c10": listed(*RELEASES, "x", errors={"runs": "503"}, runs=None),
    }
    said = text_of(judged(settings(*({"name": name} for name in names)), found)).splitlines()
    assert said == [
        "c7: 1 of 3 found, 2 missing (1 final); behind on 1.1 by 1 for 56d",
        "c8: 2 of 3 found, 1 missing (1 final); behind on 1.1 by 1 for 56d",
        "c9: could not be seen: no \\x1broute",
        "c10: 3 of 3 found, 0 missing; 1 no version; not seen: runs",
        f"missing most: {NEXT} in 2, {RC} in 1",
        "996 of 1000 components have all that is expected",
    ]


def test_the_newest_that_is_not_right_is_never_cut_away_for_what_is() -> None:
    upstream = _upstream(100)
    had = [tag.name for tag in upstream[5:]]
    said = rows(text_of(judged(settings({"name": "one"}), {"one": listed(*had)}, upstream=upstream)))
    assert len(said) == ROWS
    assert [tag for tag, row in said.items() if row[0] == "missing"] == [tag.name for tag in upstream[:5]]


def test_a_fleet_of_nobody_and_a_time_of_nothing_are_told() -> None:
    assert "no component is downstream of this project" in text_of(judged(settings(), {}))
    said = text_of(judged(settings({"name": "one"}), {"one": listed()}, since="2030-01-01"))
    assert said == "no release is asked about\none: 0 of 0 found, 0 missing\n"


def test_the_upstreams_own_faults_are_told() -> None:
    home = Listed(releases={RC: published(RC), NEXT: published(NEXT)}, errors={"runs": "timed out"})
    said = text_of(judged(settings({"name": "one"}), {"one": listed(*RELEASES)}, home=home))
    assert "app: of its own 3 releases, 1 is not as it should be" in said
    assert f"incomplete {FINAL}: is not published" in said
    assert "not seen, runs: timed out" in said


@pytest.mark.parametrize("count", [1, 2, FEW + 1])
def test_whatever_a_fleet_is_called_it_does_nothing_to_a_terminal(count: int) -> None:
    said, calm = text_of(hostile(HOSTILE, count)), text_of(hostile("p" * len(shown(HOSTILE)), count))
    assert all(c.isprintable() or c == "\n" for c in said)
    assert len(said.splitlines()) == len(calm.splitlines())
    assert "##[" not in said


@pytest.mark.parametrize("name", ["a", "a\x1b[31mb", "日本"])
def test_columns_stand_below_their_names_whatever_these_are(name: str) -> None:
    said = text_of(
        judged(settings({"name": name}, {"name": "other"}), {name: listed(), "other": listed()})
    ).splitlines()
    assert said[0].split() == ["".join(c if c.isprintable() else "\\x1b" for c in name), "other"]
    assert said[1].count("✗") == 2


def hostile(text: str, count: int) -> Any:
    """A status with one text wherever a text can be."""
    table = {"name": "one", "assets": [text], "images": ["acme/one:{version}"]}
    fleet = judged(settings(table), {"one": listed(FINAL, text, images={}, errors={"images": text, text: text})})
    one = fleet.components[1]
    cells = [_renamed(cell, text) for cell in one.releases]
    components = tuple(
        Component(text + str(n), "downstream", text, None, (text,), tuple(cells), {text: text}) for n in range(count)
    )
    summary = Summary((text,), (), (text,), (text,), (text,), (text,), incomplete=(text,))
    return Status(
        (Component(text, "upstream", text, None, (text,), tuple(cells)), *components),
        {one.name: summary for one in components},
    )


def _renamed(cell: Cell, text: str) -> Cell:
    return Cell(
        text,
        text,
        text,
        text,
        cell.state,
        (text,),
        text,
        (text,),
        "red",
        text,
        cell.assets,
        cell.images,
        {text: (1,)},
        cell.wrong,
        text,
        1,
        ("release", "run", "assets"),
    )


def _upstream(count: int) -> tuple[Tag, ...]:
    return tuple(Tag(f"v1.0.{n}", f"{n:040}", "2026-01-01T00:00:00Z") for n in range(count))
