"""Each rule: a real repository that violates it, and one that just does not.

Plans are made in this process, by the command that `invoke release.plan` calls; the last tests type whole commands.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from release import app
from release.commands import plan as planning
from release.core.aim import Wishes
from release.core.conflicts import ALL, RULES
from release.core.plan import Plan
from release.errors import ConfigError
from tests.registries import registry
from tests.world import World, made

NO_TAGS = "#!/bin/sh\ncase $1 in refs/tags/*) echo no tags today >&2; exit 1;; esac\n"
PLAIN = """\
[project]
name = "demo"

[version]
candidates = ["rc"]
"""
WRITING = PLAIN + '[commit]\nmode = "push"\n[changelog]\nfile = "CHANGELOG.md"\n'
BY_FILE = (
    PLAIN + 'source = "file"\n[[version.file]]\npath = "VERSION"\npattern = "(?P<value>[0-9.]+)"\nvalue = "{core}"\n'
)
TESTED = PLAIN + "final_from_candidate = true\n"
NAMED = PLAIN + '[release]\noutput = "out/{image_tag}"\n'
STRICT = '[rules]\nbehind = "error"\nuntested = "error"\nfragment-unknown = "error"\n'
FLEET = (
    PLAIN
    + """
[[downstream]]
name = "first"
repository = "../first.git"
requires = { second = ">=1.6" }

[[component]]
name = "second"
repository = "../second.git"
"""
)
BUILT_ON = (
    PLAIN
    + """
[changes]
sources = ["conventional", "upstream", "fragments"]

[[upstream]]
name = "base"
path = "BASE"
pattern = "base v(?P<value>[0-9.]+)"
"""
)


class Scene(NamedTuple):
    """A world, a captain's clone in it, and the environment that commands get."""

    world: World
    clone: Path
    env: dict[str, str]

    def git(self, *args: str, check: bool = True) -> str:
        return self.world.git(self.clone, *args, check=check)

    def commit(self, message: str, files: Mapping[str, str] | None = None, push: bool = True) -> str:
        return self.world.commit(self.clone, files or {}, message, push)

    def tag(self, name: str, commit: str = "HEAD") -> None:
        """A tag on the remote, made by hand."""
        self.git("push", "--quiet", "origin", f"{commit}:refs/tags/{name}")

    def on(self, branch: str) -> None:
        """A branch, here and on the remote."""
        self.git("checkout", "--quiet", "-B", branch)
        self.git("push", "--quiet", "origin", branch)

    def tag_of(self, name: str, tag: str) -> None:
        """A tag in another repository of the fleet."""
        self.world.git(self.world.remote(name), "tag", tag, "main")

    def started_for(self, tag: str) -> Wishes:
        """A workflow's run for a tag: its checkout is detached, and has that tag."""
        self.env["GITHUB_REF"] = f"refs/tags/{tag}"
        self.git("fetch", "--quiet", "origin", f"refs/tags/{tag}:refs/tags/{tag}")
        self.git("checkout", "--quiet", "--detach", f"refs/tags/{tag}")
        return Wishes()

    def half_done(self) -> None:
        """v0.1.0 has begun, and its tag could not be pushed."""
        hook = self.world.refuse("upstream", NO_TAGS, "update")
        self.world.invoke(self.clone, "release", "--yes").expect(1, "no tags today")
        hook.unlink()

    def clone_anew(self, *options: str) -> Scene:
        return Scene(self.world, self.world.clone("anew", "upstream", *options), self.env)


Act = Callable[[Scene], Wishes | tuple[Scene, Wishes]]


class Case(NamedTuple):
    """What violates a rule and what just does not, with one configuration."""

    rule: str
    about: str
    config: str
    violates: Act
    just_not: Act


CASES: list[Case] = []


Story = Callable[[Scene, bool], Wishes | tuple[Scene, Wishes]]


def case(rule: str, config: str = PLAIN) -> Callable[[Story], Story]:
    """Register a story that is told twice: with True it violates the rule, with False it just does not."""

    def register(story: Story) -> Story:
        about = getattr(story, "__name__", "")
        CASES.append(Case(rule, about, config, lambda scene: story(scene, True), lambda scene: story(scene, False)))
        return story

    return register


# The number


@case("tag-elsewhere")
def on_the_remote(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v0.1.0", "HEAD~1" if bad else "HEAD")
    return Wishes(version="0.1.0")


@case("tag-elsewhere")
def in_this_clone(scene: Scene, bad: bool) -> Wishes:
    scene.git("tag", "--annotate", "--message", "mine", "v0.1.0", "HEAD~1" if bad else "HEAD")
    return Wishes()


@case("tag-elsewhere", WRITING)
def in_this_clone_where_a_commit_of_its_own_comes(scene: Scene, bad: bool) -> Wishes:
    scene.git("tag", "v0.1.0" if bad else "v0.0.9")
    return Wishes()


@case("tag-elsewhere")
def moved_since_it_was_fetched(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v0.1.0")
    wishes = scene.started_for("v0.1.0")
    if bad:
        scene.world.git(scene.world.remote(), "tag", "--force", "v0.1.0", "main~1")
    return wishes


@case("burned")
def given_up(scene: Scene, bad: bool) -> Wishes:
    scene.half_done()
    scene.world.invoke(scene.clone, "release.abandon", "--reason", "bad", "--yes").expect(0)
    return Wishes(version="0.1.0" if bad else "0.1.1")


@case("unfinished")
def of_the_same_line(scene: Scene, bad: bool) -> Wishes:
    scene.half_done()
    return Wishes(version="0.1.1" if bad else "0.2.0")


@case("record-unreadable")
def no_record_at_all(scene: Scene, bad: bool) -> Wishes:
    scene.git("push", "--quiet", "origin", f"HEAD:refs/sluice/{'0.1' if bad else '0.9'}")
    return Wishes()


@case("record-unreadable")
def no_record_where_a_tag_is(scene: Scene, bad: bool) -> Wishes:
    scene.git("push", "--quiet", "origin", f"HEAD:refs/sluice/{'0.1' if bad else '0.9'}")
    scene.tag("v0.1.0")
    return scene.started_for("v0.1.0")


@case("backward")
def below_a_version_on_another_branch(scene: Scene, bad: bool) -> Wishes:
    scene.git("checkout", "--quiet", "-b", "aside")
    scene.commit("fix: aside")
    scene.tag("v1.0.5")
    scene.git("checkout", "--quiet", "main")
    return Wishes(version="1.0.4" if bad else "1.0.6")


@case("backward")
def below_a_final_in_its_history(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v1.1.0")
    scene.commit("fix: a")
    return Wishes(version="1.0.9" if bad else "1.2.0")


@case("nothing-changed")
def another_version_of_the_same_commit(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v0.1.0")
    if not bad:
        scene.commit("docs: a")
    return Wishes(version="0.2.0")


@case("nothing-changed")
def another_candidate_of_the_same_commit(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v0.1.0-rc.1")
    return Wishes(version="0.1.0-rc.2" if bad else "0.1.0")


@case("image-tag-shared", NAMED)
def plus_and_dash(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v1.0.0-r1", "HEAD~1")
    return Wishes(version="1.0.0+r1" if bad else "1.0.0+r2")


# The place


@case("wrong-line")
def a_feature_on_a_lines_branch(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v1.30.0")
    scene.on("release-1.30")
    scene.commit("feat: a" if bad else "fix: a")
    return Wishes()


@case("wrong-line")
def a_bump_on_a_lines_branch(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v1.30.0")
    scene.on("release-1.30")
    scene.commit("fix: a")
    return Wishes(bump="minor" if bad else "patch")


@case("wrong-branch")
def the_line_has_its_own(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v1.30.0")
    scene.on("release-1.30")
    scene.git("checkout", "--quiet", "main")
    scene.commit("fix: a" if bad else "feat: a")
    return Wishes()


@case("branch")
def none_of_those_that_are_released(scene: Scene, bad: bool) -> Wishes:
    scene.on("feature" if bad else "release-0.1")
    return Wishes()


@case("branch")
def a_tag_beside_the_branches(scene: Scene, bad: bool) -> Wishes:
    if bad:
        scene.on("feature")
    scene.commit("feat: a")
    scene.tag("v0.1.0")
    return scene.started_for("v0.1.0")


@case("branch", PLAIN + 'branches = ["release-{line}"]\n')
def a_tag_of_a_line_without_a_branch(scene: Scene, bad: bool) -> Wishes:
    scene.on("release-0.1" if bad else "release-0.9")
    scene.tag("v0.9.0")
    return scene.started_for("v0.9.0")


@case("behind", PLAIN + STRICT)
def somebody_has_pushed(scene: Scene, bad: bool) -> Wishes:
    scene.world.commit(scene.world.clone("other"), {"other": "1"}, "feat: other")
    if not bad:
        scene.git("pull", "--quiet")
    return Wishes()


@case("dirty", WRITING)
def what_the_release_writes(scene: Scene, bad: bool) -> Wishes:
    (scene.clone / ("CHANGELOG.md" if bad else "app.txt")).write_text("half written\n")
    return Wishes()


@case("dirty", WRITING.replace("CHANGELOG.md", "docs/CHANGELOG.md"))
def a_folder_that_git_does_not_know_yet(scene: Scene, bad: bool) -> Wishes:
    folder = scene.clone / ("docs" if bad else "doc")
    folder.mkdir()
    (folder / "CHANGELOG.md").write_text("half written\n")
    return Wishes()


@case("dirty", WRITING)
def a_changelog_that_a_candidate_leaves_alone(scene: Scene, bad: bool) -> Wishes:
    (scene.clone / "CHANGELOG.md").write_text("half written\n")
    return Wishes() if bad else Wishes(stage="rc")


@case("dirty", WRITING + '[changes]\nsources = ["conventional", "fragments"]\n')
def a_fragment_that_goes_away(scene: Scene, bad: bool) -> Wishes:
    scene.commit("feat: a", {"changes.d/1.feature.md": "New.\n", "changes.d/README.md": "How to.\n"})
    (scene.clone / "changes.d" / ("1.feature.md" if bad else "README.md")).write_text("half written\n")
    return Wishes()


@case("version-file", BY_FILE)
def the_file_says_something_else(scene: Scene, bad: bool) -> Wishes:
    scene.commit("feat: a", {"VERSION": "1.2.3\n"})
    return Wishes(version="1.2.4" if bad else "1.2.3")


@case("version-file", BY_FILE)
def the_file_at_a_tag_says_something_else(scene: Scene, bad: bool) -> Wishes:
    scene.commit("feat: a", {"VERSION": "1.2.3\n"})
    tag = "v1.2.4" if bad else "v1.2.3"
    scene.tag(tag)
    return scene.started_for(tag)


@case("upstream-unread", BUILT_ON)
def the_base_is_not_named(scene: Scene, bad: bool) -> Wishes:
    scene.commit("feat: a", {"BASE": "base latest\n" if bad else "base v1.2.3\n"})
    return Wishes()


@case("fragment-unknown", BUILT_ON + STRICT)
def a_kind_that_nobody_knows(scene: Scene, bad: bool) -> Wishes:
    scene.commit("feat: a", {"BASE": "base v1.2.3\n", f"changes.d/1.{'braking' if bad else 'breaking'}.md": "Gone.\n"})
    return Wishes()


@case("no-candidate", TESTED)
def never_tested(scene: Scene, bad: bool) -> Wishes:
    if not bad:
        scene.tag("v0.1.0-rc.1")
    return Wishes(version="0.1.0")


@case("candidate-elsewhere", TESTED)
def its_candidate_is_on_another_branch(scene: Scene, bad: bool) -> Wishes:
    scene.on("release-0.1")
    scene.git("checkout", "--quiet", "-b", "aside")
    scene.commit("feat: aside")
    scene.tag("v0.1.0-rc.1", "HEAD" if bad else "release-0.1")
    scene.git("checkout", "--quiet", "release-0.1")
    return Wishes()


@case("candidate-elsewhere", TESTED)
def a_tag_that_is_not_on_its_candidate(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v0.1.0-rc.1", "HEAD~1" if bad else "HEAD")
    scene.tag("v0.1.0")
    return scene.started_for("v0.1.0")


@case("untested", PLAIN + STRICT)
def changed_since_its_candidate(scene: Scene, bad: bool) -> Wishes:
    scene.tag("v0.1.0-rc.1")
    if bad:
        scene.commit("fix: a")
    return Wishes(version="0.1.0")


# The fleet


@case("downstream-ahead", FLEET)
def a_tag_that_the_upstream_lacks(scene: Scene, bad: bool) -> Wishes:
    scene.tag_of("second", "v1.6.0")
    scene.tag_of("first", "v0.1.1" if bad else "v0.2.0")
    return Wishes()


@case("requires", FLEET)
def too_old(scene: Scene, bad: bool) -> Wishes:
    scene.tag_of("second", "v1.5.9" if bad else "v1.6.0")
    scene.tag_of("second", "v1.6.1-rc.1")
    return Wishes()


@case("component-unseen", FLEET)
def not_to_be_reached(scene: Scene, bad: bool) -> Wishes:
    scene.tag_of("second", "v1.6.0")
    if bad:
        scene.world.remote("second").rename(scene.world.folder / "gone")
    return Wishes()


@case("requires", FLEET[: FLEET.index("[[component]]")].replace("second", "demo").replace(">=1.6", "<2"))
def the_project_itself(scene: Scene, bad: bool) -> Wishes:
    return Wishes(version="2.0.0" if bad else "1.99.0")


# Before there is a version


@case("incomplete-clone")
def shallow(scene: Scene, bad: bool) -> tuple[Scene, Wishes]:
    return scene.clone_anew(*(["--depth", "1"] if bad else [])), Wishes()


@case("detached")
def on_a_commit_of_no_branch(scene: Scene, bad: bool) -> Wishes:
    scene.commit("feat: a")
    scene.git("checkout", "--quiet", "--detach", "HEAD~1" if bad else "HEAD")
    return Wishes()


@case("branch-unpublished")
def only_here(scene: Scene, bad: bool) -> Wishes:
    scene.git("checkout", "--quiet", "-b", "release-0.1")
    if not bad:
        scene.git("push", "--quiet", "origin", "release-0.1")
    return Wishes()


@case("unpushed")
def a_commit_that_is_only_here(scene: Scene, bad: bool) -> Wishes:
    scene.commit("feat: a", push=not bad)
    return Wishes()


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Scene]:
    """Worlds by their configuration; commands in this process get their environment."""
    for name in ("GITHUB_REF", "GITHUB_ACTIONS", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def open_with(config: str) -> Scene:
        others = [name for name in ("first", "second") if name in config]
        world = made(tmp_path / "world", config, others)
        for key in ("HOME", "GIT_CONFIG_NOSYSTEM"):
            monkeypatch.setenv(key, world.environment[key])
        return Scene(world, world.clone("captain"), {})

    return open_with


def planned(told: Scene, act: Act, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """What is planned after somebody did something."""
    result = act(told)
    scene, wishes = result if isinstance(result, tuple) and isinstance(result[0], Scene) else (told, result)
    assert isinstance(wishes, Wishes)
    for key, value in scene.env.items():
        monkeypatch.setenv(key, value)
    session = app.session(scene.clone)
    try:
        return planning.plan(session, wishes)
    finally:
        session.stop()


def ids(one: Case) -> str:
    return f"{one.rule}-{one.about}"


@pytest.mark.parametrize("one", CASES, ids=ids)
def test_a_repository_that_violates_the_rule_is_refused(
    one: Case, opened: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = opened(one.config)
    plan = planned(scene, one.violates, monkeypatch)
    assert [conflict.rule for conflict in plan.conflicts] == [one.rule]
    assert all(conflict.remedy for conflict in plan.conflicts)


@pytest.mark.parametrize("one", CASES, ids=ids)
def test_a_repository_that_just_does_not_violate_it_is_released(
    one: Case, opened: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = opened(one.config)
    plan = planned(scene, one.just_not, monkeypatch)
    assert plan.conflicts == ()
    assert plan.tag is not None


def test_no_rule_that_judges_a_version_is_left_out() -> None:
    elsewhere = {"image-taken", "package-taken", "claim-unseen"}  # these need servers: below
    assert {rule.name for rule in RULES} - elsewhere <= {one.rule for one in CASES}


# Registries and indexes


@contextmanager
def index(folder: Path, *files: str) -> Iterator[str]:
    """A package index of plain files (PEP 503) over HTTP, with one project `demo`."""
    page = folder / "simple" / "demo" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<!DOCTYPE html>\n" + "".join(f'<a href="{name}">{name}</a>\n' for name in files))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def rules_of(plan: Plan) -> list[str]:
    return [conflict.rule for conflict in plan.conflicts]


def test_an_image_tag_that_is_taken_is_not_released_again(
    opened: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with registry(tmp_path) as running:
        image = f'[[image]]\nname = "owner/demo"\nregistries = ["{running.host}"]\n'
        scene = opened(PLAIN + image)
        running.push("owner/demo", "v0.2.0")
        assert rules_of(planned(scene, lambda _: Wishes(), monkeypatch)) == []
        digest = running.push("owner/demo", "v0.1.0")
        plan = planned(scene, lambda _: Wishes(), monkeypatch)
        assert rules_of(plan) == ["image-taken"]
        assert digest in plan.conflicts[0].why
    assert rules_of(planned(scene, lambda _: Wishes(), monkeypatch)) == ["claim-unseen"]


def test_a_version_that_an_index_has_is_not_released_again(
    opened: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with index(tmp_path / "index", "demo-0.1.tar.gz", "demo-0.3.0-py3-none-any.whl") as address:
        scene = opened(PLAIN + f'[[package]]\nname = "Demo"\nindex = "{address}"\n')
        assert rules_of(planned(scene, lambda _: Wishes(), monkeypatch)) == ["package-taken"]
        assert rules_of(planned(scene, lambda _: Wishes(version="0.2.0"), monkeypatch)) == []


# The configuration

TWO = '[[downstream]]\nname = "a"\nrepository = "../a.git"\n{0}\n[[downstream]]\nname = "b"\nrepository = "../b.git"\n{1}\n'
OTHER = '[[component]]\nname = "c"\nrepository = "../c.git"\n{2}\n'


@pytest.mark.parametrize(
    ("rule", "bad", "fine", "said"),
    [
        ("cycle", ['after = ["b"]', 'requires = { c = ">=1" }', 'requires = { a = ">=1" }'],
         ['after = ["b"]', 'requires = { c = ">=1" }', 'requires = { demo = ">=1" }'], "a -> b -> c -> a"),
        ("cycle", ['after = ["b"]', 'after = ["a"]', ""], ['after = ["b"]', "", ""], "a -> b -> a"),
        ("requires-disjoint", ['requires = { c = ">=1.6" }', 'requires = { c = "<1.6" }', ""],
         ['requires = { c = ">=1.6" }', 'requires = { c = "<=1.6" }', ""], "no version is in both ranges"),
        ("image-claimed-twice", ['images = ["o/x:{image_tag}"]', 'images = ["o/x:{image_tag}"]', ""],
         ['images = ["o/x:{image_tag}"]', 'images = ["o/x:b-{image_tag}"]', ""], "claim one tag of image"),
        ("package-claimed-twice", ['packages = ["X_y"]', 'packages = ["x.Y"]', ""],
         ['packages = ["X_y"]', 'packages = ["x.z"]', ""], "claim one version of package"),
    ],
)  # fmt: skip
def test_a_configuration_that_contradicts_itself_is_refused(
    rule: str, bad: list[str], fine: list[str], said: str, opened: Callable[[str], Scene]
) -> None:
    assert rule in {one.name for one in ALL}

    def text(parts: list[str]) -> str:
        return PLAIN + TWO.replace("{0}", parts[0]).replace("{1}", parts[1]) + OTHER.replace("{2}", parts[2])

    scene = opened(PLAIN)
    (scene.clone / "release.toml").write_text(text(fine))
    assert app.session(scene.clone).config.component[0].name == "c"
    (scene.clone / "release.toml").write_text(text(bad))
    with pytest.raises(ConfigError) as told:
        app.session(scene.clone)
    assert [problem for problem in told.value.problems if said in problem] == list(told.value.problems)
    assert told.value.problems


# What is out already


def test_a_tag_whose_release_is_out_in_part_is_not_refused_any_more(
    opened: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = opened(BY_FILE + '[[downstream]]\nname = "first"\nrepository = "../first.git"\n')
    scene.commit("feat: a", {"VERSION": "1.2.3\n"})
    scene.tag("v1.2.4")
    plan = planned(scene, lambda one: one.started_for("v1.2.4"), monkeypatch)
    assert rules_of(plan) == ["version-file"]
    scene.tag_of("first", "v1.2.4")
    plan = planned(scene, lambda one: one.started_for("v1.2.4"), monkeypatch)
    assert rules_of(plan) == []
    assert any("VERSION at" in remark and "v1.2.4 wants 1.2.4" in remark for remark in plan.remarks)


def test_a_tag_is_not_refused_because_a_downstream_was_out_of_reach(
    opened: Callable[[str], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = opened(BY_FILE + '[[downstream]]\nname = "first"\nrepository = "../first.git"\n')
    scene.commit("feat: a", {"VERSION": "1.2.3\n"})
    scene.tag("v1.2.4")
    scene.tag_of("first", "v1.2.4")
    gone = scene.world.folder / "gone"
    scene.world.remote("first").rename(gone)
    plan = planned(scene, lambda one: one.started_for("v1.2.4"), monkeypatch)
    assert rules_of(plan) == ["component-unseen"]
    assert "first" in plan.conflicts[0].why
    gone.rename(scene.world.remote("first"))
    plan = planned(scene, lambda one: one.started_for("v1.2.4"), monkeypatch)
    assert (rules_of(plan), plan.tag) == ([], "v1.2.4")


# As typed


def record(world: World, line: str) -> Mapping[str, Any]:
    release: dict[str, Any] = json.loads(world.git(world.remote(), "show", f"refs/sluice/{line}:release.json"))
    return release


def test_a_waiver_lets_a_release_through_and_stays_in_its_record(tmp_path: Path) -> None:
    world = made(tmp_path / "world", PLAIN, ())
    scene = Scene(world, world.clone("captain"), {})
    below_a_version_on_another_branch(scene, True)
    before = world.every_ref()
    asked = ("release", "--version", "1.0.4", "--yes")
    world.invoke(scene.clone, *asked).expect(3, r"\[backward\] 1\.0\.4 is not above 1\.0\.5", "nothing was written")
    world.invoke(scene.clone, *asked, "--waive", "backward").expect(2, "for a reason")
    world.invoke(scene.clone, *asked, "--waive", "backwards", "--reason", "x").expect(2, "did you mean backward")
    world.invoke(scene.clone, *asked, "--waive", "burned", "--reason", "x").expect(2, "cannot be waived")
    assert world.every_ref() == before
    waived = ("--waive", "backward", "--waive", "dirty", "--reason", "1.0.5 was bad")
    world.invoke(scene.clone, *asked, *waived).expect(0)
    assert "refs/tags/v1.0.4" in world.refs()
    by = "Captain <captain@example.org>"
    assert record(world, "1.0")["waivers"] == [{"rule": "backward", "why": "1.0.5 was bad", "by": by}]


def test_the_list_of_rules_says_what_this_project_makes_of_them(tmp_path: Path) -> None:
    world = made(tmp_path / "world", PLAIN + '[rules]\nbackward = "off"\n', ())
    clone = world.clone("captain")
    listed = world.invoke(clone, "release.rules", "--format", "json").expect(0).value["rules"]
    assert [one["name"] for one in listed] == [rule.name for rule in ALL]
    by_name = {one["name"]: one for one in listed}
    assert (by_name["backward"]["severity"], by_name["backward"]["safety"]) == ("off", False)
    assert (by_name["burned"]["severity"], by_name["burned"]["safety"]) == ("error", True)
    world.invoke(clone, "release.rules").expect(0, r"backward +off", r"burned +always", r"untested +warn")
    scene = Scene(world, clone, {})
    scene.tag("v1.0.5", "HEAD~1")
    world.invoke(clone, "release", "--version", "1.0.4", "--yes").expect(0)


def test_a_rule_that_cannot_be_set_is_refused_with_the_file(tmp_path: Path) -> None:
    world = made(tmp_path / "world", PLAIN + '[rules]\nburned = "off"\nbackwards = "off"\n', ())
    answer = world.invoke(world.clone("captain"), "release.plan")
    answer.expect(2, "burned, which cannot be set", "did you mean backward")
