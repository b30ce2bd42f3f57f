"""A command ends as it is told to, says why in the form that was asked for, and keeps to itself what opens a door."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from release.tasks.run import told
from tests.world import CONFIG, World, made

SLOW = CONFIG.replace(
    'sh", "-c", "test -f', 'sh", "-c", "echo $$ > {output}.pid; test -e {output}.go || sleep 60; test -f'
)
PATIENCE = 30.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


@pytest.fixture
def captain(world: World) -> Path:
    return world.clone("captain")


def until(true: Callable[[], object], run: subprocess.Popen[str]) -> None:
    """Wait for something, as long as the run does."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process: str) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Told to end


@pytest.mark.parametrize("form", ["text", "json"])
def test_told_to_terminate_it_ends_what_runs_and_the_same_command_goes_on(tmp_path: Path, form: str) -> None:
    world = made(tmp_path, SLOW)
    captain, noted, scratch = world.clone("captain"), tmp_path / "out.pid", tmp_path / "scratch"
    scratch.mkdir()
    with world.start(captain, "release", "--yes", "--format", form, env={"TMPDIR": str(scratch)}) as run:
        try:
            until(lambda: noted.exists() and noted.read_text().strip(), run)
            assert list(scratch.glob("sluice-clone-*"))
            began = time.monotonic()
            run.send_signal(signal.SIGTERM)
            out, err = run.communicate(timeout=PATIENCE)
            took = time.monotonic() - began
        finally:
            run.kill()
    assert run.returncode == 130, err
    assert took < 5
    assert "Traceback" not in err
    assert "interrupted: the same command goes on from here" in err
    assert not alive(noted.read_text().strip())
    assert list(scratch.iterdir()) == []
    if form == "json":
        assert json.loads(out)["error"] == {
            "message": "interrupted",
            "remedy": "the same command goes on from here",
            "exit_code": 130,
            "conflicts": [],
            "problems": [],
        }
    (tmp_path / "out.go").touch()
    world.invoke(captain, "release", "--yes").expect(0)
    assert "refs/tags/v0.1.0" in world.refs()


def terminated() -> None:
    """Be told to end, and wait for it to happen."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)


def test_who_called_gets_its_own_way_of_ending_back(capsys: pytest.CaptureFixture[str]) -> None:
    def mine(*_: object) -> None:
        raise AssertionError("it was not for me")

    before = signal.signal(signal.SIGTERM, mine)
    try:
        with pytest.raises(Exit) as ended, told("text"):
            terminated()
        assert ended.value.code == 130
        assert signal.getsignal(signal.SIGTERM) is mine
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with told("text"):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_thread_leaves_signals_alone() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), list[object]()

    def inside() -> None:
        with told("text"):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [before]


# What nobody foresaw


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            OSError(28, "No space left on device", "/x\x1b[31m"),
            1,
            "the system refused: No space left on device (/x?[31m)",
        ),
        (OSError("odd"), 1, "the system refused: odd"),
        (KeyError("what\x1b"), 1, "this is a bug of ours: KeyError: 'what\\x1b'"),
    ],
)
def test_what_ends_a_command_is_json_too(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    for form in ("text", "json"):
        with pytest.raises(Exit) as ended, told(form):
            raise error
        assert ended.value.code == code
        out, err = capsys.readouterr()
        assert message in err
        if form == "text":
            assert out == ""
        else:
            told_so: dict[str, Any] = json.loads(out)["error"]
            assert (told_so["message"], told_so["exit_code"]) == (message, code)
            assert told_so["remedy"] in err


ENDING = """\
from invoke.exceptions import Exit
from release.errors import ReleaseError
from release.tasks.run import told
try:
    with told("json"):
        raise {error}
except Exit as ended:
    raise SystemExit(ended.code)
"""
ONTO = {
    "a full disk": '"$PYTHON" -c "$SCRIPT" > /dev/full; echo $? > code',
    "nobody": '{ sleep 1; "$PYTHON" -c "$SCRIPT"; echo $? > code; } | true',
}


@pytest.mark.parametrize("error", ["KeyboardInterrupt()", "OSError(28, 'full')", "ReleaseError('no', 'go')"])
@pytest.mark.parametrize("onto", ONTO)
def test_an_answer_that_nobody_can_take_makes_no_more_trouble(world: World, error: str, onto: str) -> None:
    said = world.shell(world.folder, ONTO[onto], {"SCRIPT": ENDING.format(error=error)}).err
    assert (world.folder / "code").read_text().strip() == ("130" if "Keyboard" in error else "1")
    assert "Traceback" not in said
    assert "Exception ignored" not in said


# fleet.status


@pytest.mark.parametrize(
    ("window", "says"),
    [
        (("--since", "2024-13-01"), "YYYY-MM-DD"),
        (("--until", "yesterday"), "YYYY-MM-DD"),
        (("--since", "2024-02-02", "--until", "2024-02-01"), "is after until"),
    ],
)
def test_a_window_that_is_none_is_bad_use(world: World, captain: Path, window: tuple[str, ...], says: str) -> None:
    world.invoke(captain, "fleet.status", *window).expect(2, says)
    error = world.invoke(captain, "fleet.status", *window, "--format", "json").expect(2).value["error"]
    assert error["exit_code"] == 2
    begun = () if "--since" in window else ("--since", "2020-01-01")
    world.invoke(captain, "release.downstream", "--missing", "--yes", *begun, *window).expect(2, says)


def test_a_version_tag_on_no_commit_is_malformed_and_hinders_nothing(world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes").expect(0)
    blob = world.git(world.remote(), "hash-object", "-w", "--stdin", stdin="x")
    world.git(world.remote(), "update-ref", "refs/tags/v9.9.9", blob)
    for window in ((), ("--since", "2020-01-01")):
        status = world.invoke(captain, "fleet.status", "--format", "json", *window).expect(0).value
        assert status["components"][0]["malformed"] == ["v9.9.9"]
        assert [cell["release"] for cell in status["components"][0]["releases"]] == ["v0.1.0"]


def test_a_tag_whose_name_is_no_utf_8_is_listed_and_hinders_nothing(world: World, captain: Path) -> None:
    aside = world.git(captain, "commit-tree", "-m", "aside", "HEAD^{tree}")
    world.git(captain, "push", "--quiet", "origin", f"{aside}:refs/heads/aside")
    for name, tag, target in (
        ("upstream", b"v1\xff", "main"),
        ("first", b"v1\xff", "main"),
        ("upstream", b"\xfe", aside),
    ):
        place = str(world.remote(name))
        subprocess.run(
            ["git", "-C", place, "update-ref", b"refs/tags/" + tag, target], env=world.environment, check=True
        )
    world.git(world.remote(), "update-ref", "-d", "refs/heads/aside")
    world.invoke(captain, "release.plan").expect(0, r"v0\.1\.0")
    world.invoke(captain, "release", "--yes").expect(0)
    world.invoke(captain, "release.verify").expect(0)
    status = world.invoke(captain, "fleet.status", "--format", "json", "--since", "2020-01-01").expect(0).value
    assert set(status["components"][0]["malformed"]) == {"v1\\xff", "\\xfe"}
    assert status["summary"]["first"]["malformed"] == ["v1\\xff"]


def test_an_address_with_a_password_is_refused_and_not_repeated(world: World, captain: Path) -> None:
    config = captain / "release.toml"
    config.write_text(config.read_text().replace("../first.git", "https://bob:s3@cret@127.0.0.1:1/first.git"))
    answer = world.invoke(captain, "fleet.status").expect(2, r"downstream\[0\]\.repository", "credential helper")
    assert "cret" not in answer.said.replace("secret", "")
