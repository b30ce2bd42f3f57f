"""A command that is forked from a warm process is the same command: what it says, how it ends, what it leaves."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests import forkserver
from tests.world import Answer, World, made

SHOWS = """\
import atexit, os, sys, threading
from invoke import task

@task
def show(c):
    print(sys.argv, sys.path, os.getcwd(), sorted(os.environ.items()), sys.stdin.read(), __name__)
    print(sys.stdout.isatty(), sys.stdout.line_buffering, sys.stdout.encoding, sys.stderr.errors, file=sys.stderr)

@task
def late(c):
    atexit.register(print, "at exit")
    threading.Timer(0.1, print, ["from a thread"]).start()
    print("at first")

@task
def fails(c):
    raise ValueError("for no reason")

@task
def kills(c):
    os.kill(os.getpid(), 9)

@task
def interrupted(c):
    os.kill(os.getpid(), 2)
    sys.stdin.read()

@task
def says(c):
    sys.exit("a word")
"""


def forked(world: World, clone: Path, *words: str, stdin: str = "") -> Answer:
    start = forkserver.at_start(world.environment)
    code, out, err = forkserver.typed(words, clone, world.environment, start, stdin.encode())
    return Answer(code, out.decode(), err.decode())


@pytest.mark.parametrize("name", ["show", "late", "fails", "kills", "interrupted", "says", "nonsense"])
def test_it_lives_and_ends_as_one_that_starts_from_scratch(tmp_path: Path, name: str) -> None:
    world = made(tmp_path, downstreams=())
    place = tmp_path / "place"
    place.mkdir()
    (place / "tasks.py").write_text(SHOWS)
    alone, fork = world.anew(place, name, stdin="ping"), forked(world, place, name, stdin="ping")
    assert fork.code == alone.code
    assert fork.out == alone.out
    assert fork.err.splitlines()[-1:] == alone.err.splitlines()[-1:]  # above it are the lines of who called


def test_it_answers_for_a_project_what_one_from_scratch_answers(tmp_path: Path) -> None:
    world = made(tmp_path)
    clone = world.clone("captain")
    for words in (["release.plan", "--format", "json"], ["release.version"], ["release", "--version", "no"]):
        alone = world.anew(clone, *words)
        assert forked(world, clone, *words) == alone
        assert alone.said


def test_what_it_leaves_behind_is_waited_for_as_long_as_it_holds_what_is_read(tmp_path: Path) -> None:
    world = made(tmp_path, downstreams=())
    clone = world.clone("other")
    (clone / "tasks.py").write_text("import os\nos.system('(sleep 0.3; echo later) &')\n" + SHOWS)
    assert "later" in forked(world, clone, "late").out


def test_many_at_once_do_not_take_each_others_words(tmp_path: Path) -> None:
    world = made(tmp_path, downstreams=())
    (tmp_path / "tasks.py").write_text(SHOWS)
    said: dict[str, str] = {}

    def say(name: str) -> None:
        said[name] = forked(world, tmp_path, "show", stdin=name * 100).out

    names = [f"-{number}-" for number in range(8)]
    threads = [threading.Thread(target=say, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name * 100 in said[name] for name in names] == [True] * len(names)
