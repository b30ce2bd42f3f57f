"""What a run releases, from which commit, as which version: facts in, a Release or a reason out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from release.core.aim import Aim, History, Nothing, Observation, Wishes, aim, can_land, settle
from release.core.commits import changes
from release.core.config import Config
from release.core.conflicts import Proposal, judge
from release.core.design import Choice, choose, design, existing, told
from release.core.facts import Facts
from release.core.finding import Conflict
from release.core.model import Commit, Head, Person, Refs, Release
from release.core.notes import keep_a_changelog
from release.core.record import Outcome, Record, State
from release.core.span import ranges
from release.core.story import Story
from release.core.version import scheme

WHO = Person("Captain", "captain@example.org")
NOW = "2026-01-02T03:04:05+00:00"
BASE, OLD, OTHER = "b" * 40, "a" * 40, "c" * 40
PUSH = {"commit": {"mode": "push"}, "changelog": {"file": "CHANGELOG.md"}}
RKE2 = {
    "version": {
        "scheme": "semver+revision",
        "revision": "rke2r",
        "source": "file",
        "final_from_candidate": True,
        "branches": ["release-{line}", "master"],
        "file": [{"path": "version.sh", "pattern": "v(?P<value>[0-9.]+)", "value": "{core}"}],
    }
}


def config(**tables: Any) -> Config:
    return msgspec.convert(tables, Config, strict=True)


def seen(
    tags: Mapping[str, str] | None = None,
    heads: Mapping[str, str] | None = None,
    branch: str = "main",
    head: str = BASE,
    records: tuple[Record, ...] = (),
    **more: Any,
) -> Observation:
    refs = Refs(
        heads=heads or {branch or "main": BASE}, tags=tags or {}, records={one.line: one.tip for one in records}
    )
    return Observation(NOW, WHO, "https://user:pw@example.org/up.git", Head(head, branch), refs, records, **more)


def commit(message: str, name: str = BASE) -> Commit:
    return Commit(name, (), WHO, NOW, message)


def released(rules: Config, facts: Observation, *messages: str, wishes: Wishes | None = None, **files: str) -> Any:
    """All three turns; every tag is reachable, and the same commits count for bump and notes."""
    aimed = aim(rules, facts, wishes or Wishes())
    if not isinstance(aimed, Aim):
        return aimed
    texts = {name.replace("_", "."): text for name, text in files.items()}
    commits = [commit(message, f"{number:040x}") for number, message in enumerate(messages)]
    history = History(
        aimed.base, frozenset(facts.refs.tags), texts, commits=tuple(commits or [commit("docs: a", BASE)])
    )
    aimed = settle(rules, facts, aimed, history)
    if not isinstance(aimed, Aim):
        return aimed
    span = ranges(rules, facts, aimed, history)
    chosen = choose(rules, facts, aimed, history, span, Facts(tuple(commits)))
    if not isinstance(chosen, Choice):
        return chosen if isinstance(chosen, Nothing) else (chosen,)
    written = scheme(rules.version)
    previous = written.tag(span.previous) if span.previous else None
    tag = written.tag(chosen.version)
    notes = keep_a_changelog(Story(chosen.version.text, tag, previous, "", told(changes(commits))))
    wished = design(rules, facts, aimed, history, span, chosen, notes)
    against = judge(Proposal(rules, facts, aimed, history, span, chosen.version)).errors
    return (*(() if isinstance(wished, Release) else wished), *against) or wished


def rules_of(found: Any) -> list[str]:
    assert isinstance(found, tuple), found
    assert all(isinstance(one, Conflict) and one.remedy for one in found)
    return [one.rule for one in found]


def begun(tag: str, base: str = BASE, outcome: Outcome = "begun", branch: str = "main", mode: Any = "push") -> Record:
    version = tag.removeprefix("v")
    line = ".".join(version.split(".")[:2])
    release = Release(
        version=version, tag=tag, line=line, kind="final", bump="minor", previous=None, branch=branch, base=base,
        date=NOW, author=WHO, mode=mode,
    )  # fmt: skip
    return Record(line, "d" * 40, release, State(outcome=outcome, commit=OTHER, by=WHO, at=NOW))


def test_the_bump_follows_from_what_changed() -> None:
    facts = seen({"v1.2.3": OLD})
    assert released(config(), facts, "fix: a").version == "1.2.4"
    assert released(config(), facts, "fix: a", "feat: b").version == "1.3.0"
    assert released(config(), facts, "feat!: b").version == "2.0.0"


def test_a_first_release_is_0_1_0_and_has_no_previous() -> None:
    first = released(config(), seen(), "feat: begin")
    assert (first.version, first.previous, first.bump) == ("0.1.0", None, "first")


def test_nothing_is_released_where_nothing_calls_for_it() -> None:
    found = released(config(), seen({"v1.2.3": OLD}), "docs: a", "chore: b")
    assert isinstance(found, Nothing)
    assert "v1.2.3" in found.why


def test_a_released_head_is_nothing_to_do() -> None:
    assert isinstance(released(config(), seen({"v1.2.3": BASE}), "feat: a"), Nothing)


def test_a_head_released_as_a_candidate_can_become_the_final() -> None:
    facts = seen({"v1.2.3": OLD, "v1.3.0-rc.1": BASE})
    assert released(config(), facts, "feat: a").version == "1.3.0"
    assert isinstance(released(config(), facts, "feat: a", wishes=Wishes(stage="rc")), Nothing)


def test_candidates_are_counted_from_all_tags_gaps_included() -> None:
    facts = seen({"v1.2.3": OLD, "v1.3.0-rc.1": OLD, "v1.3.0-rc.9": OLD})
    assert released(config(), facts, "feat: a", wishes=Wishes(stage="rc")).version == "1.3.0-rc.10"


def test_a_final_writes_version_files_and_changelog_and_a_candidate_no_changelog() -> None:
    tables = {**PUSH, "version": {"file": [{"path": "pkg.py", "pattern": '"(?P<value>[^"]*)"'}]}}
    files: Any = {"pkg_py": 'v = "1.2.3"\n', "CHANGELOG_md": "# Changelog\n"}
    final = released(config(**tables), seen({"v1.2.3": OLD}), "feat: a", **files)
    assert [edit.path for edit in final.edits] == ["pkg.py", "CHANGELOG.md"]
    assert final.edits[0].applied('v = "1.2.3"\n') == 'v = "1.3.0"\n'
    assert final.mode == "push"
    candidate = released(config(**tables), seen({"v1.2.3": OLD}), "feat: a", wishes=Wishes(stage="rc"), **files)
    assert [edit.path for edit in candidate.edits] == ["pkg.py"]


def test_a_version_file_without_a_place_for_the_version_is_a_conflict() -> None:
    tables = {**PUSH, "version": {"file": [{"path": "pkg.py", "pattern": '"(?P<value>[^"]*)"'}]}}
    assert rules_of(released(config(**tables), seen(), "feat: a", pkg_py="nothing")) == ["version-file"]
    assert rules_of(released(config(**tables), seen(), "feat: a")) == ["version-file"]


def test_what_has_begun_here_is_adopted() -> None:
    record = begun("v1.3.0")
    facts = seen({"v1.2.3": OLD}, records=(record,))
    assert aim(config(), facts, Wishes()) == record
    assert aim(config(), facts, Wishes(version="v1.3.0")) == record
    assert aim(config(), facts, Wishes(tag="v1.3.0")) == record


def test_a_candidate_is_not_taken_for_a_final_that_has_begun() -> None:
    facts = seen({"v1.2.3": OLD}, records=(begun("v1.3.0"),))
    (conflict,) = aim(config(), facts, Wishes(stage="rc"))  # type: ignore[misc]
    assert conflict.rule == "unfinished"
    assert "release.abandon" in conflict.remedy


def test_nobody_is_told_to_give_up_what_is_public() -> None:
    facts = seen({"v1.2.3": OLD, "v1.3.0": OTHER}, records=(begun("v1.3.0"),))
    (conflict,) = aim(config(), facts, Wishes(stage="rc"))  # type: ignore[misc]
    assert "release.abandon" not in conflict.remedy


@pytest.mark.parametrize("outcome", ["finished", "abandoned"])
def test_what_has_ended_is_not_gone_on_with(outcome: Outcome) -> None:
    assert isinstance(aim(config(), seen(records=(begun("v1.3.0", outcome=outcome),)), Wishes()), Aim)


def test_a_moved_branch_supersedes_a_release_that_would_push_to_it() -> None:
    facts = seen({"v1.2.3": OLD}, records=(begun("v1.3.0", base=OLD),))
    assert isinstance(aim(config(), facts, Wishes()), Aim)
    assert released(config(), facts, "feat: a").version == "1.3.0"


def test_a_moved_branch_does_not_supersede_what_is_public_or_only_a_tag() -> None:
    out = begun("v1.3.0", base=OLD)
    assert aim(config(), seen({"v1.3.0": OTHER}, records=(out,)), Wishes()) == out
    only = begun("v1.3.0", base=OLD, mode="none")
    assert aim(config(), seen(records=(only,)), Wishes()) == only
    assert not can_land(begun("v1.3.0", base=OLD), seen().refs)


def test_several_begun_releases_of_a_branch_have_to_be_named() -> None:
    records = (begun("v1.3.0", mode="none"), begun("v2.0.0", mode="none"))
    assert rules_of(aim(config(), seen(records=records), Wishes())) == ["several-begun"]
    assert aim(config(), seen(records=records), Wishes(version="2.0.0")) == records[1]


def test_a_line_where_another_branch_has_begun_a_release_is_refused() -> None:
    facts = seen({"v1.2.3": OLD}, records=(begun("v1.3.0", branch="release-1.3", mode="none"),))
    assert rules_of(released(config(), facts, "feat: a")) == ["unfinished"]


def test_an_abandoned_number_is_never_used_again() -> None:
    facts = seen({"v1.2.3": OLD}, records=(begun("v1.3.0", outcome="abandoned"),))
    assert released(config(), facts, "feat: a").version == "1.3.1"
    assert rules_of(released(config(), facts, "feat: a", wishes=Wishes(version="1.3.0"))) == ["burned"]


def test_a_version_that_is_tagged_elsewhere_is_refused_and_here_it_is_taken_up() -> None:
    facts = seen({"v1.2.3": OLD, "v1.3.0": OTHER})
    assert rules_of(released(config(), facts, "feat: a", wishes=Wishes(version="1.3.0"))) == ["tag-elsewhere"]
    here = released(config(), seen({"v1.2.3": OLD, "v1.3.0": BASE}), "feat: a", wishes=Wishes(version="1.3.0"))
    assert (here.version, here.base, here.mode) == ("1.3.0", BASE, "none")


def test_a_run_that_a_tag_started_releases_that_tag_at_its_commit() -> None:
    facts = seen({"v1.2.3": OLD, "v1.3.0": OTHER}, branch="", head=OTHER, heads={"main": BASE})
    found = released(config(**PUSH), facts, "feat: a", wishes=Wishes(tag="v1.3.0"), CHANGELOG_md="")
    assert (found.tag, found.base, found.mode, found.edits) == ("v1.3.0", OTHER, "none", ())
    assert rules_of(aim(config(), seen(), Wishes(tag="v9.9.9"))) == ["tag-gone"]


@pytest.mark.parametrize("text", ["", "x", "1.2", "v1.2.3.4", "1.2.3;id", "-x", "1.2.3\u2028", "$(id)", "v01.2.3"])
def test_what_is_no_version_is_refused_by_name(text: str) -> None:
    if text:
        assert rules_of(aim(config(), seen(), Wishes(version=text))) == ["version"]
    else:
        assert isinstance(aim(config(), seen(), Wishes(version=text)), Aim)


def test_the_place_has_to_be_what_the_remote_has() -> None:
    assert rules_of(aim(config(), seen(branch="topic", heads={"main": BASE}), Wishes())) == ["branch-unpublished"]
    assert rules_of(aim(config(), seen(published=False), Wishes())) == ["unpushed"]
    assert rules_of(aim(config(), seen(branch="", head=OTHER), Wishes())) == ["detached"]
    assert rules_of(released(config(), seen(branch="topic"), "feat: a")) == ["branch"]


def test_no_password_is_in_a_conflict() -> None:
    for found in (aim(config(), seen(published=False), Wishes()), aim(config(), seen(branch="", head=OTHER), Wishes())):
        assert isinstance(found, tuple)
        assert "pw" not in str(found[0])
        assert "example.org/up.git" in str(found[0])


def test_a_detached_head_that_is_a_branchs_or_a_tags_commit_is_fine() -> None:
    at_branch = aim(config(), seen(branch="", heads={"topic": BASE, "main": BASE}), Wishes())
    assert isinstance(at_branch, Aim)
    assert at_branch.branch == "main"
    tags = {"v1.2.0": BASE, "v1.2.3": OLD}
    at_tag = aim(config(), seen(tags, branch="", heads={"release-1.2": OTHER, "main": OLD}), Wishes())
    assert isinstance(at_tag, Nothing)
    candidate = aim(config(), seen({"v1.2.0-rc.1": BASE}, branch="", heads={"release-1.2": OTHER}), Wishes())
    assert isinstance(candidate, Aim)
    assert (candidate.branch, candidate.base, candidate.line) == ("release-1.2", BASE, "1.2")


def test_a_line_branch_releases_its_own_line_only() -> None:
    facts = seen({"v1.2.3": OLD}, branch="release-1.2")
    assert released(config(), facts, "fix: a").version == "1.2.4"
    assert rules_of(released(config(), facts, "feat: a")) == ["wrong-line"]


def test_the_previous_final_of_a_line_is_of_that_line() -> None:
    facts = seen({"v1.2.3": OLD, "v1.3.0": OTHER}, branch="release-1.2")
    history = History(BASE, frozenset(facts.refs.tags), {})
    aimed = aim(config(), facts, Wishes())
    assert isinstance(aimed, Aim)
    span = ranges(config(), facts, aimed, history)
    assert (str(span.final), str(span.previous)) == ("1.2.3", "1.2.3")
    assert span.bump_from == (OLD,)
    assert set(span.notes_from) == {OLD, OTHER}


def test_the_notes_of_a_candidate_count_from_the_last_tag_of_its_line() -> None:
    facts = seen({"v1.2.3": OLD, "v1.3.0-rc.1": OTHER}, branch="release-1.3")
    aimed = aim(config(), facts, Wishes(stage="rc"))
    assert isinstance(aimed, Aim)
    span = ranges(config(), facts, aimed, History(BASE, frozenset(facts.refs.tags), {}))
    assert (str(span.final), str(span.previous)) == ("1.2.3", "1.3.0-rc.1")


def rke2(tags: Mapping[str, str], **more: Any) -> Observation:
    return seen(tags, branch="release-1.35", **more)


def test_rke2s_line_1_35_gets_the_answers_that_its_peers_get_wrong() -> None:
    tags = {"v1.35.7+rke2r1": OLD, "v1.35.8-rc1+rke2r1": OTHER, "v1.36.3+rke2r1": OTHER}
    wished: Any = {"version_sh": "KUBERNETES=v1.35.8\n"}
    candidate = released(config(**RKE2), rke2(tags), "anything at all", wishes=Wishes(stage="rc"), **wished)
    assert candidate.tag == "v1.35.8-rc2+rke2r1"
    assert candidate.base == BASE
    final = released(config(**RKE2), rke2(tags), "anything at all", **wished)
    assert (final.tag, final.base, final.previous) == ("v1.35.8+rke2r1", OTHER, "v1.35.7+rke2r1")
    assert final.reasons[0].source == "v1.35.8-rc1+rke2r1"


def test_the_next_candidate_after_a_final_is_of_the_next_revision() -> None:
    tags = {"v1.35.8-rc1+rke2r1": OLD, "v1.35.8+rke2r1": OLD}
    found = released(config(**RKE2), rke2(tags), wishes=Wishes(stage="rc"), version_sh="v1.35.8")
    assert found.tag == "v1.35.8-rc1+rke2r2"


def test_a_final_without_a_candidate_is_refused() -> None:
    assert rules_of(released(config(**RKE2), rke2({"v1.35.7+rke2r1": OLD}), version_sh="v1.35.8")) == ["no-candidate"]
    found = released(config(**RKE2), rke2({"v1.35.8-rc1+rke2r1": OLD, "v1.35.8+rke2r1": OLD}), version_sh="v1.35.8")
    assert isinstance(found, Nothing)
    assert "no candidate has come since" in found.why
    assert str(found.tagged) == "1.35.8+rke2r1"


def test_a_final_is_not_made_from_a_candidate_that_its_branch_does_not_have() -> None:
    facts = rke2({"v1.35.8-rc1+rke2r1": OTHER})
    aimed = aim(config(**RKE2), facts, Wishes())
    assert isinstance(aimed, Aim)
    history = History(BASE, frozenset(), {"version.sh": "v1.35.8"})
    settled = settle(config(**RKE2), facts, aimed, history)
    assert isinstance(settled, Aim)
    version = scheme(config(**RKE2).version).parse("1.35.8+rke2r1")
    assert (settled.base, settled.version) == (BASE, version)
    assert version is not None
    span = ranges(config(**RKE2), facts, settled, history)
    judged = judge(Proposal(config(**RKE2), facts, settled, history, span, version))
    assert rules_of(judged.errors) == ["candidate-elsewhere"]
    assert "not in the history of release-1.35" in judged.errors[0].why


def test_the_file_inside_the_repository_must_agree_with_the_tag() -> None:
    tags = {"v1.35.8-rc1+rke2r1": OTHER}
    found = released(
        config(**RKE2), rke2(tags), wishes=Wishes(version="v1.35.9-rc1+rke2r1", stage="rc"), version_sh="v1.35.8"
    )
    assert rules_of(found) == ["version-file"]


def test_a_file_that_names_another_line_is_refused() -> None:
    found = released(config(**RKE2), rke2({}), wishes=Wishes(stage="rc"), version_sh="v1.36.0")
    assert rules_of(found) == ["wrong-line"]


def test_uncommitted_changes_matter_only_where_the_release_commit_writes() -> None:
    def with_dirt(path: str) -> Any:
        facts = seen({"v1.2.3": OLD})
        facts = msgspec.structs.replace(facts, head=Head(BASE, "main", dirty=(path,)))
        return released(config(**PUSH), facts, "feat: a", CHANGELOG_md="")

    assert isinstance(with_dirt("notes.txt"), Release)
    assert rules_of(with_dirt("CHANGELOG.md")) == ["dirty"]


def test_downstreams_and_artifacts_are_filled_in_for_this_release() -> None:
    tables = {
        "release": {"output": "dist/{line}", "deadline": "2m"},
        "artifact": [{"name": "app-{arch}", "run": ["make", "{os}"], "platforms": ["linux/amd64", "linux/arm/v7"]}],
        "downstream": [
            {"name": "one", "repository": "../one.git", "branch": "release-{line}", "after": ["two"]},
            {"name": "two", "repository": "https://example.org/two.git", "when": "candidate"},
            {"name": "three", "repository": "/srv/three.git", "per": "channel", "tag": "{tag}.{channel}.{n}"},
        ],
    }
    found = released(config(**tables), seen({"v1.2.3": OLD}), "feat: a")
    assert [(one.name, one.run, one.platform) for one in found.artifacts] == [
        ("app-amd64", ("make", "linux"), "linux/amd64"),
        ("app-arm-v7", ("make", "linux"), "linux/arm/v7"),
    ]
    (one,) = found.downstreams
    assert (one.name, one.branch, one.tag, one.after) == ("one", "release-1.3", "v1.3.0", ())
    assert one.repository == "../one.git"
    assert "pw" not in str(found)
    assert (found.output, found.deadline) == ("dist/1.3", 120)


def test_a_release_that_only_its_tag_tells_of_can_be_looked_for() -> None:
    facts = seen({"v1.2.3": OLD}, heads={"release-1.2": BASE})
    version = scheme(config().version).parse("1.2.3")
    assert version is not None
    found = existing(config(), facts, version)
    assert (found.tag, found.base, found.branch, found.mode) == ("v1.2.3", OLD, "release-1.2", "none")


def test_our_own_release_commits_are_no_news() -> None:
    found = released(config(), seen({"v1.2.3": OLD}), "chore(release): v1.2.4-rc.1", "fix: a")
    assert "chore" not in found.notes
    assert "release" not in found.notes.partition("### Fixed")[2]
