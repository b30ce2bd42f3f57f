"""A captain and a component's own schedule that set the same workflow going, in every order: it is sent once, and both know it.

Real repositories, real claims, a real forge; only the moment at which one side looks at the other's claim is chosen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from release.adapters.git.claims import RecordClaims, SyncClaims
from release.adapters.git.ledger import GitLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.adapters.github import GitHub
from release.app import clock
from release.core.model import DownstreamWish, Person, Release
from release.core.record import Proof, Record, State
from release.errors import Refused, Unseen
from release.ports import Rival
from release.sandbox.forge import Fault, Sandbox
from release.steps.trigger import ByDispatch
from tests.forge import serving
from tests.forged import empty, seed, workflow

ADA = Person("Ada", "ada@example.org")
WISH = DownstreamWish(
    "only", "acme/only", "main", "v0.1.0", trigger="workflow_dispatch", workflow="release.yml", inputs={"tag": "v0.1.0"},
    starts_within=300,
)  # fmt: skip
KEY = "dispatch only"


@dataclass
class Watched:
    """The other side's claims, with something that happens just before the n-th look at them."""

    rival: Rival
    before: dict[int, Callable[[], None]] = field(default_factory=dict)
    looks: int = 0

    def claimed(self, release: Release, name: str) -> Proof | None:
        self.looks += 1
        self.before.pop(self.looks, lambda: None)()
        return self.rival.claimed(release, name)


@dataclass
class Meeting:
    """Both sides of one dispatch, each as often as wanted."""

    folder: Path
    forge: Sandbox
    release: Release
    github: GitHub
    said: list[str] = field(default_factory=list)
    opened: int = 0

    def push(self, before: dict[int, Callable[[], None]] | None = None) -> Callable[[], None]:
        """A captain's dispatch, to be sent when it is called."""
        trigger, ledger = self.captain(before)
        return lambda: trigger.pull(ledger.read("0.1"), self.said.append)

    def captain(self, before: dict[int, Callable[[], None]] | None = None) -> tuple[ByDispatch, GitLedger]:
        ledger = GitLedger(self.remote("app"), ADA, clock.now)
        rival = Watched(SyncClaims(self.remote("only"), ADA, clock.now, WISH.tag), before or {})
        return ByDispatch(self.release, WISH, "app", self.github.forge("acme/only"), ledger, rival), ledger

    def pull(self, before: dict[int, Callable[[], None]] | None = None) -> Callable[[], None]:
        """The schedule's, likewise."""
        trigger, claims = self.schedule(before)
        return lambda: trigger.pull(claims.fresh(self.release), self.said.append)

    def schedule(self, before: dict[int, Callable[[], None]] | None = None) -> tuple[ByDispatch, SyncClaims]:
        claims = SyncClaims(self.remote("only"), ADA, clock.now, WISH.tag)
        rival = Watched(RecordClaims(GitLedger(self.remote("app"), ADA, clock.now), self.whole), before or {})
        return ByDispatch(self.release, WISH, "app", self.github.forge("acme/only"), claims, rival, yields=True), claims

    def whole(self) -> tuple[GitLedger, GitRemote]:
        remote = self.remote("app")
        return GitLedger(remote, ADA, clock.now), remote

    def remote(self, name: str) -> GitRemote:
        """Another machine's view of a repository."""
        self.opened += 1
        objects = store(self.folder / f"machine-{self.opened}.git")
        address = self.github.address(f"acme/{name}")
        return GitRemote(address, Runner(objects, credentials=lambda: self.github.git_settings(address)))

    @property
    def sent(self) -> int:
        """How often the workflow was set going."""
        return len(self.forge.runs("acme/only"))

    def both_follow_it(self) -> None:
        """Neither side has anything more to send, and each sees the one run."""
        captain, ledger = self.captain()
        schedule, claims = self.schedule()
        (run,) = self.forge.runs("acme/only")
        for trigger, record in ((captain, ledger.read("0.1")), (schedule, claims.fresh(self.release))):
            assert trigger.pending(record) == ""
            found = trigger.run(record)
            assert found is not None
            assert found.id == run["id"]


@pytest.fixture
def meeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meeting]:
    world = empty(tmp_path)
    monkeypatch.setenv("HOME", world.environment["HOME"])
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    with serving(tmp_path / "forge") as forge:
        seed(world, forge, "app", {"app.txt": "app\n"})
        # What it runs is of no matter here, nor that it fails: it is counted.
        seed(
            world, forge, "only", {".github/workflows/release.yml": workflow("workflow_dispatch"), "make.py": "1 / 0\n"}
        )
        settings = {
            "GITHUB_API_URL": forge.api_url, "GITHUB_SERVER_URL": forge.url, "SLUICE_GITHUB_TOKEN": forge.token("captain"),
        }  # fmt: skip
        github = GitHub.at(settings)
        base = github.forge("acme/app").head("main")
        release = Release("0.1.0", "v0.1.0", "0.1", "final", "minor", None, "main", base, clock.now(), ADA)
        both = Meeting(tmp_path, forge, release, github)
        remote = both.remote("app")
        remote.tip("main")
        ledger = GitLedger(remote, ADA, clock.now)
        ledger.begin(Record("0.1", "", release, State("begun", base, ADA, clock.now())))
        yield both
        forge.idle(20)
        github.close()


def test_the_captain_comes_while_the_schedule_has_claimed_it_and_leaves_it_to_that(meeting: Meeting) -> None:
    meeting.pull({1: meeting.push()})()
    assert meeting.sent == 1
    assert meeting.said == ["the fleet.sync of only sends it"]
    meeting.both_follow_it()


def test_the_schedule_comes_while_the_captain_has_claimed_it_and_gives_way(meeting: Meeting) -> None:
    meeting.push({1: meeting.pull()})()
    assert meeting.sent == 1
    assert meeting.said == ["the upstream sends it"]
    meeting.both_follow_it()


def test_both_have_claimed_it_before_either_looks_and_the_schedule_gives_way(meeting: Meeting) -> None:
    claimed = threading.Barrier(2, timeout=20)

    def wait() -> None:
        claimed.wait()

    both = [threading.Thread(target=side({1: wait})) for side in (meeting.push, meeting.pull)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert meeting.sent == 1
    assert meeting.said == ["the upstream sends it"]
    meeting.both_follow_it()


def test_what_the_schedule_takes_back_while_the_captain_looks_is_the_captains(meeting: Meeting) -> None:
    claims = meeting.schedule()[1]
    unsent = Proof(at=meeting.github.forge("acme/only").now(), attempt=1, node="theirs")
    record = claims.fresh(meeting.release)
    assert record is not None
    assert claims.claim(record, KEY, unsent)

    def gives_way() -> None:
        assert claims.claim(record, KEY, Proof(attempt=1), over=unsent)

    meeting.push({3: gives_way})()
    assert meeting.sent == 1
    assert meeting.said == []
    meeting.both_follow_it()


@pytest.mark.parametrize("first", ["push", "pull"])
def test_who_comes_when_it_is_sent_sends_nothing(meeting: Meeting, first: str) -> None:
    one, other = (meeting.push(), meeting.pull()) if first == "push" else (meeting.pull(), meeting.push())
    one()
    meeting.forge.idle(20)
    other()
    assert meeting.sent == 1
    meeting.both_follow_it()


def test_of_two_schedules_one_sends_it(meeting: Meeting) -> None:
    late, claims = meeting.schedule()
    stale = claims.fresh(meeting.release)
    meeting.pull()()
    late.pull(stale, meeting.said.append)
    assert meeting.sent == 1
    assert meeting.said == ["another run sends it"]


@pytest.mark.parametrize("other", ["push", "pull"])
def test_a_claim_of_which_nothing_came_in_its_time_holds_nobody_up(meeting: Meeting, other: str) -> None:
    """Its captain, or its schedule, was ended between the claim and the dispatch."""
    hour_ago = Proof(at="2020-01-01T00:00:00+00:00", attempt=1, node="gone")
    ledger, _ = meeting.whole()
    record, claims = ledger.read("0.1"), meeting.schedule()[1]
    if other == "pull":
        assert record is not None
        assert ledger.claim(record, KEY, hour_ago)
        meeting.pull()()
    else:
        empty_one = claims.fresh(meeting.release)
        assert empty_one is not None
        assert claims.claim(empty_one, KEY, hour_ago)
        meeting.push()()
    assert meeting.sent == 1


def test_where_the_other_sides_claim_cannot_be_seen_nothing_is_sent_and_our_claim_is_taken_back(
    meeting: Meeting,
) -> None:
    def broken() -> None:
        raise Unseen("the forge is away", "wait for it")

    with pytest.raises(Refused, match="the forge is away"):
        meeting.push({1: broken})()
    assert meeting.sent == 0
    ledger, _ = meeting.whole()
    record = ledger.read("0.1")
    assert record is not None
    assert not record.evidence[KEY].at
    meeting.push()()
    assert meeting.sent == 1


def test_a_dispatch_that_meets_a_limit_is_not_sent_and_its_claim_is_taken_back(meeting: Meeting) -> None:
    limit = Fault("POST", "/repos/acme/only/actions/workflows/*", status=429, headers={"Retry-After": "700"})
    meeting.forge.faults(limit)
    with pytest.raises(Refused, match="takes no more requests") as met:
        meeting.push()()
    assert met.value.after == 0.0  # too long to be waited for here
    assert meeting.sent == 0
    assert not meeting.captain()[1].read("0.1").evidence[KEY].at  # type: ignore[union-attr]


def test_a_claim_for_an_older_release_is_found_in_the_history_of_its_line(meeting: Meeting) -> None:
    meeting.push()()
    remote = meeting.remote("app")
    ledger = GitLedger(remote, ADA, clock.now)
    record = ledger.read("0.1")
    assert record is not None
    ledger.close(record, "finished")
    closed = ledger.read("0.1")
    assert closed is not None
    newer = replace_release(closed, "0.1.1")
    ledger.begin(newer)
    meeting.pull()()
    assert meeting.sent == 1
    assert meeting.said == ["the upstream sends it"]


def replace_release(record: Record, version: str) -> Record:
    """The record of the line's next release, over this one."""
    release = msgspec.structs.replace(record.release, version=version, tag=f"v{version}")
    state = msgspec.structs.replace(record.state, outcome="begun")
    return msgspec.structs.replace(record, release=release, state=state, evidence={})


def test_a_claim_that_is_none_is_said_to_be(meeting: Meeting) -> None:
    remote = meeting.remote("only")
    remote.tip("main")
    commit = remote.write([], {"claim.json": ("100644", "[]")}, "mine", ADA, clock.now(), fresh=True)
    remote.push((f"refs/sluice/sync/{WISH.tag}", "", commit))
    with pytest.raises(Refused, match=r"refs/sluice/sync/v0\.1\.0 of .*/acme/only\.git cannot be read"):
        meeting.push()()
    assert meeting.sent == 0
