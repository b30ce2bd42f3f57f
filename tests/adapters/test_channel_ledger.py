"""A channel's record is written to by whoever comes, at the same time too; its history is walked, never held."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import msgspec
import pytest

from release.adapters.git.channel_claims import ChannelClaims
from release.adapters.git.channels import AT_ONCE, GitChannelLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.core.channel_record import ChannelRecord, ChannelState, Hold, Move, Standing
from release.core.model import Person, Release
from release.core.moves import ended, with_move
from release.core.record import Proof
from release.errors import Refused, ReleaseError, Uncertain, Unseen
from tests.world import World

ADA, EVE = Person("Ada", "ada@example.org"), Person("Eve", "eve@example.org")
DATE = "2026-02-03T04:05:06+00:00"
REF = "refs/sluice/channels/stable"
# As if the remote had taken a push and died before it could say so.
DUMB = "#!/bin/sh\nkill -9 $(ps -o ppid= -p $PPID)\n"


@pytest.fixture
def ledger(world: World) -> GitChannelLedger:
    return opened(world)


def opened(world: World, name: str = "store", who: Person = ADA) -> GitChannelLedger:
    """The ledger as one captain's machine has it."""
    remote = GitRemote(world.remote().as_uri(), Runner(store(world.folder / f"{name}.git")))
    return GitChannelLedger(remote, who, lambda: DATE)


def counted(state: ChannelState) -> tuple[ChannelState, str]:
    return msgspec.structs.replace(state, number=state.number + 1), f"number {state.number + 1}"


def held(why: str) -> Hold:
    return Hold(why, ADA, DATE)


def move(tag: str = "v1.0.0") -> Move:
    return Move(1, "promotion", "", tag[1:], tag, "c" * 40, "", ADA, DATE)


def a_release(tag: str = "v1.0.0") -> Release:
    return Release(tag[1:], tag, "1.0", "final", "minor", None, "main", "0" * 40, DATE, ADA)


def begun(ledger: GitChannelLedger, tag: str = "v1.0.0") -> None:
    ledger.change("stable", lambda state: (with_move(state, move(tag)), f"begun {tag}"))


def forged(world: World, content: bytes, path: str = "channel.json") -> None:
    """A record as somebody else may have written it."""
    clone = world.folder / "forge"
    if not clone.exists():
        world.git(world.folder, "clone", "--quiet", str(world.remote()), str(clone))
    (clone / path).write_bytes(content)
    world.commit(clone, {}, "forged", push=False)
    world.git(clone, "push", "--quiet", "--force", "origin", f"HEAD:{REF}")


def test_a_channel_that_nobody_wrote_of_has_an_empty_record_and_no_history(ledger: GitChannelLedger) -> None:
    assert ledger.read("stable") == ChannelRecord("stable") == ledger.latest("stable")
    assert list(ledger.history("stable")) == []


def test_what_is_written_is_read_the_same_on_another_machine(world: World, ledger: GitChannelLedger) -> None:
    state = ChannelState({"1.0": Standing("1.0.0", "v1.0.0", DATE)}, hold=held("ü\u2028\x1b[2J"), releases=7)
    written = ledger.change("stable", lambda old: (state, "as it is"))
    assert written.state == state
    assert world.refs()[REF] == written.tip
    assert opened(world, "other").read("stable") == written == ledger.latest("stable")
    assert ledger.read("latest") == ChannelRecord("latest")
    shown = world.git(world.remote(), "show", f"{REF}:channel.json")
    assert len(shown.splitlines()) > 5, "people read it, too"


def test_where_nothing_changes_nothing_is_written(world: World, ledger: GitChannelLedger) -> None:
    assert ledger.change("stable", lambda state: (state, "nothing")).tip == ""
    ledger.change("stable", counted)
    before = world.refs()
    ledger.change("stable", lambda state: (state, "nothing"))
    assert world.refs() == before


def test_a_refusal_of_the_change_itself_writes_nothing(world: World, ledger: GitChannelLedger) -> None:
    def refuses(state: ChannelState) -> tuple[ChannelState, str]:
        raise Refused("not so", "otherwise")

    before = world.refs()
    with pytest.raises(Refused, match="not so"):
        ledger.change("stable", refuses)
    assert world.refs() == before


def test_a_change_is_asked_again_about_what_somebody_else_wrote_meanwhile(
    world: World, ledger: GitChannelLedger
) -> None:
    other, seen = opened(world, "other", EVE), []

    def late(state: ChannelState) -> tuple[ChannelState, str]:
        seen.append(state.number)
        if len(seen) == 1:
            other.change("stable", counted)
        return counted(state)

    assert ledger.change("stable", late).state.number == 2
    assert seen == [0, 1]
    assert [entry.by for entry in ledger.history("stable")] == [ADA, EVE]


def test_many_that_write_at_once_lose_nothing(world: World) -> None:
    ledgers = [
        opened(world, f"store{number}", Person(f"Captain {number}", "captain@example.org")) for number in range(3)
    ]
    with ThreadPoolExecutor(6) as pool:
        written = list(pool.map(lambda number: ledgers[number % 3].change("stable", counted), range(18)))
    assert sorted(record.state.number for record in written) == list(range(1, 19))
    assert [entry.state.number for entry in opened(world, "last").history("stable")] == list(range(18, 0, -1))


def test_a_write_whose_answer_was_lost_is_looked_after(world: World, ledger: GitChannelLedger) -> None:
    hook = world.refuse("upstream", DUMB, "post-receive")
    written = ledger.change("stable", counted)
    hook.unlink()
    assert world.refs()[REF] == written.tip
    assert opened(world, "other").read("stable") == written


def test_a_write_that_is_refused_says_so_and_is_not_tried_without_end(world: World, ledger: GitChannelLedger) -> None:
    world.refuse("upstream")
    with pytest.raises(Refused, match="not today"):
        ledger.change("stable", counted)
    assert REF not in world.refs()
    assert ledger.read("stable") == ChannelRecord("stable")


def test_a_remote_that_is_gone_is_unseen(world: World, ledger: GitChannelLedger) -> None:
    ledger.change("stable", counted)
    world.remote().rename(world.folder / "gone")
    for look in (ledger.read, opened(world, "other").latest, lambda name: list(ledger.history(name))):
        with pytest.raises(Unseen):
            look("stable")
    with pytest.raises((Unseen, Uncertain)):
        ledger.change("stable", counted)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b"", "channel.json"),
        (b"{", "channel.json"),
        (b'{"standing": []}', "channel.json"),
        (b"\xff", "channel.json"),
        (b"[" * 100_000, "channel.json"),
        (b'{"moves": {"": {"outcome": "lost"}}}', "channel.json"),
        (b" " * ((8 << 20) + 1), "channel.json"),
        (b"{}", "other.json"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_never_taken_for_empty(
    world: World, ledger: GitChannelLedger, content: bytes, path: str
) -> None:
    forged(world, content, path)
    before = world.refs()
    for ask in (ledger.read, lambda name: list(ledger.history(name)), lambda name: ledger.change(name, counted)):
        with pytest.raises(ReleaseError, match=f"the record {REF} at") as told:
            ask("stable")
        assert not isinstance(told.value, Unseen)
    assert world.refs() == before


def test_what_a_newer_version_adds_does_no_harm(world: World, ledger: GitChannelLedger) -> None:
    forged(world, b'{"number": 3, "weather": "fine"}')
    assert ledger.read("stable").state == ChannelState(number=3)


def test_what_was_merged_into_the_chain_is_not_of_it(world: World, ledger: GitChannelLedger) -> None:
    for _ in range(2):
        ledger.change("stable", counted)
    clone = world.clone("hand")
    world.git(clone, "fetch", "--quiet", "origin", REF)
    world.git(clone, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    world.git(clone, "merge", "--quiet", "--no-ff", "--allow-unrelated-histories", "-m", "by hand", "origin/main")
    world.git(clone, "push", "--quiet", "origin", f"HEAD:{REF}")
    told = [(entry.message, entry.by.name) for entry in ledger.history("stable")]
    assert told == [("by hand", "seed@name"), ("stable: number 2", "Ada"), ("stable: number 1", "Ada")]


def test_a_history_of_ten_thousand_is_walked_and_not_held(world: World, ledger: GitChannelLedger) -> None:
    many, blob = 10_000, "x" * 2000
    lines = []
    for number in range(1, many + 1):
        text = msgspec.json.encode(ChannelState(number=number, hold=held(blob))).decode()
        lines += [f"commit {REF}", f"committer Ada <ada@example.org> {1_700_000_000 + number} +0000"]
        lines += [
            f"data {len(f'number {number}')}",
            f"number {number}",
            f"M 100644 inline channel.json\ndata {len(text)}",
            text,
        ]
    world.git(world.remote(), "fast-import", "--quiet", stdin="\n".join(lines) + "\n")
    assert [entry.state.number for entry in islice(ledger.history("stable"), 3)] == [many, many - 1, many - 2]
    tracemalloc.start()
    left = many
    for entry in ledger.history("stable"):
        assert entry.state.number == left
        left -= 1
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left == 0
    assert most < many * len(blob) / 4, "so much would be most of it"
    assert most > AT_ONCE * len(blob), "it was looked at"


def test_a_claim_is_made_once_and_only_over_what_it_knew(world: World, ledger: GitChannelLedger) -> None:
    release, other = a_release(), opened(world, "other", EVE)
    ours, theirs = ChannelClaims(ledger, "stable", ""), ChannelClaims(other, "stable", "")
    assert ours.fresh(release) is None
    assert ours.latest(release) is None
    begun(ledger)
    record, second = ours.fresh(release), theirs.fresh(release)
    assert record is not None
    assert record == second
    assert (record.state.commit, record.evidence) == ("c" * 40, {})
    first = Proof(at=DATE, attempt=1, node="ada")
    assert ours.claim(record, "dispatch rpm", first)
    assert not theirs.claim(record, "dispatch rpm", Proof(at=DATE, attempt=1, node="eve"))
    again = Proof(attempt=1)
    assert theirs.claim(record, "dispatch rpm", again, over=first)
    seen = ours.fresh(release)
    assert seen is not None
    assert seen.evidence == {"dispatch rpm": again}


def test_what_several_steps_note_at_once_is_all_there(world: World, ledger: GitChannelLedger) -> None:
    begun(ledger)
    claims, release = ChannelClaims(ledger, "stable", ""), a_release()
    record = claims.fresh(release)
    assert record is not None
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda number: claims.note(record, {f"downstream {number}": Proof(size=number)}), range(12)))
    there = ChannelClaims(opened(world, "other"), "stable", "").fresh(release)
    assert there is not None
    assert there.evidence == {f"downstream {number}": Proof(size=number) for number in range(12)}
    before = world.refs()
    claims.note(record, {"downstream 3": Proof(size=3)})
    assert world.refs() == before, "what is there is not written again"


def test_nothing_is_claimed_in_a_move_that_is_not_there_any_more(ledger: GitChannelLedger) -> None:
    begun(ledger)
    claims, release = ChannelClaims(ledger, "stable", ""), a_release()
    record = claims.fresh(release)
    assert record is not None
    begun(ledger, "v1.1.0")
    with pytest.raises(Refused, match=r"is at v1\.1\.0 by now"):
        claims.claim(record, "dispatch rpm", Proof(at=DATE))
    with pytest.raises(Refused):
        claims.note(record, {"downstream rpm": Proof(size=1)})
    ledger.change("stable", lambda state: (ended(state, state.moves[""], "returned", DATE), "returned"))
    back = ChannelClaims(ledger, "stable", "")
    assert back.latest(a_release("v1.1.0")) is None


def test_nothing_of_this_stays_in_the_clone(world: World, ledger: GitChannelLedger) -> None:
    ledger.change("stable", counted)
    assert world.git(world.folder / "store.git", "for-each-ref") == ""
