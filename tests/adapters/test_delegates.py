"""A component's own release in a throwaway clone: what it gets, what it says, and that nothing of it is left."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest

from release.adapters.delegates import Delegates
from release.adapters.git.run import Runner
from release.app.environment import as_a_person
from release.core.model import DownstreamWish, Person
from release.errors import Refused
from release.redact import Redactor
from tests.world import World

TOKEN = "ghp_open_sesame_0123456789"


class House:
    """Delegates over one bare remote."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.remote = world, world.bare("part")
        self.logs, self.temporary = world.folder / "logs", world.folder / "tmp"
        self.temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))
        run = Runner(self.remote)
        settings = (("url.ssh://git@example.org/.insteadof", 'odd\\ "one"\nand more'), ("tag.gpgsign", "false"))
        environment = {**world.environment, "PART_TOKEN": TOKEN, "GITHUB_REF": "refs/tags/v9.9.9"}
        self.door = Delegates(
            lambda repository, name: (str(self.remote), run), self.logs, as_a_person(environment),
            Person("Ada", "ada@example.org"), settings, Redactor(),
        )  # fmt: skip
        self.said = list[str]()

    def wish(self, script: str, tag: str = "v1.0.0") -> DownstreamWish:
        return DownstreamWish("part", str(self.remote), "main", tag, trigger="local", run=("sh", "-c", script))

    def run(self, script: str, tag: str = "v1.0.0") -> int:
        return self.door.release(self.wish(script, tag), self.said.append).code


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_"))}
    seed = {f"GIT_{role}_{part}": "seed" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    world = World(tmp_path, {**kept, **seed})
    return House(world, monkeypatch)


def test_it_stands_on_the_branch_knows_its_remote_and_is_us(house: House) -> None:
    script = (
        "git symbolic-ref HEAD; git remote get-url origin; git config user.name; git config user.email;"
        " git config --get url.ssh://git@example.org/.insteadof; git config tag.gpgsign; cat README"
    )
    assert house.run(script) == 0
    lines = ["refs/heads/main", str(house.remote), "Ada", "ada@example.org", 'odd\\ "one"', "and more", "false", "part"]
    assert house.said == lines
    assert house.door.ended(house.wish(script)) is not None
    assert house.door.ended(house.wish(script, "v1.0.1")) is None


def test_it_gets_tokens_that_nobody_reads_afterwards_and_no_word_of_our_own_event(house: House) -> None:
    assert house.run('test "$PART_TOKEN" = ghp_open_sesame_0123456789 && test -z "$GITHUB_REF"') == 0


def test_its_end_is_told_and_its_log_kept_by_component_and_release(house: House) -> None:
    script = "for n in $(seq 1 40); do echo line $n; done; exit 3"
    assert house.run(script) == 3
    ended = house.door.ended(house.wish(script))
    assert ended is not None
    assert ended.said == tuple(f"line {number}" for number in range(29, 41))
    assert Path(ended.log) == house.logs / "downstream-part-v1.0.0.log"
    assert Path(ended.log).read_text().splitlines() == [f"line {number}" for number in range(1, 41)]


def test_the_logs_that_it_kept_in_the_clone_are_kept_and_named_where_they_are(house: House) -> None:
    script = 'mkdir -p .release/logs; echo "$1" > .release/logs/gate.log; echo "its log is $PWD/.release/logs/gate.log"'
    for again in ("first", "second"):
        assert house.run(f"set -- {again}; {script}") == 0
        log = house.logs / "downstream-part-v1.0.0" / "gate.log"
        assert log.read_text() == f"{again}\n"
        assert house.said[-1] == f"its log is {log}"
        assert (house.logs / "downstream-part-v1.0.0.log").read_text() == f"its log is {log}\n"


def test_nothing_of_a_clone_is_left_whatever_the_end(house: House) -> None:
    assert house.run("touch here; exit 0") == 0
    assert house.run("touch here; kill -9 $$") == -9
    wish = DownstreamWish("part", str(house.remote), "gone", "v1.0.0", trigger="local", run=("true",))
    with pytest.raises(Refused, match=r"no clone of gone of .* could be made"):
        house.door.release(wish, house.said.append)
    assert list(house.temporary.iterdir()) == []


def test_what_it_pushes_gets_to_the_real_remote(house: House) -> None:
    assert house.run("git tag v1.0.0 && git push --quiet origin v1.0.0") == 0
    assert "refs/tags/v1.0.0" in house.world.refs("part")


def test_to_be_told_to_stop_is_to_end_it_and_it_may_clean_up(house: House, tmp_path: Path) -> None:
    begun, cleaned, late = tmp_path / "begun", tmp_path / "cleaned", tmp_path / "late"
    os.mkfifo(begun)
    script = f"trap 'echo bye; : > {cleaned}; exit 130' TERM; sleep 60 & echo here > {begun}; wait; : > {late}"
    codes = list[int]()
    thread = threading.Thread(target=lambda: codes.append(house.run(script)))
    thread.start()
    assert begun.read_text() == "here\n"
    house.door.stop()
    thread.join(9)
    assert codes == [130]
    assert cleaned.exists()
    assert not late.exists()
    assert house.run("true") != 0, "nothing begins any more"


def test_one_component_is_released_once_at_a_time(house: House, tmp_path: Path) -> None:
    place = tmp_path / "at-work"
    script = f"mkdir {place} && sleep 0.1 && rmdir {place}"
    codes = list[int]()
    threads = [
        threading.Thread(target=lambda tag=f"v1.0.{number}": codes.append(house.run(script, tag)))
        for number in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(9)
    assert codes == [0, 0, 0]


def test_what_is_installed_with_us_comes_first_and_what_is_nowhere_is_missing(house: House) -> None:
    assert house.door.missing(("invoke", "release")) == ""
    assert house.door.missing(("./scripts/release",)) == ""
    assert house.door.missing(("no-such-program-here",)) == "no-such-program-here"
    wish = DownstreamWish(
        "part", str(house.remote), "main", "v1", trigger="local", run=("python", "-c", "import release; print('ours')")
    )
    environment = dict(house.door._environment)
    assert house.door.release(wish, house.said.append).code == 0, (house.said, environment.get("PATH"))
    assert house.said[-1] == "ours"
