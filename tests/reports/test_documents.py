"""A document is JSON, whatever is in the value; an error is one, too."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.cells import Cell
from release.core.finding import Conflict
from release.core.fleet_status import Component, Status, Summary
from release.core.model import Reason
from release.core.plan import Abandoned, Filled, LinesStatus, LineStatus, Plan, StepState, Verified
from release.errors import ConfigError, ConflictError, Refused, ReleaseError, Uncertain, Unseen, UsageError
from release.reports.documents import document, of_error

HOSTILE = 'a\x1b[31m\x07\r\n\0"\\ \u2028\u202e\x7f\x9b ü 日本 ::error:: {{x}} </script>'
STEP = StepState(HOSTILE, "failed", HOSTILE)
CONFLICT = Conflict(HOSTILE, HOSTILE, HOSTILE)
VALUES: list[object] = [
    Plan(),
    Plan(version=HOSTILE, tag=HOSTILE, line=HOSTILE, kind=HOSTILE, bump=HOSTILE, previous=HOSTILE, branch=HOSTILE,
         commit=HOSTILE, reasons=(Reason(HOSTILE, HOSTILE, HOSTILE),), conflicts=(CONFLICT,), steps=(STEP,), notes=HOSTILE,
         nothing=HOSTILE, remarks=(HOSTILE,), next=HOSTILE),
    LinesStatus(()),
    LinesStatus((LineStatus(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, (STEP,), HOSTILE, HOSTILE),)),
    Verified(HOSTILE, True, (STEP,)),
    Abandoned(HOSTILE, HOSTILE, HOSTILE),
    Filled((HOSTILE,), (STEP,), (CONFLICT,)),
    Status((Component(HOSTILE, "upstream", HOSTILE, None, (HOSTILE,), (Cell(HOSTILE, None, None, HOSTILE, "missing"),)),), {HOSTILE: Summary((HOSTILE,), (), (HOSTILE,))}),
]  # fmt: skip
JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def strings(value: object) -> set[str]:
    """Every text in a value."""
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(strings, inner))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_that_a_command_returns_is_json_with_its_texts_as_they_are(value: object) -> None:
    read = json.loads(document(value))
    assert isinstance(read, dict)
    hostile = HOSTILE in str(value) or "\\x1b" in repr(value)
    assert (HOSTILE in strings(read)) == hostile


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_document_can_do_nothing_to_a_terminal(value: object) -> None:
    assert all(c.isprintable() or c == "\n" for c in document(value))


@given(value=JSON)
def test_any_document_reads_back_as_what_it_was(value: object) -> None:
    assert json.loads(document(value)) == value


def test_a_text_that_is_no_utf_8_is_json_all_the_same() -> None:
    assert json.loads(document({"a": "broken \udcff", "b": "ü"}))["b"] == "ü"


def test_non_ascii_stays_readable() -> None:
    assert "日本 ü" in document({"name": "日本 ü"})
    assert document({"a": 1}) == '{\n  "a": 1\n}'


@pytest.mark.parametrize("make", [ReleaseError, UsageError, Refused, Uncertain, Unseen, ConfigError])
def test_an_error_is_json_with_what_is_so_and_what_to_do(make: Callable[[str, str], ReleaseError]) -> None:
    error = make(HOSTILE, "mend it")
    told = json.loads(of_error(error))["error"]
    assert told["message"] == HOSTILE
    assert told["remedy"] == "mend it"
    assert told["exit_code"] == error.exit_code
    assert told["conflicts"] == []


def test_conflicts_are_told_one_by_one() -> None:
    told = json.loads(of_error(ConflictError((CONFLICT, Conflict("rule", "why", "")))))["error"]
    assert told["exit_code"] == 3
    assert told["conflicts"] == [
        {"rule": HOSTILE, "why": HOSTILE, "remedy": HOSTILE},
        {"rule": "rule", "why": "why", "remedy": ""},
    ]


def test_every_problem_of_a_configuration_is_told_to_programs_too() -> None:
    error = ConfigError("release.toml cannot be used", "", ("[project] name is missing", "[gate] run is a number"))
    told = of_error(error)
    assert json.loads(told)
    for problem in error.problems:
        assert problem in told


def test_an_error_with_a_text_that_is_no_utf_8_is_json_all_the_same() -> None:
    assert json.loads(of_error(UsageError("there is no version broken \udcff", "x")))["error"]["remedy"] == "x"
