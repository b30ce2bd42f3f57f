"""What a component that looks after itself has to make: of any upstream's releases, whatever is here already."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import Config, Downstream, Project
from release.core.finding import Conflict
from release.core.fleet import resolved
from release.core.model import Tag
from release.core.sync import Due, Offer, Sync, Synced, doubt, due, newest, own, strays

DAY = "2026-03-0{}T12:00:00+00:00"
ONE = Downstream("only", "../only.git")


def config(*downstreams: Downstream, since: str = "") -> Config:
    return resolved(Config(project=Project("demo", since=since), downstream=downstreams or (ONE,)))


def offer(tag: str, date: str = DAY.format(1), files: frozenset[str] | None = None) -> Offer:
    return Offer(Tag(tag, "c" * 40, date), files)


def found(some: Config, offers: list[Offer], **more: object) -> tuple[Due, ...]:
    parents = more.pop("parents", {})
    answer = due(some, some.downstream[0], offers, parents, **more)  # type: ignore[arg-type]
    assert not isinstance(answer, Conflict), answer
    return answer


VERSIONS = st.tuples(
    st.integers(0, 2), st.integers(0, 3), st.integers(0, 12), st.sampled_from(["", "-rc.1", "-rc.2", "-rc.10"])
)


@given(
    st.sets(VERSIONS),
    st.sampled_from(["always", "final", "candidate"]),
    st.sets(st.sampled_from(["0.1", "1.2", "2.0"])),
)
def test_it_is_every_release_of_its_lines_and_kind_once_and_by_precedence(
    versions: set[tuple[int, int, int, str]], when: str, lines: set[str]
) -> None:
    one = Downstream("only", "../only.git", tag="x-{version}", when=when, lines=tuple(lines))  # type: ignore[arg-type]
    names = {f"v{x}.{y}.{z}{rc}": (x, y, z, rc) for x, y, z, rc in versions}
    wanted = {
        name for name, (x, y, _, rc) in names.items()
        if (not lines or f"{x}.{y}" in lines) and when in ("always", "candidate" if rc else "final")
    }  # fmt: skip
    got = found(config(one), [offer(name) for name in names])
    assert {each.release for each in got} == wanted
    order = [
        (x, y, z, not rc, int(rc.rpartition(".")[2] or 0)) for x, y, z, rc in (names[each.release] for each in got)
    ]
    assert order == sorted(order)
    assert all(each.wish.tag == f"x-{each.release[1:]}" and not each.waits for each in got)


def test_what_is_no_version_or_on_no_commit_is_none_of_its_business() -> None:
    assert [
        each.release for each in found(config(), [offer("v1.0.0"), offer("nightly"), offer("v1.0.1", date="")])
    ] == ["v1.0.0"]


def test_history_ends_where_the_upstream_says_and_the_command_may_say_otherwise() -> None:
    offers = [offer(f"v1.0.{day}", DAY.format(day)) for day in range(1, 6)]
    some = config(since="v1.0.3")
    assert [each.release for each in found(some, offers)] == ["v1.0.3", "v1.0.4", "v1.0.5"]
    assert [each.release for each in found(some, offers, since="2026-03-05")] == ["v1.0.5"]
    assert len(found(some, offers[3:])) == 2, "what is newer than all that is listed is no history"
    refused = due(some, some.downstream[0], offers, {}, since="yesterday")
    assert isinstance(refused, Conflict)
    assert refused.rule == "bad-date"


@pytest.mark.parametrize(
    ("files", "waits"),
    [
        (frozenset({"a-amd64", "a-arm64", "more"}), ""),
        (frozenset({"a-amd64"}), "waits for a-arm64 of v1.0.0"),
        (frozenset(), "waits for a-amd64, a-arm64 of v1.0.0"),
        (None, ""),
    ],
)
def test_files_have_to_be_there_where_somebody_tells_of_files(files: frozenset[str] | None, waits: str) -> None:
    one = Downstream("only", "acme/only", after_assets=("a-{arch}",), platforms=("linux/amd64", "linux/arm64"))
    (only,) = found(config(one), [offer("v1.0.0", files=files)])
    assert only.waits == waits


@pytest.mark.parametrize(
    ("parents", "waits"),
    [
        ({}, "waits for p-v1.0.0 of parent"),
        ({"parent": {"p-v1.0.1": None}}, "waits for p-v1.0.0 of parent"),
        ({"parent": {"p-v1.0.0": frozenset({"other"})}}, "waits for p-v1.0.0.txt of p-v1.0.0"),
        ({"parent": {"p-v1.0.0": frozenset({"p-v1.0.0.txt"})}}, ""),
    ],
)
def test_what_it_is_built_on_comes_first_with_that_ones_files(
    parents: Mapping[str, Mapping[str, frozenset[str] | None]], waits: str
) -> None:
    one = Downstream("only", "acme/only", of="parent", after_assets=("{tag}.txt",))
    some = config(one, Downstream("parent", "acme/parent", tag="p-{tag}"))
    there = {name: {tag: offer(tag, files=files) for tag, files in tags.items()} for name, tags in parents.items()}
    (only,) = found(some, [offer("v1.0.0", files=frozenset({"upstream.txt"}))], parents=there)
    assert only.waits == waits
    assert only.wish.tag == "p-v1.0.0"


def test_the_newest_are_those_of_the_newest_commits_wherever_their_clocks_were() -> None:
    offers = [offer("v3.0.0", DAY.format(1)), offer("v1.0.9", "2026-03-02T01:00:00+09:00"), offer("v1.0.8", DAY.format(3)), offer("tree", "")]  # fmt: skip
    assert [one.tag.name for one in newest(offers, 2)] == ["v1.0.8", "v1.0.9"]
    assert [one.tag.name for one in newest(offers, 9)] == ["v1.0.8", "v1.0.9", "v3.0.0"]


HERE = {"v1.0.0": "h", "v1.1.0": "h"}


@pytest.mark.parametrize(
    ("offered", "tags", "here", "doubted"),
    [
        (["v1.0.0", "v1.1.0"], ["v1.0.0", "v1.1.0"], HERE, False),
        ([], [], {}, False),
        ([], ["v1.0.0"], {}, False),
        ([], ["v1.0.0", "v1.1.0"], HERE, True),
        ([], [], HERE, True),
        (["v1.0.0"], ["v1.0.0", "v1.1.0"], HERE, True),
        (["v1.1.0"], ["v1.0.0", "v1.1.0"], HERE, False),
        (["v1.0.0"], ["v1.0.0"], HERE, False),
        (["v1.0.0", "v1.2.0"], ["v1.0.0", "v1.1.0", "v1.2.0"], HERE, False),
    ],
)
def test_a_list_that_makes_the_newest_look_old_is_not_believed(
    offered: list[str], tags: list[str], here: Mapping[str, str], doubted: bool
) -> None:
    why = doubt(config(), ONE, [offer(tag) for tag in offered], dict.fromkeys(tags, "c"), here)
    assert bool(why) == doubted
    assert ("v1.1.0" in why) == doubted


def test_a_tag_here_that_the_upstream_has_not_is_a_stray() -> None:
    assert strays(config(), ONE, {"v1.0.0": "c"}, {"v1.0.0": "h", "v9.0.0": "h", "nightly": "h"}) == ("v9.0.0",)


@pytest.mark.parametrize(
    ("downstreams", "name", "rule"),
    [
        ([ONE], "", ""),
        ([ONE], "only", ""),
        ([ONE], "other", "sync-unknown"),
        ([Downstream("other", "../other.git")], "", "sync-unknown"),
        ([ONE, Downstream("again", "../only.git", tag="x{tag}")], "", "sync-unknown"),
        ([ONE, Downstream("again", "../only.git", tag="x{tag}")], "only", ""),
        ([Downstream("only", "../only.git", trigger="none")], "", "sync-none"),
        ([Downstream("only", "../only.git", per="channel", tag="{tag}.{channel}.{n}")], "", "sync-channel"),
    ],
)
def test_which_component_this_is_is_told_by_its_repository_or_its_name(
    downstreams: list[Downstream], name: str, rule: str
) -> None:
    answer = own(config(*downstreams), "https://example.org/acme/app.git", name, "https://example.org/acme/only")
    assert (answer.rule if isinstance(answer, Conflict) else "") == rule


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([], 0),
        (["there", "made"], 0),
        (["waits", "made"], 4),
        (["blocked", "waits"], 3),
        (["waits", "failed", "blocked"], 1),
    ],
)
def test_the_worst_of_several_decides_the_exit_code(states: list[str], code: int) -> None:
    assert Sync("only", "app", tuple(Synced("v1", "v1", state) for state in states)).code == code  # type: ignore[arg-type]
