"""The adoption law: whoever looks at the world after any step designs the same release, on another machine, the next day."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release import observe
from release.app import Session
from release.commands.plan import designed, prepared
from release.core.aim import Nothing, Wishes
from release.core.finding import Done
from release.core.model import Release
from release.steps import release_path
from tests.laws.harness.inside import opened, walked
from tests.world import CONFIG, World, made

NOON, NEXT_DAY = "2026-03-04T12:00:00+00:00", "2026-03-05T12:34:56+00:00"
BY_TAG = CONFIG.replace("[release]", '[release]\nstart = "tag"')
BEFORE_BEGIN = {"gate tests", "commit"}
LATER = {"PYTHONPATH": str(Path(__file__).parent / "harness" / "python"), "LAW_DAYS": "1"}


def design_of(session: Session, now: str, tag: str = "") -> Release | Nothing:
    """What a session would release at that hour."""
    seen = observe.upstream(session.remote, session.ledger, session.head(), session.who(), now)
    wished, _ = designed(session, seen, Wishes(tag=tag))
    assert isinstance(wished, Release | Nothing), wished
    return wished


def captain(world: World, name: str, who: str) -> Path:
    """A new clone of somebody's."""
    clone = world.clone(name)
    world.git(clone, "config", "user.name", who)
    world.git(clone, "config", "user.email", f"{who.lower()}@example.org")
    return clone


@pytest.mark.parametrize("config", [CONFIG, BY_TAG], ids=["started by a command", "started by a tag"])
def test_after_any_step_another_machine_designs_the_same_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str
) -> None:
    world = made(tmp_path, config)
    session = opened(world, captain(world, "first", "Ada"), monkeypatch, NOON)
    ready = prepared(session, Wishes())
    release = ready.release
    assert release is not None

    def elsewhere(name: str, who: str, now: str, tag: str = "") -> Release | Nothing:
        return design_of(opened(world, captain(world, name, who), monkeypatch, now), now, tag)

    assert elsewhere("before", "Ada", NOON) == release
    builder = dataclasses.replace(session, started_for=release.tag)  # builds are ours in the tag's own run
    for step, found in walked(session, release_path(builder.doors(), release, ready.before)):
        assert isinstance(found[step], Done), (step.name, found[step])
        word = step.name.replace(" ", "-")
        next_day = elsewhere(f"next-day-{word}", "Grace", NEXT_DAY)
        if step.name in BEFORE_BEGIN:
            assert elsewhere(f"same-day-{word}", "Ada", NOON) == release, step.name
            assert isinstance(next_day, Release)
            assert (next_day.version, next_day.base) == (release.version, release.base)
        else:
            assert next_day == release, step.name
        if f"refs/tags/{release.tag}" in world.refs():
            assert elsewhere(f"job-{word}", "Robot", NEXT_DAY, release.tag) == release, step.name


@pytest.mark.parametrize(
    ("remote", "refused"),
    [("upstream", "refs/tags/*"), ("first", "refs/tags/*"), ("second", "refs/tags/*")],
    ids=["the tag", "the first downstream", "the second downstream"],
)
def test_a_second_captain_finishes_a_day_later_what_the_first_began(tmp_path: Path, remote: str, refused: str) -> None:
    world = made(tmp_path)
    script = f"#!/bin/sh\ncase $1 in {refused}) echo 'not today' >&2; exit 1 ;; esac\n"
    hook = world.refuse(remote, script, hook="update")
    ada, grace = world.clone("ada"), world.clone("grace")
    world.invoke(ada, "release", "--yes").expect(1, "not today")
    hook.unlink()
    begun = record(world, "release.json")
    later = {**LATER, "PYTHONPATH": f"{LATER['PYTHONPATH']}:{world.environment['PYTHONPATH']}"}
    world.invoke(grace, "release", "--yes", env=later).expect(0)
    assert record(world, "release.json") == begun
    assert begun["author"] == {"name": "Ada", "email": "ada@example.org"}
    state = record(world, "state.json")
    assert (state["outcome"], state["by"]["name"]) == ("finished", "Grace")
    assert state["at"][:10] > begun["date"][:10]
    told = world.git(world.remote(), "log", "--first-parent", "--format=%an %s", "refs/sluice/0.1").splitlines()
    assert told[0] == "Grace finished v0.1.0"
    assert "Ada begun v0.1.0" in told
    assert signatures(world, "upstream", "commit") == signed_by_ada(begun["date"], 2)
    for name in ("upstream", "first", "second"):
        assert signatures(world, name, "tag") == signed_by_ada(begun["date"], 1), name


def record(world: World, document: str) -> Any:
    """A document of the line's record."""
    return msgspec.json.decode(world.git(world.remote(), "show", f"refs/sluice/0.1:{document}"))


def signatures(world: World, remote: str, kind: str) -> list[str]:
    """Who signed the release commit (author and committer) or the tag, and when."""
    formats = {
        "commit": ("log", "-1", "--format=%an %ae %at%n%cn %ce %ct", "v0.1.0"),
        "tag": ("for-each-ref", "--format=%(taggername) %(taggeremail:trim) %(taggerdate:unix)", "refs/tags/v0.1.0"),
    }
    return world.git(world.remote(remote), *formats[kind]).splitlines()


def signed_by_ada(date: str, times: int) -> list[str]:
    return [f"Ada ada@example.org {int(datetime.fromisoformat(date).timestamp())}"] * times
