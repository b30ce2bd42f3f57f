"""`invoke release.list`, `release.notes` and `release.changelog`: what is out, and what users are told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.world import World, made

CONFIG = """\
[project]
name = "demo"

[version]
scheme = "semver"
candidates = ["rc"]

[commit]
mode = "push"

[changelog]
file = "CHANGELOG.md"
issues = "https://example.org/issues/{n}"
compare = "https://example.org/compare/{previous}...{tag}"
"""
OWN = """\
{% for change in changes %}* {{ change.text }}
{% endfor %}"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path / "world", CONFIG, ())


@pytest.fixture
def captain(world: World) -> Path:
    return world.clone("captain")


def tagged(world: World, clone: Path, *tags: str, at: str = "HEAD") -> None:
    world.git(clone, "push", "--quiet", "origin", *(f"{at}:refs/tags/{tag}" for tag in tags))


def listed(world: World, clone: Path) -> dict[str, Any]:
    found = world.json(clone, "release.list")
    assert isinstance(found, dict)
    return found


# The list


def test_releases_are_listed_by_precedence_and_other_tags_are_named(world: World, captain: Path) -> None:
    tagged(
        world, captain, "v1.10.0", "v1.2.0", "v1.2.0-rc.10", "v1.2.0-rc.9", "nightly", "v1.2", "1.3.0", "v1.4.0\u2028"
    )
    tree = world.git(captain, "rev-parse", "HEAD^{tree}")
    tagged(world, captain, "v9.9.9", at=tree)
    found = listed(world, captain)
    assert [one["tag"] for one in found["releases"]] == ["v1.2.0-rc.9", "v1.2.0-rc.10", "v1.2.0", "v1.10.0"]
    assert sorted(found["invalid"]) == ["1.3.0", "nightly", "v1.2", "v1.4.0\u2028", "v9.9.9"]
    first = found["releases"][0]
    head = world.git(captain, "rev-parse", "HEAD")
    assert (first["version"], first["line"], first["kind"], first["commit"]) == ("1.2.0-rc.9", "1.2", "candidate", head)
    assert first["date"] == world.git(captain, "log", "-1", "--format=%cI")
    said = world.invoke(captain, "release.list").expect(0, r"v1\.10\.0 .* final", "no versions: .*nightly").out
    assert "\u2028" not in said


def test_an_upstream_without_tags_lists_nothing(world: World, captain: Path) -> None:
    assert listed(world, captain) == {"releases": [], "invalid": []}


def test_a_shallow_clone_says_what_it_lacks(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0")
    world.commit(captain, {"a": "1"}, "feat: a thing")
    shallow = world.clone("shallow", "upstream", "--depth", "1", "--no-tags")
    world.invoke(shallow, "release.list").expect(3, "incomplete-clone", "git fetch --unshallow --tags")
    world.git(shallow, "fetch", "--quiet", "--unshallow", "--tags")
    assert [one["tag"] for one in listed(world, shallow)["releases"]] == ["v0.1.0"]


# The notes


def test_notes_of_what_comes_next_are_those_that_the_release_gets(world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes").expect(0)
    world.commit(captain, {"a": "1"}, "feat(api): a thing (#12)")
    world.commit(captain, {"a": "2"}, "fix!: another way")
    told = world.json(captain, "release.notes")
    assert (told["version"], told["tag"], told["previous"]) == ("0.2.0", "v0.2.0", "v0.1.0")
    assert told["notes"] == world.json(captain, "release.plan")["notes"]
    assert told["notes"].index("another way") < told["notes"].index("a thing")
    assert "https://example.org/issues/12" in told["notes"]
    assert "https://example.org/compare/v0.1.0...v0.2.0" in told["notes"]
    world.invoke(captain, "release", "--yes").expect(0)
    assert world.json(captain, "release.notes", "--version", "0.2.0")["notes"] == told["notes"]
    assert told["notes"] in (captain / "CHANGELOG.md").read_text()


def test_notes_of_a_tag_without_a_record_are_told_from_its_history(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0")
    world.commit(captain, {"a": "1"}, "feat: a thing")
    tagged(world, captain, "v0.2.0-rc.1")
    world.commit(captain, {"a": "2"}, "fix: a fault")
    tagged(world, captain, "v0.2.0-rc.2", "v0.2.0")
    world.commit(captain, {"a": "3"}, "feat: later")
    final = world.json(captain, "release.notes", "--version", "v0.2.0")
    assert (final["previous"], "a thing" in final["notes"], "a fault" in final["notes"]) == ("v0.1.0", True, True)
    second = world.json(captain, "release.notes", "--version", "0.2.0-rc.2")
    assert (second["previous"], "a thing" in second["notes"], "a fault" in second["notes"]) == (
        "v0.2.0-rc.1",
        False,
        True,
    )
    assert "later" not in final["notes"] + second["notes"]


@pytest.mark.parametrize(("asked", "code", "said"), [("9.9.9", 2, "not out"), ("nonsense", 2, "no version of scheme")])
def test_notes_of_what_is_not_there_are_refused(asked: str, code: int, said: str, world: World, captain: Path) -> None:
    world.invoke(captain, "release.notes", "--version", asked).expect(code, said)


def test_a_template_of_ones_own_is_read_at_the_commit(world: World, captain: Path) -> None:
    own = CONFIG.replace("[changelog]\n", '[changelog]\ntemplate = "notes.md.j2"\n')
    world.commit(captain, {"release.toml": own}, "feat: a template")
    world.invoke(captain, "release.notes").expect(2, "notes.md.j2", "no such file")
    world.commit(captain, {"notes.md.j2": "{{ version }}: {{ changes | length }} changes"}, "docs: the template")
    assert world.invoke(captain, "release.notes").expect(0).out == "0.1.0: 4 changes\n"
    world.commit(captain, {"notes.md.j2": "{{ nothing_of_that_name }}"}, "docs: a slip")
    world.invoke(captain, "release.notes").expect(2, r"notes\.md\.j2", "nothing_of_that_name")


def test_remarks_on_a_text_go_to_stderr_so_that_the_text_can_be_piped(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0")
    for command in ("release.notes", "release.changelog"):
        nothing = world.invoke(captain, command).expect(0)
        assert (nothing.out, "note: 0.1.0 is tagged" in nothing.err) == ("", True)
    world.commit(captain, {"a": "1"}, "feat: not pushed", push=False)
    for command in ("release.notes", "release.changelog", "release.changelog --all"):
        answer = world.invoke(captain, *command.split()).expect(0)
        assert ("note: " in answer.out, "this is what would come of it" in answer.err) == (False, True)
    whole = world.json(captain, "release.changelog", "--all")["changelog"]
    assert answer.out == whole


# The changelog


def test_the_entry_is_what_the_next_release_would_write(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "feat: a thing")
    entry = world.json(captain, "release.changelog")["changelog"]
    assert entry.startswith("## [0.1.0] - 20")
    world.invoke(captain, "release", "--yes").expect(0)
    assert entry.split("\n", 1)[1] in (captain / "CHANGELOG.md").read_text()
    assert world.invoke(captain, "release.changelog").expect(0).out.strip() == ""


def test_the_whole_history_gives_each_commit_to_the_first_release_that_has_it(world: World, captain: Path) -> None:
    """A line that was merged back, a release on each side, and commits that no release has."""
    git = world.git
    world.commit(captain, {"a": "1"}, "feat: before")
    tagged(world, captain, "v1.0.0")
    git(captain, "checkout", "--quiet", "-b", "release-1.0")
    world.commit(captain, {"b": "1"}, "fix: on the line")
    tagged(world, captain, "v1.0.1")
    git(captain, "checkout", "--quiet", "main")
    world.commit(captain, {"c": "1"}, "feat: on main")
    git(captain, "merge", "--quiet", "--no-ff", "-m", "Merge the line", "release-1.0")
    git(captain, "push", "--quiet", "origin", "main")
    world.commit(captain, {"c": "2"}, "feat: after the merge")
    tagged(world, captain, "v1.1.0-rc.1", "v1.1.0")
    world.commit(captain, {"c": "3"}, "fix: not out yet")
    page = world.json(captain, "release.changelog", "--all")["changelog"]
    found = dict(re.findall(r"(?ms)^## \[(.*?)\][^\n]*\n(.*?)(?=^## |^\[|\Z)", page))
    assert list(found) == ["Unreleased", "1.1.0", "1.0.1", "1.0.0"]
    words = {version: sorted(re.findall(r"^- (.*?) \(", text, re.MULTILINE)) for version, text in found.items()}
    assert words == {
        "Unreleased": ["not out yet"],
        "1.1.0": ["after the merge", "on main"],
        "1.0.1": ["on the line"],
        "1.0.0": ["an app", "before", "begin"],
    }
    assert "[1.1.0]: https://example.org/compare/v1.0.1...v1.1.0" in page


def test_of_several_releases_on_one_commit_each_has_its_date(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0", "v0.2.0", "v0.3.0")
    page = world.json(captain, "release.changelog", "--all")["changelog"]
    day = world.git(captain, "log", "-1", "--format=%cI")[:10]
    headings = [line for line in page.split("\n") if line.startswith("## ")]
    assert headings == [f"## [0.3.0] - {day}", f"## [0.2.0] - {day}", f"## [0.1.0] - {day}"]


def test_the_whole_changelog_tells_of_each_release_what_its_notes_tell(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0")
    world.commit(captain, {"a": "1"}, "feat: a thing")
    tagged(world, captain, "v0.2.0")
    page = world.json(captain, "release.changelog", "--all")["changelog"]
    notes = world.json(captain, "release.notes", "--version", "0.2.0")["notes"]
    items = [line for line in notes.split("\n") if line.startswith(("- ", "### "))]
    assert items
    assert all(item in page for item in items)


def test_hostile_messages_stay_text_in_every_view(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "feat: <img src=x> [a](b) @all \x1b[2J ::error::x\n\nBREAKING CHANGE: ##[error]y")
    for command in ("release.notes", "release.changelog", "release.changelog --all", "release.version --explain"):
        said = world.invoke(captain, *command.split()).expect(0).said
        assert "\x1b" not in said
        assert "##[" not in said
        assert "<img" not in said or "explain" in command


@pytest.mark.parametrize("message", ["", "\u200b"])
@pytest.mark.parametrize(("template", "line"), [("keep-a-changelog", "({id})"), ("github", "by Captain ({id})")])
def test_a_commit_without_a_message_is_told_by_words(
    template: str, line: str, message: str, world: World, captain: Path
) -> None:
    own = CONFIG.replace("[changelog]\n", f'[changelog]\ntemplate = "{template}"\n')
    world.commit(captain, {"release.toml": own}, "feat: a template")
    tagged(world, captain, "v0.1.0")
    world.git(captain, "commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", message)
    world.git(captain, "push", "--quiet", "origin", "HEAD")
    told = f"- (no message) {line.format(id=world.git(captain, 'rev-parse', 'HEAD')[:10])}"
    tagged(world, captain, "v0.1.1")
    for command in ("release.notes --version 0.1.1", "release.changelog --all"):
        assert told in world.invoke(captain, *command.split()).expect(0).out.split("\n")


def test_new_is_who_wrote_nothing_in_the_history_before_as_in_the_notes(world: World, captain: Path) -> None:
    """Ann is on two lines apart; what Ben wrote first was taken back; Dan's first release has a higher version than his next."""

    def written(name: str, message: str) -> str:
        author = f"{name} <{name}@example.org>"
        world.git(captain, "commit", "--quiet", "--allow-empty", "--author", author, "-m", message)
        return world.git(captain, "rev-parse", "HEAD")

    own = CONFIG.replace("[changelog]\n", '[changelog]\ntemplate = "github"\n')
    begun = world.commit(captain, {"release.toml": own}, "feat: a template")
    written("Ann", "fix: on a line of its own")
    tagged(world, captain, "v1.0.0")
    world.git(captain, "reset", "--quiet", "--hard", begun)
    written("Ann", "feat: on main")
    gone = written("Ben", "feat: too early")
    written("Captain", f'Revert "feat: too early"\n\nThis reverts commit {gone}.')
    tagged(world, captain, "v2.0.0")
    written("Ben", "feat: in time")
    written("Dan", "feat: of a newcomer")
    tagged(world, captain, "v2.1.0")
    written("Dan", "fix: above a higher version")
    tagged(world, captain, "v1.5.0")
    for name in ("Ann", "Ben", "Dan", "Eve"):
        written(name, f"fix: of {name}")
    world.git(captain, "push", "--quiet", "origin", "HEAD")

    def new(text: str) -> list[str]:
        found = re.search(r"(?s)^### New contributors\n\n(.*?)(?=^#|\Z)", text, re.MULTILINE)
        return [name for name in ("Ann", "Ben", "Dan", "Eve") if found and f"- {name}\n" in f"{found[1]}\n"]

    page = world.json(captain, "release.changelog", "--all")["changelog"]
    entries = dict(re.findall(r"(?ms)^## \[(.*?)\][^\n]*\n(.*?)(?=^## |^\[|\Z)", page))
    whole = {version: new(text) for version, text in entries.items()}
    assert whole == {"Unreleased": ["Eve"], "2.1.0": ["Dan"], "2.0.0": ["Ann"], "1.5.0": []}
    for version in ("2.1.0", "2.0.0", "1.5.0"):
        assert new(world.json(captain, "release.notes", "--version", version)["notes"]) == whole[version]
    assert new(world.json(captain, "release.notes")["notes"]) == whole["Unreleased"]
    world.git(captain, "fetch", "--quiet", "--tags")
    world.git(captain, "checkout", "--quiet", "v1.0.0")
    line = world.json(captain, "release.changelog", "--all")["changelog"]
    assert new(line) == ["Ann"]


def test_fragments_tell_what_is_not_released_as_in_the_notes(world: World, captain: Path) -> None:
    own = CONFIG + '\n[changes]\nsources = ["conventional", "fragments"]\n'
    old = {"changes.d/1.feature.md": "Told before.\n", "changes.d/2.fixed.md": "An old text.\n"}
    world.commit(captain, {"release.toml": own, **old}, "feat: begin")
    tagged(world, captain, "v1.0.0")
    whole = ("release.changelog", "--all")
    assert "Unreleased" not in world.json(captain, *whole)["changelog"]
    world.commit(captain, {"changes.d/5.feature.md": "Users see this.\n"}, "chore: internal")
    world.commit(captain, {"changes.d/2.fixed.md": "Another text.\n", "changes.d/6.fixed.md": "Gone.\n"}, "chore: more")
    (captain / "changes.d/6.fixed.md").unlink()
    world.commit(captain, {}, "chore: less")
    page = world.json(captain, *whole)["changelog"]
    entry = page.partition("## [Unreleased]\n")[2].partition("## [1.0.0]")[0]
    issue = "[#{0}](https://example.org/issues/{0})"
    told = [f"- Users see this. ({issue.format(5)})", f"- Another text. ({issue.format(2)})"]
    assert [line for line in entry.split("\n") if line.startswith("- ")] == told
    notes = world.json(captain, "release.notes")["notes"]
    assert [line for line in notes.split("\n") if line.startswith("- ")] == told
    world.invoke(captain, "release", "--yes").expect(0)
    world.git(captain, "pull", "--quiet")
    released = world.json(captain, *whole)["changelog"]
    assert "Unreleased" not in released
    assert "internal" in released.partition("## [1.1.0]")[2].partition("## [1.0.0]")[0]
