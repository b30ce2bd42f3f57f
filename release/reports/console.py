"""The terminal: values on stdout, progress on stderr; live where somebody watches, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from release.core.finding import Conflict
from release.reports import baseline_text as _baseline  # noqa: F401
from release.reports import channel_history_text as _channel_history  # noqa: F401
from release.reports import channel_text as _channel  # noqa: F401
from release.reports import fleet_plan_text as _fleet_plan  # noqa: F401
from release.reports import fleet_text as _fleet  # noqa: F401, for it registers how they are shown
from release.reports import plans_text as _plans  # noqa: F401
from release.reports import stats_text as _stats  # noqa: F401
from release.reports import sync_text as _sync  # noqa: F401
from release.reports.text import MARKS, Line, brief, conflicts, shown, write

if TYPE_CHECKING:
    from release.engine.walk import Event

Listener = Callable[["Event"], None]


def show(value: object, stream: TextIO | None = None) -> None:
    """A value as text, in colour where somebody looks at it."""
    out = stream or sys.stdout
    write(value, _printer(out))
    out.flush()


@contextmanager
def progress(names: Sequence[str]) -> Iterator[Listener]:
    """A listener that shows how a run goes."""
    if not sys.stderr.isatty():
        yield plain
        return
    from release.reports.live import live

    with live(names) as listener:
        yield listener


def plain(event: Event) -> None:
    """A line an event, for logs: what is about to be done, and what was found."""
    if event.kind == "intent":
        _tell(f"{shown(event.step)}: {brief(event.detail)}")
    elif event.kind == "found" and event.state not in ("skipped", "pending"):
        _tell(f"{MARKS[event.state]} {shown(event.step)}: {event.state}, {brief(event.detail)}")
    elif event.kind == "uncertain" or event.limited:
        _tell(f"? {shown(event.step)}: {brief(event.detail)}")


def _tell(line: str) -> None:
    """A line in one piece: several threads may have something to say."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def conflict_lines(found: Sequence[Conflict]) -> Iterator[str]:
    """Conflicts as plain lines."""
    for line in conflicts(found):
        yield "".join(shown(text) for text, _ in line)


def _printer(out: TextIO) -> Callable[[Line], None]:
    if not out.isatty():
        return lambda line: _put(out, line)
    from rich.console import Console
    from rich.text import Text

    console = Console(file=out, markup=False, highlight=False, emoji=False)
    return lambda line: console.print(Text.assemble(*line), soft_wrap=True)


def _put(out: TextIO, line: Line) -> None:
    out.write(f"{''.join([text for text, _ in line])}\n")


__all__ = ["Listener", "conflict_lines", "plain", "progress", "show", "shown"]
