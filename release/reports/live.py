"""Live progress: one line a step, repainted while the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from release.engine.walk import Event
from release.reports.text import MARKS, STYLES, brief, shown

ROWS = 30  # what is done scrolls away first


class Board:
    """The steps and the last that was heard of each."""

    def __init__(self, names: Sequence[str]) -> None:
        self._rows = dict.fromkeys(names, ("pending", ""))

    def hear(self, event: Event) -> None:
        doing = "underway" if event.kind in ("intent", "progress", "waits", "uncertain") else event.state
        self._rows[event.step] = (doing, brief(event.detail))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = max(map(len, self._rows), default=0)
        rows = (
            sorted(self._rows.items(), key=lambda row: row[1][0] != "done")
            if len(self._rows) > ROWS
            else list(self._rows.items())
        )
        for name, (state, detail) in rows[-ROWS:]:
            line = Text.assemble(
                (f"  {MARKS[state]} ", STYLES[state]), (f"{shown(name):<{wide}}  ", ""), (detail, "dim")
            )
            line.truncate(options.max_width, overflow="ellipsis")
            yield line


@contextmanager
def live(names: Sequence[str]) -> Iterator[Callable[[Event], None]]:
    """A listener that paints on stderr until it is left."""
    board = Board(names)
    with Live(board, console=Console(stderr=True), refresh_per_second=8, transient=True):
        yield board.hear
