"""Gates and builds run in throwaway clones, know no secrets, and leave nothing behind but their log and their file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import pytest

from release.adapters.children import LINE, hidden, printable, secret
from release.adapters.git.remote import store
from release.adapters.process import Processes
from release.core.model import ArtifactWish
from release.errors import Refused
from release.redact import Redactor
from tests.world import World

TAG = "v1.0.0"
ENV = {"SLUICE_TAG": TAG, "SLUICE_VERSION": "1.0.0", "SOURCE_DATE_EPOCH": "1700000000"}
FULL = """\
import resource, sys
from pathlib import Path
from release.adapters.disk import Disk
from release.adapters.process import Processes
from release.core.model import ArtifactWish
from release.errors import Refused
from release.redact import Redactor

store, logs, keep, commit = sys.argv[1:]
processes = Processes(Path(store), Path(logs), {"PATH": __import__("os").environ["PATH"]})
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
try:
    wish = ArtifactWish("app", ("sh", "-c", "ulimit -S -f unlimited && head -c 120000 /dev/zero > \\"$SLUICE_OUTPUT/app\\""))
    processes.build(wish, commit, {"SLUICE_TAG": "v1.0.0", "SOURCE_DATE_EPOCH": "0"}, {}, lambda name, place: Disk(Path(keep).parent).keep(place), lambda line: None)
except Refused as refused:
    print(refused)
    sys.exit(3)
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A remote, and a process whose git knows nothing of anybody's settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    identity = {f"GIT_{role}_{part}": f"seed@{part}".lower() for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}  # fmt: skip
    made = World(tmp_path, {**os.environ, **identity})
    made.bare("upstream")
    return made


class Shop:
    """A workshop over a clone's objects, and what it said."""

    def __init__(self, world: World, environment: Mapping[str, str] | None = None) -> None:
        self.world, self.said = world, list[str]()
        self.clone = world.folder / "seed-upstream"
        self.store = store(world.folder / "store.git", self.clone / ".git" / "objects")
        self.logs = world.folder / "logs"
        self.keep = world.folder / "kept" / "app"
        self.processes = Processes(self.store, self.logs, {"PATH": os.environ["PATH"], **(environment or {})})

    @property
    def commit(self) -> str:
        return self.world.git(self.clone, "rev-parse", "HEAD")

    def gate(self, script: str, say: Callable[[str], None] | None = None) -> list[str]:
        self.said.clear()
        self.processes.gate("tests", ["sh", "-c", script], self.commit, ENV, say or self.said.append)
        return self.said

    def build(self, script: str, path: str = "", name: str = "app") -> Path:
        wish = ArtifactWish(name, ("sh", "-c", script), path=path)
        self.processes.build(wish, self.commit, ENV, {}, self._kept, self.said.append)
        return self.keep

    def _kept(self, name: str, place: Path) -> None:
        self.keep.parent.mkdir(exist_ok=True)
        shutil.copy(place, self.keep)

    def leftovers(self) -> list[Path]:
        return list((self.world.folder / "tmp").iterdir())


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def wait_for(true: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def alive(process: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_command_runs_in_a_clone_of_that_commit_and_sees_nothing_of_the_working_tree(
    world: World, shop: Shop
) -> None:
    (shop.clone / "README").write_text("half done\n")
    (shop.clone / "untracked").touch()
    world.git(shop.clone, "add", "README")
    said = shop.gate("cat README; ls; git status --porcelain; git rev-parse HEAD; git branch --show-current")
    assert said == ["upstream", "README", shop.commit]
    assert world.git(shop.clone, "status", "--porcelain").split("\n") == ["M  README", "?? untracked"]


def test_what_a_command_does_in_its_clone_stays_there(world: World, shop: Shop) -> None:
    before = world.git(shop.clone, "for-each-ref"), world.refs()
    shop.gate("echo x > README; git -c user.name=a -c user.email=b commit -qam x; git tag evil; git branch evil; git gc --quiet --prune=now")  # fmt: skip
    assert (world.git(shop.clone, "for-each-ref"), world.refs()) == before
    assert world.git(shop.store, "for-each-ref") == ""
    assert shop.gate("cat README; git tag; git for-each-ref refs/heads") == ["upstream"]


def test_a_clone_knows_no_remote(shop: Shop) -> None:
    assert shop.gate("git remote; git config --get-regexp '^remote' || true") == []


def test_hooks_and_settings_of_the_users_clone_are_not_in_it(world: World, shop: Shop) -> None:
    hook = shop.clone / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {world.folder / 'ran'}\n")
    hook.chmod(0o755)
    world.git(shop.clone, "config", "http.extraheader", "AUTHORIZATION: basic hunter2")
    assert not any("hunter2" in line for line in shop.gate("git config --list; env"))
    assert not (world.folder / "ran").exists()


@pytest.mark.parametrize("name", [
    "GITHUB_TOKEN", "GH_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "TWINE_PASSWORD", "npm_config__authToken",
    "GOOGLE_APPLICATION_CREDENTIALS", "OPENAI_API_KEY", "COSIGN_PRIVATE_KEY", "SSH_AUTH_SOCK", "GIT_ASKPASS", "SSH_ASKPASS", "NETRC",
    "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_URL", "GIT_CONFIG_VALUE_0", "GIT_DIR", "my_apikey",
    "GPG_PASSPHRASE", "MAVEN_GPG_PASSPHRASE", "DOCKER_AUTH_CONFIG", "CR_PAT", "MYSQL_PWD", "AWS_ACCESS_KEY_ID", "SIGNING_KEY", "SSH_KEY",
    "SMTP_PASS", "GH_PAT", "DB_PASS", "COSIGN_KEY", "NPM_AUTH", "SSH_AGENT_PID", "GPG_AGENT_INFO", "KUBECONFIG", "SSHPASS", "PGPASSFILE",
    "PASSWORD", "Passphrase", "PAT", "KEY", "SIGNING_KEYS", "ssh-key", "KEY2", "OAUTH", "AUTHORIZATION", "XAUTHORITY", "GOAUTH", "session_id",
    "COOKIES", "CURL_NETRC", "DOCKER_CREDS", "AWS_CREDENTIALS",
])  # fmt: skip
def test_a_variable_that_holds_a_secret_is_none_of_a_builds_business(name: str) -> None:
    assert secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "LANG",
        "CI",
        "GOFLAGS",
        "CC",
        "SOURCE_DATE_EPOCH",
        "AUTHOR",
        "KEYBOARD",
        "PATTERN",
        "PWD",
        "OLDPWD",
        "COMPASS",
        "MONKEY",
        *("TERM", "PYTHONPATH", "KEYBOARD_LAYOUT", "XKEYSYMDB", "BYPASS_CACHE", "PATHEXT", "GOPATH", "PATCH", "USER"),
        *("AUTHORS", "COMMIT_AUTHOR_NAME", "JAVA_HOME", "TMPDIR", "http_proxy", "LC_ALL"),
    ],
)
def test_a_variable_that_a_build_needs_is_handed_on(name: str) -> None:
    assert not secret(name)


def test_a_command_knows_what_it_is_told_and_no_secrets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "hunter2")
    given = {"GITHUB_TOKEN": "hunter2", "TWINE_PASSWORD": "hunter2", "GIT_DIR": "/x", "CC": "gcc", "LANG": "C.UTF-8"}
    said = Shop(world, given).gate("env")
    assert "CC=gcc" in said
    assert f"SLUICE_TAG={TAG}" in said
    assert not any("hunter2" in line or line.startswith("GIT_") for line in said)


@pytest.mark.parametrize("command", ["git describe --tags --exact-match", "git describe --exact-match", "git describe"])
def test_a_build_sees_its_tag_as_git_describes_it(shop: Shop, command: str) -> None:
    kept = shop.build(f'{command} > "$SLUICE_OUTPUT/app"')
    assert kept.read_text() == f"{TAG}\n"


def test_a_gate_sees_no_tag(shop: Shop) -> None:
    assert shop.gate("git tag") == []


def test_a_command_reads_nothing_from_the_terminal(shop: Shop) -> None:
    assert shop.gate("cat; echo end") == ["end"]


# Logs.


def test_everything_that_is_said_is_kept_and_heard_line_by_line(world: World, shop: Shop) -> None:
    said = shop.gate("printf 'one\\ntwo\\n' ; printf 'three' >&2")
    assert said == ["one", "two", "three"]
    assert (shop.logs / "gate-tests.log").read_bytes() == b"one\ntwo\nthree"


def test_a_failure_tells_the_command_its_exit_code_its_last_words_and_its_log(shop: Shop) -> None:
    with pytest.raises(Refused) as refused:
        shop.gate("i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done; exit 7")
    message = refused.value.message
    assert message.startswith("gate tests: `sh -c ")
    assert "ended with exit code 7: line 97 | line 98 | line 99" in message
    assert "line 9 " not in message
    assert str(shop.logs / "gate-tests.log") in refused.value.remedy
    assert (shop.logs / "gate-tests.log").read_text().count("\n") == 100
    assert shop.leftovers() == []
    with pytest.raises(Refused, match=r"ended with signal 9: it printed nothing"):
        shop.gate("kill -9 $$")


def test_a_program_that_is_not_there_is_told_before_and_after(shop: Shop) -> None:
    assert shop.processes.missing(["no-such-program"]) == "no-such-program"
    assert shop.processes.missing(["sh", "-c", "x"]) == ""
    assert shop.processes.missing(["./in-the-clone"]) == ""
    for run, why in (
        (["no-such-program"], "No such file"),
        (["./README"], "Permission denied"),
        (["./none"], "No such file"),
    ):
        with pytest.raises(Refused, match=f"gate tests: `{run[0]}` cannot be run .*{why}"):
            shop.processes.gate("tests", run, shop.commit, ENV, shop.said.append)
    assert shop.leftovers() == []


def test_what_a_command_says_can_do_nothing_to_a_terminal(shop: Shop) -> None:
    said = shop.gate(
        r"printf '\033[2Jred\033[0m\r\n\302\23331mc1\n\342\200\256bidi\007\n\377\376\n\tindented\n::error::x\n\n'"
    )
    assert all(c.isprintable() or c == "\t" for line in said for c in line)
    assert said == ["[2Jred[0m", "31mc1", "bidi", "\ufffd\ufffd", "\tindented", "::error::x", ""]
    with pytest.raises(Refused) as refused:
        shop.gate(r"printf '\033[31m\342\200\250a\n'; exit 1")
    assert all(c.isprintable() for c in str(refused.value))


def test_a_line_without_end_is_heard_in_pieces_and_kept_whole(shop: Shop) -> None:
    said = shop.gate("head -c 3000000 /dev/zero | tr '\\0' x")
    assert (shop.logs / "gate-tests.log").stat().st_size == 3_000_000
    assert all(len(line) <= 400 for line in said)


def test_a_long_log_is_not_held_in_memory(shop: Shop) -> None:
    heard = 0

    def hear(line: str) -> None:
        nonlocal heard
        heard += 1

    with pytest.raises(Refused) as refused:
        shop.gate("seq 30000; exit 1", hear)
    assert heard == 30_000
    assert len(str(refused.value)) < 1000


def test_a_line_is_shown_without_its_end_and_not_for_ever() -> None:
    assert printable(b"a\x1b[31mb \r\n") == "a[31mb"
    assert len(printable("ü".encode() * 1000)) == 400


@pytest.mark.parametrize("blocked", ["logs", "logs/gate-tests.log"])
def test_a_log_that_cannot_be_written_is_refused_before_the_command_acts(
    world: World, shop: Shop, blocked: str
) -> None:
    place = world.folder / blocked
    if blocked == "logs":
        place.write_text("in the way")
    else:
        place.mkdir(parents=True)
    ran = world.folder / "ran"
    with pytest.raises(Refused):
        shop.gate(f"touch {ran}")
    assert shop.leftovers() == []


# What is kept.


def test_a_build_keeps_the_one_file_it_made(world: World, shop: Shop) -> None:
    kept = shop.build('printf "%s" "$SLUICE_VERSION" > "$SLUICE_OUTPUT/app"')
    assert kept.read_text() == "1.0.0"
    shop.build("mkdir -p dist; echo binary > dist/x; chmod 4777 dist/x", "dist/x")
    assert kept.read_text() == "binary\n"
    assert shop.leftovers() == []


@pytest.mark.parametrize(("script", "path", "name"), [
    ("true", "", "app"), ("true", "dist/app", "app"), ('mkdir "$SLUICE_OUTPUT/app"', "", "app"), ("mkdir -p dist/app", "dist/app", "app"),
    ('ln -s /etc/passwd "$SLUICE_OUTPUT/app"', "", "app"), ("ln -s /etc/passwd app", "app", "app"),
    ("ln -s /etc dist", "dist/passwd", "app"), ('ln -s nowhere "$SLUICE_OUTPUT/app"', "", "app"), ("true", "/etc/passwd", "app"),
    ("true", "../../../../etc/passwd", "app"), ("true", "", "../../../etc/passwd"), ('mkfifo "$SLUICE_OUTPUT/app"', "", "app"),
    ('ln -s app "$SLUICE_OUTPUT/app"', "", "app"), ("ln -s /dev/zero app", "app", "app"),
    ('ln -s "$PWD/README" "$SLUICE_OUTPUT/app"', "", "app"),
])  # fmt: skip
def test_what_is_no_file_of_the_builds_own_is_refused_and_nothing_is_kept(
    shop: Shop, script: str, path: str, name: str
) -> None:
    with pytest.raises(Refused, match="ended well but made no") as refused:
        shop.build(script, path, name)
    assert (path or f"$SLUICE_OUTPUT/{name}") in refused.value.message
    assert not shop.keep.exists()
    assert shop.leftovers() == []


def test_a_failed_build_keeps_what_was_kept_before(shop: Shop) -> None:
    shop.build('echo first > "$SLUICE_OUTPUT/app"')
    with pytest.raises(Refused, match="artifact app"):
        shop.build('echo second > "$SLUICE_OUTPUT/app"; exit 1')
    assert shop.keep.read_text() == "first\n"


def test_a_disk_that_is_full_is_refused_and_leaves_no_half_file(world: World, shop: Shop) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(shop.store), str(shop.logs), str(shop.keep), shop.commit],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(world.folder / "tmp")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "File too large" in done.stdout
    assert list((shop.keep.parent / "files" / "sha256").iterdir()) == []
    assert shop.leftovers() == []


def test_a_commit_that_is_not_here_is_refused(shop: Shop) -> None:
    with pytest.raises(Refused, match="no clone of 0000000000 could be made"):
        shop.processes.gate("tests", ["true"], "0" * 39 + "1", ENV, shop.said.append)
    assert shop.leftovers() == []


# Ends.


def test_a_clone_is_gone_afterwards_even_if_it_was_made_hard_to_remove(shop: Shop) -> None:
    shop.gate("mkdir -p a/b; touch a/b/c; chmod 0 a/b a README; ln -s / root; pwd")
    assert shop.leftovers() == []
    assert not Path(shop.said[-1]).exists()


def test_to_stop_ends_children_and_grandchildren(world: World, shop: Shop) -> None:
    pids = world.folder / "pids"
    ended: list[BaseException] = []

    def run() -> None:
        try:
            shop.gate(
                f"sh -c 'echo $$ >> {pids}; sleep 20' & sh -c 'trap \"\" TERM INT HUP; echo $$ >> {pids}; sleep 20'; wait"
            )
        except Refused as refused:
            ended.append(refused)

    running = threading.Thread(target=run)
    running.start()
    assert wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    shop.processes.stop()
    running.join(5)
    assert not running.is_alive()
    assert "signal 9" in str(ended[0])
    assert wait_for(lambda: not any(alive(int(process)) for process in pids.read_text().split()))
    assert shop.leftovers() == []
    shop.processes.stop()


def test_what_is_about_to_start_when_all_is_stopped_ends_too(shop: Shop) -> None:
    shop.processes.stop()
    began = time.monotonic()
    with pytest.raises(Refused, match="signal 9"):
        shop.gate("sleep 20")
    assert time.monotonic() - began < 10


def test_a_command_has_ended_when_it_ends_whatever_it_left_in_the_background(world: World, shop: Shop) -> None:
    pids = world.folder / "pids"
    began = time.monotonic()
    shop.gate(f"sleep 6 & echo $! > {pids}; echo done")
    assert shop.said == ["done"]
    took = time.monotonic() - began
    left = alive(int(pids.read_text()))
    assert took < 4, "it waited for what runs in the background"
    assert not left


def test_what_a_command_left_in_the_background_quietly_is_ended_too(world: World, shop: Shop) -> None:
    pids = world.folder / "pids"
    shop.gate(f"sleep 5 > /dev/null 2>&1 & echo $! > {pids}")
    assert wait_for(lambda: not alive(int(pids.read_text())), 1), "it still runs, in a folder that is gone"


def test_a_listener_that_breaks_ends_the_command(shop: Shop) -> None:
    def breaks(line: str) -> None:
        raise KeyError(line)

    began = time.monotonic()
    with pytest.raises(KeyError, match="begun"):
        shop.gate("echo begun; sleep 6", breaks)
    assert time.monotonic() - began < 4, "it waited for the command"
    assert shop.leftovers() == []


def test_two_at_once_do_not_see_each_other(world: World, shop: Shop) -> None:
    seen: dict[str, list[str]] = {"a": [], "b": []}

    def run(name: str) -> None:
        script = f"ls; touch {name}; sleep 0.2; ls"
        shop.processes.gate(name, ["sh", "-c", script], shop.commit, ENV, seen[name].append)

    threads = [threading.Thread(target=run, args=(name,)) for name in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {name: ["README", "README", name] for name in seen}


@pytest.mark.parametrize("before", [0, LINE - 45, LINE - 20, LINE - 1, LINE, 3 * LINE - 7])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nmore \xff\n"])
def test_a_secret_is_hidden_wherever_it_stands_in_a_line_of_any_length(
    before: int, end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide = Redactor()
    hide.learn("ghp_0123456789abcdefghij")
    monkeypatch.setattr("release.adapters.children.HIDE", hide)
    said = b"x" * before + b"ghp_0123456789abcdefghij" + b"y" * 10 + end
    assert b"".join(hidden(BytesIO(said))) == b"x" * before + b"***" + b"y" * 10 + end
