"""What can say no about a forge: tables that only one makes sense of, or that would wait for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.core.address import without_secret
from release.core.config import Config, Downstream, Gate, seconds
from release.core.finding import Conflict
from release.core.notation import VALUES, bad_path, bad_platforms, bad_run, quoted, unknown_names

REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
WORKFLOW = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.ya?ml")
INPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
EVENT = 100  # characters; https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
INPUTS = {"workflow_dispatch": 25, "repository_dispatch": 10}
DISPATCHES = tuple(INPUTS)
WITHOUT_FORGE = ("tag", "local", "sync", "none")


def forge_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps the tables of a forge from meaning one thing, or that needs one where there is none."""
    if config.project.forge == "none":
        yield from _needless(config)
    else:
        yield from _repositories(config)
        yield from _renamed(config)
    if not WORKFLOW.fullmatch(config.release.workflow):
        yield _no_workflow("release.workflow", config.release.workflow)
    for number, gate in enumerate(config.gate):
        yield from _gate(f"gate[{number}]", gate)
    for number, downstream in enumerate(config.downstream):
        yield from _downstream(f"downstream[{number}]", downstream)


def is_repository(text: str) -> bool:
    """Whether a text is `owner/name`, as GitHub writes repositories."""
    return bool(REPOSITORY.fullmatch(text))


def _needless(config: Config) -> Iterator[Conflict]:
    """What only a forge has."""
    remedy = 'set project.forge = "github", or leave it out'
    for number, gate in enumerate(config.gate):
        if gate.kind in ("checks", "approval"):
            yield Conflict("no-forge", f"gate[{number}] is of kind {gate.kind}, and project.forge is none", remedy)
    for number, one in enumerate(config.downstream):
        asked = [name for name in ("workflow", "after_assets", "assets") if getattr(one, name)]
        asked += [f'trigger = "{one.trigger}"'] if one.trigger not in WITHOUT_FORGE else []
        if asked:
            why = f"downstream[{number}] has {', '.join(asked)}, and project.forge is none"
            yield Conflict("no-forge", why, remedy)


def _repositories(config: Config) -> Iterator[Conflict]:
    named = [(f"downstream[{number}].repository", one.repository) for number, one in enumerate(config.downstream)]
    named += [("project.repository", config.project.repository)] if config.project.repository else []
    for place, text in named:
        if not is_repository(text):
            why = f"{place} is {without_secret(text)!r:.80}, and the forge is GitHub"
            yield Conflict("bad-repository", why, "write owner/name")


def _renamed(config: Config) -> Iterator[Conflict]:
    """GitHub gives an asset another name where it does not like one's characters, and then nobody finds it."""
    named = [
        (f"artifact[{number}].{'files' if one.files else 'name'}", text)
        for number, one in enumerate(config.artifact)
        for text in one.files or (one.name,)
    ]
    named += [("attest.sbom", config.attest.sbom), ("attest.provenance", config.attest.provenance)]
    for place, text in named:
        if "~" in text or text.endswith("."):
            why = f"{place} is {text!r:.80}, and GitHub would give such an asset another name"
            yield Conflict("bad-name", why, "use letters, digits and ._+-, and do not end with a full stop")


def _gate(place: str, gate: Gate) -> Iterator[Conflict]:
    if gate.kind != "command" and gate.run:
        yield Conflict("unused", f"{place}.run is of no use in a gate of kind {gate.kind}", "leave it out")
    if gate.kind != "checks" and gate.match:
        yield Conflict("unused", f"{place}.match is of no use in a gate of kind {gate.kind}", "leave it out")
    if gate.kind != "approval" and gate.environment:
        yield Conflict("unused", f"{place}.environment is of no use in a gate of kind {gate.kind}", "leave it out")
    yield from _images(place, gate)
    if not all(gate.match) or not gate.environment.isprintable():
        yield Conflict(
            "bad-name", f"{place} has a name that is empty or not printable", "write the name as GitHub shows it"
        )
    yield from _duration(f"{place}.deadline", gate.deadline)


def _images(place: str, gate: Gate) -> Iterator[Conflict]:
    """What a gate of kind images has, and no other."""
    if gate.kind == "images":
        if not gate.list:
            why = f"{place} is of kind images, and has no list"
            yield Conflict("no-list", why, "name the file with the images, one a line")
        else:
            yield from bad_path(f"{place}.list", gate.list)
        yield from bad_platforms(f"{place}.platforms", gate.platforms)
        return
    for key in ("list", "platforms"):
        if getattr(gate, key):
            yield Conflict("unused", f"{place}.{key} is of no use in a gate of kind {gate.kind}", "leave it out")


def _downstream(place: str, one: Downstream) -> Iterator[Conflict]:
    yield from _duration(f"{place}.deadline", one.deadline)
    if seconds(one.starts_within) is None:
        yield _no_duration(f"{place}.starts_within", one.starts_within)
    if one.workflow and not WORKFLOW.fullmatch(one.workflow):
        yield _no_workflow(f"{place}.workflow", one.workflow)
    if one.trigger == "workflow_dispatch" and not one.workflow:
        yield Conflict(
            "no-workflow", f"{place}.trigger is workflow_dispatch, and it names no workflow", "name its file"
        )
    yield from _run(place, one)
    if one.trigger in DISPATCHES and one.per == "release":
        yield from _dispatch(place, one)
    for name, texts in (("after_assets", one.after_assets), ("assets", one.assets)):
        if any("/" in text or not text.isprintable() or not text for text in texts):
            yield Conflict(
                "bad-name", f"{place}.{name} holds what cannot be an asset's name", "write the names of assets"
            )


def _run(place: str, one: Downstream) -> Iterator[Conflict]:
    """The command of a component that releases itself, and of no other."""
    if one.trigger == "local":
        yield from bad_run(f"{place}.run", one.run)
        for word in one.run:
            yield from unknown_names(f"{place}.run", word, VALUES)
    elif one.run != Downstream(one.name, one.repository).run:
        why = f"{place}.run is of no use with trigger = {quoted(one.trigger)}"
        yield Conflict("unused", why, 'leave it out, or set trigger = "local"')


def _dispatch(place: str, one: Downstream) -> Iterator[Conflict]:
    if len(one.inputs) > INPUTS[one.trigger]:
        why = f"{place}.inputs has {len(one.inputs)} entries, and a {one.trigger} takes {INPUTS[one.trigger]}"
        yield Conflict("too-many-inputs", why, "leave some out")
    for name in one.inputs:
        if not INPUT.fullmatch(name):
            yield Conflict("bad-name", f"{place}.inputs has {name!r:.80}", "use letters, digits, _ and -")
    if not 0 < len(one.event) <= EVENT or not one.event.isprintable():
        yield Conflict("bad-event", f"{place}.event is {one.event!r:.80}", f"write 1 to {EVENT} characters")


def _no_workflow(place: str, text: str) -> Conflict:
    remedy = "write the file's name in .github/workflows, as in release.yml"
    return Conflict("bad-workflow", f"{place} is {text!r:.80}", remedy)


def _duration(place: str, text: str) -> Iterator[Conflict]:
    if text and seconds(text) is None:
        yield _no_duration(place, text)


def _no_duration(place: str, text: str) -> Conflict:
    return Conflict(
        "bad-duration", f"{place} is {text!r:.80}, which is no duration", 'write it like "90s", "45m" or "2h"'
    )
