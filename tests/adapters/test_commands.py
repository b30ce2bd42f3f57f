"""Commands of a project that look, or move something: what they get, what is kept of what they print, and that they end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from release.adapters.commands import LARGEST, Commands
from release.adapters.git.remote import store
from release.core.ran import Ran
from release.errors import Refused, Uncertain
from release.redact import HIDE
from tests.world import World

SECRETS = {"SHELF_TOKEN": "open-the-shelf", "OTHER_TOKEN": "not-for-them"}
TOLD = {"SLUICE_CHANNEL": "stable", "SLUICE_TAG": "v1.0.0"}


class Desk:
    """Commands over a clone's objects."""

    def __init__(self, world: World) -> None:
        clone = world.folder / "seed-upstream"
        self.commit = world.git(clone, "rev-parse", "HEAD")
        self.logs = world.folder / "logs"
        objects = store(world.folder / "store.git", clone / ".git" / "objects")
        self.door = Commands(objects, self.logs, {"PATH": os.environ["PATH"], **SECRETS}, HIDE)
        self.said = list[str]()

    def ran(self, script: str, seconds: float = 60, say: Callable[[str], None] | None = None) -> Ran:
        run = ("sh", "-c", script)
        return self.door.ran("point mirror", run, self.commit, TOLD, ("SHELF_TOKEN",), seconds, say or self.said.append)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_command_gets_the_commit_what_it_is_told_and_the_variables_that_it_names(desk: Desk) -> None:
    found = desk.ran('git rev-parse HEAD; git describe; echo "$SLUICE_CHANNEL ${#SHELF_TOKEN} ${OTHER_TOKEN-none}"')
    assert found == Ran(0, f"{desk.commit}\nv1.0.0\nstable 14 none\n", f"{desk.commit} | v1.0.0 | stable 14 none")


def test_what_is_printed_is_kept_apart_from_what_is_complained_of_and_the_log_has_both(desk: Desk) -> None:
    found = desk.ran("echo value; echo careful >&2; exit 3")
    assert (found.code, found.output) == (3, "value\n")
    assert sorted(found.tail.split(" | ")) == ["careful", "value"]
    assert sorted(desk.said) == ["careful", "value"]
    (log,) = desk.logs.iterdir()
    assert log.name == "point-mirror.log"
    assert sorted(log.read_text().split()) == ["careful", "value"]


def test_much_of_both_outputs_at_once_holds_nothing_up_and_only_so_much_is_kept(desk: Desk) -> None:
    found = desk.ran("yes 0123456789abcde | head -c 400000 & yes complaint | head -c 400000 >&2; wait")
    assert found.code == 0
    assert found.output == "0123456789abcde\n" * (LARGEST // 16)
    (log,) = desk.logs.iterdir()
    assert log.stat().st_size == 800_000


def test_bytes_that_are_no_text_are_replaced_and_nothing_reaches_a_terminal_raw(desk: Desk) -> None:
    found = desk.ran(r"printf 'a\377b\n'; printf '\033[31mred\033[0m\n' >&2")
    assert found.output == "a\ufffdb\n"
    assert "\033" not in "".join((found.tail, *desk.said))


def test_a_token_is_hidden_wherever_it_is_printed(desk: Desk) -> None:
    found = desk.ran('echo "my $SHELF_TOKEN"; echo "no, $SHELF_TOKEN" >&2; exit 1')
    told = "".join((found.output, found.tail, *desk.said, *(log.read_text() for log in desk.logs.iterdir())))
    assert SECRETS["SHELF_TOKEN"] not in told
    assert found.output == "my ***\n"


def test_what_takes_too_long_is_ended_with_all_that_it_started(desk: Desk) -> None:
    with pytest.raises(Uncertain, match=r"point mirror: .*signal 9 \(it may take 1 seconds\)"):
        desk.ran("sleep 600 & sleep 600", seconds=1)


def test_what_it_leaves_in_the_background_does_not_hold_its_outputs_open(desk: Desk) -> None:
    assert desk.ran("sleep 600 & echo done").output == "done\n"


def test_what_cannot_be_run_has_not_begun(desk: Desk) -> None:
    with pytest.raises(Refused, match=r"point x: `no-such-program` cannot be run"):
        desk.door.ran("point x", ("no-such-program",), desk.commit, TOLD, (), 60, desk.said.append)


def test_an_error_of_whoever_listens_ends_the_command_and_is_heard(desk: Desk) -> None:
    def deaf(line: str) -> None:
        raise ValueError(line)

    for stream in ("1", "2"):
        with pytest.raises(ValueError, match="on"):
            desk.ran(f"echo on >&{stream}; exec sleep 600", say=deaf)


def test_stop_ends_it(desk: Desk) -> None:
    begun, ended = threading.Event(), list[Exception]()

    def run() -> None:
        try:
            desk.ran("echo on; sleep 600", say=lambda line: begun.set())
        except Uncertain as error:
            ended.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    assert begun.wait(30)
    desk.door.stop()
    runner.join(30)
    assert len(ended) == 1


def test_what_is_lacking_is_said_beforehand(desk: Desk) -> None:
    assert desk.door.missing(("./there.sh",), ("SHELF_TOKEN",)) == ""
    assert "no-such-program" in desk.door.missing(("no-such-program",), ())
    assert desk.door.missing(("true",), ("ONE", "TWO")) == "ONE, TWO are not set"


def test_nothing_is_left_behind(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    desk.ran("touch here; echo x")
    assert list(scratch.iterdir()) == []
