"""What was said of a release, and what that means: healthy, unhealthy, or that nobody can tell."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from release.core import health
from release.core.forge import Run
from release.core.health import Found, Told
from release.core.promotion import HealthWish, Reading
from release.core.ran import Ran

ERRORS = HealthWish("errors", "prometheus", query="q", below=0.01)


def told(kind: str, result: Any, **more: Any) -> Told:
    return Told("success", Found(kind, result), **more)


def series(*values: str) -> list[dict[str, Any]]:
    return [{"metric": {"version": str(n)}, "value": [1795951933.6, value]} for n, value in enumerate(values)]


def run(status: str = "completed", conclusion: str = "success") -> Run:
    at = "2026-01-31T12:00:00+00:00"
    return Run(5, ".github/workflows/e2e.yml", "push", "v1", "c" * 40, "t", status, conclusion, 1, at)


def test_one_series_and_a_scalar_are_a_number() -> None:
    assert health.number(told("vector", series("0.002"))) == 0.002
    assert health.number(told("scalar", [1795951933.6, "1e-05"])) == 0.00001
    assert health.number(told("vector", series("0"))) == 0.0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (told("vector", []), "no data"),
        (told("vector", series("1", "2")), "2 series"),
        (told("vector", series("NaN")), "NaN, which is no measurement"),
        (told("scalar", [1.0, "+Inf"]), r"\+Inf, which is no measurement"),
        (told("vector", series("many")), "no plain number"),
        (told("vector", [{"metric": {}, "histogram": [1.0, {"count": "3"}]}]), "no plain number"),
        (told("vector", ["0.1"]), "no plain number"),
        (told("scalar", None), "no plain number"),
        (told("scalar", [1.0, 0.1]), "no plain number"),
        (told("vector", None), "gives a vector, not a number"),
        (told("matrix", series("1")), "gives a matrix, not a number"),
        (told("string", [1.0, "1"]), "gives a string, not a number"),
        (Told("success"), "a thing without a type"),
        (Told("error", error="parse error: unexpected \x1b[31mend"), r"refuses the query \(parse error: unexpected \[31mend\)"),
        (Told("pending"), "does not say why"),
        (told("vector", series("0"), warnings=("a store did not answer",)), "doubts its own answer"),
    ],
)  # fmt: skip
def test_what_is_not_one_number_is_none_and_says_why(answer: Told, why: str) -> None:
    found = health.number(answer)
    assert isinstance(found, str)
    assert re.search(why, found), found
    assert health.measured(ERRORS, found, None).healthy is None
    assert health.measured(ERRORS, 0.0, found).healthy is None


def test_what_only_informs_is_no_doubt() -> None:
    informed = told("vector", series("0.5"), warnings=("PromQL info: metric might not be a counter",))
    assert health.number(informed) == 0.5


@pytest.mark.parametrize(
    ("above", "below", "value", "reading"),
    [
        (None, 0.01, 0.002, Reading(True, "0.002 < 0.01, of 1,200 samples")),
        (None, 0.01, 0.02, Reading(False, "0.02 is not under 0.01, of 1,200 samples")),
        (None, 0.01, 0.01, Reading(False, "0.01 is not under 0.01, of 1,200 samples")),
        (0.99, None, 0.995, Reading(True, "0.99 < 0.995, of 1,200 samples")),
        (0.99, None, 0.99, Reading(False, "0.99 is not over 0.99, of 1,200 samples")),
        (1.0, 2.0, 1.5, Reading(True, "1 < 1.5 < 2, of 1,200 samples")),
        (1.0, 2.0, 2.5, Reading(False, "2.5 is not under 2, of 1,200 samples")),
        (1.0, 2.0, -3.0, Reading(False, "-3 is not over 1, of 1,200 samples")),
    ],
)
def test_a_number_is_healthy_between_its_thresholds_and_not_on_them(
    above: float | None, below: float | None, value: float, reading: Reading
) -> None:
    given = {name: limit for name, limit in (("above", above), ("below", below)) if limit is not None}
    wish = msgspec.structs.replace(ERRORS, **{"below": float("inf"), **given})
    assert health.measured(wish, value, 1200.0) == reading


def test_too_few_samples_tell_nothing_good_or_bad() -> None:
    wish = msgspec.structs.replace(ERRORS, samples="s", at_least=100.0)
    for value in (0.0, 1.0):
        reading = health.measured(wish, value, 99.0)
        assert reading == Reading(None, "99 samples are too few to tell from; 100 are needed")
    assert health.measured(wish, 0.0, 100.0).healthy is True
    assert health.measured(msgspec.structs.replace(wish, samples=""), 0.0, None).healthy is None


@pytest.mark.parametrize(("code", "healthy"), [(0, True), (1, False), (2, None), (127, None), (-9, None)])
def test_a_command_says_by_its_exit_code_whether_it_can_tell(code: int, healthy: bool | None) -> None:
    reading = health.exited(Ran(code, "", "first\nthe last \x1b[1mword"))
    assert reading.healthy is healthy
    assert reading.words.endswith("the last [1mword")
    assert str(abs(code)) in reading.words


def test_long_last_words_stay_short() -> None:
    for code in (0, 1, 2):
        assert len(health.exited(Ran(code, "", "x" * 5000)).words) <= health.WORDS


@pytest.mark.parametrize(
    ("status", "body", "reading"),
    [
        (200, b'{"ok": true}', Reading(True, 'it answers 200, with "ok"')),
        (200, b"down for repairs", Reading(False, 'it answers 200, without "ok"')),
        (503, b"ok", Reading(False, "it answers 503, not 200")),
        (404, b"ok", Reading(False, "it answers 404, not 200")),
        (301, b"ok", Reading(False, "it answers 301, not 200")),
        (429, b"ok", Reading(None, "it answers 429: it is asked too often")),
    ],
)
def test_an_address_does_well_with_its_status_and_its_text(status: int, body: bytes, reading: Reading) -> None:
    assert health.answered(HealthWish("site", "http", url="u", contains="ok"), status, body) == reading


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_error_that_came_through_a_proxy_of_ours_may_be_its_own(status: int) -> None:
    assert health.answered(HealthWish("site", "http"), status, b"", relayed=True).healthy is None
    assert health.answered(HealthWish("site", "http", status=status), status, b"", relayed=True).healthy is True
    assert health.answered(HealthWish("site", "http"), 500, b"", relayed=True).healthy is False


def test_any_status_can_be_the_one_that_is_wanted() -> None:
    for status in (204, 302, 401, 429, 503):
        assert health.answered(HealthWish("site", "http", status=status), status, b"").healthy is True


@pytest.mark.parametrize(
    ("seen", "healthy", "word"),
    [
        (run(), True, "green"),
        (run("completed", "failure"), False, "failure"),
        (run("completed", "timed_out"), False, "timed_out"),
        (run("completed", "startup_failure"), False, "startup_failure"),
        (run("completed", "cancelled"), None, "cancelled"),
        (run("completed", "skipped"), None, "skipped"),
        (run("in_progress", ""), None, "not over"),
        (run("queued", ""), None, "not over"),
        (None, None, "no run"),
    ],
)
def test_a_workflow_is_green_red_or_says_nothing(seen: Run | None, healthy: bool | None, word: str) -> None:
    reading = health.ran_green(HealthWish("e2e", "workflow", workflow="e2e.yml"), seen, "v1.2.3")
    assert reading.healthy is healthy
    assert word in reading.words
    assert "e2e.yml" in reading.words
    assert "v1.2.3" in reading.words


def test_open_issues_are_counted_and_named() -> None:
    wish = HealthWish("regressions", "issues", label="regression", most=1)
    assert health.open_issues(wish, ()).healthy is True
    assert health.open_issues(wish, (12,)) == Reading(
        True, '1 issues with the label "regression" are open, of 1 that may be'
    )
    assert health.open_issues(wish, (15, 12)) == Reading(
        False, 'issues with the label "regression" are open, more than the 1 that may be: #15, #12'
    )
    assert health.open_issues(wish, range(20, 10, -1)).words.endswith("#20, #19, #18, #17, #16, ...")


def test_a_label_that_is_not_there_is_not_one_without_issues() -> None:
    reading = health.open_issues(HealthWish("regressions", "issues", label="regresion", repository="acme/app"), None)
    assert reading == Reading(None, 'acme/app has no label "regresion"')


def test_a_label_that_names_the_release_comes_with_its_first_issue() -> None:
    wish = HealthWish("regressions", "issues", label="regression/v1.2.0", own_label=True)
    assert health.open_issues(wish, None) == Reading(True, 'no issue has ever had the label "regression/v1.2.0"')
    assert health.open_issues(wish, (7,)).healthy is False


def test_words_are_one_printable_line() -> None:
    reading = health.cannot_tell("a\nb\x1b[2J" + "c" * 5000)
    assert reading.healthy is None
    assert reading.words.isprintable()
    assert len(reading.words) <= health.WORDS
