"""Tables of several kinds: what each kind has to have, and what is of no use to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from release.core.address import holds_secret, without_secret
from release.core.config import seconds
from release.core.finding import Conflict
from release.core.notation import quoted, repeated, unknown_names

LONGEST_NAME = 100
LONGEST_ADDRESS = 2000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)


def of_a_kind(
    place: str, table: Any, needed: Mapping[str, Sequence[str]], usable: Mapping[str, Collection[str]]
) -> Iterator[Conflict]:
    """What a table lacks of what its kind needs, and has of what only another kind can use.

    `needed` and `usable` are names of its keys by kind; what no kind names is for all of them.
    """
    kind = table.kind
    for key in needed[kind]:
        if not getattr(table, key):
            yield Conflict(
                "lacks-key", f"{place} is of kind {kind}, and has no {key}", f"add {key}, or name another kind"
            )
    of_kinds = {key for keys in usable.values() for key in keys}
    for field in msgspec.structs.fields(table):
        if field.name in of_kinds - {*usable[kind]} and getattr(table, field.name) != field.default:
            why = f"{place}.{field.name} is of no use with kind = {quoted(kind)}"
            yield Conflict("unused", why, "leave it out, or name another kind")


def bad_names(place: str, names: Sequence[str]) -> Iterator[Conflict]:
    """Names that can be told, and that tell tables of one place apart."""
    for name in names:
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME or name != name.strip():
            why = f"{place} has the name {quoted(name)}"
            yield Conflict("bad-name", why, f"write up to {LONGEST_NAME} printable characters")
    for name in repeated(names):
        yield Conflict("duplicate-name", f"two of {place} are named {quoted(name)}", "rename one")


def bad_duration(place: str, text: str) -> Iterator[Conflict]:
    """A time that has to be."""
    if seconds(text) is None:
        why = f"{place} is {quoted(text)}, which is no duration"
        yield Conflict("bad-duration", why, 'write it like "90s", "45m", "2h" or "7d"')


def bad_address(place: str, address: str, known: Collection[str] = ()) -> Iterator[Conflict]:
    """An address of HTTP, a template of `known` names, or `env:NAME` for one that nobody is to read."""
    head, _, variable = address.partition(":")
    if head == "env":
        if not _VARIABLE.fullmatch(variable):
            yield Conflict(
                "bad-variable", f"{place} is {quoted(address)}", "write a variable's name, as in env:ALERT_URL"
            )
        return
    if holds_secret(address):
        why = f"{place} has a password or a token in it, for everybody to read"
        yield Conflict("secret-in-config", why, "have it changed, put it into a variable and name that: env:NAME")
    elif not _ADDRESS.fullmatch(address) or not address.isprintable() or len(address) > LONGEST_ADDRESS:
        why = f"{place} is {quoted(without_secret(address))}"
        yield Conflict("bad-address", why, "write an address of http or https, or env:NAME")
    if known:
        yield from unknown_names(place, address, known)


def bad_variables(place: str, names: Sequence[str]) -> Iterator[Conflict]:
    """Names of variables, without their values."""
    for name in names:
        if "=" in name:
            why = f"{place} gives a variable a value, for everybody to read"
            yield Conflict("bad-variable", why, "write its name alone")
        elif not _VARIABLE.fullmatch(name):
            yield Conflict("bad-variable", f"{place} has {quoted(name)}", "write a variable's name, as in KUBECONFIG")
    for name in repeated(names):
        yield Conflict("duplicate-name", f"{place} has {quoted(name)} twice", "leave one out")
