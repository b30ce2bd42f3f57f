"""What can say no about [[downstream.update]]: places that cannot be meant, and components that would have nothing to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.core.config import Config, Downstream, Update
from release.core.finding import Conflict
from release.core.notation import VALUES, bad_path, bad_pattern, filled, quoted, repeated, unknown_names
from release.core.references.keys import steps_of
from release.core.version import names_in

LONGEST_VALUE = 200
KEYED = ("toml", "yaml", "json")
ARG = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
MODULE = re.compile(r"[A-Za-z0-9._~/-]{1,300}")
CHART = re.compile(r"[^\s\"\\]{1,100}")
OF_A_RELEASE = ("workflow", "after_assets", "assets", "images", "packages")
"""What only a component has that releases something."""


def update_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps updates from meaning one thing."""
    for number, one in enumerate(config.downstream):
        place = f"downstream[{number}]"
        yield from _alone(place, one)
        for index, update in enumerate(one.update):
            yield from _update(f"{place}.update[{index}]", update)
        for twice in repeated(f"{update.path} {update.key or update.pattern}".strip() for update in one.update):
            why = f"{place} has two updates of {quoted(twice)}"
            yield Conflict("duplicate-name", why, "leave one out")


def _alone(place: str, one: Downstream) -> Iterator[Conflict]:
    """A component that releases nothing has updates, and nothing that is of a release."""
    if one.update and one.per == "channel":
        why = f'{place} has updates, and per is "channel": a release leaves it alone'
        yield Conflict("unused", why, 'leave them out, or give them to a [[downstream]] with per = "release"')
    if one.trigger != "none":
        return
    if not one.update:
        why = f"{place}.trigger is none, and it has no [[downstream.update]]: there is nothing to do for it"
        yield Conflict("no-update", why, "add one, or name another trigger")
    if unused := [name for name in OF_A_RELEASE if getattr(one, name)]:
        why = f"{place}.{unused[0]} is of no use with trigger = 'none', which releases nothing"
        yield Conflict("unused", why, "leave it out, or name another trigger")


def _update(place: str, one: Update) -> Iterator[Conflict]:
    for key in ("path", "key", "value"):
        yield from unknown_names(f"{place}.{key}", getattr(one, key), VALUES)
    yield from bad_path(f"{place}.path", filled(one.path))
    yield from _value(place, one.value)
    if one.kind == "regex":
        yield from bad_pattern(f"{place}.pattern", one.pattern)
    unused = "key" if one.kind == "regex" else "pattern"
    if getattr(one, unused):
        yield Conflict("unused", f"{place}.{unused} is of no use in an update of kind {one.kind}", "leave it out")
    if one.kind != "regex" and (why := _wrong_key(one)):
        yield Conflict("bad-key", f"{place}.key is {quoted(one.key)}: {why}", _how(one.kind))


def _value(place: str, value: str) -> Iterator[Conflict]:
    if not value.isprintable() or len(value) > LONGEST_VALUE or value != value.strip():
        why = f"{place}.value is {quoted(value)}"
        yield Conflict("bad-value", why, f"write up to {LONGEST_VALUE} printable characters on one line")
    elif not names_in(value):
        why = f"{place}.value is {quoted(value)}, which is the same for every release"
        yield Conflict("bad-value", why, 'name what changes, as in "v{version}"')


def _wrong_key(one: Update) -> str:
    """What is wrong with a key, "" for nothing."""
    key = filled(one.key)
    if one.kind in KEYED:
        try:
            steps_of(key)
        except ValueError as error:
            return str(error)
        return ""
    form = {"docker-arg": ARG, "go-mod": MODULE, "helm": CHART}[one.kind]
    optional = one.kind == "helm" and not key
    return "" if optional or form.fullmatch(key) else "no such name can be there"


def _how(kind: str) -> str:
    return {
        "docker-arg": "write the name of an ARG, as in APP_VERSION",
        "go-mod": "write the path of a module, as in example.com/app/v2",
        "helm": "write the name of a dependency, or leave it out for appVersion",
    }.get(kind, 'write it like image.tag, items[0].version, channels[name=stable].latest or "a.b".c')
