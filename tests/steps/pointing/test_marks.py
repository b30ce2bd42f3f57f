"""A release's marks on a forge: no prerelease any more, then the latest; and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from release.adapters.github import GitHub, Repository
from release.core.forge import Entry
from release.core.promotion import PointWish
from release.errors import Refused, ReleaseError, Uncertain, Unseen
from release.ports import Pointer
from release.sandbox.forge import Fault, Sandbox
from release.steps.pointing.marks import LatestMark, PrereleaseMark
from tests.forge import clone, git, serving

NAME = "acme/app"
RELEASES = f"/repos/{NAME}/releases"


@dataclass
class Page:
    """The releases of a repository: v1.0.0, v1.1.0 and v1.2.0, prereleases all of them at first."""

    forge: Sandbox
    app: Repository
    reader: Repository
    said: list[str] = field(default_factory=list)

    def prerelease(self, tag: str) -> PrereleaseMark:
        return PrereleaseMark(PointWish("prerelease mark", "prerelease"), tag, self.app)

    def latest(self, tag: str) -> LatestMark:
        return LatestMark(PointWish("latest mark", "latest"), tag, self.app)

    def finish(self, tag: str, before: str = "") -> None:
        """Promote a version as far as its marks go."""
        self.prerelease(tag).move("prerelease", "release", self.said.append)
        self.latest(tag).move(before, tag, self.said.append)

    def writes(self) -> int:
        return sum(one.method != "GET" for one in self.forge.exchanges())


@pytest.fixture(params=[False, True], ids=["mutable", "immutable"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    with serving(tmp_path / "forge") as forge:
        forge.repository(NAME, push=("captain",), immutable_releases=request.param)
        token = forge.token("captain")
        work = clone(forge, token, NAME, tmp_path / "work")
        opened = [GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": one}) for one in (token, forge.token("eve"))]
        app, reader = (one.forge(NAME) for one in opened)
        head = git(work, "rev-parse", "HEAD").stdout.strip()
        for tag in ("v1.0.0", "v1.1.0", "v1.2.0"):
            app.create(Entry(tag, head, tag, "notes", prerelease=True))
        yield Page(forge, app, reader)
        for one in opened:
            one.close()


def test_the_marks_are_moved_in_their_order_and_a_second_time_changes_nothing(page: Page) -> None:
    first, then = page.prerelease("v1.0.0"), page.latest("v1.0.0")
    assert (first.reads(), first.wanted(), first.lacking()) == ("prerelease", "release", ())
    assert (then.reads(), then.wanted(), then.lacking()) == ("", "v1.0.0", ())
    page.finish("v1.0.0")
    assert (first.reads(), then.reads()) == ("release", "v1.0.0")
    page.finish("v1.1.0", "v1.0.0")
    assert page.latest("v1.0.0").reads() == "v1.1.0"
    assert page.prerelease("v1.2.0").reads() == "prerelease"
    written = page.writes()
    page.finish("v1.1.0", "v1.0.0")
    assert page.writes() == written
    found = page.app.published("v1.1.0")
    assert found is not None
    assert (found.name, found.body, found.tag) == ("v1.1.0", "notes", "v1.1.0"), "nothing else is changed"


def test_the_marks_go_back_in_the_other_order(page: Page) -> None:
    page.finish("v1.0.0")
    page.finish("v1.1.0", "v1.0.0")
    page.latest("v1.1.0").move("v1.1.0", "v1.0.0", page.said.append)
    page.prerelease("v1.1.0").move("release", "prerelease", page.said.append)
    assert page.latest("v1.1.0").reads() == "v1.0.0"
    assert page.prerelease("v1.1.0").reads() == "prerelease"


def test_taking_the_mark_of_a_prerelease_away_makes_nothing_the_latest(page: Page) -> None:
    page.finish("v1.0.0")
    page.prerelease("v1.2.0").move("prerelease", "release", page.said.append)
    assert page.latest("v1.2.0").reads() == "v1.0.0"


def test_a_prerelease_is_not_made_the_latest(page: Page) -> None:
    written = page.writes()
    with pytest.raises(Refused, match=r"v1\.1\.0 of acme/app is marked as a prerelease, which cannot be the latest"):
        page.latest("v1.1.0").move("", "v1.1.0", page.said.append)
    assert page.writes() == written


def test_what_somebody_else_marked_meanwhile_stays(page: Page) -> None:
    page.finish("v1.0.0")
    page.finish("v1.2.0", "v1.0.0")
    page.prerelease("v1.1.0").move("prerelease", "release", page.said.append)
    with pytest.raises(Refused, match=r"latest mark says v1\.2\.0 by now, and said v1\.0\.0"):
        page.latest("v1.1.0").move("v1.0.0", "v1.1.0", page.said.append)
    assert page.latest("v1.1.0").reads() == "v1.2.0"


def test_a_release_that_is_not_out_has_no_mark_and_gets_none(page: Page) -> None:
    page.app.draft(Entry("v2.0.0", "master", "v2.0.0", "notes", prerelease=True))
    mark = page.prerelease("v2.0.0")
    (conflict,) = mark.lacking()
    assert conflict.rule == "not-released"
    assert page.latest("v2.0.0").lacking() == (conflict,)
    with pytest.raises(ReleaseError) as told:
        mark.reads()
    assert str(told.value) == str(conflict)
    with pytest.raises(Refused, match=r"no release of acme/app is out for v2\.0\.0"):
        mark.move("prerelease", "release", page.said.append)


def test_the_mark_of_the_latest_is_given_to_another_release_and_never_to_none(page: Page) -> None:
    page.finish("v1.0.0")
    with pytest.raises(Refused, match="is out for no tag"):
        page.latest("v1.0.0").move("v1.0.0", "", page.said.append)
    assert page.latest("v1.0.0").reads() == "v1.0.0"


def test_who_may_not_write_is_told_beforehand(page: Page) -> None:
    for kind in (PrereleaseMark, LatestMark):
        (conflict,) = kind(PointWish("mark", "latest"), "v1.0.0", page.reader).lacking()
        assert conflict.rule == "forge-right"


OF_EACH: dict[str, tuple[Callable[[Page], Pointer], str, str, str]] = {
    "prerelease": (lambda page: page.prerelease("v1.0.0"), "prerelease", "release", "tags/v1.0.0"),
    "latest": (lambda page: page.latest("v1.0.0"), "", "v1.0.0", "latest"),
}


@pytest.mark.parametrize("mark", OF_EACH)
def test_a_lost_answer_is_looked_after(page: Page, mark: str) -> None:
    of, old, new, _ = OF_EACH[mark]
    if mark == "latest":
        page.prerelease("v1.0.0").move("prerelease", "release", page.said.append)
    page.forge.faults(Fault("PATCH", f"{RELEASES}/*", when="after", reset=True))
    with pytest.raises(Uncertain):
        of(page).move(old, new, page.said.append)
    assert of(page).reads() == new


@pytest.mark.parametrize("mark", OF_EACH)
def test_a_forge_that_does_not_answer_is_not_taken_for_one_without_a_mark(page: Page, mark: str) -> None:
    of, _, _, path = OF_EACH[mark]
    page.forge.faults(Fault("GET", f"{RELEASES}/{path}", nth=0, status=404, body={"message": "Not Found"}))
    page.forge.faults(Fault("GET", f"/repos/{NAME}", nth=0, status=503))
    with pytest.raises(Unseen):
        of(page).reads()
