"""Whose a pull request is: the author of a merge that speaks for it, and the people of one that several wrote."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from release.core.commits import Change, changes
from release.core.facts import Pull
from release.core.model import Commit, Person
from release.core.pulls import attributed
from release.core.story import Contributor, contributors

ANN, BEN, CLEO = (Person(name, f"{name.lower()}@example.org") for name in ("Ann", "Ben", "Cleo"))


def oid(name: str) -> str:
    return name.encode().hex().ljust(40, "0")


def commit(name: str, author: Person, *parents: str, message: str = "wip") -> Commit:
    return Commit(oid(name), tuple(map(oid, parents)), author, "2026-01-01T00:00:00Z", message)


def merge(name: str, *parents: str) -> Commit:
    """A merge that Cleo made on the forge's page."""
    return commit(name, CLEO, *parents, message="Merge pull request #1 from a/b\n\nfix: mend it")


def spoken(commits: Sequence[Commit]) -> Person:
    """Who is told to have written the merge, the first of the commits."""
    trunk = changes(commits[:1], first_parent=True)
    (found,) = attributed(trunk, commits, [Pull(1, "fix: mend it", "", (), "ann", commits[0].id)])
    return found.author


def test_a_merge_is_by_whoever_wrote_the_head_of_what_it_merged() -> None:
    assert spoken([merge("m", "base", "b"), commit("b", ANN, "a"), commit("a", BEN, "base")]) == ANN


def test_merges_that_bring_a_branch_up_to_date_are_passed_over() -> None:
    up_to_date = commit("u", CLEO, "b", "base", message="Merge branch 'main' into b")
    assert spoken([merge("m", "base", "u"), up_to_date, commit("b", ANN, "old")]) == ANN


def test_a_merge_keeps_its_author_where_what_it_merged_is_not_known() -> None:
    assert spoken([merge("m", "base", "elsewhere")]) == CLEO
    assert spoken([merge("m", "base", "u"), commit("u", BEN, "elsewhere", "base")]) == CLEO


def test_a_squash_keeps_its_author() -> None:
    assert spoken([commit("s", BEN, "base", message="fix: mend it (#1)")]) == BEN


def wrote(author: Person, pull: int, login: str) -> Change:
    return Change(oid("c"), "fix", "", False, "mend it", "", author, pull, login)


def test_who_opened_a_pull_request_is_not_taken_for_everybody_who_wrote_it() -> None:
    found = contributors([wrote(ANN, 1, "ann"), wrote(BEN, 1, "ann")], {"ann@example.org"})
    assert found == (Contributor("Ann", "", False, 1), Contributor("Ben", "", True, 1))


def test_another_pull_request_tells_whose_the_login_is() -> None:
    found = contributors([wrote(ANN, 1, "ann"), wrote(BEN, 1, "ann"), wrote(ANN, 2, "ann"), wrote(BEN, 3, "benny")])
    assert found == (Contributor("Ann", "ann", False, 1), Contributor("Ben", "benny", False, 1))


@pytest.mark.parametrize("address", ["ann@users.noreply.github.com", "12+Ann@users.noreply.github.example.org"])
def test_an_address_of_the_forges_own_tells_whose_the_login_is(address: str) -> None:
    found = contributors([wrote(Person("Ann", address), 1, "ann"), wrote(BEN, 1, "ann")])
    assert found == (Contributor("Ann", "ann", False, 1), Contributor("Ben", "", False, 1))


@pytest.mark.parametrize("address", ["joann@users.noreply.github.com", "ann@example.org", "ann@noreply.github.com"])
def test_other_addresses_do_not(address: str) -> None:
    found = contributors([wrote(Person("Joann", address), 1, "ann"), wrote(BEN, 1, "ann")])
    assert [one.login for one in found] == ["", ""]


def test_one_with_two_addresses_or_two_spellings_of_a_name_is_still_one() -> None:
    web = Person("Ann", "12+ann@users.noreply.github.com")
    assert contributors([wrote(ANN, 1, "ann"), wrote(web, 1, "ann")]) == (Contributor("Ann", "ann", False, 1),)
    short = Person("A.", ANN.email)
    assert contributors([wrote(ANN, 1, "ann"), wrote(short, 1, "ann")]) == (Contributor("Ann", "ann", False, 1),)
