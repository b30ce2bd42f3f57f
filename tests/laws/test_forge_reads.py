"""The read law: what could not be seen is never taken for absent.

An answer that is lost, broken or none of the forge's own is asked for again; where it never comes, the release ends with
clear words, and the same command finishes it later. Nothing is made twice.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest

from release.sandbox.forge import Fault
from tests.laws.harness.clients import KILLED
from tests.laws.harness.stories import Stage, Story, different, outcome, tag_objects, told

pytestmark = pytest.mark.slow

LANES = 3
# Every endpoint that a release reads.
READS = {
    "repository": "/repos/acme/app",
    "runs": "/repos/*/actions/workflows/*/runs",
    "run": "/repos/*/actions/runs/*",
    "check runs": "/repos/*/check-runs",
    "status": "/repos/*/status",
    "ref": "/repos/*/git/ref/*",
    "tag": "/repos/*/git/tags/*",
    "releases": "/repos/acme/app/releases",
    "release": "/repos/acme/app/releases/[0-9]*[0-9]",
    "release by tag": "/repos/*/releases/tags/*",
    "assets": "/repos/*/releases/*/assets",
}
GIT = "/acme/app.git/info/refs"
BROKEN: dict[str, dict[str, Any]] = {
    "an error": {"status": 500},
    "a reset": {"reset": True},
    "half an answer": {"cut": 9},
    "a page": {"html": True},
    "a limit": {"status": 429, "headers": {"Retry-After": "1"}},
}
FOR_EVER = {**BROKEN, "a limit": {"status": 429, "headers": {"Retry-After": "3600"}}}
# The write after which a client dies, and what the next one cannot see.
MOMENTS = {
    "begun": (Fault("POST", "/acme/app.git/git-receive-pack", 1, "after"), ("git", "release by tag")),
    "drafted": (
        Fault("POST", "/repos/acme/app/releases", 1, "after"),
        ("releases", "release by tag", "repository", "assets", "git"),
    ),
    "noted": (Fault("POST", "/acme/app.git/git-receive-pack", 3, "after"), ("release", "releases", "release by tag")),
    "published": (Fault("PATCH", "/repos/acme/app/releases/*", 1, "after"), ("release by tag", "release", "ref")),
    "released": (Fault("POST", "/repos/acme/first/releases", 1, "after"), ("release by tag", "ref", "runs")),
    "dispatched": (Fault("POST", "/repos/acme/second/actions/*", 1, "after"), ("runs", "run", "release by tag", "git")),
    "signalled": (Fault("POST", "/repos/acme/third/dispatches", 1, "after"), ("runs", "release by tag")),
}


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Story]:
    """The story is told in peace once."""
    reads = {name: Fault("GET", glob, nth=10**6) for name, glob in READS.items()}
    return cache(lambda name: told(name, tmp_path_factory.mktemp(name), reads))


def test_the_law_reads_every_endpoint_that_a_release_reads(stories: Callable[[str], Story]) -> None:
    assert all(stories("whole").calls.values()), stories("whole").calls


@pytest.mark.parametrize("kind", BROKEN)
def test_an_answer_that_is_none_is_asked_for_again(stories: Callable[[str], Story], kind: str) -> None:
    story = stories("whole")
    with story.staged(kind.replace(" ", "-")) as stage:
        stage.forge.faults(*(Fault("GET", glob, n, **BROKEN[kind]) for glob in READS.values() for n in (1, 3)))
        clone = stage.captain("captain")
        stage.release(clone).expect(0)
        assert [one["seen"] >= 1 for one in stage.forge.store.all("fault")].count(False) == 0
        stage.forge.idle(60)
        assert not different(story.undisturbed, outcome(stage, clone))


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_cannot_be_seen_is_not_made_again(stories: Callable[[str], Story], moment: str) -> None:
    story, (_, unseen) = stories("whole"), MOMENTS[moment]
    kinds = list(FOR_EVER)[: len(unseen)] if len(moment) % 2 else list(FOR_EVER)[-len(unseen) :]
    with ThreadPoolExecutor(LANES) as lanes:
        ends = [*lanes.map(lambda one: blind(story, moment, *one), zip(unseen, kinds, strict=True))]
    assert not any(wrong for _, wrong in ends), "\n\n".join(wrong for _, wrong in ends if wrong)
    assert any(code for code, _ in ends), "nothing of it was needed"


def blind(story: Story, moment: str, read: str, kind: str) -> tuple[int, str]:
    """How a release ends that cannot read something after another one died, and what is wrong then, "" if nothing is."""
    with story.staged(f"{moment}-{read.replace(' ', '-')}") as stage:
        fault = MOMENTS[moment][0]
        stage.forge.faults(Fault(fault.method, fault.path, fault.nth, fault.when, kill=str(stage.clients.pid)))
        first = stage.release(stage.captain("captain"))
        tags = tag_objects(stage)
        stage.forge.no_faults()
        stage.forge.faults(Fault("GET", READS.get(read, GIT), 0, **FOR_EVER[kind]))
        clone = stage.captain("elsewhere") if read != "git" else stage.folder / "captain"
        second = stage.release(clone)
        stage.forge.no_faults()
        third = stage.release(clone)
        stage.forge.idle(60)
        wrong = [different(story.undisturbed, outcome(stage, clone)), *made_twice(stage)] if third.code == 0 else []
        wrong += [f"{name} moved" for name, at in tags.items() if tag_objects(stage).get(name) != at]
    codes = (first.code, second.code, third.code)
    if codes not in ((KILLED, 1, 0), (KILLED, 0, 0)):
        wrong.append(f"ended with {codes}")
    if "Traceback" in second.said or (second.code == 1 and not any(said in second.said for said in ("cannot", "lost"))):
        wrong.append("unclear words")
    found = "\n".join(filter(None, wrong))
    told = f"{moment}, {read}, {kind}: {found}\n{second.said[-2500:]}\n--\n{third.said[-1500:]}"
    return second.code, told if found else ""


def made_twice(stage: Stage) -> list[str]:
    """What was made more often than once: the forge remembers all that was asked of it."""
    asked = [
        exchange.path for exchange in stage.forge.exchanges() if exchange.method == "POST" and exchange.status < 300
    ]
    once = ("/repos/acme/app/releases", "/repos/acme/first/releases", "/repos/acme/third/dispatches")
    return [f"{path} was posted to {asked.count(path)} times" for path in once if asked.count(path) > 1]
