"""History: every move that was recorded, and those that people made by hand in the file, with the rules that they broke."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.channeled import LATEST, STABLE, Channeled, plain

KEYS = ["channel", "when", "who", "from", "to", "evidence", "violations", "line", "kind", "hand", "outcome", "why"]
CONFIG = LATEST + STABLE.replace(
    'soak = "24h"\n', 'soak = "24h"\nnew_minor_from_patch = 4\nfreeze = ["fri", "sat-sun"]\n'
)
OUT = [f"v1.{minor}.{patch}+rke2r1" for minor in (28, 29, 30) for patch in (1, 4, 5)]
STABLE_BY_HAND = (  # when, what, and what it broke: Mondays are fine, the 6th of March 2026 was a Friday
    ("2026-02-02T10:00:00Z", "v1.28.4+rke2r1", ["not-followed"]),
    ("2026-03-02T10:00:00Z", "v1.30.4+rke2r1", ["minor-skip"]),
    ("2026-03-06T10:00:00Z", "v1.29.1+rke2r1", ["backward-move", "lower-line", "frozen"]),
    ("2026-03-09T10:00:00Z", "v1.30.1+rke2r1", ["new-minor", "soak"]),
    ("2026-03-10T10:00:00Z", "tomorrow", ["not-a-version"]),
    ("2026-03-11T10:00:00Z", "v1.30.5-rc1+rke2r1", ["channel-accepts", "not-followed"]),
)
LATEST_BY_HAND = (
    ("2026-01-12T10:00:00Z", "v1.29.1+rke2r1"),
    ("2026-02-16T10:00:00Z", "v1.30.4+rke2r1"),
    ("2026-03-09T08:00:00Z", "v1.30.1+rke2r1"),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Channeled, Path]]:
    """Two channels that people moved by hand, until they were promoted."""
    with plain(tmp_path_factory.mktemp("history"), CONFIG) as some:
        some.out(*OUT, "v1.30.5-rc1+rke2r1")
        hands = [(at, "latest", tag) for at, tag in LATEST_BY_HAND] + [
            (at, "stable", tag) for at, tag, _ in STABLE_BY_HAND
        ]
        for at, channel, tag in sorted(hands):
            some.follow(at, **{channel: tag})
        yield some, some.clone()


def of(moves: list[dict[str, Any]], channel: str) -> list[dict[str, Any]]:
    """A channel's moves, the oldest first."""
    return [one for one in reversed(moves) if one["channel"] == channel]


def test_what_people_did_by_hand_is_told_with_the_rules_that_it_broke(told: tuple[Channeled, Path]) -> None:
    some, ada = told
    moves = some.json(ada, "channel.history")["moves"]
    assert [list(one) for one in moves] == [KEYS] * len(moves)
    assert [one["when"] for one in moves] == sorted((one["when"] for one in moves), reverse=True)
    by_hand = of(moves, "stable")
    assert [(one["when"].replace("+00:00", "Z"), one["to"], one["violations"]) for one in by_hand] == [
        (at, tag.removeprefix("v"), broken) for at, tag, broken in STABLE_BY_HAND
    ]
    assert {one["who"] for one in by_hand} == {"guest <guest@example.org>"}
    assert {one["hand"] for one in by_hand} == {"file channels.yaml channels[name=stable].latest"}
    assert by_hand[0]["from"] is None
    assert [one["violations"] for one in of(moves, "latest")] == [[], [], ["backward-move"]]


def test_a_person_reads_what_was_done_by_hand_and_what_it_broke(told: tuple[Channeled, Path]) -> None:
    some, ada = told
    some.invoke(ada, "channel.history", "--channel", "stable").expect(
        0,
        r"2026-03-02 10:00 +stable +1\.28\.4\+rke2r1 +1\.30\.4\+rke2r1 +guest\n +by hand: file channels\.yaml .*\n +broke minor-skip",
        r"broke backward-move, lower-line, frozen",
    )
    assert {one["channel"] for one in some.json(ada, "channel.history", "--channel", "latest")["moves"]} == {"latest"}


def test_what_was_promoted_has_its_evidence_and_what_was_waived_and_is_told_once(tmp_path: Path) -> None:
    ready = '\n[[channel.health]]\nname = "ready"\nkind = "command"\nrun = ["true"]\n'
    with plain(tmp_path, LATEST + STABLE + ready) as some:
        some.out(*OUT)
        some.follow("2026-03-02T10:00:00Z", latest="v1.28.4+rke2r1")
        ada = some.clone()
        some.promote(ada, "latest", "--version", "v1.29.4+rke2r1").expect(0)
        some.promote(ada, "stable", "--waive", "soak", "--reason", "it mends a leak").expect(0)
        some.hand({"channels.yaml": some.text().replace("v1.29.4", "v1.29.5", 1)}, who="eve\x1b[31m")
        some.promote(ada, "latest", "--version", "v1.30.1+rke2r1").expect(3, r"\[pointer-moved\]")
        moves = some.json(ada, "channel.history")["moves"]
        said = {
            name: [(one["from"], one["to"], bool(one["hand"]), one["violations"]) for one in of(moves, name)]
            for name in ("latest", "stable")
        }
        assert said == {
            "latest": [
                (None, "1.28.4+rke2r1", True, []),
                ("1.28.4+rke2r1", "1.29.4+rke2r1", False, []),
                ("1.29.4+rke2r1", "1.29.5+rke2r1", True, []),
            ],
            "stable": [(None, "1.29.4+rke2r1", False, ["soak"])],
        }
        (promoted,) = of(moves, "stable")  # moves of two channels within one second are told in no order
        assert list(promoted["evidence"]) == ["health ready"]
        assert (promoted["who"], promoted["kind"], promoted["outcome"]) == (
            "Ada <ada@example.org>",
            "promotion",
            "finished",
        )
        assert "\x1b" not in some.invoke(ada, "channel.history").expect(0, "eve").said


def test_a_file_that_was_missing_or_broken_said_nothing_meanwhile(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        some.out(*OUT)
        some.follow("2026-03-02T10:00:00Z", latest="v1.28.4+rke2r1")
        some.hand({"channels.yaml": "channels: [\n"}, at="2026-03-03T10:00:00Z")
        some.hand({"channels.yaml": "channels:\n- name: latest\n  latest: v1.30.1+rke2r1\n"}, at="2026-03-04T10:00:00Z")
        moves = some.json(some.clone(), "channel.history")["moves"]
        assert [(one["from"], one["to"], one["violations"]) for one in moves] == [
            (None, "1.30.1+rke2r1", ["minor-skip"]),
            ("1.28.4+rke2r1", None, []),
            (None, "1.28.4+rke2r1", []),
        ]
