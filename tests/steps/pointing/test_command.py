"""A project's own commands show and move a pointer: what they are told, what they print, and how they end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from release.adapters.commands import Commands
from release.adapters.git.remote import store
from release.core.model import Person, Release
from release.core.promotion import PointWish
from release.errors import Refused, Uncertain, Unseen
from release.redact import HIDE
from release.steps.pointing import command
from release.steps.pointing.command import CommandPointer
from tests.forged import empty, identity
from tests.world import World

OLD, NEW = "v1.0.0", "v1.1.0"
RELEASE = Release("1.1.0", NEW, "1.1", "final", "minor", OLD, "main", "0" * 40, "2026-01-02T03:04:05+00:00", Person("C", "c@x"))  # fmt: skip


@dataclass
class Mirror:
    """A file beside the repository says the value; the commands know where it is by a variable of their table."""

    value: Path
    commands: Commands
    commit: str
    logs: Path
    said: list[str] = field(default_factory=list)

    def pointer(self, run: str = 'printf %s "$SLUICE_NEW" > "$MIRROR"', shows: str = 'cat "$MIRROR"', env: tuple[str, ...] = ("MIRROR",)) -> CommandPointer:  # fmt: skip
        wish = PointWish(
            "command mirror", "command", value=NEW, channel="stable", run=("sh", "-c", run), shows=("sh", "-c", shows),
            env=env,
        )  # fmt: skip
        return CommandPointer(wish, RELEASE, self.commit, lambda: self.commands)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    world = empty(tmp_path)
    World(tmp_path, {**world.environment, **identity("seed")}).bare("app")
    clone, value = tmp_path / "seed-app", tmp_path / "value"
    value.write_text(f"{OLD}\n")
    objects = store(tmp_path / "store.git", clone / ".git" / "objects")
    environment = {"PATH": os.environ["PATH"], "MIRROR": str(value), "MIRROR_TOKEN": "open-the-mirror"}
    commands = Commands(objects, tmp_path / "logs", environment, HIDE)
    yield Mirror(value, commands, world.git(clone, "rev-parse", "HEAD"), tmp_path / "logs")
    commands.stop()


def test_it_is_shown_moved_shown_and_a_second_time_changes_nothing(mirror: Mirror) -> None:
    pointer = mirror.pointer('printf " %s\\n\\n" "$SLUICE_NEW" > "$MIRROR"; echo moved >> "$MIRROR.log"')
    assert (pointer.name, pointer.reads(), pointer.wanted(), pointer.lacking()) == ("command mirror", OLD, NEW, ())
    assert pointer.waits(OLD, NEW) == ""
    for _ in range(2):
        pointer.move(OLD, NEW, mirror.said.append)
        assert pointer.reads() == NEW
    assert mirror.value.with_name("value.log").read_text() == "moved\n"


def test_both_commands_are_told_channel_version_tag_and_the_move(mirror: Mirror) -> None:
    told = 'echo "$SLUICE_CHANNEL $SLUICE_VERSION $SLUICE_TAG <$SLUICE_OLD> <$SLUICE_NEW> ${MIRROR_TOKEN-none}"; git describe'
    pointer = mirror.pointer(run=f'({told}) > "$MIRROR.told"', shows=f'({told}) > "$MIRROR.shown"; cat "$MIRROR"')
    pointer.move(OLD, NEW, mirror.said.append)
    assert mirror.value.with_name("value.told").read_text() == f"stable 1.1.0 {NEW} <{OLD}> <{NEW}> none\n{NEW}\n"
    assert mirror.value.with_name("value.shown").read_text() == f"stable 1.1.0 {NEW} <> <{NEW}> none\n{NEW}\n"


def test_nothing_printed_is_nothing_said_yet(mirror: Mirror) -> None:
    mirror.value.write_text("\n")
    pointer = mirror.pointer()
    assert pointer.reads() == ""
    pointer.move("", NEW, mirror.said.append)
    assert pointer.reads() == NEW


def test_what_it_complains_of_is_no_value(mirror: Mirror) -> None:
    assert mirror.pointer(shows='echo careful >&2; cat "$MIRROR"; echo there >&2').reads() == OLD


@pytest.mark.parametrize("shows", ["echo v1.0.0; exit 1", "echo locked; exit 127", "echo v1.0.0; kill -9 $$"])
def test_a_look_that_fails_says_nothing_whatever_it_printed(mirror: Mirror, shows: str) -> None:
    with pytest.raises(Unseen):
        mirror.pointer(shows=shows).reads()
    with pytest.raises(Unseen):
        mirror.pointer(shows=shows).move(OLD, NEW, mirror.said.append)
    assert mirror.value.read_text() == f"{OLD}\n"


@pytest.mark.parametrize(
    "shows",
    ["echo v1.0.0; echo v1.1.0", r"printf 'v1\033[31m'", r"printf '\377'", "yes v | head -c 100000 | tr -d '\\n'"],
)
def test_what_is_no_single_value_is_none_and_told_harmlessly(mirror: Mirror, shows: str) -> None:
    with pytest.raises(Unseen, match="is no value") as unseen:
        mirror.pointer(shows=shows).reads()
    assert str(unseen.value).isprintable()
    assert len(str(unseen.value)) < 500


def test_a_move_that_fails_is_told_with_what_it_said(mirror: Mirror) -> None:
    with pytest.raises(Refused, match=r"command mirror: .* ended with exit code 3: no, \*\*\*"):
        mirror.pointer('echo "no, $MIRROR_TOKEN" >&2; exit 3', env=("MIRROR", "MIRROR_TOKEN")).move(
            OLD, NEW, mirror.said.append
        )
    assert mirror.said == ["no, ***"]
    kept = "".join(log.read_text() for log in mirror.logs.iterdir())
    assert "open-the-mirror" not in kept


def test_a_move_that_is_ended_is_perhaps_done(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SECONDS", 1)
    with pytest.raises(Uncertain, match="signal 9"):
        mirror.pointer("sleep 600").move(OLD, NEW, mirror.said.append)
    with pytest.raises(Unseen, match="signal 9"):
        mirror.pointer(shows="sleep 600").reads()


def test_what_somebody_else_moved_meanwhile_stays(mirror: Mirror) -> None:
    mirror.value.write_text("v9.9.9")
    with pytest.raises(Refused, match=r"command mirror says v9\.9\.9 by now, and said v1\.0\.0"):
        mirror.pointer().move(OLD, NEW, mirror.said.append)
    assert mirror.value.read_text() == "v9.9.9"


def test_what_is_lacking_is_said_beforehand(mirror: Mirror) -> None:
    (conflict,) = mirror.pointer(env=("MIRROR", "NOT_THERE")).lacking()
    assert (conflict.rule, conflict.why) == ("pointer-lacks", "command mirror: NOT_THERE is not set")
