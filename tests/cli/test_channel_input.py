"""What a captain types wrongly about channels: each is told with what to type, ends with 2, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.channeled import FILE, LATEST, STABLE, Channeled, plain

TAG = "v1.30.1+rke2r1"
BY_LINE = '\n[[channel]]\nname = "lines"\nscope = "line"\n' + FILE.replace(
    "name={channel}", "name=v{line}"
)  # nobody promotes to it
WHY = ("--reason", "it leaks")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Channeled, Path]]:
    with plain(tmp_path_factory.mktemp("input"), LATEST + STABLE + BY_LINE) as some:
        some.out(TAG, "v1.30.2-rc1+rke2r1")
        ada = some.clone()
        some.promote(ada, "latest").expect(0)
        yield some, ada


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("promote --yes", r"say what is to be promoted\n +--to CHANNEL, or --auto"),
        ("promote --to latest --auto --yes", "say what is to be promoted"),
        (f"promote --auto --version {TAG} --yes", "--auto takes what is ripe by the rules"),
        ("promote --auto --waive soak --reason x --yes", "--auto takes what is ripe by the rules"),
        ("promote --to lastest --yes", r"there is no channel 'lastest'\n +there are: latest, stable, lines"),
        ("promote --to latest --version v9.9.9+rke2r1 --yes", r"v9\.9\.9\+rke2r1 is not there: no channel can have it"),
        ("promote --to latest --version newest --yes", r"'newest' is no version .*\n +write it like v1\.2\.3\+rke2r1"),
        ("promote --to stable --waive unproved --reason x --yes", "unproved cannot be waived"),
        ("promote --to stable --waive nonsense --reason x --yes", "nonsense cannot be waived"),
        ("promote --to stable --waive soak --yes", "a rule is waived for a reason"),
        ("plan --to lastest", "there is no channel 'lastest'"),
        ("plan", "say what is to be promoted"),
        ("rollback latest --yes", r'a channel is rolled back for a reason\n +say --reason "\.\.\."'),
        ("rollback lastest --reason x --yes", "there is no channel 'lastest'"),
        ("rollback latest --line 1.30 --reason x --yes", r"latest has one version for all lines\n +leave --line out"),
        ("rollback lines --reason x --yes", r"lines has a version for each line\n +say --line: 1\.30"),
        ("rollback latest --to v9.9.9+rke2r1 --allow-downgrade --reason x --yes", r"v9\.9\.9\+rke2r1 is not there"),
        ("resume lastest --yes", "there is no channel 'lastest'"),
        (f"resume latest --version {TAG} --yes", r"latest has nothing against 1\.30\.1\+rke2r1"),
        ("approve latest", r"a yes is to one version\n +say --version V"),
        (f"approve latest --version {TAG}", r"latest waits for nobody's approval\n +\[\[channel\]\] approvals"),
        ("history --channel lastest", "there is no channel 'lastest'"),
    ],
)
def test_it_is_told_with_what_to_type_and_nothing_is_written(
    world: tuple[Channeled, Path], line: str, says: str
) -> None:
    some, ada = world
    before = some.refs()
    some.invoke(ada, *f"channel.{line}".split(" ")).expect(2, f"error: .*{says}" if not says.startswith("'") else says)
    assert some.refs() == before


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("promote --to latest --version v1.30.2-rc1+rke2r1 --yes", "channel-accepts"),
        ("rollback stable --reason x --yes", "rollback-nothing"),
        (f"rollback latest --to {TAG} --reason x --yes", "rollback-downgrade"),
        (f"rollback latest --to {TAG} --allow-downgrade --reason x --yes", "rollback-forward"),
        ("rollback latest --allow-downgrade --reason x --yes", "rollback-nothing"),
    ],
)
def test_what_the_rules_do_not_let_is_refused_by_its_rule_and_nothing_is_written(
    world: tuple[Channeled, Path], line: str, rule: str
) -> None:
    some, ada = world
    before = some.refs()
    some.invoke(ada, *f"channel.{line}".split(" ")).expect(3, rf"\[{rule}\]")
    assert some.refs() == before


def test_a_channel_that_is_not_held_is_not_resumed_and_nothing_is_written(world: tuple[Channeled, Path]) -> None:
    some, ada = world
    before = some.refs()
    some.invoke(ada, "channel.resume", "latest", "--yes").expect(0, "latest was not held")
    assert some.refs() == before


def test_nobody_is_asked_without_a_terminal_and_nothing_moves_without_a_yes(world: tuple[Channeled, Path]) -> None:
    some, ada = world
    some.out("v1.30.3+rke2r1")
    before = some.refs()
    some.invoke(ada, "channel.promote", "--to", "latest").expect(2, "--yes")
    some.invoke(ada, "channel.promote", "--auto").expect(2, "--yes")
    some.invoke(ada, "channel.rollback", "latest", *WHY).expect(2, "--yes")
    assert some.refs() == before


def test_an_upstream_without_channels_is_told_how_to_write_one(tmp_path: Path) -> None:
    with plain(tmp_path, "") as some:
        ada = some.clone()
        for command in ("list", "history"):
            some.invoke(ada, f"channel.{command}").expect(2, r"release\.toml has no \[\[channel\]\]")


def test_a_schedule_that_may_not_act_tells_what_it_would_hold_and_holds_nothing(tmp_path: Path) -> None:
    ill = '\n[[channel.health]]\nname = "well"\nkind = "command"\nrun = ["false"]\n'
    with plain(tmp_path, LATEST + STABLE + ill) as some:
        some.out("v1.30.1+rke2r1")
        ada = some.clone()
        some.promote(ada, "latest").expect(0)
        before = some.refs()
        some.invoke(ada, "channel.plan", "--auto").expect(3, "in latest: unhealthy")
        some.invoke(ada, "channel.promote", "--auto").expect(2, "nobody is here to be asked")
        assert some.refs() == before
        some.promote(ada, "").expect(3, "held: ")
        assert some.state("latest").hold is not None
        some.invoke(ada, "channel.promote", "--auto").expect(0, "nothing to do")
