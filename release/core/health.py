"""Whether a release does well: what programs, pages, Prometheus and a forge said, as a Reading. What nobody can tell is not healthy."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

import msgspec

from release.core.commits import plain
from release.core.forge import Run
from release.core.promotion import HealthWish, Reading
from release.core.ran import Ran

WORDS, TAIL = 300, 200  # characters of a Reading's words, and of a command's last ones among them
SHOWN = 5
BUSY, GATEWAY = 429, (502, 503, 504)
RED = ("failure", "timed_out", "startup_failure")
INFORMS = "PromQL info:"
"""Annotations that begin so say nothing against a result; every other one does, such as that a part of the data is missing."""


class Found(msgspec.Struct, frozen=True, rename="camel"):
    """What a query found: a list of series, a list of moment and number for a scalar."""

    result_type: str = ""
    result: Any = None


class Told(msgspec.Struct, frozen=True):
    """What Prometheus answers: https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview."""

    status: str
    data: Found = Found()
    error: str = ""
    warnings: tuple[str, ...] = ()


def cannot_tell(why: str) -> Reading:
    """A Reading of what could not be seen."""
    return Reading(None, plain(why, WORDS))


def number(told: Told) -> float | str:
    """The one number that a query gave, or in words why there is none: no data, several series, no number, an error.

    A result with a warning is not believed, for a part of the data may be missing from it.
    """
    if told.status != "success":
        return f"Prometheus refuses the query ({plain(told.error, 200) or 'it does not say why'})"
    doubts = [one for one in told.warnings if not one.startswith(INFORMS)]
    if doubts:
        return f"Prometheus doubts its own answer ({plain(doubts[0], 200)})"
    kind, result = told.data.result_type, told.data.result
    if kind == "scalar":
        return _number(result)
    if kind != "vector" or not isinstance(result, list):
        return f"the query gives a {plain(kind, 40) or 'thing without a type'}, not a number"
    if not result:
        return "there is no data"
    if result[1:]:
        return f"the query gives {len(result)} series, not one number"
    return _number(result[0].get("value") if isinstance(result[0], dict) else None)


def measured(wish: HealthWish, value: float | str, samples: float | str | None) -> Reading:
    """A number against its thresholds. `samples` is None where the query's own series is what counts."""
    if isinstance(value, str):
        return cannot_tell(value)
    if isinstance(samples, str):
        return cannot_tell(f"how many samples there are cannot be told: {samples}")
    count = 1.0 if samples is None else samples
    of = "" if samples is None else f", of {written(count)} samples"
    if count < wish.at_least:
        return cannot_tell(f"{written(count)} samples are too few to tell from; {written(wish.at_least)} are needed")
    healthy = wish.above < value < wish.below
    return Reading(healthy, f"{_compared(value, wish.above, wish.below, healthy)}{of}")


def exited(ran: Ran) -> Reading:
    """How a command ended: 0 is healthy, 1 unhealthy; with anything else it says that it cannot tell."""
    last = plain(ran.tail, TAIL * 10)
    said = f": {last if len(last) <= TAIL else '...' + last[-TAIL:]}" if last else ""
    if ran.code in (0, 1):
        return Reading(ran.code == 0, f"it ended with {ran.code}{said}")
    how = f"by signal {-ran.code}" if ran.code < 0 else f"with {ran.code}"
    return cannot_tell(f"it ended {how}, which says neither 0 (healthy) nor 1 (unhealthy){said}")


def answered(wish: HealthWish, status: int, body: bytes, relayed: bool = False) -> Reading:
    """What an address answered. Any answer is one that users get, too.

    But that we asked too often says nothing of the release; nor does a gateway's error where it was `relayed` by a proxy
    of ours, which may speak of itself.
    """
    if status == BUSY != wish.status:
        return cannot_tell("it answers 429: it is asked too often")
    if relayed and status in GATEWAY and status != wish.status:
        return cannot_tell(f"it answers {status}, and that may be our own proxy's answer")
    if status != wish.status:
        return Reading(False, f"it answers {status}, not {wish.status}")
    if wish.contains and wish.contains.encode() not in body:
        return Reading(False, f"it answers {status}, without {_quoted(wish.contains)}")
    return Reading(True, f"it answers {status}" + (f", with {_quoted(wish.contains)}" if wish.contains else ""))


def ran_green(wish: HealthWish, run: Run | None, where: str) -> Reading:
    """The newest run of a workflow for what is released; `where` names the commit or tag. One that was taken back says nothing."""
    if run is None:
        return cannot_tell(f"{wish.workflow} has no run for {where} yet")
    named = f"run {run.id} of {wish.workflow} for {where}"
    if not run.ended:
        return cannot_tell(f"{named} is not over ({plain(run.status, 40)})")
    if run.green:
        return Reading(True, f"{named} is green")
    said = f"{named} ended with {plain(run.conclusion, 40) or 'nothing'}"
    return Reading(False, said) if run.conclusion in RED else cannot_tell(said)


def open_issues(wish: HealthWish, numbers: Sequence[int] | None) -> Reading:
    """The open issues with a label, as far as they were looked at; None where there is no such label.

    One that is the same for every release may be misspelt; one that names the release comes with the first issue.
    """
    label = f"the label {_quoted(wish.label)}"
    if numbers is None and wish.own_label:
        return Reading(True, f"no issue has ever had {label}")
    if numbers is None:
        return cannot_tell(f"{wish.repository or 'the upstream'} has no label {_quoted(wish.label)}")
    if len(numbers) <= wish.most:
        return Reading(True, f"{len(numbers):,} issues with {label} are open, of {wish.most:,} that may be")
    shown = ", ".join(f"#{one}" for one in numbers[:SHOWN]) + (", ..." if numbers[SHOWN:] else "")
    return Reading(False, f"issues with {label} are open, more than the {wish.most:,} that may be: {shown}")


def written(value: float) -> str:
    """A number as people write it: 1,200 and 0.002."""
    return f"{value:,.10g}"


def _compared(value: float, above: float, below: float, healthy: bool) -> str:
    """`0.002 < 0.01`, or what is not so."""
    if not healthy:
        no = f"not over {written(above)}" if value <= above else f"not under {written(below)}"
        return f"{written(value)} is {no}"
    low = f"{written(above)} < " if above > -inf else ""
    high = f" < {written(below)}" if below < inf else ""
    return f"{low}{written(value)}{high}"


def _number(pair: object) -> float | str:
    """Of a moment and a number, which Prometheus writes as a string."""
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], str)):
        return "the query gives no plain number"
    try:
        value = float(pair[1])
    except ValueError:
        return "the query gives no plain number"
    return value if isfinite(value) else f"the query gives {plain(pair[1], 20)}, which is no measurement"


def _quoted(text: str) -> str:
    return f'"{plain(text, 60)}"'
