"""A record is written to by whoever comes, at the same time too: nothing is lost, and nothing is written to what has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import pytest

from release.adapters.git.ledger import GitLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.core.model import Person, Release
from release.core.record import Broken, Proof, Record, State, Withdrawal
from release.errors import Refused, ReleaseError, Unseen
from tests.world import World

ADA, EVE = Person("Ada", "ada@example.org"), Person("Eve", "eve@example.org")
DATE = "2026-02-03T04:05:06+00:00"
REF = "refs/sluice/1.0"
ONE, TWO = Proof(commit="1"), Proof(sha256="2", size=2, tag="ü\u2028", folder="a\nb")
NOTING = """\
import sys
from pathlib import Path
from release.adapters.git.ledger import GitLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.core.model import Person
from release.core.record import Proof

url, folder, name = sys.argv[1:]
ledger = GitLedger(GitRemote(url, Runner(store(Path(folder)))), Person(name, "a@b"), lambda: "2026-02-03T04:05:06+00:00")
record = ledger.read("1.0")
for number in range(6):
    ledger.note(record, {f"{name}-{number}": Proof(size=number)})
"""


@pytest.fixture
def ledger(world: World) -> GitLedger:
    return opened(world)


def remote_of(world: World, name: str = "store") -> GitRemote:
    return GitRemote(world.remote().as_uri(), Runner(store(world.folder / f"{name}.git")))


def opened(world: World, name: str = "store", who: Person = ADA) -> GitLedger:
    """The ledger as one captain's machine has it."""
    remote = remote_of(world, name)
    remote.bring(["refs/heads/main"], [world.refs()["refs/heads/main"]])
    return GitLedger(remote, who, lambda: DATE)


def a_release(world: World, tag: str = "v1.0.0") -> Release:
    base = world.refs()["refs/heads/main"]
    return Release(version=tag[1:], tag=tag, line="1.0", kind="final", bump="minor", previous=None, branch="main", base=base, date=DATE, author=ADA, notes="- ü\u2028\n")  # fmt: skip


def a_record(release: Release, tip: str = "", who: Person = ADA) -> Record:
    return Record("1.0", tip, release, State("begun", release.base, who, DATE))


def begun(world: World, ledger: GitLedger, tag: str = "v1.0.0", tip: str = "") -> Record:
    release = a_release(world, tag)
    ledger.begin(a_record(release, tip))
    record = ledger.latest(release)
    assert record is not None
    return record


def evidence(world: World, name: str = "looking") -> dict[str, Proof]:
    record = opened(world, name).read("1.0")
    assert record is not None
    return dict(record.evidence)


def subjects(world: World) -> list[str]:
    return world.git(world.remote(), "log", "--first-parent", "--reverse", "--format=%s", REF).splitlines()


def forged(world: World, files: dict[str, bytes]) -> None:
    """A record as somebody else may have written it."""
    clone = world.folder / "forge"
    world.git(world.folder, "clone", "--quiet", str(world.remote()), str(clone))
    (clone / "README").unlink()
    for path, content in files.items():
        (clone / path).write_bytes(content)
    world.commit(clone, {}, "forged", push=False)
    world.git(clone, "push", "--quiet", "--force", "origin", f"HEAD:{REF}")


def sound(world: World, release: Release) -> dict[str, bytes]:
    return {
        "release.json": msgspec.json.encode(release),
        "state.json": msgspec.json.encode(State("begun", release.base, ADA, DATE)),
        "evidence.json": b"{}",
    }


def test_a_record_that_was_begun_is_read_the_same_on_another_machine(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    assert record.tip == world.refs()[REF]
    assert opened(world, "other").read("1.0") == record == ledger.read("1.0")
    assert opened(world, "third").all(remote_of(world, "third").refs()) == (record,)
    assert subjects(world)[-1] == "begun v1.0.0"
    assert world.git(world.remote(), "merge-base", "--is-ancestor", record.release.base, REF) == ""
    assert ledger.read("2.0") is None
    assert ledger.all(remote_of(world).refs("refs/heads/main")) == ()


def test_of_two_that_begin_the_second_is_refused(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    late = opened(world, "late", EVE)
    with pytest.raises(Refused):
        late.begin(a_record(a_release(world, "v1.0.1"), who=EVE))
    assert ledger.read("1.0") == record
    assert late.latest(a_release(world, "v1.0.1")) is None


def test_of_many_that_begin_at_once_one_is_first(world: World) -> None:
    ledgers = [opened(world, f"store{number}") for number in range(4)]
    records = [a_record(a_release(world, f"v1.0.{number}")) for number in range(4)]

    def begin(number: int) -> bool:
        try:
            ledgers[number].begin(records[number])
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        first = list(pool.map(begin, range(4)))
    assert first.count(True) == 1
    there = opened(world, "looking").read("1.0")
    assert there is not None
    assert there.release == records[first.index(True)].release


def test_a_record_is_begun_over_the_one_that_was_seen_and_no_other(world: World, ledger: GitLedger) -> None:
    old = begun(world, ledger)
    ledger.close(old, "abandoned", "no more")
    with pytest.raises(Refused):
        ledger.begin(a_record(a_release(world, "v1.0.1"), old.tip))
    tip = world.refs()[REF]
    new = begun(world, ledger, "v1.0.1", tip)
    assert ledger.latest(new.release) == new
    assert subjects(world)[-3:] == ["begun v1.0.0", "abandoned v1.0.0", "begun v1.0.1"]


def test_evidence_adds_up_and_the_same_again_writes_nothing(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    ledger.note(record, {"a": ONE})
    ledger.note(record, {"b": TWO})
    tip = world.refs()[REF]
    ledger.note(record, {"a": ONE})
    ledger.note(record, {})
    assert world.refs()[REF] == tip
    assert evidence(world) == {"a": ONE, "b": TWO}


def test_many_threads_that_note_at_once_lose_nothing(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: ledger.note(record, {f"step-{n}": Proof(size=n)}), range(24)))
    assert evidence(world) == {f"step-{n}": Proof(size=n) for n in range(24)}
    assert len(subjects(world)) <= 24 + 3


def test_two_processes_that_note_at_once_lose_nothing(world: World, ledger: GitLedger) -> None:
    begun(world, ledger)
    url, names = world.remote().as_uri(), ("ada", "eve")
    root = str(Path(__file__).parents[2])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", NOTING, url, str(world.folder / f"{name}.git"), name],
            env={**os.environ, "PYTHONPATH": root}, stderr=subprocess.PIPE,
        ) for name in names
    ]  # fmt: skip
    said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert evidence(world) == {f"{name}-{n}": Proof(size=n) for name in names for n in range(6)}


def test_what_was_queued_while_another_ones_push_failed_is_written_or_told(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    runs, leave = world.folder / "runs", world.folder / "leave"
    script = f"#!/bin/sh\necho x >> {runs}\nif [ $(wc -l < {runs}) = 1 ]; then n=0; while [ ! -e {leave} ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done; fi\n[ $(wc -l < {runs}) = 2 ] && echo 'not now' >&2 && exit 1\nexit 0\n"
    hook = world.refuse("upstream", script)
    told: dict[str, bool] = {}

    def note(name: str) -> None:
        try:
            ledger.note(record, {name: ONE})
            told[name] = True
        except ReleaseError:
            told[name] = False

    threads = {name: threading.Thread(target=note, args=(name,)) for name in ("first", "second", "third")}
    threads["first"].start()
    wait_for(runs.exists)
    threads["second"].start()
    threads["third"].start()
    wait_for(lambda: len(ledger._waiting.get("1.0", {})) == 2)
    leave.touch()
    for thread in threads.values():
        thread.join()
    hook.unlink()
    kept = evidence(world)
    assert {name for name, well in told.items() if well} <= set(kept), (told, kept)


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert true()


def test_a_note_that_could_not_be_written_is_not_taken_for_written(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    hook = world.refuse("upstream")
    with pytest.raises(Refused, match="not today"):
        ledger.note(record, {"a": ONE})
    latest = ledger.latest(record.release)
    assert latest is not None
    assert latest.evidence == {}
    hook.unlink()
    ledger.note(record, {"a": ONE})
    assert evidence(world) == {"a": ONE}


def test_a_note_whose_answer_was_lost_is_found_and_not_written_over(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    hook = world.refuse(
        "upstream", '#!/bin/sh\n[ "$1" = committed ] && kill -9 $PPID\nexit 0\n', "reference-transaction"
    )
    ledger.note(record, {"a": ONE})
    hook.unlink()
    for lock in world.remote().rglob("*.lock"):
        lock.unlink()
    ledger.note(record, {"b": TWO})
    assert evidence(world) == {"a": ONE, "b": TWO}


def test_an_abandoned_record_takes_no_evidence_and_no_other_end(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    late = opened(world, "late")
    assert late.read("1.0") == record
    ledger.close(record, "abandoned", "the build was wrong")
    before = world.refs()
    for one in (ledger, late):
        for act in (
            partial(one.note, record, {"a": ONE}),
            partial(one.attested, record, {"tag": ONE}, remote_of(world, "late").push),
            partial(one.close, record, "finished"),
        ):
            with pytest.raises(Refused, match=r"v1\.0\.0 was given up by Ada: the build was wrong"):
                act()
    assert world.refs() == before
    assert evidence(world) == {}


def test_an_abandoned_release_cannot_land_even_with_the_tag_in_the_same_push(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    late, remote = opened(world, "late"), remote_of(world, "late")
    late.read("1.0")
    ledger.close(record, "abandoned", "no")
    with pytest.raises(Refused):
        late.attested(record, {"tag": ONE}, lambda own: remote.push(("refs/tags/v1.0.0", "", record.release.base), own))
    assert "refs/tags/v1.0.0" not in world.refs()


def test_what_lands_is_attested_by_the_same_push(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    remote = remote_of(world)
    base = record.release.base
    ledger.note(record, {"gate": Proof(commit=base)})
    ledger.attested(record, {"tag": Proof(commit=base)}, lambda own: remote.push(("refs/tags/v1.0.0", "", base), own))
    assert world.refs()["refs/tags/v1.0.0"] == base
    assert evidence(world) == {"gate": Proof(commit=base), "tag": Proof(commit=base)}


def test_a_landing_is_tried_again_when_somebody_noted_meanwhile(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    late, remote = opened(world, "late"), remote_of(world, "late")
    late.read("1.0")
    ledger.note(record, {"a": ONE})
    base = record.release.base
    late.attested(record, {"tag": ONE}, lambda own: remote.push(("refs/tags/v1.0.0", "", base), own))
    assert evidence(world) == {"a": ONE, "tag": ONE}
    assert "refs/tags/v1.0.0" in world.refs()


def test_what_landed_cannot_be_given_up_by_one_who_did_not_see_it_land(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    late = opened(world, "late", EVE)
    late.read("1.0")
    ledger.attested(record, {"tag": ONE}, remote_of(world).push)
    with pytest.raises(Refused, match=r"v1\.0\.0 became public meanwhile") as refused:
        late.close(record, "abandoned", "too late")
    assert "invoke release" in refused.value.remedy
    assert subjects(world)[-1] == "evidence v1.0.0: tag"


def test_a_finished_release_cannot_be_given_up(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    ledger.close(record, "finished")
    with pytest.raises(Refused):
        ledger.close(record, "abandoned", "oops")
    there = opened(world, "other").read("1.0")
    assert there is not None
    assert there.state.outcome == "finished"


def test_a_release_is_finished_once_and_by_whoever_was_first(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    late = opened(world, "late", EVE)
    late.read("1.0")
    ledger.close(record, "finished")
    tip = world.refs()[REF]
    late.close(record, "finished")
    ledger.close(record, "finished")
    assert world.refs()[REF] == tip
    there = late.read("1.0")
    assert there is not None
    assert there.state.by == ADA


def test_a_superseded_record_takes_no_evidence_and_no_end(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    late, remote = opened(world, "late"), remote_of(world, "late")
    late.read("1.0")
    new = begun(world, ledger, "v1.0.1", record.tip)
    before = world.refs()
    for act in (
        partial(late.note, record, {"a": ONE}),
        partial(
            late.attested, record, {"tag": ONE}, partial(remote.push, ("refs/tags/v1.0.0", "", record.release.base))
        ),
        partial(late.close, record, "finished"),
        partial(late.close, record, "abandoned", "x"),
        partial(ledger.note, record, {"a": ONE}),
    ):
        with pytest.raises(Refused, match="belongs to another release by now"):
            act()
    assert world.refs() == before
    assert opened(world, "other").read("1.0") == new


def test_a_record_that_is_gone_takes_no_evidence(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    world.git(world.remote(), "update-ref", "-d", REF)
    with pytest.raises(Refused):
        ledger.note(record, {"a": ONE})
    assert ledger.read("1.0") is None


@pytest.mark.parametrize("broken", [
    {"release.json": b"\x1b[31m{"}, {"release.json": b""}, {"release.json": None}, {"state.json": None}, {"state.json": b"[]"},
    {"state.json": b'{"outcome":"begun"}'}, {"state.json": b'{"outcome":"\\u001b[31mhacked","commit":"x","by":{"name":"","email":""},"at":""}'},
    {"release.json": b"\xff\xfe"}, {"evidence.json": b"[]"}, {"evidence.json": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"},
    {"release.json": b"{}"}, {"release.json": b"null"}, {"evidence.json": b"{" * 10}, {"evidence.json": b'{"a":1}'},
], ids=lambda broken: "-".join(f"{name} {str(content)[:24]}" for name, content in broken.items()))  # fmt: skip
def test_a_broken_record_is_a_clear_error_and_never_no_record(world: World, broken: dict[str, bytes | None]) -> None:
    files = {**sound(world, a_release(world)), **broken}
    forged(world, {name: content for name, content in files.items() if content is not None})
    with pytest.raises(ReleaseError) as error:
        opened(world).read("1.0")
    assert next(iter(broken)) in str(error.value) or REF in str(error.value)
    assert error.value.remedy
    (told,) = opened(world).all(remote_of(world).refs())
    assert isinstance(told, Broken)
    assert told.line == "1.0"
    assert told.why == error.value.message


def test_a_record_without_evidence_has_none(world: World) -> None:
    files = sound(world, a_release(world))
    del files["evidence.json"]
    forged(world, files)
    record = opened(world).read("1.0")
    assert record is not None
    assert record.evidence == {}


def test_a_record_of_a_newer_version_with_more_in_it_is_read(world: World) -> None:
    files = sound(world, a_release(world))
    files["release.json"] = files["release.json"][:-1] + b',"more":{"x":1}}'
    forged(world, {**files, "more.json": b"{}"})
    assert opened(world).read("1.0") is not None


@pytest.mark.parametrize("of", ["main^{tree}", "main:README"])
def test_a_ref_that_is_no_commit_is_a_clear_error(world: World, of: str) -> None:
    world.git(world.remote(), "update-ref", REF, world.git(world.remote(), "rev-parse", of))
    with pytest.raises(ReleaseError, match=REF):
        opened(world).read("1.0")
    assert [type(told) for told in opened(world).all(remote_of(world).refs())] == [Broken]


def test_a_tree_that_looks_like_a_record_is_not_written_to(world: World) -> None:
    release = a_release(world)
    forged(world, sound(world, release))
    tree = world.git(world.remote(), "rev-parse", f"{REF}^{{tree}}")
    world.git(world.remote(), "update-ref", REF, tree)
    ledger = opened(world)
    with pytest.raises(ReleaseError):
        ledger.note(a_record(release, tree), {"a": ONE})
    assert world.git(world.remote(), "rev-parse", REF) == tree


def test_the_latest_is_what_was_seen_or_written_and_nobody_is_asked(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    ledger.note(record, {"a": ONE})
    world.remote().rename(world.folder / "away.git")
    latest = ledger.latest(record.release)
    assert latest is not None
    assert latest.evidence == {"a": ONE}
    fresh = GitLedger(remote_of(world), ADA, lambda: DATE)
    assert fresh.latest(record.release) is None
    with pytest.raises(Unseen):
        ledger.read("1.0")


def test_one_broken_record_does_not_hide_the_others(world: World) -> None:
    release = a_release(world)
    forged(world, {**sound(world, release), "state.json": b"{"})
    other = msgspec.structs.replace(release, line="2.0", tag="v2.0.0", version="2.0.0")
    opened(world).begin(Record("2.0", "", other, State("begun", release.base, ADA, DATE)))
    told = {one.line: type(one) for one in opened(world, "other").all(remote_of(world).refs())}
    assert told == {"1.0": Broken, "2.0": Record}


def test_an_older_release_of_a_line_is_found_in_its_history(world: World, ledger: GitLedger) -> None:
    old = begun(world, ledger)
    ledger.note(old, {"a": ONE})
    ledger.close(old, "finished")
    last = ledger.latest(old.release)
    new = begun(world, ledger, "v1.0.10", world.refs()[REF])
    other = opened(world, "other")
    assert other.past("1.0", "v1.0.0") is None
    assert other.all(remote_of(world).refs()) == (new,)
    assert other.past("1.0", "v1.0.0") == last
    assert other.past("1.0", "v1.0.10") == new
    for tag in ("v1.0.1", "v1.0", "v1x0.0", "1.0.0"):
        assert other.past("1.0", tag) is None, tag
    assert other.past("2.0", "v1.0.0") is None
    assert other.fresh(new.release) == new
    assert other.fresh(old.release) == last
    with pytest.raises(Refused):
        other.note(old, {"b": TWO})


def test_a_commit_of_the_project_is_not_taken_for_a_record(world: World) -> None:
    world.commit(world.folder / "seed-upstream", {}, "finished v0.9.0")
    begun(world, opened(world))
    other = opened(world, "other")
    other.all(remote_of(world).refs())
    assert other.past("1.0", "v0.9.0") is None


def test_a_hostile_reason_is_kept_as_it_is(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    why = 'no\nmore "\x1b[31m\u2028 ü ::error::\0'
    ledger.close(record, "abandoned", why)
    there = opened(world, "other").read("1.0")
    assert there is not None
    assert there.state.why == why


def test_a_reason_that_is_no_utf_8_is_a_clear_error_or_kept(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    try:
        ledger.close(record, "abandoned", "broken \udcff")
    except ReleaseError:
        assert subjects(world)[-1] == "begun v1.0.0"
    else:
        assert subjects(world)[-1] == "abandoned v1.0.0"


def test_of_two_who_claim_the_same_thing_one_has_it_and_the_other_is_told(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    other = opened(world, "other", EVE)
    theirs = other.read("1.0")
    assert theirs is not None
    mine, yours = Proof(at=DATE, attempt=1, node="ada"), Proof(at=DATE, attempt=1, node="eve")
    assert ledger.claim(record, "dispatch x", mine)
    assert not other.claim(theirs, "dispatch x", yours)
    assert evidence(world)["dispatch x"] == mine


def test_a_claim_is_taken_over_only_from_what_it_was_seen_to_be(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    first, second, third = (Proof(at=DATE, attempt=number, node="ada") for number in (1, 2, 3))
    assert ledger.claim(record, "dispatch x", first)
    assert ledger.claim(record, "dispatch x", second, over=first)
    assert not ledger.claim(record, "dispatch x", third, over=first)
    assert evidence(world)["dispatch x"] == second
    assert ledger.claim(record, "dispatch x", second, over=first), "whoever has it may ask again"


def test_many_claim_at_once_and_one_of_them_has_it(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    ledgers = [opened(world, f"claims-{number}", EVE) for number in range(6)]

    def claimed(number: int) -> bool:
        assert ledgers[number].read("1.0") is not None
        return ledgers[number].claim(record, "dispatch x", Proof(at=DATE, attempt=1, node=str(number)))

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(claimed, range(6)))
    assert sum(won) == 1
    assert evidence(world)["dispatch x"].node == str(won.index(True))


def test_a_withdrawal_stands_in_the_newest_record_of_the_line_once_and_stays(world: World, ledger: GitLedger) -> None:
    record = begun(world, ledger)
    ledger.close(record, "finished")
    finished = ledger.read("1.0")
    assert finished is not None
    withdrawal = Withdrawal("1.0.0", "it loses data\u2028", ADA, DATE)
    ledger.withdraw(finished, withdrawal)
    opened(world, "other", EVE).withdraw(finished, Withdrawal("1.0.0", "again", EVE, DATE))
    now = opened(world, "looking").read("1.0")
    assert now is not None
    assert (now.state.outcome, now.state.withdrawn) == ("finished", (withdrawal,))
    assert subjects(world)[-1] == "withdrawn 1.0.0"
