"""A channel's value is asked for by one pull request, which is never doubled and never takes anybody's work away."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import msgspec
import pytest

from release.core.pointer_proposal import asking
from release.errors import Refused, Uncertain
from release.sandbox.forge import Fault, merge
from tests.forged import CAPTAIN
from tests.pointing import FILE, KEY, NAME, NEW, NEXT, OLD, OURS, PATH, WISH, Shop, forged

LATER = msgspec.structs.replace(WISH, value=NEXT)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with forged(tmp_path) as made:
        yield made


def test_one_pull_request_asks_waits_and_is_done_by_its_merge(shop: Shop) -> None:
    pointer, before = shop.proposed(), shop.everything()
    assert (pointer.reads(), pointer.wanted(), pointer.waits(OLD, NEW)) == (OLD, NEW, "")
    assert pointer.lacking() == ()
    assert shop.everything() == before, "looking wrote something"
    pointer.move(OLD, NEW, shop.said.append)
    (pull,) = shop.pulls()
    assert (pull["title"], pull["head"], pull["base"]) == (f"chore(channels): stable/{KEY} to {NEW}", OURS, "main")
    assert f"- `{PATH} {KEY}`: `{NEW}`, was `{OLD}`" in pull["body"]
    assert shop.show(OURS) == FILE.replace(OLD, NEW)
    assert pointer.waits(OLD, NEW).startswith("the merge of #1 http")
    assert pointer.reads() == OLD
    written = shop.everything()
    pointer.move(OLD, NEW, shop.said.append)
    other = shop.proposed("bob")
    other.move(OLD, NEW, shop.said.append)
    assert other.waits(OLD, NEW) == pointer.waits(OLD, NEW)
    assert shop.everything() == written, "a second pass changed something"
    assert shop.forge is not None
    merge(shop.forge, NAME, 1, CAPTAIN, "squash")
    assert (shop.proposed().reads(), shop.show()) == (NEW, FILE.replace(OLD, NEW))


def test_a_later_version_updates_the_same_pull_request(shop: Shop) -> None:
    shop.proposed().move(OLD, NEW, shop.said.append)
    later = shop.proposed("bob", wish=LATER)
    assert later.waits(OLD, NEXT) == "", "what is open asks for something else"
    later.move(OLD, NEXT, shop.said.append)
    (pull,) = shop.pulls()
    assert pull["title"].endswith(f"to {NEXT}")
    assert shop.show(OURS) == FILE.replace(OLD, NEXT)
    assert shop.world.git(shop.git, "rev-list", "--count", f"main..{OURS}") == "1"
    assert later.waits(OLD, NEXT)


def test_after_a_merge_the_next_move_asks_anew_on_the_branch_that_is_left(shop: Shop) -> None:
    shop.proposed().move(OLD, NEW, shop.said.append)
    assert shop.forge is not None
    merge(shop.forge, NAME, 1, CAPTAIN, "squash")
    pointer = shop.proposed(wish=LATER)
    pointer.move(NEW, NEXT, shop.said.append)
    assert [pull["number"] for pull in shop.pulls()] == [1, 2]
    assert shop.world.git(shop.git, "diff", "--name-only", "main", OURS) == PATH
    merge(shop.forge, NAME, 2, CAPTAIN, "merge")
    back = shop.proposed(wish=WISH)
    back.move(NEXT, NEW, shop.said.append)
    assert back.waits(NEXT, NEW).startswith("the merge of #3 ")


def test_where_the_file_has_changed_it_is_asked_for_on_the_new_one(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    shop.commit({"README": "more\n"})
    assert pointer.waits(OLD, NEW), "what else is on the branch is no matter"
    changed = FILE.replace("v1.31.0+rke2r1", "v1.31.1+rke2r1")
    shop.commit({PATH: changed})
    assert pointer.waits(OLD, NEW) == ""
    pointer.move(OLD, NEW, shop.said.append)
    assert shop.show(OURS) == changed.replace(OLD, NEW)
    assert len(shop.pulls()) == 1
    assert pointer.waits(OLD, NEW)


def test_closed_without_a_merge_is_a_no_to_that_move_and_to_no_other(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    shop.state(1, state="closed")
    before = shop.everything()
    assert pointer.waits(OLD, NEW) == ""
    with pytest.raises(Refused, match=r"#1 .*, which was for v1\.30\.2\+rke2r1, was closed without a merge") as refused:
        pointer.move(OLD, NEW, shop.said.append)
    assert "reopen it and merge it" in refused.value.remedy
    assert shop.everything() == before
    shop.proposed(wish=LATER).move(OLD, NEXT, shop.said.append)
    assert [pull["state"] for pull in shop.pulls()] == ["closed", "open"]


def test_what_is_reopened_waits_again(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    shop.state(1, state="closed")
    shop.state(1, state="open")
    assert pointer.waits(OLD, NEW).startswith("the merge of #1 ")


def test_a_merge_that_was_taken_back_is_no_no(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    assert shop.forge is not None
    merge(shop.forge, NAME, 1, CAPTAIN, "squash")
    shop.commit({PATH: FILE})
    pointer.move(OLD, NEW, shop.said.append)
    assert pointer.waits(OLD, NEW).startswith("the merge of #2 ")


def test_others_commits_on_our_branch_stay_and_wait_with_ours(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    theirs = shop.commit({"NOTES": "see\n"}, OURS)
    assert pointer.waits(OLD, NEW).endswith(", with others' commits in it")
    pointer.move(OLD, NEW, shop.said.append)
    assert shop.head(OURS) == theirs
    with pytest.raises(Refused, match=f"has {theirs[:10]}, which somebody else committed, and does not say"):
        shop.proposed(wish=LATER).move(OLD, NEXT, shop.said.append)
    assert shop.head(OURS) == theirs


def test_a_commit_that_only_says_that_it_is_ours_is_not(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    place = shop.world.folder / "guest"
    shop.commit({"NOTES": "see\n", PATH: FILE}, OURS)
    claim = asking(WISH, OLD, NEXT, "0" * 64, "0" * 40)
    shop.world.git(place, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "--amend", "-m", claim)
    shop.world.git(place, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{OURS}")
    theirs = shop.head(OURS)
    with pytest.raises(Refused, match="which somebody else committed"):
        pointer.move(OLD, NEW, shop.said.append)
    assert shop.head(OURS) == theirs


def test_others_commits_that_were_merged_make_room(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    shop.commit({"NOTES": "see\n"}, OURS)
    assert shop.forge is not None
    merge(shop.forge, NAME, 1, CAPTAIN, "squash")
    later = shop.proposed(wish=LATER)
    later.move(NEW, NEXT, shop.said.append)
    assert later.waits(NEW, NEXT).startswith("the merge of #2 ")
    assert shop.show(OURS, "NOTES") == "see\n"


def test_a_pull_request_of_somebody_else_from_our_branch_is_theirs(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    shop.state(1, body="mine now")
    before = shop.everything()
    assert pointer.waits(OLD, NEW) == ""
    with pytest.raises(Refused, match=r"#1 .* carries no mark of ours"):
        pointer.move(OLD, NEW, shop.said.append)
    assert shop.everything() == before


def test_what_people_write_above_the_mark_stays(shop: Shop) -> None:
    pointer = shop.proposed()
    pointer.move(OLD, NEW, shop.said.append)
    words = "Please wait for QA.\n\n" + shop.pulls()[0]["body"]
    shop.state(1, body=words)
    assert pointer.waits(OLD, NEW)
    pointer.move(OLD, NEW, shop.said.append)
    assert shop.pulls()[0]["body"] == words


def test_who_moved_it_by_hand_meanwhile_is_not_written_over(shop: Shop) -> None:
    shop.commit({PATH: FILE.replace(OLD, NEXT)})
    with pytest.raises(Refused, match=r"file says v1\.30\.3\+rke2r1 by now"):
        shop.proposed().move(OLD, NEW, shop.said.append)
    assert shop.pulls() == []


def test_two_captains_at_once_open_one(shop: Shop) -> None:
    start = Barrier(2)
    pointers = [shop.proposed(captain) for captain in ("ada", "bob")]

    def move(number: int) -> None:
        start.wait()
        pointers[number].move(OLD, NEW, shop.said.append)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(move, (0, 1)))
    assert len(shop.pulls()) == 1
    assert pointers[0].waits(OLD, NEW) == pointers[1].waits(OLD, NEW) != ""


def test_a_lost_answer_is_looked_after_and_nothing_is_doubled(shop: Shop) -> None:
    assert shop.forge is not None
    shop.forge.faults(Fault("POST", f"/repos/{NAME}/pulls", when="after", reset=True))
    pointer = shop.proposed()
    with pytest.raises(Uncertain):
        pointer.move(OLD, NEW, shop.said.append)
    assert pointer.waits(OLD, NEW).startswith("the merge of #1 ")
    assert len(shop.pulls()) == 1


def test_what_the_forge_refuses_is_told_and_the_branch_waits_for_the_next_run(shop: Shop) -> None:
    assert shop.forge is not None
    shop.forge.faults(Fault("POST", f"/repos/{NAME}/pulls", status=403, body={"message": "not now"}))
    pointer = shop.proposed()
    with pytest.raises(Refused, match="not now"):
        pointer.move(OLD, NEW, shop.said.append)
    ours = shop.head(OURS)
    assert pointer.waits(OLD, NEW) == ""
    pointer.move(OLD, NEW, shop.said.append)
    assert shop.head(OURS) == ours
    assert pointer.waits(OLD, NEW)


def test_a_token_that_may_not_propose_is_told_beforehand(shop: Shop) -> None:
    assert shop.forge is not None
    found = shop.proposed(token=shop.forge.token("stranger")).lacking()
    assert [conflict.rule for conflict in found] == ["forge-right"]
    gone = msgspec.structs.replace(WISH, key="nothing")
    assert [conflict.rule for conflict in shop.proposed(wish=gone).lacking()] == ["pointer-missing"]
