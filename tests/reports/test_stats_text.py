"""Figures as text: each with how many it was made from, and what is not known as such."""

from __future__ import annotations

import io

import pytest

from release.core.fleet_stats import Failures, Figures, Lead, Month, Open, Restored, Span, Stats
from release.reports import console
from release.reports.ages import short
from release.reports.stats_text import COMPONENTS, FEW, MONTHS
from release.reports.text import SOME

DAY = 86400
HOSTILE = "a\x1b[31mred\r\n\0\u2028\u202ebidi\x9b2J##[error]"


def text_of(value: object) -> str:
    out = io.StringIO()
    console.show(value, out)
    return out.getvalue()


def one(name: str = "one", count: int = 3) -> Figures:
    span = Span(count, 3600, 2 * DAY, 3 * DAY, "v1.2.0")
    lead = Lead(span, 4, "stable")
    return Figures(
        name,
        (Lead(span), lead),
        Failures(count, 1, 1 / count, 2, 1),
        Restored(span, (Open("v1.0.0", "2026", DAY, "https://forge/1"),)),
        {"lead": "plain git"},
    )


def test_every_figure_says_of_how_many_it_is() -> None:
    said = text_of(Stats((Month("2026-01", 2, 30),), 5, (one(),)))
    assert said.splitlines() == [
        "MONTH    FINALS  CANDIDATES",
        "2026-01       2          30",
        "5 of them by the dates of their commits: no forge tells when they came out",
        "one",
        "  lead time: median 1h, 90 % within 2d, worst 3d (v1.2.0), of only 3",
        "  lead time to stable: median 1h, 90 % within 2d, worst 3d (v1.2.0), of only 3; of 4 more it is not known",
        "  failures: 1 of only 3 runs ended red (33%); 2 more were green when they were run again; 1 are dispatches for nobody knows which tag",
        "  time to restore: median 1h, 90 % within 2d, worst 3d (v1.2.0), of only 3",
        "  not restored: v1.0.0 for 1d (https://forge/1)",
        "  not known, lead: plain git",
    ]


def test_enough_values_need_no_excuse() -> None:
    said = text_of(Stats((), 0, (one(count=FEW),)))
    assert said.startswith("no release in that time\n")
    assert f"of {FEW}\n" in said
    assert "only" not in said


def test_nothing_measured_is_no_number() -> None:
    said = text_of(Stats((), 0, (Figures("one", (Lead(None, 2),), Failures(0, 0, None), Restored(None)),)))
    assert "lead time: of 2 more it is not known" in said
    assert "failures: no run ended" in said
    assert "restore" not in said


def test_long_lists_are_cut_and_say_how_to_see_the_rest() -> None:
    left = tuple(Open(f"v{n}", "", None) for n in range(SOME + 2))
    many = tuple(Figures(f"c{n}", restored=Restored(None, left)) for n in range(COMPONENTS + 5))
    months = tuple(Month(f"{2000 + n // 12}-{n % 12 + 1:02}") for n in range(MONTHS + 3))
    said = text_of(Stats(months, 0, many))
    assert "3 older months are not shown (--format json has all; --since narrows it)" in said
    assert months[-1].month in said
    assert months[2].month not in said
    assert "and 2 more that are not restored (--format json has all)" in said
    assert said.endswith("and 5 more components (--format json has all; --component shows one)\n")


def test_figures_can_do_nothing_to_a_terminal() -> None:
    span = Span(1, 1, 1, 1, HOSTILE)
    restored = Restored(span, (Open(HOSTILE, HOSTILE, 1, HOSTILE),))
    value = Stats((), 0, (Figures(HOSTILE, (Lead(span, 0, HOSTILE),), None, restored, {HOSTILE: HOSTILE}),))
    said = text_of(value)
    assert all(c.isprintable() or c == "\n" for c in said)
    assert "##[" not in said
    assert len(said.splitlines()) == 6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (DAY, "1d"),
        (400 * DAY, "400d"),
        (-90, "-1m"),
    ],
)
def test_a_span_of_time_is_one_number_and_its_unit(seconds: float | None, text: str) -> None:
    assert short(seconds) == text
