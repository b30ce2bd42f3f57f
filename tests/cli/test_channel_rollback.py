"""Rollback: a channel is held and shows the way forward, which can be typed; it goes back only where somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release.sandbox.registry import SandboxRegistry
from tests import pushed
from tests.channeled import DAY, LATEST, STABLE, TESTING, Channeled, forged, plain
from tests.registries import Running

OLDER, ONE, TWO, THREE = "v1.29.9+rke2r1", "v1.30.1+rke2r1", "v1.30.2+rke2r1", "v1.30.3+rke2r1"
WHY = ("--reason", "agents lose their node IP", "--yes")
IMAGE = '\n[[channel.point]]\nkind = "image"\nimage = "{host}/acme/app:latest"\n'


def through(some: Channeled, clone: Path, channel: str, *tags: str) -> None:
    """Promote versions, one after the other."""
    some.out(*tags)
    for tag in tags:
        some.promote(clone, channel, "--version", tag).expect(0)


@pytest.fixture
def bad(tmp_path: Path) -> Iterator[tuple[Channeled, Path]]:
    """A channel that has a version which does harm; it had one of the minor below, and one of its own."""
    with plain(tmp_path, LATEST) as some:
        ada = some.clone()
        through(some, ada, "latest", OLDER, ONE, TWO)
        yield some, ada


def test_nobody_goes_back_unless_somebody_says_so_and_the_way_forward_is_typed_as_it_is_shown(
    bad: tuple[Channeled, Path],
) -> None:
    some, ada = bad
    said = some.text()
    told = some.invoke(ada, "channel.rollback", "latest", *WHY, "--format", "json").expect(0).value
    assert (some.text(), told["bad"], told["fix"], told["move"]) == (said, "1.30.2+rke2r1", "1.30.2+rke2r2", None)
    some.invoke(ada, "channel.list").expect(0, "held: agents lose their node IP")
    some.out(THREE)
    some.promote(ada, "latest", "--version", THREE).expect(3, r"\[channel-held\]", "agents lose their node IP")
    some.promote(ada, "").expect(0, "no channel has a release that is ripe for it")
    assert some.text() == said


def follows(some: Channeled, clone: Path, forward: list[str]) -> None:
    """A captain mends it, and types what was shown, line by line."""
    some.hand({"app.txt": "mended\n"}, "fix: agents keep their node IP")
    some.world.git(clone, "pull", "--quiet", "--ff-only")
    for line in forward:
        answer = some.typed(clone, line, "--yes")
        if answer.code == 4:
            assert "[soak]" in answer.said
            some.later(DAY)
            answer = some.typed(clone, line, "--yes")
        answer.expect(0)


def test_the_way_forward_ends_with_the_mend_in_the_channel(bad: tuple[Channeled, Path]) -> None:
    some, ada = bad
    told = some.invoke(ada, "channel.rollback", "latest", *WHY, "--format", "json").expect(0).value
    follows(some, ada, told["forward"])
    assert some.says() == {"latest": "v1.30.2+rke2r2"} == {"latest": f"v{told['fix']}"}
    assert some.state("latest").hold is None


def test_the_way_forward_goes_on_from_the_newest_of_the_line_and_through_the_channels_before(tmp_path: Path) -> None:
    with forged(tmp_path, LATEST + STABLE) as some:
        ada = some.clone()
        through(some, ada, "latest", ONE)
        some.later(DAY)
        some.promote(ada, "stable").expect(0)
        through(some, ada, "latest", TWO)
        told = some.invoke(ada, "channel.rollback", "stable", *WHY, "--format", "json").expect(0).value
        assert (told["bad"], told["fix"]) == ("1.30.1+rke2r1", "1.30.2+rke2r2")
        follows(some, ada, told["forward"])
        assert some.says() == {"latest": "v1.30.2+rke2r2", "stable": "v1.30.2+rke2r2"}


def test_the_way_forward_from_a_candidate_is_the_next_candidate(tmp_path: Path) -> None:
    with plain(tmp_path, TESTING) as some:
        ada = some.clone()
        through(some, ada, "testing", "v1.31.0-rc2+rke2r1")
        told = some.json(ada, "channel.rollback", "testing", *WHY)
        follows(some, ada, told["forward"])
        assert some.says() == {"testing": "v1.31.0-rc3+rke2r1"} == {"testing": f"v{told['fix']}"}


def test_the_way_forward_is_a_patch_where_versions_have_no_revisions(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        scheme = some.text("release.toml").replace('"semver+revision"\nrevision = "rke2r"', '"semver"')
        some.hand({"release.toml": scheme})
        ada = some.clone()
        through(some, ada, "latest", "v1.30.1")
        told = some.json(ada, "channel.rollback", "latest", *WHY)
        follows(some, ada, told["forward"])
        assert some.says() == {"latest": "v1.30.2"} == {"latest": f"v{told['fix']}"}


def test_the_way_forward_of_a_lower_line_is_from_its_own_branch(tmp_path: Path) -> None:
    by_line = LATEST.replace('"latest"\n', '"latest"\nscope = "line"\n').replace("name={channel}", "name=v{line}")
    with plain(tmp_path, by_line) as some:
        config = some.text("release.toml").replace("[commit]", 'branches = ["release-{line}", "main"]\n\n[commit]')
        some.hand({"release.toml": config})
        some.follow(**{"v1.29": "", "v1.30": ""})
        some.out("v1.29.8+rke2r1")
        some.world.git(some.git, "branch", "release-1.29", "main")
        some.out(ONE)
        ada, bob = some.clone(), some.clone("bob")
        some.promote(ada, "latest").expect(0)
        told = some.json(ada, "channel.rollback", "latest", "--line", "1.29", *WHY)
        some.world.git(bob, "checkout", "--quiet", "release-1.29")
        some.world.commit(bob, {"app.txt": "mended\n"}, "fix: agents keep their node IP")
        follows(some, ada, told["forward"])
        assert some.says() | {"latest": ""} == {"latest": "", "v1.29": "v1.29.8+rke2r2", "v1.30": ONE}


def test_a_channel_goes_back_within_its_minor_where_somebody_says_so_and_is_held_there(
    bad: tuple[Channeled, Path],
) -> None:
    some, ada = bad
    back = ("channel.rollback", "latest", "--allow-downgrade", *WHY)
    some.invoke(ada, *back).expect(0, r"v1\.30\.1\+rke2r1 +back in latest", "the way forward:")
    assert some.says() == {"latest": ONE}
    state = some.state("latest")
    assert state.hold is not None
    assert (list(state.bad), state.hold.version) == (["1.30.2+rke2r1"], "1.30.2+rke2r1")
    newest = some.json(ada, "channel.history")["moves"][0]
    assert (newest["kind"], newest["from"], newest["to"], newest["violations"]) == (
        "rollback", "1.30.2+rke2r1", "1.30.1+rke2r1", [],
    )  # fmt: skip


def test_the_same_rollback_typed_twice_goes_back_once(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        ada = some.clone()
        through(some, ada, "latest", "v1.30.0+rke2r1", ONE, TWO)
        back = ("channel.rollback", "latest", "--allow-downgrade", *WHY)
        some.invoke(ada, *back).expect(0)
        before = some.refs()
        some.invoke(some.clone("bob"), *back).expect(0, r"latest went back from 1\.30\.2\+rke2r1 to 1\.30\.1\+rke2r1")
        assert (some.refs(), some.says()) == (before, {"latest": ONE})
        some.invoke(ada, *back, "--to", "v1.30.0+rke2r1").expect(0)
        assert some.says() == {"latest": "v1.30.0+rke2r1"}
        assert list(some.state("latest").bad) == ["1.30.2+rke2r1", "1.30.1+rke2r1"]


NO_FILES = """\
#!/bin/sh
while read -r old new ref; do [ "$ref" != refs/heads/main ] || exit 1; done
"""


def test_what_is_told_to_go_on_with_a_rollback_can_be_typed_as_it_is(bad: tuple[Channeled, Path]) -> None:
    some, ada = bad
    hook = some.world.refuse("upstream", NO_FILES)
    back = ("channel.rollback", "latest", "--allow-downgrade", "--format", "json", *WHY)
    told = some.invoke(ada, *back).expect(1).value
    assert some.says() == {"latest": TWO}
    hook.unlink()
    some.typed(ada, told["move"]["next"], "--yes").expect(0)
    state = some.state("latest")
    assert (some.says(), list(state.bad), state.moves[""].outcome) == ({"latest": ONE}, ["1.30.2+rke2r1"], "finished")


def test_never_across_a_minor_nor_to_what_was_never_there(bad: tuple[Channeled, Path]) -> None:
    some, ada = bad
    some.out("v1.30.0+rke2r1")
    before = some.refs()
    back = ("channel.rollback", "latest", "--allow-downgrade", *WHY, "--to")
    some.invoke(ada, *back, OLDER).expect(
        3, r"\[rollback-minor\] .* 1\.29\.9\+rke2r1 is of another minor", "go forward"
    )
    some.invoke(ada, *back, "v1.30.0+rke2r1").expect(3, r"\[rollback-unknown\] 1\.30\.0\+rke2r1 was never in latest")
    assert some.refs() == before


def test_what_was_bad_is_not_promoted_again_unless_it_is_taken_for_good(bad: tuple[Channeled, Path]) -> None:
    some, ada = bad
    some.invoke(ada, "channel.rollback", "latest", "--allow-downgrade", *WHY).expect(0)
    some.invoke(ada, "channel.resume", "latest", "--yes").expect(0, "latest goes on; it was held: agents lose")
    some.promote(ada, "latest", "--version", TWO).expect(
        3, r"\[rolled-back\] 1\.30\.2\+rke2r1 is marked bad in latest", r"channel\.resume latest --version 1\.30\.2"
    )
    some.promote(ada, "").expect(0)
    assert some.says() == {"latest": ONE}
    some.invoke(ada, "channel.resume", "latest", "--version", TWO, "--yes").expect(0, "may be taken again")
    some.promote(ada, "").expect(0)
    assert some.says() == {"latest": TWO}


def test_what_is_bad_in_one_channel_gets_no_further(tmp_path: Path) -> None:
    with forged(tmp_path, LATEST + STABLE) as some:
        ada = some.clone()
        through(some, ada, "latest", ONE)
        some.later(DAY)
        some.invoke(ada, "channel.rollback", "latest", *WHY).expect(0)
        some.promote(ada, "stable").expect(
            3, r"\[channel-held\] latest is held for 1\.30\.1\+rke2r1", r"\[rolled-back\]"
        )
        some.invoke(ada, "channel.resume", "latest", "--yes").expect(0)
        some.promote(ada, "stable").expect(3, r"\[rolled-back\] 1\.30\.1\+rke2r1 is marked bad in latest")
        assert some.says() == {"latest": ONE, "stable": ""}


def test_an_image_goes_back_only_to_what_can_still_be_pulled(tmp_path: Path) -> None:
    with (
        SandboxRegistry(tmp_path / "registry") as registry,
        plain(tmp_path / "world", LATEST + IMAGE.replace("{host}", registry.host)) as some,
    ):
        hub = Running(registry.host)
        pushed.index(hub, "acme/app", "v1.30.1-rke2r1", "linux/amd64", "linux/arm64")
        pushed.index(hub, "acme/app", "v1.30.2-rke2r1", "linux/amd64")
        ada = some.clone()
        through(some, ada, "latest", ONE, TWO)
        tags = registry.tags("acme/app")
        old = tags["v1.30.1-rke2r1"]
        assert tags["latest"] == tags["v1.30.2-rke2r1"] != old
        registry.untag("acme/app", "v1.30.1-rke2r1")
        before = some.refs()
        back = ("channel.rollback", "latest", "--allow-downgrade", *WHY)
        some.invoke(ada, *back).expect(3, r"v1\.30\.1-rke2r1")
        assert (some.refs(), registry.tags("acme/app")["latest"]) == (before, tags["latest"])
        registry.tag("acme/app", "v1.30.1-rke2r1", old)
        some.invoke(ada, *back).expect(0)
        assert (some.says(), registry.tags("acme/app")["latest"]) == ({"latest": ONE}, old)
