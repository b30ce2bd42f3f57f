"""The write law: whatever happens at any write of a release to its forge is made good by running the same command again.

A write is one of the REST API or a push. Around each of them the client is killed, the connection is reset, the forge
answers with an error although it did or before it did what was asked, or asks to wait. Half of the reruns are made in a
fresh clone. The world must end as that of a release that nobody disturbed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import pytest

from release.sandbox.forge import Fault
from tests.laws.harness.clients import KILLED
from tests.laws.harness.stories import Stage, Story, different, outcome, tag_objects, told
from tests.world import Answer

pytestmark = pytest.mark.slow

LANES = 3  # worlds at the same time: most of a client's life is waiting
MOST = 3  # times that the command is typed, at the most
# What is written to, by story: the workflows that a downstream runs write as well, and are not meant here. What the
# fleet does before anything is public is told at home.
WRITES = {
    "home": {"home": "*acme/app*"},
    "approval": {"request": "/repos/acme/app/deployments"},
    "fleet": {
        "home": "*acme/app*",
        "release": "/repos/acme/first/releases",
        "dispatch": "/repos/acme/second/actions/*",
        "signal": "/repos/acme/third/dispatches",
        "tag": "/acme/fourth.git/*",
    },
}
FIRST = {("fleet", "home"): 6}
ERRORS = (0, 500, 502, 503)  # 0: the connection is reset


@dataclass(frozen=True)
class Moment:
    """The n-th write to a place."""

    place: str
    glob: str
    n: int


@dataclass(frozen=True)
class Trouble:
    """A kind of trouble: what happens at a moment, and how often the command is typed until all is well.

    Where the first one ended badly although one should do, `unless` is what it has to have said.
    """

    faults: Callable[[Moment, Stage], Sequence[Fault]]
    typed: int
    unless: str = ""


def killed_before(moment: Moment, stage: Stage) -> tuple[Fault, ...]:
    """Not with a reset: git outlives its client, and pushes once more where an old connection was reset."""
    return (Fault("write", moment.glob, moment.n, kill=str(stage.clients.pid), status=503),)


def killed_after(moment: Moment, stage: Stage) -> tuple[Fault, ...]:
    return (Fault("write", moment.glob, moment.n, "after", kill=str(stage.clients.pid)),)


def not_done(moment: Moment, stage: Stage) -> tuple[Fault, ...]:
    return tuple(Fault("write", moment.glob, moment.n, "before", status=error, reset=not error) for error in ERRORS)


def done_unheard(moment: Moment, stage: Stage) -> tuple[Fault, ...]:
    return tuple(Fault("write", moment.glob, moment.n, "after", status=error, reset=not error) for error in ERRORS)


def asked_to_wait(moment: Moment, stage: Stage) -> tuple[Fault, ...]:
    soon = {"X-RateLimit-Reset": str(int(time.time()) + 1)}
    return (
        Fault("write", moment.glob, moment.n, limit="secondary", headers={"Retry-After": "1"}),
        Fault("write", moment.glob, moment.n, limit="primary", headers=soon),
    )


TROUBLES = {
    "killed before": Trouble(killed_before, 2),
    "killed after": Trouble(killed_after, 2),
    "not done": Trouble(not_done, 2),
    "done, but unheard": Trouble(done_unheard, 1),
    "asked to wait": Trouble(asked_to_wait, 1, unless="RPC failed"),  # git knows no limits
}


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Story]:
    """Each story is told in peace once, when it is first asked for."""
    return cache(lambda name: told(name, tmp_path_factory.mktemp(name), counters(name)))


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("name", WRITES)
def test_what_happens_at_any_write_is_made_good_by_the_same_command(
    stories: Callable[[str], Story], name: str, trouble: str
) -> None:
    story, kind = stories(name), TROUBLES[trouble]
    with ThreadPoolExecutor(LANES) as lanes:
        problems = [*lanes.map(lambda moment: survived(story, moment, kind), moments(name, story))]
    assert any(story.calls.values())
    assert not any(problems), "\n\n".join(filter(None, problems))


def counters(name: str) -> dict[str, Fault]:
    """Faults that never come, and count what is written."""
    return {place: Fault("write", glob, nth=10**6) for place, glob in WRITES[name].items()}


def moments(name: str, story: Story) -> Iterator[Moment]:
    """Every write of the story."""
    for place, glob in WRITES[name].items():
        for n in range(FIRST.get((name, place), 1), story.calls[place] + 1):
            yield Moment(place, glob, n)


def survived(story: Story, moment: Moment, trouble: Trouble, which: int | None = None) -> str:
    """What is wrong in the end, "" if nothing is. Of the faults that fit each moment takes the next one."""
    with story.staged(f"{moment.place}-{moment.n}") as stage:
        some = trouble.faults(moment, stage)
        fault = some[(moment.n if which is None else which) % len(some)]
        stage.forge.faults(fault)
        clone = stage.captain("captain")
        answers = [stage.release(clone)]
        tags = tag_objects(stage)
        if moment.n % 2 == 0 and answers[0].code != 0:
            clone = stage.captain("elsewhere")
        while answers[-1].code != 0 and len(answers) < MOST:
            answers.append(stage.release(clone))
        wrong = [*misbehaved(answers, trouble, stage.fired())]
        now = tag_objects(stage)
        wrong += [f"{name} moved" for name, at in tags.items() if now.get(name) != at]
        if answers[-1].code == 0:
            stage.forge.idle(60)
            wrong.append(different(story.undisturbed, outcome(stage, clone)))
    told = "\n".join(filter(None, wrong))
    return f"{fault}: {told}\n" + "\n--\n".join(one.said[-1500:] for one in answers) if told else ""


def misbehaved(answers: Sequence[Answer], trouble: Trouble, fired: bool) -> Iterator[str]:
    """How the commands ended, where that is wrong."""
    codes = [answer.code for answer in answers]
    excused = trouble.unless and trouble.unless in answers[0].said
    if codes[-1] != 0 or len(codes) > (2 if excused else trouble.typed if fired else 1):
        yield f"ended with {codes}"
    if any(code not in (KILLED, 0, 1, 4) for code in codes):
        yield f"unexpected ends: {codes}"
    if any(word in answer.said for answer in answers for word in ("Traceback", "bug of ours")):
        yield "a bug"
    if any(answer.code in (1, 4) and "same command" not in answer.said for answer in answers):
        yield "did not say how to go on"
