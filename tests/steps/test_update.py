"""A component's files name a version by one pull request, which is never doubled and never takes anybody's work away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from release.core.finding import Blocked, Done, Failed, Pending, Underway
from release.core.model import UpdateWish
from release.errors import Refused, Uncertain
from release.sandbox.forge import Fault
from release.steps.update import UpdateReferences
from tests.updating import FILES, OURS, UPDATES, VALUES, Component, applied, forged, inspected, plain

Opened = Callable[[Path], AbstractContextManager[Component]]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Component]:
    """The component on a forge."""
    with forged(tmp_path) as component:
        yield component


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Component]:
    """The component on a plain git remote."""
    with plain(tmp_path) as component:
        yield component


def test_the_pull_request_says_what_it_brings_and_links_the_release(hub: Component) -> None:
    waits = applied(hub.step())
    assert isinstance(waits, Underway)
    assert "waits for the merge of #1 http" in waits.detail
    pull = hub.pull()
    assert (pull["title"], pull["head"], pull["base"]) == ("chore(deps): app v1.2.0", OURS, "main")
    assert "[v1.2.0](https://forge.example/acme/app/releases/tag/v1.2.0)" in pull["body"]
    assert "- `values.yaml image.tag`: `v1.2.0`, was `v1.0.0`" in pull["body"]
    assert "- `version.txt`: `1.2.0`, was `1.0.0`" in pull["body"]
    assert hub.show("values.yaml") == VALUES.replace("v1.0.0", "v1.2.0")
    assert hub.show("version.txt") == "app = 1.2.0\n"
    assert hub.world.git(hub.git, "diff", "--name-only", "main", OURS).split() == ["values.yaml", "version.txt"]


def test_a_later_version_updates_the_same_pull_request_and_an_older_one_waits_for_it(hub: Component) -> None:
    applied(hub.step("1.1.0"))
    first = hub.head()
    assert inspected(hub.step("1.2.0")) == Pending("update #1 of chart to v1.2.0")
    assert isinstance(applied(hub.step("1.2.0", captain="bob")), Underway)
    assert hub.pull()["title"] == "chore(deps): app v1.2.0"
    assert hub.show("version.txt") == "app = 1.2.0\n"
    assert hub.world.git(hub.git, "rev-list", "--count", f"main..{OURS}") == "1"
    written, late = hub.everything(), hub.step("1.1.0")
    assert hub.head() != first
    found = applied(late)
    assert isinstance(found, Underway)
    assert "which brings a newer version" in found.detail
    assert hub.everything() == written
    hub.merge()
    done = inspected(hub.step("1.1.0", captain="carol"))
    assert isinstance(done, Done)
    assert "names v1.2.0, which is newer" in done.detail


@pytest.mark.parametrize("opened", [plain, forged])
def test_an_older_release_does_not_undo_a_newer_reference(tmp_path: Path, opened: Opened) -> None:
    with opened(tmp_path) as component:
        component.commit({"version.txt": "app = 1.10.0\n"})
        untouched = component.everything()
        assert isinstance(applied(component.step("1.2.0")), Done)
        assert component.everything() == untouched
        assert isinstance(inspected(component.step("1.11.0")), Pending)


CHANNELS = "- {name: v1.1, latest: v1.1.0} # old\n- {name: v1.2, latest: v1.2.0} # new\n"
OF_A_LINE = (UpdateWish("channels.yaml", "yaml", "", key="[name=v{line}].latest", template="{tag}"),)


@pytest.mark.parametrize("opened", [plain, forged])
def test_lines_that_have_a_place_each_take_turns_and_none_is_lost(tmp_path: Path, opened: Opened) -> None:
    with opened(tmp_path) as component:
        component.commit({"channels.yaml": CHANNELS})
        older, newer = (component.step(version, updates=OF_A_LINE) for version in ("1.1.1", "1.2.1"))
        assert isinstance(applied(older), Underway)
        assert isinstance(applied(newer), Underway)
        waits = applied(older)
        assert isinstance(waits, Underway)
        assert "which brings a newer version" in waits.detail
        assert component.show("channels.yaml") == CHANNELS.replace("v1.2.0", "v1.2.1")
        component.merge(1)
        assert isinstance(inspected(newer), Done)
        assert isinstance(inspected(older), Pending)
        assert isinstance(applied(older), Underway)
        component.merge(2)
        assert isinstance(inspected(older), Done)
        wanted = CHANNELS.replace("v1.2.0", "v1.2.1").replace("v1.1.0", "v1.1.1")
        assert component.show("channels.yaml", "main") == wanted


@pytest.mark.parametrize("opened", [plain, forged])
def test_what_lines_share_names_the_newest_and_each_has_its_own_place_all_the_same(
    tmp_path: Path, opened: Opened
) -> None:
    with opened(tmp_path) as component:
        component.commit({"channels.yaml": CHANNELS})
        older, newer = (component.step(version, updates=UPDATES + OF_A_LINE) for version in ("1.1.1", "1.2.1"))
        applied(newer)
        component.merge(1)
        assert isinstance(inspected(newer), Done)
        assert isinstance(applied(older), Underway)
        component.merge(2)
        done = inspected(older)
        assert isinstance(done, Done)
        assert "v1.2.1, which is newer" in done.detail
        assert component.show("channels.yaml", "main") == CHANNELS.replace("v1.2.0", "v1.2.1").replace(
            "v1.1.0", "v1.1.1"
        )
        assert component.show("version.txt", "main") == "app = 1.2.1\n"


def test_a_no_to_one_line_is_none_to_another_that_has_a_place_of_its_own(hub: Component) -> None:
    hub.commit({"channels.yaml": CHANNELS})
    older, newer = (hub.step(version, updates=OF_A_LINE) for version in ("1.1.1", "1.2.1"))
    applied(older)
    applied(newer)
    hub.state(1, "closed")
    assert isinstance(inspected(newer), Failed)
    assert isinstance(applied(older), Underway)
    assert [one["title"] for one in hub.pulls()] == ["chore(deps): app v1.2.1", "chore(deps): app v1.1.1"]


@pytest.mark.parametrize("opened", [plain, forged])
def test_files_that_say_so_already_need_nothing(tmp_path: Path, opened: Opened) -> None:
    with opened(tmp_path) as component:
        named = component.commit({"values.yaml": VALUES.replace("v1.0.0", "v1.2.0"), "version.txt": "app = 1.2.0\n"})
        untouched = component.everything()
        found = inspected(component.step())
        assert isinstance(found, Done)
        assert found.value.commit == named
        assert applied(component.step()) == found
        assert component.everything() == untouched


def test_it_follows_the_branch_only_where_the_branch_changed_those_files(hub: Component) -> None:
    applied(hub.step())
    first = hub.head()
    hub.commit({"other.txt": "x\n"})
    assert isinstance(inspected(hub.step()), Underway)
    hub.commit({"values.yaml": VALUES + "replicas: 2\n"})
    assert isinstance(inspected(hub.step()), Pending)
    assert isinstance(applied(hub.step()), Underway)
    assert hub.head() != first
    assert hub.show("values.yaml").endswith("# kept\nreplicas: 2\n")
    assert hub.pull()["number"] == 1


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_however_it_is_merged_it_is_done_and_the_next_version_takes_the_same_branch(
    hub: Component, method: Any
) -> None:
    applied(hub.step("1.1.0"))
    hub.merge(1, method)
    assert isinstance(inspected(hub.step("1.1.0")), Done)
    assert isinstance(applied(hub.step("1.2.0")), Underway)
    assert [(one["number"], one["state"]) for one in hub.pulls()] == [(1, "closed"), (2, "open")]
    assert hub.world.git(hub.git, "rev-list", "--count", f"main..{OURS}") == "1"


def test_a_pull_request_that_was_closed_is_a_no_to_every_version_that_it_was_for(hub: Component) -> None:
    applied(hub.step("1.1.0"))
    applied(hub.step("1.2.0"))
    hub.state(1, "closed")
    written = hub.everything()
    for version in ("1.2.0", "1.1.0"):
        step = hub.step(version)
        found = inspected(step)
        assert isinstance(found, Failed), found
        assert f"which was for v{version}, was closed without a merge" in found.why
        assert "reopen it" in found.remedy
        with pytest.raises(Refused, match="was closed without a merge"):
            applied(step)
    assert hub.everything() == written
    hub.state(1, "open")
    assert isinstance(inspected(hub.step("1.2.0")), Underway)
    hub.state(1, "closed")
    assert isinstance(applied(hub.step("1.1.1")), Underway)
    assert [one["state"] for one in hub.pulls()] == ["closed", "open"]
    hub.merge(2)
    assert isinstance(inspected(hub.step("1.1.0")), Done)
    assert isinstance(inspected(hub.step("1.2.0")), Failed)
    assert isinstance(applied(hub.step("1.3.0")), Underway)


def test_what_was_merged_and_taken_back_is_not_brought_again(hub: Component) -> None:
    applied(hub.step())
    hub.merge()
    hub.commit(FILES, "revert: not yet")
    found = inspected(hub.step())
    assert isinstance(found, Failed)
    assert "it was taken back" in found.why


@pytest.mark.parametrize("opened", [plain, forged])
def test_others_commits_are_kept_and_wait_with_ours(tmp_path: Path, opened: Opened) -> None:
    with opened(tmp_path) as component:
        applied(component.step("1.1.0"))
        theirs = component.commit({"go.sum": "sums\n"}, "fix: what the new one needs", branch=OURS)
        found = applied(component.step("1.1.0"))
        assert isinstance(found, Underway)
        assert "others' commits" in found.detail
        written = component.everything()
        blocked = inspected(component.step("1.2.0"))
        assert isinstance(blocked, Blocked)
        assert blocked.conflict.rule == "proposal-touched"
        with pytest.raises(Refused, match="somebody committed"):
            applied(component.step("1.2.0"))
        assert component.everything() == written
        assert component.head() == theirs
        component.merge()
        assert isinstance(inspected(component.step("1.1.0")), Done)
        assert isinstance(applied(component.step("1.2.0")), Underway)


@pytest.mark.parametrize(("extra", "kind"), [({}, Pending), ({"go.sum": "sums\n"}, Blocked)])
def test_the_button_that_brings_the_branch_up_to_date_does_no_harm(
    bare: Component, extra: dict[str, str], kind: type[Any]
) -> None:
    """Unless somebody else's work is in that merge."""
    applied(bare.step("1.1.0"))
    bare.commit({"other.txt": "x\n"})
    place = bare.world.folder / "button"
    bare.world.git(bare.world.folder, "clone", "--quiet", "--branch", OURS, str(bare.git), str(place))
    who = ("-c", "user.name=Hub", "-c", "user.email=hub@x")
    bare.world.git(place, *who, "merge", "--quiet", "--no-ff", "--no-commit", "origin/main")
    for name, content in extra.items():
        (place / name).write_text(content)
    bare.world.git(place, "add", "--all")
    bare.world.git(place, *who, "commit", "--quiet", "-m", "Merge branch 'main'")
    bare.world.git(place, "push", "--quiet")
    assert isinstance(inspected(bare.step("1.1.0")), Underway)
    later = bare.step("1.2.0", captain="bob")
    assert isinstance(inspected(later), kind)
    if kind is Pending:
        assert isinstance(applied(later), Underway)
        assert bare.world.git(bare.git, "rev-list", "--count", f"main..{OURS}") == "1"


def test_a_commit_of_ours_that_somebody_changed_is_theirs(bare: Component) -> None:
    applied(bare.step("1.1.0"))
    message = bare.world.git(bare.git, "log", "-1", "--format=%B", OURS)
    place = bare.world.folder / "amending"
    bare.world.git(bare.world.folder, "clone", "--quiet", "--branch", OURS, str(bare.git), str(place))
    (place / "go.sum").write_text("sums\n")
    bare.world.git(place, "add", "--all")
    bare.world.git(place, "-c", "user.name=G", "-c", "user.email=g@x", "commit", "--quiet", "--amend", "-m", message)
    bare.world.git(place, "push", "--quiet", "--force")
    assert isinstance(inspected(bare.step("1.2.0")), Blocked)


def test_killed_between_push_and_opening_the_next_run_opens_it(hub: Component) -> None:
    assert hub.forge is not None
    hub.forge.faults(Fault("POST", "/repos/acme/chart/pulls", nth=0, status=403, body={"message": "not now"}))
    with pytest.raises(Refused, match="not now"):
        applied(hub.step())
    pushed = hub.head()
    assert pushed
    assert hub.pulls() == []
    hub.forge.no_faults()
    assert inspected(hub.step()) == Pending("open a pull request with v1.2.0 in chart")
    assert isinstance(applied(hub.step()), Underway)
    assert hub.head() == pushed
    assert hub.pull()["number"] == 1


def test_an_answer_that_was_lost_is_looked_for(hub: Component) -> None:
    assert hub.forge is not None
    hub.forge.faults(Fault("POST", "/repos/acme/chart/pulls", when="after", reset=True))
    step = hub.step()
    with pytest.raises(Uncertain):
        applied(step)
    assert isinstance(inspected(step), Underway)
    assert hub.pull()["number"] == 1


def test_two_captains_at_once_make_one_commit_and_one_pull_request(
    hub: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = hub.step(), hub.step(captain="bob")
    push = slow.remote.push

    def overtaken(*moves: tuple[str, str, str]) -> None:
        monkeypatch.setattr(slow.remote, "push", push)
        assert isinstance(applied(fast), Underway)
        push(*moves)

    monkeypatch.setattr(slow.remote, "push", overtaken)
    assert isinstance(applied(slow), Underway)
    assert inspected(slow) == inspected(fast)
    assert hub.pull()["number"] == 1


def test_who_is_refused_because_the_very_commit_is_there_goes_on(
    hub: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = hub.step()
    push = slow.remote.push

    def beaten(*moves: tuple[str, str, str]) -> None:
        push(*moves)
        raise Refused("cannot lock ref", "")

    monkeypatch.setattr(slow.remote, "push", beaten)
    assert isinstance(applied(slow), Underway)
    assert hub.pull()["number"] == 1


def test_two_that_open_it_at_once_open_one(hub: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, fast = hub.step(), hub.step(captain="bob")
    assert slow.forge is not None
    propose = slow.forge.propose

    def overtaken(*words: str) -> None:
        assert isinstance(applied(fast), Underway)
        propose(*words)

    monkeypatch.setattr(slow.forge, "propose", overtaken)
    assert isinstance(applied(slow), Underway)
    assert hub.pull()["number"] == 1


def test_a_newer_release_that_was_overtaken_by_an_older_one_goes_over_it(
    hub: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = hub.step("1.2.0"), hub.step("1.1.0", captain="bob")
    push = newer.remote.push

    def overtaken(*moves: tuple[str, str, str]) -> None:
        monkeypatch.setattr(newer.remote, "push", push)
        applied(older)
        push(*moves)

    monkeypatch.setattr(newer.remote, "push", overtaken)
    assert isinstance(applied(newer), Underway)
    assert hub.show("version.txt") == "app = 1.2.0\n"
    assert hub.pull()["title"] == "chore(deps): app v1.2.0"
    assert isinstance(inspected(older), Underway)


def test_a_pull_request_from_that_branch_without_our_mark_is_somebody_elses(hub: Component) -> None:
    applied(hub.step())
    door = hub.step().forge
    assert door is not None
    door.reword(1, "mine", "all mine")
    found = inspected(hub.step())
    assert isinstance(found, Blocked)
    assert found.conflict.rule == "proposal-foreign"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"values.yaml": "image: {}\n"}, "values.yaml has no image"),
        ({"values.yaml": "image: {tag: [v1]}\n"}, "which is no single value"),
        ({"version.txt": "none\n"}, "version.txt has no what the pattern"),
        ({"values.yaml": "image: {tag: v1}\nimage: {tag: v2}\n"}, "for the second time"),
    ],
)
def test_a_place_that_is_not_there_blocks_before_anything_is_written(
    bare: Component, files: dict[str, str], why: str
) -> None:
    bare.commit(files)
    untouched = bare.everything()
    found = inspected(bare.step())
    assert isinstance(found, Blocked)
    assert "main of chart: " in found.conflict.why
    assert why in found.conflict.why
    applied(bare.step())
    assert bare.everything() == untouched


def test_all_that_is_wrong_is_told_at_once_and_a_missing_file_too(bare: Component) -> None:
    gone = (*UPDATES, UpdateWish("none.toml", "toml", "", key="a", template="{tag}"))
    bare.commit({"version.txt": "none\n"})
    found = inspected(bare.step(updates=gone))
    assert isinstance(found, Blocked)
    assert "version.txt" in found.conflict.why
    assert "none.toml is not there" in found.conflict.why


def test_a_link_is_no_file_of_the_component(bare: Component) -> None:
    place = bare.world.folder / "linking"
    bare.world.git(bare.world.folder, "clone", "--quiet", str(bare.git), str(place))
    (place / "version.txt").unlink()
    (place / "version.txt").symlink_to("values.yaml")
    bare.world.git(place, "add", "--all")
    bare.world.git(place, "-c", "user.name=G", "-c", "user.email=g@x", "commit", "--quiet", "-m", "fix: a link")
    bare.world.git(place, "push", "--quiet")
    found = inspected(bare.step())
    assert isinstance(found, Blocked)
    assert "version.txt is not there, or is no plain file" in found.conflict.why


def test_a_branch_that_is_not_there_blocks(bare: Component) -> None:
    bare.world.git(bare.git, "branch", "-m", "main", "trunk")
    found = inspected(bare.step())
    assert isinstance(found, Blocked)
    assert found.conflict.rule == "no-branch"


def test_who_may_not_push_there_is_told_before_anything_is_written(hub: Component) -> None:
    assert hub.forge is not None
    assert hub.step().preflight() == ()
    found = hub.step(token=hub.forge.token("guest")).preflight()
    assert [conflict.rule for conflict in found] == ["forge-right", "push-right"]


def test_line_ends_and_marks_and_modes_of_files_stay(bare: Component) -> None:
    place = bare.world.folder / "seed-chart"
    (place / "values.yaml").write_bytes(b"\xef\xbb\xbf" + VALUES.replace("\n", "\r\n").encode())
    (place / "values.yaml").chmod(0o755)
    bare.world.git(place, "-c", "core.autocrlf=false", "add", "--all")
    bare.world.git(place, "-c", "user.name=G", "-c", "user.email=g@x", "commit", "--quiet", "-m", "fix: odd")
    bare.world.git(place, "push", "--quiet", "origin", "HEAD:main")
    assert isinstance(applied(bare.step(kind=UpdateReferences)), Underway)
    wanted = b"\xef\xbb\xbf" + VALUES.replace("v1.0.0", "v1.2.0").replace("\n", "\r\n").encode()
    name = hashlib.sha1(b"blob %d\0" % len(wanted) + wanted, usedforsecurity=False).hexdigest()
    assert bare.world.git(bare.git, "ls-tree", OURS, "values.yaml") == f"100755 blob {name}\tvalues.yaml"


def test_what_a_file_said_is_no_markup_and_no_mark(hub: Component) -> None:
    hub.commit({"version.txt": "app = <!-- sluice update 9.9.9 --> `@acme/all` [x](y)\n"})
    assert isinstance(applied(hub.step()), Underway)
    body = hub.pull()["body"]
    assert "was `<! -- sluice update 9.9.9 --> @acme/all [x](y)`\n" in body
    assert isinstance(inspected(hub.step()), Underway)
