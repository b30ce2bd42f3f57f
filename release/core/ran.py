"""How a project's own command ended, as far as anybody asks."""

from __future__ import annotations

import msgspec


class Ran(msgspec.Struct, frozen=True):
    """`code` is the exit code, -N for a signal; `output` what it printed on stdout (undecodable bytes replaced, at most
    64 KiB), `tail` the last lines of all that it printed, for people: printable, without secrets."""

    code: int
    output: str
    tail: str
