"""What is looked at to judge a fleet: in proportion to its components, for those alone that are asked about, error by error."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from release import app
from release.commands.evidence import Evidence, asked_about, evidence
from release.commands.fleet_status import fleet_status
from release.commands.looks import PARTS
from release.core.fleet_window import Wanted
from release.errors import Unseen, UsageError
from release.sandbox.forge import Fault, Sandbox
from release.sandbox.forge.many import many
from release.sandbox.registry import SandboxRegistry
from tests.forge import WHO, git, serving
from tests.registries import Running

ONE, TWO, THREE = "component-0001", "component-0002", "component-0003"
HEAD = '[project]\nname = "app"\nrepository = "acme/upstream-0001"\nforge = "github"\n'
TABLE = """
[[downstream]]
name = "{name}"
repository = "acme/{name}"
branch = "master"
trigger = "release"
{more}
"""
ALL = Wanted()
FLOW = 'workflow = "release.yml"'
RELEASES, RUNS = "/repos/{owner}/{repo}/releases", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs"


@dataclass
class Fleet:
    """A fleet on a forge, and a captain's clone in the environment of this process."""

    forge: Sandbox
    folder: Path
    asked: int = 0

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    def configure(self, *more: str, names: Sequence[str] = (ONE, TWO, THREE), head: str = HEAD) -> None:
        """Each component with further keys of its table."""
        keys = [*more, *[FLOW] * (len(names) - len(more))]
        tables = [TABLE.format(name=name, more=line) for name, line in zip(names, keys, strict=True)]
        (self.clone / "release.toml").write_text(head + "".join(tables))

    def look(self, wanted: Wanted = ALL, parts: Collection[str] = PARTS) -> Evidence:
        self.asked = len(list(self.forge.exchanges()))
        session = app.session(self.clone)
        try:
            return evidence(session, wanted, parts)
        finally:
            session.stop()

    def requests(self) -> Counter[str]:
        """What the API was asked by the last look: endpoints, and of whom."""
        new = list(self.forge.exchanges())[self.asked :]
        return Counter(f"{one.template} of {one.path.split('/')[3]}" for one in new)

    def bare(self, name: str) -> Path:
        return self.forge.git(f"acme/{name}").path


@pytest.fixture
def some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """An upstream and three components with four releases each."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_", "GH_", "SLUICE_"))]:
        monkeypatch.delenv(name)
    with serving(tmp_path / "forge") as forge:
        forge.user("captain")
        many(forge, 1, 4, prefix="upstream", push=("captain",))
        many(forge, 3, 4, push=("captain",))
        settings = {
            "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "GITHUB_API_URL": forge.api_url,
            "GITHUB_SERVER_URL": forge.url, "SLUICE_GITHUB_TOKEN": forge.token("captain"), **WHO,
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        git(tmp_path, "clone", "--quiet", f"{forge.url}/acme/upstream-0001.git", "clone")
        made = Fleet(forge, tmp_path)
        made.configure()
        yield made


def test_a_component_costs_one_request_of_the_api_for_each_list(some: Fleet) -> None:
    found = some.look()
    assert set(found.listed) == {ONE, TWO, THREE}
    for one in found.listed.values():
        assert one.errors == {}
        assert one.tags
        assert one.tags.keys() == {f"v1.{number}.0" for number in range(1, 5)}
        assert one.releases
        assert one.releases.keys() == one.tags.keys()
        assert one.runs
        assert {run.branch for run in one.runs} == one.tags.keys()
        assert one.heads == {"master": one.tags["v1.4.0"]}
        assert one.strangers == frozenset()
        assert one.images is None
        assert all(len(release.assets) == 2 for release in one.releases.values())
    assert found.home.releases
    assert found.home.tags
    assert found.home.releases.keys() == found.home.tags.keys()
    assert some.requests() == Counter(
        [f"{RELEASES} of upstream-0001", *(f"{part} of {name}" for part in (RELEASES, RUNS) for name in found.listed)]
    )


def test_a_second_look_by_another_process_is_all_not_modified_and_finds_the_same(some: Fleet) -> None:
    first = some.look()
    second = some.look()  # a session of its own knows what is on disk, and nothing else
    asked = list(some.forge.exchanges())[some.asked :]
    assert [one.status for one in asked] == [304] * 7
    assert second.listed == first.listed
    assert second.home == first.home


def test_who_is_left_out_is_not_asked_and_a_run_only_where_there_is_a_workflow(some: Fleet) -> None:
    some.configure(FLOW, "")
    found = some.look(Wanted(components=(TWO,)))
    assert set(found.listed) == {TWO}
    assert found.listed[TWO].runs is None
    assert some.requests() == Counter([f"{RELEASES} of upstream-0001", f"{RELEASES} of {TWO}"])


def test_where_no_release_matters_only_refs_are_looked_at(some: Fleet) -> None:
    found = some.look(Wanted(since="2999-01-01"))
    assert found.listed[ONE].tags
    assert found.listed[ONE].releases is None
    assert some.requests() == Counter()


def test_what_cannot_be_seen_of_one_harms_no_other(some: Fleet) -> None:
    some.configure('workflow = "none.yml"', FLOW, FLOW, names=(ONE, "gone", THREE))
    listed = some.look().listed
    assert set(listed[ONE].errors) == {"runs"}
    assert (listed[ONE].runs, len(listed[ONE].releases or ())) == (None, 4)
    assert (listed["gone"].tags, listed["gone"].releases) == (None, None)
    assert set(listed["gone"].errors) == {"tags", "releases", "runs"}
    assert "SLUICE_GITHUB_TOKEN cannot reach acme/gone" in listed["gone"].errors["tags"]
    assert (listed[THREE].errors, len(listed[THREE].runs or ())) == ({}, 4)
    assert all(error.isprintable() and len(error) <= 400 for one in listed.values() for error in one.errors.values())


def test_of_a_repository_that_has_moved_it_is_said_where_to(some: Fleet) -> None:
    for place in ("git-upload-pack", "info/refs"):
        to = f"{some.forge.url}/acme/{THREE}.git/{place}"
        some.forge.faults(Fault(path=f"/acme/{TWO}.git/{place}", nth=0, redirect=to))
    errors = some.look().listed[TWO].errors
    assert f"it has moved to {some.forge.url}/acme/{THREE}.git" in errors["tags"]


def test_a_list_that_is_not_wanted_is_not_asked_for(some: Fleet) -> None:
    alone = some.look(parts=("releases",)).listed[TWO]
    assert alone.releases
    assert (alone.runs, alone.images, alone.strangers) == (None, None, None)
    assert not any("/runs" in asked for asked in some.requests())
    none = some.look(parts=()).listed[TWO]
    assert none.tags
    assert none.releases is None


def test_a_tag_that_is_on_no_branch_is_a_stranger_until_a_record_or_a_merge_knows_it(some: Fleet) -> None:
    bare = some.bare(TWO)
    tree = git(bare, "rev-parse", "master^{tree}").stdout.strip()
    lost = git(bare, "commit-tree", "-m", "lost", tree).stdout.strip()
    git(bare, "update-ref", "refs/tags/v1.2.0", lost)
    listed = some.look().listed
    assert [listed[name].strangers for name in (ONE, TWO, THREE)] == [frozenset(), frozenset({lost}), frozenset()]
    assert some.look(parts=("releases", "runs")).listed[TWO].strangers is None
    assert not list(some.clone.glob(".release/downstreams/*.git/refs/heads/*"))
    merged = git(bare, "commit-tree", "-p", "master", "-p", lost, "-m", "merged", tree).stdout.strip()
    git(bare, "update-ref", "refs/heads/master", merged)
    assert some.look().listed[TWO].strangers == frozenset()


def test_history_is_fetched_once(some: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    first = some.look()
    stores = sorted(some.clone.glob(".release/downstreams/*.history.git"))
    assert len(stores) == 3
    for store in stores:  # nothing can be fetched into what is no repository
        (store / "HEAD").write_text("broken")
    again = some.look()
    assert again.listed == first.listed


def test_a_branch_that_is_not_there_is_said(some: Fleet) -> None:
    (some.clone / "release.toml").write_text((some.clone / "release.toml").read_text().replace("master", "trunk"))
    listed = some.look().listed
    assert "no branch trunk" in listed[ONE].errors["strangers"]
    assert listed[ONE].strangers is None
    assert listed[ONE].releases


def test_a_branch_that_is_gone_harms_no_other_branch(some: Fleet) -> None:
    file, bare = some.clone / "release.toml", some.bare(ONE)
    file.write_text(file.read_text().replace('"master"', '"line-{line}"'))
    tree = git(bare, "rev-parse", "master^{tree}").stdout.strip()
    lost = git(bare, "commit-tree", "-m", "lost", tree).stdout.strip()
    for number in (2, 3):
        git(bare, "update-ref", f"refs/heads/line-1.{number}", "master")
    git(bare, "update-ref", "refs/tags/v1.2.0", lost)
    seen = some.look(Wanted(components=(ONE,))).listed[ONE]
    assert seen.strangers == frozenset({lost})
    assert seen.errors == {"strangers": f"{ONE} has no branch line-1.1, line-1.4"}


def test_with_a_token_that_is_none_the_forge_says_so(some: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_GITHUB_TOKEN", "ghp_0123456789abcdefghijklmnopqrstuvwxyz")
    with pytest.raises(Unseen, match="Bad credentials"):
        some.look()


def test_a_repository_of_images_is_listed_once_for_all_that_name_it(
    some: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxRegistry(tmp_path / "registry") as registry:
        host = registry.url.partition("://")[2]
        monkeypatch.setenv("SLUICE_PLACES", f"docker.io={registry.url} none.example={some.forge.url}")
        Running(host).push("acme/shared", "v1.1.0")
        Running(host).push("acme/own", "v1.4.0")
        images = 'images = ["acme/shared:{image_tag}", "acme/own:{image_tag}", "none.example/x/y:{image_tag}"]'
        some.configure(images, 'images = ["acme/shared:{image_tag}-x"]', "")
        listed = some.look().listed
        shared, own = {"docker.io/acme/shared": frozenset({"v1.1.0"})}, {"docker.io/acme/own": frozenset({"v1.4.0"})}
        assert listed[ONE].images == {**shared, **own}
        assert set(listed[ONE].errors) == {"images"}
        assert "none.example/x/y" in listed[ONE].errors["images"]
        assert (listed[TWO].images, listed[TWO].errors) == (shared, {})
        assert listed[THREE].images is None
        lists = [
            one.path.partition("?")[0] for one in registry.requests if "/tags/list" in one.path and one.status == 200
        ]
        assert sorted(lists) == ["/v2/acme/own/tags/list", "/v2/acme/shared/tags/list"]


def test_with_plain_git_tags_and_histories_are_seen_and_nothing_else(some: Fleet) -> None:
    head = f'[project]\nname = "app"\nrepository = "{some.bare("upstream-0001")}"\n'
    tables = "".join(
        f'\n[[downstream]]\nname = "{name}"\nrepository = "{some.bare(name)}"\nbranch = "master"\n'
        for name in (ONE, TWO)
    )
    (some.clone / "release.toml").write_text(head + tables)
    shutil.rmtree(some.bare(TWO))
    found = some.look()
    assert found.home.releases is None
    one = found.listed[ONE]
    assert (len(one.tags or {}), one.strangers, one.releases, one.runs, one.errors) == (4, frozenset(), None, None, {})
    assert set(found.listed[TWO].errors) == {"tags"}
    assert some.requests() == Counter()


def test_refs_are_told_by_git_where_the_forge_does_not_list_them_so(
    some: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def not_so(listing: object) -> None:
        from release.errors import Unseen

        asked.append("x")
        raise Unseen("that is no list of refs", "")

    expected = some.look().listed[ONE]
    monkeypatch.setattr("release.adapters.github.listing.Listing.refs", not_so)
    assert some.look().listed[ONE] == expected
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("lines", "components", "kind", "says"),
    [
        ((), ("component-001",), "", "did you mean component-0001"),
        ((), ("zzz",), "", "there are: component-0001, component-0002, component-0003"),
        ((), ("a\x1b[31m\u2028b",), "", "no component"),
        (("1.x",), (), "", "1.x"),
        (("9.9",), (), "", "there are: 1.1, 1.2, 1.3, 1.4"),
        (("1.11",), (), "", "did you mean 1.1"),
        ((), (), "finals", "did you mean final"),
    ],
)
def test_what_means_nothing_is_bad_use_before_a_component_is_asked(
    some: Fleet, lines: tuple[str, ...], components: tuple[str, ...], kind: str, says: str
) -> None:
    session = app.session(some.clone)
    with pytest.raises(UsageError) as told:
        fleet_status(session, asked_about(lines, components, kind, "", ""))
    session.stop()
    assert says in str(told.value)
    assert str(told.value).isprintable()
    assert list(some.forge.exchanges()) == []
