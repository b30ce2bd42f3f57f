"""Commands of a project that publish: what they get, what their exit codes mean, and that they end."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from release.adapters.git.remote import store
from release.adapters.publishers import Publishers
from release.core.model import PublishWish
from release.errors import Refused, ReleaseError, Uncertain, Unseen
from release.redact import HIDE
from tests.world import World

ENV = {"SLUICE_TAG": "v1.0.0", "SLUICE_VERSION": "1.0.0"}
SECRETS = {"SHELF_TOKEN": "open-the-shelf", "OTHER_TOKEN": "not-for-them"}


class Shop:
    """Publishers over a clone's objects."""

    def __init__(self, world: World) -> None:
        self.clone = world.folder / "seed-upstream"
        self.commit = world.git(self.clone, "rev-parse", "HEAD")
        self.logs = world.folder / "logs"
        objects = store(world.folder / "store.git", self.clone / ".git" / "objects")
        self.door = Publishers(objects, self.logs, {"PATH": os.environ["PATH"], **SECRETS}, HIDE)
        self.said = list[str]()

    def publish(self, script: str, files: Mapping[str, Path] | None = None, deadline: int = 60) -> None:
        wish = PublishWish("shelf", ("sh", "-c", script), ("false",), ("SHELF_TOKEN",), deadline)
        self.door.publish(wish, self.commit, ENV, files or {}, self.said.append)

    def exists(self, script: str, deadline: int = 60) -> bool:
        wish = PublishWish("shelf", ("false",), ("sh", "-c", script), ("SHELF_TOKEN",), deadline)
        return self.door.exists(wish, self.commit, ENV, {})


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    identity = {f"GIT_{role}_{part}": "seed" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    world = World(tmp_path, {**os.environ, **identity})
    world.bare("upstream")
    return Shop(world)


def test_a_command_gets_the_commit_the_files_and_the_variables_that_it_names(shop: Shop, tmp_path: Path) -> None:
    kept = tmp_path / "0123"
    kept.write_text("bytes\n")
    shop.publish(
        'git rev-parse HEAD; git describe; ls "$SLUICE_ARTIFACTS"; cat "$SLUICE_ARTIFACTS/app"; '
        'echo "${#SHELF_TOKEN} ${OTHER_TOKEN-none} $SLUICE_VERSION"; echo more >> "$SLUICE_ARTIFACTS/app"',
        {"app": kept},
    )
    assert shop.said == [shop.commit, "v1.0.0", "app", "bytes", "14 none 1.0.0"]
    assert kept.read_text() == "bytes\n"


def test_a_token_is_hidden_in_the_log_and_in_what_is_said(shop: Shop) -> None:
    with pytest.raises(Refused, match=r"ended with exit code 3: no, \*\*\*") as refused:
        shop.publish('echo "no, $SHELF_TOKEN"; exit 3')
    told = "".join((*shop.said, str(refused.value), *(log.read_text() for log in shop.logs.iterdir())))
    assert SECRETS["SHELF_TOKEN"] not in told


@pytest.mark.parametrize(("code", "there"), [(0, True), (1, False)])
def test_two_exit_codes_say_something(shop: Shop, code: int, there: bool) -> None:
    assert shop.exists(f"exit {code}") is there


@pytest.mark.parametrize("script", ["echo locked; exit 2", "echo locked; exit 127", "echo locked; kill -9 $$"])
def test_any_other_end_says_nothing(shop: Shop, script: str) -> None:
    with pytest.raises(Unseen, match=r"cannot be told: .*locked"):
        shop.exists(script)


def test_what_cannot_be_run_has_not_looked(shop: Shop) -> None:
    wish = PublishWish("shelf", ("true",), ("no-such-program",))
    with pytest.raises(Unseen, match="cannot be run"):
        shop.door.exists(wish, shop.commit, ENV, {})


def test_what_takes_too_long_is_ended_with_all_that_it_started(shop: Shop) -> None:
    with pytest.raises(Uncertain, match="signal 9"):
        shop.publish("sleep 600 & sleep 600", deadline=1)
    with pytest.raises(Unseen, match=r"signal 9.*it may take 1 seconds"):
        shop.exists("sleep 600", deadline=1)


def test_stop_ends_it(shop: Shop) -> None:
    ended = list[ReleaseError]()

    def run() -> None:
        try:
            shop.door.publish(
                PublishWish("shelf", ("sh", "-c", "echo on; sleep 600"), ("false",)), shop.commit, ENV, {},
                lambda line: begun.set(),
            )  # fmt: skip
        except ReleaseError as error:
            ended.append(error)

    begun, runner = threading.Event(), threading.Thread(target=run)
    runner.start()
    assert begun.wait(30)
    shop.door.stop()
    runner.join(30)
    assert isinstance(ended[0], Uncertain)


def test_what_is_lacking_is_said_beforehand(shop: Shop) -> None:
    assert shop.door.lacks(PublishWish("shelf", ("sh", "x"), ("./there.sh",), ("SHELF_TOKEN",))) == ""
    assert "no-such-program" in shop.door.lacks(PublishWish("shelf", ("no-such-program",), ("true",)))
    assert "no-such-program" in shop.door.lacks(PublishWish("shelf", ("true",), ("no-such-program",)))
    assert shop.door.lacks(PublishWish("s", ("true",), ("true",), ("ONE", "TWO"))) == "ONE, TWO are not set"
