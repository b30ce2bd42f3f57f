"""Every command does what its help says, tells it as JSON, and can be stopped and taken up again."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.world import CONFIG, World, made

MAIN = "refs/heads/main"
PATIENCE = 30.0  # seconds; for what takes one second on an idle machine
CHAIN = CONFIG + '\n[[downstream]]\nname = "third"\nrepository = "../third.git"\nafter = ["second"]\n'
RECORD_ONLY = "#!/bin/sh\nwhile read old new ref; do case $ref in refs/sluice/*) ;; *) exit 1;; esac; done\n"
REVISED = """\
[project]
name = "demo"

[version]
scheme = "semver+revision"
revision = "r"
candidates = ["rc"]
source = "file"
final_from_candidate = true

[[version.file]]
path = "version.sh"
pattern = 'CORE=(?P<value>[0-9.]+)'
value = "{core}"

[[downstream]]
name = "first"
repository = "../first.git"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


@pytest.fixture
def captain(world: World) -> Path:
    return world.clone("captain")


def tags(world: World, name: str = "upstream") -> list[str]:
    return [ref.removeprefix("refs/tags/") for ref in world.refs(name) if ref.startswith("refs/tags/")]


def until(true: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for something to become true, while a process runs."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came"
        assert process is None or process.poll() is None, "it has ended"
        time.sleep(0.02)


def feature(world: World, name: str, message: str = "feat: more") -> str:
    """Somebody's work, pushed."""
    clone = world.folder / "worker"
    if not clone.exists():
        world.clone("worker")
    world.git(clone, "pull", "--quiet")
    return world.commit(clone, {f"{name}.txt": name}, message)


# release.plan


def test_a_plan_is_json_with_the_promised_keys_and_changes_nothing(world: World, captain: Path) -> None:
    before = world.every_ref()
    plan = world.json(captain, "release.plan")
    assert set(plan) >= {"version", "tag", "line", "bump", "reasons", "conflicts", "steps"}
    assert (plan["version"], plan["tag"], plan["line"]) == ("0.1.0", "v0.1.0", "0.1")
    assert all(set(step) >= {"name", "state", "detail"} for step in plan["steps"])
    assert {step["state"] for step in plan["steps"]} == {"pending"}
    assert [reason["what"] for reason in plan["reasons"]] == ["feat: an app", "feat: begin"]
    assert plan["conflicts"] == []
    assert world.every_ref() == before
    assert world.git(captain, "tag", "--list") == ""


def test_a_plan_names_every_conflict_at_once(world: World, captain: Path) -> None:
    (captain / "CHANGELOG.md").write_text("mine\n")
    world.git(captain, "push", "--quiet", "origin", "HEAD~1:refs/tags/v0.1.0")
    answer = world.invoke(captain, "release.plan", "--version", "0.1.0", "--format", "json").expect(3)
    assert {conflict["rule"] for conflict in answer.value["conflicts"]} == {"tag-elsewhere", "dirty"}
    assert all(conflict["why"] and conflict["remedy"] for conflict in answer.value["conflicts"])


def test_after_a_release_there_is_nothing_to_do_and_nothing_changes(world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes").expect(0)
    before = world.every_ref()
    for clone in (captain, world.clone("another")):
        for command in ("release.plan", "release", "release --yes", "release --yes --version v0.1.0"):
            world.invoke(clone, *command.split()).expect(0, "nothing to do", "v0.1.0")
    assert world.every_ref() == before


def test_work_that_calls_for_no_release_is_said_to_be_that(world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes").expect(0)
    feature(world, "doc", "docs: say more")
    before = world.every_ref()
    world.invoke(captain, "release", "--yes").expect(0, "since v0.1.0 there is 1 change, and none calls for a release")
    assert world.every_ref() == before


# JSON


def test_every_command_answers_with_json_alone_on_stdout(world: World, captain: Path) -> None:
    def answer(*args: str) -> object:
        return world.invoke(captain, *args, "--format", "json").expect(0).value

    assert answer("release.status") == {"lines": []}
    for command in ("release.plan", "release --yes", "release.verify", "release.status", "fleet.status"):
        assert answer(*command.split())
    assert answer("release.downstream", "--yes", "--version", "0.1.0")
    feature(world, "more")
    hook = world.refuse("upstream", RECORD_ONLY)
    stopped = world.invoke(captain, "release", "--yes", "--format", "json").expect(1)
    assert {step["name"]: step["state"] for step in stopped.value["steps"]}["tag"] == "failed"
    assert answer("release.abandon", "--yes", "--reason", "no need") == {
        "tag": "v0.2.0",
        "line": "0.2",
        "why": "no need",
    }
    hook.unlink()


def test_errors_are_json_too_when_json_is_asked_for(world: World, captain: Path) -> None:
    told = {
        ("release", 2): "say --yes",
        ("release.abandon --yes", 2): '--reason "..."',
        ("release.abandon --yes --reason x", 3): "release.status",
        ("release.verify", 3): "--version V",
        ("release.downstream --yes --version 1.0.0", 3): "invoke release --version v1.0.0",
        ("fleet.status --since yesterday", 2): "YYYY-MM-DD",
    }
    for (command, code), remedy in told.items():
        answer = world.invoke(captain, *command.split(), "--format", "json").expect(code)
        error = answer.value["error"]
        assert error["exit_code"] == code
        assert remedy in json.dumps(answer.value, ensure_ascii=False).replace('\\"', '"'), command


# release.status


def test_the_command_that_status_names_finishes_the_release(world: World, captain: Path) -> None:
    hook = world.refuse("first")
    world.invoke(captain, "release", "--yes").expect(1)
    (line,) = world.json(captain, "release.status")["lines"]
    assert (line["tag"], line["outcome"], line["by"]) == ("v0.1.0", "begun", "Captain")
    assert {step["name"] for step in line["waits_for"]} == {"downstream first", "downstream second", "finish"}
    world.invoke(captain, "release.status").expect(0, r"next: +invoke release")
    hook.unlink()
    word, *typed = line["next"].split()
    assert word == "invoke"
    world.invoke(world.clone("night"), *typed, "--yes").expect(0)
    (line,) = world.json(captain, "release.status")["lines"]
    assert (line["outcome"], line["next"], line["waits_for"]) == ("finished", "", [])


def test_status_names_the_way_on_when_the_branch_has_moved_under_a_release(world: World, captain: Path) -> None:
    hook = world.refuse("upstream", RECORD_ONLY)
    world.invoke(captain, "release", "--yes").expect(1)
    hook.unlink()
    tip = feature(world, "more", "fix: moved on")
    (line,) = world.json(captain, "release.status")["lines"]
    checkout, _, command = line["next"].partition(" && ")
    assert checkout == "git checkout main"
    world.invoke(captain, *command.split()[1:], "--yes").expect(0)
    assert world.git(world.remote(), "rev-parse", "v0.1.0^{commit}~1") == tip


# release.abandon


@pytest.mark.parametrize(
    ("options", "given_up", "next_one"), [(["--candidate"], "v0.1.0-rc.1", "v0.1.0-rc.2"), ([], "v0.1.0", "v0.1.1")]
)
def test_a_number_that_was_given_up_is_not_used_again(
    options: Sequence[str], given_up: str, next_one: str, world: World, captain: Path
) -> None:
    hook = world.refuse("upstream", RECORD_ONLY)
    world.invoke(captain, "release", "--yes", *options).expect(1)
    world.invoke(captain, "release.abandon", "--yes").expect(2, "given up for a reason")
    world.invoke(captain, "release.abandon", "--reason", "broken").expect(2, "say --yes")
    world.invoke(captain, "release.abandon", "--yes", "--reason", "broken").expect(0, given_up, "broken")
    hook.unlink()
    world.invoke(captain, "release.status").expect(0, f"{given_up} abandoned", "broken")
    world.invoke(captain, "release", "--yes", "--version", given_up).expect(3, "never used twice", "next one")
    world.invoke(world.clone("other"), "release", "--yes", *options).expect(0)
    assert tags(world) == [next_one]


def test_what_is_public_is_not_given_up(world: World, captain: Path) -> None:
    hook = world.refuse("first")
    world.invoke(captain, "release", "--yes").expect(1)
    before = world.every_ref()
    answer = world.invoke(captain, "release.abandon", "--yes", "--reason", "second thoughts")
    answer.expect(3, r"v0\.1\.0 is public", r"finish it: invoke release --version v0\.1\.0")
    assert world.every_ref() == before
    hook.unlink()
    world.invoke(captain, "release", "--version", "v0.1.0", "--yes").expect(0)
    answer = world.invoke(captain, "release.abandon", "--yes", "--reason", "x").expect(3, "release.status")


# release.verify


def test_verify_says_no_when_a_downstreams_tag_is_gone(world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes").expect(0)
    assert world.json(captain, "release.verify")["verified"] is True
    world.git(world.remote("first"), "update-ref", "-d", "refs/tags/v0.1.0")
    for args in ((), ("--version", "v0.1.0")):
        answer = world.invoke(captain, "release.verify", *args, "--format", "json").expect(1)
        states = {step["name"]: step["state"] for step in answer.value["steps"]}
        assert answer.value["verified"] is False
        assert (states["downstream first"], states["downstream second"]) == ("pending", "done")


@pytest.mark.parametrize("name", ["app-arm64.txt", "sha256sum-arm64.txt", "release.json"])
def test_verify_says_no_when_a_published_file_is_not_what_was_built(name: str, world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes").expect(0)
    file = world.output / "v0.1.0" / name
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    world.invoke(captain, "release.verify").expect(1, f"{name} in .* differs", r"v0\.1\.0 not verified")
    file.unlink()
    world.invoke(captain, "release.verify").expect(1, name, "not verified")


def test_verify_says_no_when_the_tag_was_moved(world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes").expect(0)
    world.git(world.remote(), "update-ref", "refs/tags/v0.1.0", "main~1")
    world.invoke(captain, "release.verify", "--version", "0.1.0").expect(1, "exists on", "not verified")


# release.downstream


@pytest.fixture
def chain(tmp_path: Path) -> World:
    """Three downstreams, each after the one before; 0.1.0 is out everywhere."""
    world = made(tmp_path, CHAIN, ("first", "second", "third"))
    world.invoke(world.clone("captain"), "release", "--yes").expect(0)
    return world


def forget(world: World, *names: str, tag: str = "v0.1.0") -> None:
    for name in names:
        world.git(world.remote(name), "update-ref", "-d", f"refs/tags/{tag}")


def test_one_downstream_is_released_after_all_and_an_unmet_need_is_named(chain: World) -> None:
    captain = chain.folder / "captain"
    forget(chain, "first", "second", "third")
    before = chain.every_ref()
    again = ("release.downstream", "--version", "v0.1.0", "--yes")
    chain.invoke(captain, *again, "--only", "third").expect(3, "third of v0.1.0 comes after downstream second")
    chain.invoke(captain, *again, "--only", "fourth").expect(2, "no downstream", "first, second, third")
    chain.invoke(captain, "release.downstream", "--version", "v9.0.0", "--yes").expect(
        3, "not tagged", "release it first"
    )
    assert chain.every_ref() == before
    chain.invoke(captain, *again, "--only", "first").expect(0)
    assert [tags(chain, name) for name in ("first", "second", "third")] == [["v0.1.0"], [], []]
    chain.invoke(captain, *again).expect(0)
    assert [tags(chain, name) for name in ("first", "second", "third")] == [["v0.1.0"]] * 3
    chain.invoke(captain, *again).expect(0)


def test_every_hole_is_filled_in_the_order_of_the_dependencies(chain: World) -> None:
    captain = chain.folder / "captain"
    feature(chain, "more")
    chain.invoke(captain, "release", "--yes").expect(0)
    forget(chain, "first", "second")
    forget(chain, "second", "third", tag="v0.2.0")
    log = chain.folder / "pushed"
    for name in ("first", "second", "third"):
        chain.refuse(name, f'#!/bin/sh\nwhile read old new ref; do echo "{name} $ref" >> {log}; done\n', "post-receive")
    chain.invoke(captain, "release.downstream", "--missing", "--since", "2999-01-01", "--yes").expect(
        0, "nothing to do"
    )
    assert not log.exists()
    chain.invoke(
        captain, "release.downstream", "--missing", "--since", "2000-01-01", "--until", "2001-01-01", "--yes"
    ).expect(0, "nothing to do")
    chain.invoke(captain, "release.downstream", "--missing", "--since", "2001-01-01", "--yes").expect(0)
    pushed = [line.split(" refs/tags/") for line in log.read_text().split("\n") if line]
    assert sorted(pushed) == [["first", "v0.1.0"], ["second", "v0.1.0"], ["second", "v0.2.0"], ["third", "v0.2.0"]]
    assert pushed.index(["first", "v0.1.0"]) < pushed.index(["second", "v0.1.0"])
    assert pushed.index(["second", "v0.2.0"]) < pushed.index(["third", "v0.2.0"])
    chain.invoke(captain, "release.downstream", "--missing", "--since", "2001-01-01", "--yes").expect(
        0, "nothing to do"
    )
    summary = chain.json(captain, "fleet.status")["summary"]
    assert [summary[name]["missing"] for name in ("first", "second", "third")] == [[], [], []]


def test_a_downstream_that_refuses_is_named_and_filled_by_the_same_command_later(chain: World) -> None:
    captain = chain.folder / "captain"
    forget(chain, "first", "third")
    hook = chain.refuse("third")
    chain.invoke(captain, "release.downstream", "--missing", "--yes").expect(2, "all of history", "--since")
    again = ("release.downstream", "--missing", "--since", "2001-01-01", "--yes")
    chain.invoke(captain, *again).expect(1, "not today", "run the same command again")
    assert tags(chain, "first") == ["v0.1.0"]
    hook.unlink()
    chain.invoke(captain, *again).expect(0)
    assert tags(chain, "third") == ["v0.1.0"]


def test_only_one_downstream_is_touched_when_only_one_is_asked_for(chain: World) -> None:
    forget(chain, "first", "third")
    before = chain.refs("first")
    captain = chain.folder / "captain"
    chain.invoke(captain, "release.downstream", "--version", "v0.1.0", "--only", "third", "--yes").expect(0)
    assert tags(chain, "third") == ["v0.1.0"]
    assert chain.refs("first") == before


# start = "tag"


def test_a_tag_is_pushed_here_and_its_run_elsewhere_builds_and_publishes(tmp_path: Path) -> None:
    world = made(tmp_path, CONFIG.replace("[release]", '[release]\nstart = "tag"'))
    captain = world.clone("captain")
    with world.start(captain, "release", "--yes", "--format", "json") as laptop:
        try:
            until(lambda: "refs/tags/v0.1.0" in world.refs(), laptop)
            assert not world.output.exists()
            runner = world.clone("runner")
            world.git(runner, "checkout", "--quiet", "--detach", "v0.1.0")
            started = {"GITHUB_REF": "refs/tags/v0.1.0", "GITHUB_ACTIONS": "true"}
            run = world.invoke(runner, "release", "--yes", env=started).expect(0)
            out, err = laptop.communicate(timeout=PATIENCE)
        finally:
            laptop.kill()
    assert laptop.returncode == 0, err
    assert {step["state"] for step in json.loads(out)["steps"]} <= {"done", "skipped"}
    assert "build app-amd64.txt" in run.err
    assert sorted(path.name for path in (world.output / "v0.1.0").iterdir()) == [
        "app-amd64.txt", "app-arm64.txt", "release.json", "sha256sum-amd64.txt", "sha256sum-arm64.txt",
    ]  # fmt: skip
    assert world.refs()["refs/tags/v0.1.0"] == world.refs()[MAIN]
    assert (tags(world), tags(world, "first"), tags(world, "second")) == (["v0.1.0"],) * 3
    before = world.every_ref()
    world.invoke(runner, "release", "--yes", env=started).expect(0, "nothing to do")
    world.invoke(captain, "release", "--yes").expect(0, "nothing to do")
    assert world.every_ref() == before


def test_a_tag_that_somebody_pushed_by_hand_is_released_by_its_run(tmp_path: Path) -> None:
    world = made(tmp_path, CONFIG.replace("[release]", '[release]\nstart = "tag"').replace("push", "none", 1))
    runner = world.clone("runner")
    configuration = (runner / "release.toml").read_text().replace('file = "CHANGELOG.md"', "")
    world.commit(runner, {"release.toml": configuration}, "chore: no changelog")
    world.git(runner, "push", "--quiet", "origin", "HEAD:refs/tags/v0.3.0")
    world.git(runner, "checkout", "--quiet", "--detach")
    started = {"GITHUB_REF": "refs/tags/v0.3.0", "GITHUB_ACTIONS": "true"}
    world.invoke(runner, "release", "--yes", env=started).expect(0)
    assert (world.output / "v0.3.0" / "release.json").exists()
    assert (tags(world), tags(world, "first")) == (["v0.3.0"], ["v0.3.0"])


# semver+revision


def test_revisions_come_from_the_file_and_a_final_is_its_candidates_commit(tmp_path: Path) -> None:
    world = made(tmp_path, REVISED, ("first",))
    captain = world.clone("captain")
    tested = world.commit(captain, {"version.sh": "CORE=1.30.0\n"}, "chore: 1.30.0")

    world.invoke(captain, "release", "--yes").expect(3, "no candidate", "invoke release --candidate")
    world.invoke(captain, "release", "--candidate", "--yes").expect(0)
    assert tags(world) == ["v1.30.0-rc1+r1"]
    moved_on = world.commit(captain, {"app.txt": "more\n"}, "feat: not for this one")
    plan = world.json(captain, "release.plan")
    assert (plan["version"], plan["commit"], plan["bump"]) == ("1.30.0+r1", tested, "final")
    world.invoke(captain, "release", "--yes").expect(0)
    assert world.refs()["refs/tags/v1.30.0+r1"] == tested
    assert world.refs()[MAIN] == moved_on
    assert world.json(captain, "release.plan", "--candidate")["version"] == "1.30.0-rc1+r2"
    world.invoke(captain, "release", "--candidate", "--yes").expect(0)
    world.invoke(captain, "release", "--yes").expect(0)
    assert world.refs()["refs/tags/v1.30.0+r2"] == moved_on
    world.invoke(captain, "release", "--yes").expect(0, "nothing to do")
    assert tags(world, "first") == ["v1.30.0+r1", "v1.30.0+r2", "v1.30.0-rc1+r1", "v1.30.0-rc1+r2"]
    world.invoke(captain, "release", "--yes", "--version", "v1.31.0-rc1+r1").expect(
        3, r"version\.sh", "1.30.0", "1.31.0"
    )


# Ctrl-C


SLOW = 'sh", "-c", "echo $$ > {output}.pid; test -e {output}.go || sleep 60; '


@pytest.mark.parametrize(
    "config",
    [CONFIG.replace('sh", "-c", "test -f', SLOW + "test -f"), CONFIG.replace('sh", "-c", "printf', SLOW + "printf")],
    ids=["in a gate", "in a build"],
)  # fmt: skip
def test_ctrl_c_ends_in_a_moment_and_the_same_command_goes_on(config: str, tmp_path: Path) -> None:
    world = made(tmp_path, config)
    captain = world.clone("captain")
    noted = world.folder / "out.pid"
    with world.start(captain, "release", "--yes") as run:
        try:
            until(lambda: noted.exists() and noted.read_text(), run)
            began = time.monotonic()
            run.send_signal(signal.SIGINT)
            _, err = run.communicate(timeout=PATIENCE)
            took = time.monotonic() - began
        finally:
            run.kill()
    assert run.returncode == 130, err
    assert took < 10  # the commands under way would take for ever
    assert "Traceback" not in err
    assert "interrupted: the same command goes on from here" in err
    until(lambda: not Path(f"/proc/{noted.read_text().strip()}").exists())
    assert tags(world) == []
    (world.folder / "out.go").touch()
    world.invoke(captain, "release", "--yes").expect(0)
    assert (tags(world), tags(world, "second")) == (["v0.1.0"], ["v0.1.0"])


# A terminal

# A terminal passes Ctrl-C on only to the session that it controls.
ON_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def typed(world: World, clone: Path, args: Sequence[str], answer: str) -> tuple[int, str, str]:
    """Type a command at a terminal, and answer the first question: exit code, what stood before it, what came after."""
    ours, theirs = pty.openpty()
    environment = {**world.environment, "TERM": "xterm-256color", "COLUMNS": "120"}
    command = [sys.executable, "-c", ON_TERMINAL, sys.executable, "-m", "invoke", *args]
    run = subprocess.Popen(
        command, cwd=clone, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    heard, asked, end = b"", 0, time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if not select.select([ours], [], [], 0.1)[0]:
                continue
            try:
                block = os.read(ours, 1 << 16)
            except OSError:  # how Linux tells that the other side is closed
                break
            if not block:
                break
            heard += block
            if not asked and b"[y/N]" in heard:
                asked = len(heard)
                os.write(ours, answer.encode())
        code = run.wait(timeout=PATIENCE)
    finally:
        run.kill()
        run.wait()
        os.close(ours)
    return code, heard[:asked].decode(), heard[asked:].decode()


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"], ids=["no", "nothing", "end of input"])
def test_at_a_terminal_it_shows_the_plan_and_asks_and_no_means_nothing_is_done(
    answer: str, world: World, captain: Path
) -> None:
    before = world.every_ref()
    code, asked, after = typed(world, captain, ["release"], answer)
    assert "Release v0.1.0?" in asked
    assert "downstream second" in asked
    assert "nothing was done" in after
    assert code == 1
    assert world.every_ref() == before


def test_at_a_terminal_yes_releases_and_shows_how_it_goes(world: World, captain: Path) -> None:
    code, _, after = typed(world, captain, ["release"], "y\n")
    assert code == 0
    assert "\x1b[2K" in after  # a line is painted anew
    assert "finished at" in after
    assert tags(world, "second") == ["v0.1.0"]


def test_at_a_terminal_ctrl_c_at_the_question_does_nothing(world: World, captain: Path) -> None:
    before = world.every_ref()
    code, _, after = typed(world, captain, ["release"], "\x03")
    assert code == 130
    assert "interrupted" in after
    assert "Traceback" not in after
    assert world.every_ref() == before


# Start-up


def test_listing_the_tasks_imports_nothing_that_is_slow(tmp_path: Path) -> None:
    world = made(tmp_path, downstreams=())
    program = "import sys, release.tasks; print(*sorted({'git', 'requests', 'rich', 'msgspec'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=world.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
    listed = world.invoke(world.folder / "seed-upstream", "--list").expect(0)
    for name in (
        "release",
        "release.plan",
        "release.status",
        "release.verify",
        "release.abandon",
        "release.downstream",
        "fleet.status",
    ):
        assert f" {name} " in listed.out
