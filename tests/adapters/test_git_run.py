"""Git is run the same way whoever calls: nothing of a hostile repository or environment gets in, no secret gets out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from release.adapters.git import run as running
from release.adapters.git.run import Failure, Runner, complaint
from release.app import FOREIGN, cleared
from release.core.address import without_secret
from release.errors import ReleaseError, Unseen
from tests.world import World

HOOKS = ("pre-push", "post-checkout", "post-merge", "reference-transaction", "post-index-change", "pre-auto-gc")


def a_blob(world: World, content: bytes) -> str:
    done = subprocess.run(
        ["git", "-C", str(world.remote()), "hash-object", "-w", "--stdin"],
        input=content, env=world.environment, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode().strip()


def ends_soon(thread: threading.Thread, seconds: float) -> bool:
    thread.join(seconds)
    return not thread.is_alive()


def test_every_variable_that_git_calls_local_to_a_repository_is_cleared(world: World) -> None:
    assert set(world.git(world.remote(), "rev-parse", "--local-env-vars").split()) <= set(FOREIGN)


def test_a_callers_repository_index_objects_and_settings_do_not_reach_git(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = world.bare("other")
    for name, value in {
        "GIT_DIR": str(other),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_COMMON_DIR": str(other),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(other / "objects"),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "Mallory",
        "GIT_CONFIG_PARAMETERS": "'user.email=mallory@example.org'",
    }.items():
        monkeypatch.setenv(name, value)
    handed = cleared(os.environ)
    assert not set(FOREIGN) & (set(os.environ) | set(handed))
    clone = world.clone("ada")
    run = Runner(clone / ".git", clone)
    assert run("config", "user.name").decode().strip() == "Ada"
    assert run("config", "user.email").decode().strip() == "ada@example.org"
    assert run("rev-parse", "--absolute-git-dir").decode().strip() == str(clone / ".git")
    assert run("rev-parse", "HEAD").decode().strip() == world.refs()["refs/heads/main"]
    assert run("status", "--porcelain") == b""


@pytest.mark.parametrize("name", ["GIT_TRACE", "GIT_TRACE2", "GIT_TRACE_SETUP", "GIT_TRACE_CURL", "GIT_TRACE_PACKET"])
def test_a_callers_tracing_does_not_end_up_in_messages(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    cleared(os.environ)
    with pytest.raises(Failure) as failed:
        Runner(world.remote())("ls-remote", "--exit-code", "--", world.remote().as_uri(), "refs/heads/none")
    assert failed.value.err == b""


def test_hooks_and_programs_of_a_hostile_repository_never_run(world: World, tmp_path: Path) -> None:
    clone = world.clone("ada")
    marker = tmp_path / "ran"
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for folder in (hostile, clone / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in (*HOOKS, "fsmonitor"):
            (folder / name).write_text(f"#!/bin/sh\necho {name} >> {marker}\nexit 1\n")
            (folder / name).chmod(0o755)
    ahead = world.commit(world.clone("grace"), {"new": "1"}, "feat: new")

    def everything() -> None:
        run = Runner(clone / ".git", clone)
        run("status", "--porcelain")
        run("fetch", "--quiet", "origin")
        run("merge", "--quiet", "--ff-only", ahead)
        run("push", "--quiet", "origin", "HEAD:refs/heads/copy")

    everything()
    assert not marker.exists()
    world.git(clone, "-c", "core.hooksPath=/dev/null", "reset", "--quiet", "--hard", "HEAD~")
    world.git(world.remote(), "update-ref", "-d", "refs/heads/copy")
    world.git(clone, "config", "core.hooksPath", str(hostile))
    world.git(clone, "config", "core.fsmonitor", str(hostile / "fsmonitor"))
    everything()
    assert not marker.exists()
    world.git(clone, "status", check=False)
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/other", check=False)
    assert {"fsmonitor", "pre-push"} <= set(marker.read_text().split())  # they would have


def test_a_secret_setting_is_given_by_environment_and_never_as_an_argument(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, shims, log = shutil.which("git"), tmp_path / "shims", tmp_path / "argv"
    shims.mkdir()
    (shims / "git").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {log}\nexec {real} "$@"\n')
    (shims / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}{os.pathsep}{os.environ['PATH']}")
    secrets = (("http.https://example.org/.extraheader", "AUTHORIZATION: basic hunter2"), ("http.proxy", "hunter3"))
    run = Runner(world.remote(), config=secrets)
    told = run("config", "--get-regexp", "^http").decode()
    assert "hunter2" in told
    assert "hunter3" in told
    assert "hunter2" in run.at(world.remote())("config", "--get-urlmatch", "http", "https://example.org/x").decode()
    assert "--get-regexp" in log.read_text()
    assert "hunter" not in log.read_text()


def test_a_failure_tells_what_git_said_without_the_password_of_an_address(world: World) -> None:
    with pytest.raises(Failure) as failed:
        Runner(world.remote())("ls-remote", "--", "http://ada:hunter2@127.0.0.1:1/x.git")
    assert "127.0.0.1" in str(failed.value)
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ada:hunter2@example.org/x", "https://example.org/x"),
        ("https://hunter2@example.org/x", "https://example.org/x"),
        ("https://ada:hunter@2@example.org/x", "https://example.org/x"),
        ("a https://ada:hunter2@example.org/x, b ssh://git:hunter2@h/y", "a https://example.org/x, b ssh://h/y"),
        ("https://example.org/x@2", "https://example.org/x@2"),
        ("git@example.org:x/y.git", "git@example.org:x/y.git"),
        ("/a/folder/with@sign", "/a/folder/with@sign"),
    ],
)
def test_an_address_is_shown_without_what_stands_before_the_host(address: str, shown: str) -> None:
    assert without_secret(address) == shown


def test_a_password_that_is_cut_off_is_not_shown_either() -> None:
    for before in range(950, 1000):
        said = complaint(b"x" * before + b" https://ada:hunter2@example.org/x")
        assert len(said) <= 1000
        assert "hun" not in said, before


def test_what_a_remote_says_is_told_as_one_line_without_control_characters(world: World) -> None:
    world.refuse(
        "upstream",
        "#!/bin/sh\nprintf '\\033[31mred\\033[0m\\r\\n\\302\\2331mc1 \\342\\200\\256bidi\\a\\n' >&2\nexit 1\n",
    )
    with pytest.raises(Failure) as failed:
        Runner(world.remote())("push", world.remote().as_uri(), "refs/heads/main:refs/heads/other")
    assert all(c.isprintable() for c in str(failed.value))
    for word in ("red", "c1", "bidi"):
        assert word in str(failed.value)


def test_a_complaint_that_is_no_utf_8_is_told_all_the_same() -> None:
    assert "no \ufffd\ufffd way" in complaint(b"fatal: no \xff\xfe way\n\n\n")


def test_what_git_said_as_we_gave_up_listening_is_heard() -> None:
    """A git of half a second more than we listen at once has said all; nothing of that may be taken for silence."""
    script = "sleep 60 & printf why >&2; printf $!"  # what it leaves running holds its pipes
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.wait()
        out, err = running._left(process, subprocess.TimeoutExpired("git", 1))
    os.kill(int(out), signal.SIGKILL)
    assert err == b"why"


def test_what_a_remote_says_dully_is_left_out() -> None:
    assert complaint(b"To /x\nhint: try\nremote: not today\nerror: failed to push some refs to x\n") == "not today"


def test_a_stream_is_split_at_nul_wherever_its_blocks_end(world: World) -> None:
    block = 1 << 16
    parts = [b"a" * (block - 1), b"", b"b" * (block + 1), b"c" * block, b"\n\xff", b"d" * (3 * block), b"end"]
    blob = a_blob(world, b"\0".join(parts))
    assert list(Runner(world.remote()).stream("cat-file", "blob", blob)) == parts
    ended = a_blob(world, b"\0".join([*parts, b""]))
    assert list(Runner(world.remote()).stream("cat-file", "blob", ended)) == parts
    assert list(Runner(world.remote()).stream("cat-file", "blob", a_blob(world, b""))) == []


def test_a_stream_that_ends_badly_raises_and_says_why(world: World) -> None:
    with pytest.raises(Failure, match=r"git log: .*none"):
        list(Runner(world.remote()).stream("log", "none", "--"))


def test_a_stream_whose_git_does_not_read_its_input_raises_what_git_said(world: World) -> None:
    asked = b"0" * 39 + b"1\n" + b"main\n" * 100_000
    with pytest.raises(ReleaseError, match="0001"):
        list(Runner(world.remote()).stream("log", "-z", "--stdin", stdin=asked))


def test_a_stream_with_many_complaints_does_not_stand_still(world: World) -> None:
    seen: list[bytes] = []
    noisy = ("-c", "alias.noisy=!head -c 300000 /dev/zero | tr '\\0' x >&2; printf 'a\\0b'; :", "noisy")
    reader = threading.Thread(target=lambda: seen.extend(Runner(world.remote()).stream(*noisy)), daemon=True)
    reader.start()
    try:
        assert ends_soon(reader, 5), "the stream stands still"
    finally:
        running.stop()
    assert seen == [b"a", b"b"]


def test_a_stream_that_nobody_reads_on_is_ended(world: World) -> None:
    blob = a_blob(world, b"x\0" * 1_000_000)
    before = set(running.RUNNING)
    parts = Runner(world.remote()).stream("cat-file", "blob", blob)
    assert next(parts) == b"x"
    (process,) = set(running.RUNNING) - before
    parts.close()
    try:
        deadline = time.monotonic() + 2
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is not None, "git still waits for somebody to read"
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_a_question_is_answered_yes_or_no_and_a_failure_is_neither(world: World) -> None:
    run = Runner(world.remote())
    blob = a_blob(world, b"x")
    assert run.asks("merge-base", "--is-ancestor", "main", "main")
    assert not run.asks("show-ref", "--quiet", "--verify", "refs/heads/none")
    with pytest.raises(Failure):
        run.asks("merge-base", "--is-ancestor", blob, "main")


def test_a_failure_keeps_what_git_printed_and_is_one_of_our_errors(world: World) -> None:
    with pytest.raises(ReleaseError) as failed:
        Runner(world.remote())("cat-file", "blob", "main")
    assert isinstance(failed.value, Failure)
    assert b"bad file" in failed.value.err
    assert str(failed.value).startswith("git cat-file: ")


def test_without_git_nothing_can_be_seen(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(Unseen, match="git is not installed") as unseen:
        Runner(world.remote())("rev-parse", "HEAD")
    assert "install" in unseen.value.remedy
    with pytest.raises(Unseen):
        list(Runner(world.remote()).stream("log"))
    with pytest.raises(Unseen):
        Runner(world.remote()).asks("rev-parse")


def test_a_folder_that_is_gone_is_not_taken_for_a_missing_git(world: World, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="not a git repository"):
        Runner(tmp_path / "gone")("rev-parse", "HEAD")


def test_to_stop_ends_a_push_that_waits_for_the_remotes_hook(world: World, tmp_path: Path) -> None:
    begun, leave = tmp_path / "begun", tmp_path / "leave"
    world.refuse(
        "upstream",
        f"#!/bin/sh\ntouch {begun}\nn=0\nwhile [ ! -e {leave} ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done\nexit 1\n",
    )
    ended: list[BaseException] = []

    def push() -> None:
        try:
            Runner(world.remote())("push", world.remote().as_uri(), "refs/heads/main:refs/heads/other")
        except Failure as failure:
            ended.append(failure)

    pushing = threading.Thread(target=push)
    pushing.start()
    deadline = time.monotonic() + 5
    while not begun.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    running.stop()
    stopped = ends_soon(pushing, 2)
    leave.touch()
    pushing.join()
    assert stopped, "it waits for what git left behind"
    assert ended
    assert "refs/heads/other" not in world.refs()


def test_many_at_once_do_not_mix_their_answers(world: World) -> None:
    blobs = {a_blob(world, f"{n} ".encode() * 1000): n for n in range(8)}
    seen: dict[str, bytes] = {}

    def read(blob: str) -> None:
        seen[blob] = Runner(world.remote())("cat-file", "blob", blob)

    threads = [threading.Thread(target=read, args=(blob,)) for blob in blobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {blob: content.split()[0] for blob, content in seen.items()} == {
        blob: str(n).encode() for blob, n in blobs.items()
    }


def test_long_input_and_long_output_at_once_do_not_stand_still(world: World) -> None:
    asked = b"main\n" * 50_000
    assert Runner(world.remote())("cat-file", "--batch-check", stdin=asked).count(b" commit ") == 50_000
