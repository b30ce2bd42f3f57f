"""Health by a real Prometheus: what does well goes on, what does not is held and told once, and no data moves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.channeled import DAY, LATEST, STABLE, Channeled, forged, plain
from tests.monitoring import Upgrades, watching
from tests.serving import Reply, Seen, Server

GOOD, BAD, UNKNOWN, MINOR = "v1.30.1+rke2r1", "v1.30.2+rke2r1", "v1.30.3+rke2r1", "v1.31.0+rke2r1"
QUESTION = """
[[channel.health]]
name = "upgrades"
kind = "prometheus"
url = "env:PROMETHEUS_URL"
query = 'sum(rate(upgrade_failures_total{version="{tag}"}[1m])) / sum(rate(upgrade_attempts_total{version="{tag}"}[1m]))'
below = 0.01
samples = 'sum(increase(upgrade_attempts_total{version="{tag}"}[1m]))'
at_least = 100
"""
ALERT = '\n[[alert]]\nkind = "webhook"\nurl = "env:HOOK"\n'
BACK = LATEST.replace('name = "latest"\n', 'name = "latest"\nunhealthy = "rollback"\n')
UNWELL = "does not do well: upgrades: 0.2 is not under 0.01"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """It has seen how upgrades go; of one version it has seen nothing."""
    upgrades = Upgrades({GOOD: 0, BAD: 20, MINOR: 20})
    with watching(tmp_path_factory.mktemp("prometheus"), upgrades) as url:
        upgrades.scraped(4)
        yield url


class Receiver:
    """A webhook that keeps what it is told, and is down for as long as one likes."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.down = False

    def __call__(self, seen: Seen) -> Reply:
        if self.down:
            return Reply(404, b"gone fishing")
        self.told.append(json.loads(seen.body))
        return Reply(204)


@contextmanager
def informed(some: Channeled, prometheus: str) -> Iterator[Receiver]:
    """Machines that know where Prometheus is, and whom to tell."""
    receiver = Receiver()
    with Server(receiver) as hook:
        some.settings.update({"PROMETHEUS_URL": prometheus, "HOOK": f"{hook.url}/hook"})
        yield receiver


def promoted(some: Channeled, clone: Path, *tags: str) -> None:
    """Releases that come out and get to latest, one after the other."""
    some.out(*tags)
    for tag in tags:
        some.promote(clone, "latest", "--version", tag).expect(0)


def test_a_schedule_promotes_what_does_well_and_holds_what_does_not_and_tells_it_once(
    tmp_path: Path, prometheus: str
) -> None:
    with forged(tmp_path, LATEST + STABLE + QUESTION, ALERT) as some, informed(some, prometheus) as receiver:
        ada = some.clone()
        promoted(some, ada, GOOD)
        some.promote(ada, "stable", "--waive", "soak", "--reason", "it is the first").expect(
            0, r"health upgrades +done +upgrades: 0 < 0\.01, of "
        )
        promoted(some, ada, BAD)
        told = some.promote(ada, "", "--format", "json").expect(3).value
        assert [(one["channel"], one["version"], one["healthy"]) for one in told["watched"]] == [
            ("latest", "1.30.2+rke2r1", False)
        ]
        assert UNWELL in told["watched"][0]["held"]
        some.later(DAY)
        some.promote(ada, "").expect(0, "no channel has a release that is ripe for it")
        some.promote(ada, "stable").expect(3, r"\[channel-held\] latest is held for 1\.30\.2\+rke2r1", UNWELL)
        assert some.says() == {"latest": BAD, "stable": GOOD}
        (news,) = receiver.told
        assert (news["kind"], news["channel"], news["version"]) == ("health", "latest", "1.30.2+rke2r1")
        assert UNWELL in news["text"]
        first = some.json(ada, "channel.history", "--channel", "stable")["moves"][0]
        assert first["evidence"]["health upgrades"].startswith("upgrades: 0 < 0.01, of ")


def test_no_data_lets_nothing_in_and_holds_nothing(tmp_path: Path, prometheus: str) -> None:
    with forged(tmp_path, BACK + STABLE + QUESTION, ALERT) as some, informed(some, prometheus) as receiver:
        ada = some.clone()
        promoted(some, ada, GOOD, UNKNOWN)
        some.promote(ada, "").expect(0, r"1\.30\.3\+rke2r1 +in latest: nobody can tell", "there is no data")
        some.later(DAY)
        before = some.refs()
        some.promote(ada, "").expect(1, "nothing is taken for healthy that nobody can tell")
        some.promote(ada, "stable").expect(1, "whether 1.30.3.* does well cannot be told by upgrades: there is no data")
        assert (some.refs(), some.says(), receiver.told) == (before, {"latest": UNKNOWN, "stable": ""}, [])
        assert some.state("latest").hold is None


@pytest.mark.parametrize(
    ("before", "bad", "after", "says"),
    [
        (GOOD, BAD, GOOD, r"note: latest went back to v1\.30\.1\+rke2r1"),
        (GOOD, MINOR, MINOR, r"note: latest stays where it is: .*no earlier version of 1\.31 was there"),
    ],
    ids=["within its minor", "never across one"],
)
def test_a_channel_goes_back_by_itself_where_that_is_configured(
    tmp_path: Path, prometheus: str, before: str, bad: str, after: str, says: str
) -> None:
    with plain(tmp_path, BACK + STABLE + QUESTION, ALERT) as some, informed(some, prometheus) as receiver:
        ada = some.clone()
        promoted(some, ada, before, bad)
        some.promote(ada, "").expect(3, says)
        state = some.state("latest")
        assert (some.says()["latest"], [f"v{one}" for one in state.bad], len(receiver.told)) == (after, [bad], 1)
        assert state.hold is not None
        refs = some.refs()
        some.promote(ada, "").expect(0)
        assert (some.refs(), len(receiver.told)) == (refs, 1)


def test_a_receiver_that_is_down_is_told_by_the_next_run(tmp_path: Path, prometheus: str) -> None:
    with plain(tmp_path, LATEST + STABLE + QUESTION, ALERT) as some, informed(some, prometheus) as receiver:
        ada = some.clone()
        promoted(some, ada, BAD)
        receiver.down = True
        some.promote(ada, "").expect(3, "note: .*answers 404")
        receiver.down = False
        some.promote(ada, "").expect(0)
        some.promote(ada, "").expect(0)
        assert [one["version"] for one in receiver.told] == ["1.30.2+rke2r1"]
