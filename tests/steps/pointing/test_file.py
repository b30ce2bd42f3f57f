"""A channel's value in a file is moved by one commit that touches nothing else, whoever pushes at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import msgspec
import pytest

from release.adapters.git.remote import GitRemote
from release.core.model import Person, Splice
from release.errors import Refused, ReleaseError, Uncertain, Unseen
from release.sandbox.forge import Fault
from release.steps.pointing.file import ATTEMPTS
from tests.pointing import FILE, KEY, NEW, NEXT, OLD, PATH, WISH, Shop, forged, plain
from tests.world import REFUSING


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with plain(tmp_path) as made:
        yield made


class Raced(GitRemote):
    """A remote where somebody pushes while our commit is made."""

    meanwhile: Callable[[], object]

    def commit(self, base: str, edits: Sequence[Splice], message: str, who: Person, date: str) -> str:
        made = super().commit(base, edits, message, who, date)
        self.meanwhile()
        return made


def raced(shop: Shop, meanwhile: Callable[[], object]) -> Raced:
    remote = shop.remote()
    made = Raced(remote.url, remote._run, shallow=True)
    made.meanwhile = meanwhile
    return made


def test_it_is_moved_by_one_commit_that_says_so_and_touches_nothing_else(shop: Shop) -> None:
    before, pointer = shop.head(), shop.committed()
    assert (pointer.reads(), pointer.wanted(), pointer.lacking()) == (OLD, NEW, ())
    assert pointer.waits(OLD, NEW) == ""
    assert shop.head() == before, "looking wrote something"
    pointer.move(OLD, NEW, shop.said.append)
    assert shop.show() == FILE.replace(OLD, NEW)
    assert pointer.reads() == NEW
    assert shop.world.git(shop.git, "diff", "--name-only", before, "main") == PATH
    assert shop.world.git(shop.git, "rev-list", "--parents", "-1", "main").split()[1:] == [before]
    assert shop.message() == (
        f"Ada <ada@example.org> 2026-03-04T12:00:00+00:00\n"
        f"chore(channels): stable/{KEY} to {NEW}\n\nChannel: stable\nChannel-Move: {OLD} {NEW}"
    )
    assert shop.said == [f"{shop.head()[:10]} is on main of {pointer.remote.name}"]


def test_a_second_time_changes_nothing_and_it_goes_back_the_same_way(shop: Shop) -> None:
    shop.committed().move(OLD, NEW, shop.said.append)
    moved = shop.head()
    shop.committed("bob").move(OLD, NEW, shop.said.append)
    assert shop.head() == moved
    shop.committed().move(NEW, OLD, shop.said.append)
    assert shop.show() == FILE


def test_others_who_push_something_else_meanwhile_lose_nothing(shop: Shop) -> None:
    left = [1, 2]

    def meanwhile() -> None:
        if left:
            shop.commit({"README": f"{left.pop()}\n"})

    shop.committed(remote=raced(shop, meanwhile)).move(OLD, NEW, shop.said.append)
    assert (shop.show(), shop.show(path="README")) == (FILE.replace(OLD, NEW), "1\n")


def test_who_moved_it_meanwhile_is_not_written_over(shop: Shop) -> None:
    remote = raced(shop, lambda: shop.commit({PATH: FILE.replace(OLD, NEXT)}))
    with pytest.raises(Refused, match=r"file says v1\.30\.3\+rke2r1 by now, and said v1\.30\.1\+rke2r1"):
        shop.committed(remote=remote).move(OLD, NEW, shop.said.append)
    assert shop.show() == FILE.replace(OLD, NEXT)


def test_who_made_the_very_move_meanwhile_did_it_for_us(shop: Shop) -> None:
    hand = list[str]()
    remote = raced(shop, lambda: hand.append(shop.commit({PATH: FILE.replace(OLD, NEW)})))
    shop.committed(remote=remote).move(OLD, NEW, shop.said.append)
    assert [shop.head()] == hand


def test_a_branch_that_never_stands_still_is_given_up_for_now(shop: Shop) -> None:
    numbers = list[int]()

    def meanwhile() -> None:
        numbers.append(len(numbers))
        shop.commit({"README": f"{len(numbers)}\n"})

    with pytest.raises(Refused, match="moved by others all the time"):
        shop.committed(remote=raced(shop, meanwhile)).move(OLD, NEW, shop.said.append)
    assert len(numbers) == ATTEMPTS
    assert shop.show() == FILE


def test_two_captains_at_once_make_one_commit(shop: Shop) -> None:
    start, before = Barrier(2), shop.head()

    def move(captain: str) -> None:
        pointer = shop.committed(captain)
        start.wait()
        pointer.move(OLD, NEW, shop.said.append)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(move, ("ada", "bob")))
    assert shop.world.git(shop.git, "rev-list", "--count", f"{before}..main") == "1"
    assert shop.show() == FILE.replace(OLD, NEW)


def test_what_the_remote_refuses_is_told_in_its_words_and_not_tried_again(shop: Shop) -> None:
    counted = shop.world.folder / "counted"
    hook = shop.git / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(REFUSING.replace("echo", f"echo x >> '{counted}'; echo", 1))
    hook.chmod(0o755)
    with pytest.raises(Refused, match="not today"):
        shop.committed().move(OLD, NEW, shop.said.append)
    assert counted.read_text() == "x\n"
    assert shop.show() == FILE


@pytest.mark.parametrize(
    ("change", "rule", "why"),
    [
        ({"branch": "release"}, "no-branch", "has no branch release"),
        ({"path": "other.yaml"}, "pointer-missing", "other.yaml is not there"),
        ({"path": "README"}, "update-unreadable", "'README' is no YAML, JSON or TOML"),
        ({"path": "link.yaml"}, "pointer-missing", "link.yaml is not there, or is no plain file"),
        ({"key": "channels[name=testing].latest"}, "pointer-missing", "has channels and no [name=testing] in it"),
        ({"key": "channels"}, "update-refused", "has channels, which is no single value"),
    ],
)
def test_a_place_that_is_not_there_is_told_beforehand_and_says_nothing(
    shop: Shop, change: dict[str, str], rule: str, why: str
) -> None:
    guest = shop.world.folder / "guest"
    shop.commit({"README": "more\n"})
    (guest / "link.yaml").symlink_to(PATH)
    shop.commit({"README": "more still\n"})
    pointer = shop.committed(wish=msgspec.structs.replace(WISH, **change))
    (conflict,) = pointer.lacking()
    assert conflict.rule == rule
    assert why in conflict.why
    with pytest.raises(ReleaseError) as told:
        pointer.reads()
    assert str(told.value) == str(conflict)
    before = shop.head()
    with pytest.raises(ReleaseError):
        pointer.move(OLD, NEW, shop.said.append)
    assert shop.head() == before


def test_a_remote_that_cannot_be_read_says_nothing(shop: Shop) -> None:
    pointer = shop.committed()
    shop.git.rename(shop.git.with_suffix(".gone"))
    with pytest.raises(Unseen):
        pointer.reads()
    with pytest.raises(Unseen):
        pointer.lacking()


def test_a_push_that_would_be_refused_is_told_beforehand(shop: Shop) -> None:
    wish = msgspec.structs.replace(WISH, branch="main")
    remote = shop.remote()

    class Closed(GitRemote):
        """A remote whose address takes no pushes."""

        def refusal(self, commit: str, ref: str) -> str:
            gone = GitRemote(self.url + ".closed", self._run)
            return gone.refusal(commit, ref)

    (conflict,) = shop.committed(remote=Closed(remote.url, remote._run, shallow=True), wish=wish).lacking()
    assert conflict.rule == "push-right"


def test_a_push_whose_answer_is_lost_is_looked_after_and_not_doubled(tmp_path: Path) -> None:
    with forged(tmp_path) as shop:
        assert shop.forge is not None
        shop.forge.faults(Fault("POST", "*/git-receive-pack", when="after", status=503))
        pointer = shop.committed()
        with pytest.raises(Uncertain):
            pointer.move(OLD, NEW, shop.said.append)
        assert pointer.reads() == NEW
        moved = shop.head()
        pointer.move(OLD, NEW, shop.said.append)
        assert shop.head() == moved


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_byte_order_mark_and_line_ends_stay(tmp_path: Path, ends: str) -> None:
    text = "\ufeff" + FILE.replace("\n", ends)
    with plain(tmp_path) as shop:
        place = shop.world.folder / "guest"
        shop.commit({"README": "more\n"})
        (place / PATH).write_bytes(text.encode())
        (place / PATH).chmod(0o755)
        shop.commit({"README": "more still\n"})
        shop.committed().move(OLD, NEW, shop.said.append)
        found = shop.remote("eve")
        tip = found.tip("main")
        assert found.contents(tip, [PATH])[PATH] == text.replace(OLD, NEW).encode()
        assert found.modes(tip, [PATH])[PATH] == "100755"


@pytest.mark.parametrize("hostile", ["v1\x1b[31m", "--upload-pack=x", "a: b # c", "x\u2028y", "'\"\\"])
def test_a_hostile_value_in_the_file_is_told_harmlessly_and_stays(tmp_path: Path, hostile: str) -> None:
    quoted = (
        '"' + hostile.replace("\\", "\\\\").replace('"', '\\"').replace("\x1b", "\\e").replace("\u2028", "\\L") + '"'
    )
    with plain(tmp_path, FILE.replace(OLD, quoted)) as shop:
        pointer = shop.committed()
        assert pointer.reads() == hostile
        with pytest.raises(Refused) as refused:
            pointer.move(OLD, NEW, shop.said.append)
        assert all(c.isprintable() for c in str(refused.value))
        pointer.move(hostile, NEW, shop.said.append)
        assert pointer.reads() == NEW
        assert all(line.isprintable() for line in shop.message().split("\n"))
