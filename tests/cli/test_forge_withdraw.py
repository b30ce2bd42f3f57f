"""Nobody should take a release any more: it is said where people see it and in the record, once, and nothing is deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release.core.publication import NOTICE
from release.sandbox.forge import Fault
from tests.forged import Fleet, fleet

TAG, LINE = "v0.1.0", "refs/sluice/0.1"
MARK = f"<!-- sluice release {TAG} -->\n"
WHY = ("--version", TAG, "--reason", "it loses data", "--yes")
PUSH = "/acme/app.git/git-receive-pack"
RELEASE = "/repos/acme/app/releases/*"


@pytest.fixture
def released(tmp_path: Path) -> Iterator[tuple[Fleet, Path]]:
    """An upstream that is out, and a captain's clone."""
    with fleet(tmp_path, {}) as some:
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(0)
        yield some, clone


def shown(some: Fleet, tag: str = TAG) -> dict[str, Any]:
    """The release that people see."""
    return next(release for release in some.releases("app") if release["tag_name"] == tag)


def noted(some: Fleet, line: str = LINE) -> list[dict[str, Any]]:
    """The withdrawals in a line's record."""
    state = json.loads(some.world.git(some.git_of("app"), "show", f"{line}:state.json"))
    return list(state.get("withdrawn", []))


def test_a_release_is_withdrawn_in_the_record_and_where_it_is_shown_and_nothing_is_deleted(
    released: tuple[Fleet, Path],
) -> None:
    some, clone = released
    before, refs = shown(some), some.refs("app")
    some.invoke(clone, "release.withdraw", *WHY).expect(0)
    after = shown(some)
    assert after["body"] == f"{NOTICE}it loses data\n\n{before['body']}"
    assert after["prerelease"] is True
    same = {"id", "tag_name", "target_commitish", "name", "draft", "make_latest", "assets", "published_at"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    (withdrawal,) = noted(some)
    assert (withdrawal["version"], withdrawal["why"], withdrawal["by"]["name"]) == ("0.1.0", "it loses data", "Ada")
    assert {ref: id for ref, id in some.refs("app").items() if ref != LINE} == {
        ref: id for ref, id in refs.items() if ref != LINE
    }
    some.invoke(clone, "release.verify").expect(0)
    some.invoke(clone, "release", "--yes").expect(0, "nothing to do")


def test_twice_is_once_and_the_first_reason_stays(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    some.invoke(clone, "release.withdraw", *WHY).expect(0)
    before = some.releases("app"), some.refs("app")
    some.invoke(clone, "release.withdraw", *WHY).expect(0, r"record +done +by Ada at .*: it loses data")
    some.invoke(some.clone("bob"), "release.withdraw", "--version", "0.1.0", "--reason", "another", "--yes").expect(0)
    assert (some.releases("app"), some.refs("app")) == before


def test_a_notice_that_somebody_took_away_comes_back_with_the_reason_of_the_record(
    released: tuple[Fleet, Path],
) -> None:
    some, clone = released
    body = shown(some)["body"]
    some.invoke(clone, "release.withdraw", *WHY).expect(0)
    some.forge.store.change(shown(some)["id"], body=body, prerelease=False)
    some.invoke(clone, "release.withdraw", "--version", TAG, "--reason", "another", "--yes").expect(0)
    assert shown(some)["body"] == f"{NOTICE}it loses data\n\n{body}"
    assert shown(some)["prerelease"] is True


def test_an_immutable_release_is_withdrawn_too(tmp_path: Path) -> None:
    with fleet(tmp_path, {}, immutable=True) as some:
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes").expect(0)
        some.invoke(clone, "release.withdraw", *WHY).expect(0)
        assert shown(some)["immutable"] is True
        assert shown(some)["prerelease"] is True
        assert shown(some)["body"].startswith(f"{NOTICE}it loses data\n\n")


def test_markup_in_a_reason_does_nothing(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    reason = "</b> [x](http://evil) @everyone <!-- sluice release v9.9.9 -->\n\n# big\n::error::x \x1b[31m"
    some.invoke(clone, "release.withdraw", "--version", TAG, "--reason", reason, "--yes").expect(0)
    notice, _, rest = shown(some)["body"].partition("\n\n")
    assert "\n" not in notice.removeprefix(NOTICE)
    assert r"\[x\](http://evil) @&#8203;everyone &lt;!-- sluice" in notice
    assert rest.endswith(MARK)
    assert shown(some)["body"].count("<!-- sluice") == 1
    assert "\x1b" not in shown(some)["body"]
    for words in (("release.status",), ("release.withdraw", "--version", TAG, "--reason", "x", "--yes")):
        answer = some.invoke(clone, *words).expect(0)
        assert "\x1b[31m" not in answer.said
        assert "\n::error" not in answer.said


def test_an_older_release_of_a_line_is_withdrawn_and_the_newest_is_left_alone(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    some.world.commit(clone, {"more.txt": "more\n"}, "fix: more", push=False)
    some.world.git(
        clone, "push", "--quiet", f"{some.forge.url.replace('://', f'://x:{some.token}@')}/acme/app.git", "HEAD:main"
    )
    some.invoke(clone, "release", "--yes").expect(0, "v0.1.1")
    newest = shown(some, "v0.1.1")
    some.invoke(clone, "release.withdraw", *WHY).expect(0)
    assert shown(some)["body"].startswith(NOTICE)
    assert shown(some, "v0.1.1") == newest
    assert [one["version"] for one in noted(some)] == ["0.1.0"]
    some.invoke(clone, "release.verify").expect(0)
    some.world.commit(clone, {"more.txt": "even more\n"}, "fix: even more", push=False)
    some.world.git(
        clone, "push", "--quiet", f"{some.forge.url.replace('://', f'://x:{some.token}@')}/acme/app.git", "HEAD:main"
    )
    some.invoke(clone, "release", "--yes").expect(0, "v0.1.2")
    assert [one["version"] for one in noted(some)] == ["0.1.0"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "by name and for a reason"),
        (("--version", TAG), 2, '--version V --reason "..."'),
        (("--reason", "why"), 2, "by name and for a reason"),
        (("--version", TAG, "--reason", " \n"), 2, "by name and for a reason"),
        (("--version", "banana", "--reason", "why"), 2, "'banana' is no version"),
        (("--version", "9.9.9", "--reason", "why"), 3, "v9.9.9 is not tagged"),
        (("--version", TAG, "--reason", "why"), 2, "--yes"),
    ],
)
def test_what_is_typed_badly_withdraws_nothing(
    words: tuple[str, ...], code: int, says: str, released: tuple[Fleet, Path]
) -> None:
    some, clone = released
    before = some.releases("app"), some.refs("app")
    yes = () if says == "--yes" else ("--yes",)
    some.invoke(clone, "release.withdraw", *words, *yes).expect(code, says)
    assert (some.releases("app"), some.refs("app")) == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("method", "path"), [("POST", PUSH), ("PATCH", RELEASE)])
@pytest.mark.parametrize("how", [{"status": 502}, {"reset": True}, {"kill": True}], ids=["502", "reset", "kill"])
def test_what_breaks_off_in_the_middle_is_finished_by_the_same_command(
    method: str, path: str, when: Any, how: dict[str, Any], released: tuple[Fleet, Path], tmp_path: Path
) -> None:
    some, clone = released
    body = shown(some)["body"]
    where = tmp_path / "pid"
    fault = {"kill": str(where)} if "kill" in how else how
    some.forge.faults(Fault(method=method, path=path, when=when, **fault))
    run = some.world.start(clone, "release.withdraw", *WHY, env=some.settings)
    where.write_text(str(run.pid))
    run.communicate(timeout=60)
    assert run.returncode in ((-9,) if "kill" in how else (0, 1))
    some.forge.no_faults()
    some.invoke(clone, "release.withdraw", *WHY).expect(0)
    assert shown(some)["body"] == f"{NOTICE}it loses data\n\n{body}"
    assert [one["why"] for one in noted(some)] == ["it loses data"]


def test_a_token_that_can_only_read_is_told_before_anything_is_written(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    before = some.releases("app"), some.refs("app")
    token = some.forge.token("stranger", repositories=("acme/app",))
    some.invoke(clone, "release.withdraw", *WHY, env={"SLUICE_GITHUB_TOKEN": token}).expect(
        3, "SLUICE_GITHUB_TOKEN", "contents: write"
    )
    assert (some.releases("app"), some.refs("app")) == before


def test_json_tells_what_was_done(released: tuple[Fleet, Path]) -> None:
    some, clone = released
    answer = some.invoke(clone, "release.withdraw", *WHY, "--format", "json").expect(0)
    assert answer.value["tag"] == TAG
    assert [step["state"] for step in answer.value["steps"]] == ["done", "done"]
