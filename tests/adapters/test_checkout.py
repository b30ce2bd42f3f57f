"""A checkout is found from anywhere in it, seen as it is, and moved only where nothing can be lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from release.adapters.git.checkout import Checkout, is_path
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.core.model import Person
from release.errors import UsageError
from tests.world import World

MAIN = "refs/heads/main"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A remote, and a process whose git knows nothing of anybody's settings."""
    for name in [name for name in os.environ if name.startswith("GIT_") or name == "EMAIL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "home").mkdir()
    identity = {f"GIT_{role}_{part}": f"seed@{part}".lower() for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}  # fmt: skip
    made = World(tmp_path, {**os.environ, **identity})
    made.bare("upstream")
    return made


@pytest.fixture
def clone(world: World) -> Path:
    return world.clone("ada")


def at(place: Path) -> Checkout:
    return Checkout.at(place)


# Found.


def test_a_checkout_is_found_from_a_folder_below(world: World, clone: Path) -> None:
    below = clone / "a" / "b ü"
    below.mkdir(parents=True)
    checkout = at(below)
    assert checkout.root == clone
    assert checkout.common == clone / ".git"
    assert checkout.head().commit == world.refs()[MAIN]
    assert checkout.head().branch == "main"


def test_a_worktree_has_its_own_head_and_the_clones_objects(world: World, clone: Path) -> None:
    tree = world.folder / "tree"
    world.git(clone, "worktree", "add", "--quiet", "-b", "side", str(tree))
    commit = world.commit(tree, {"x": "x"}, "feat: x", push=False)
    (tree / "new").touch()
    checkout = at(tree)
    assert checkout.root == tree
    assert checkout.common.resolve() == clone / ".git"
    head = checkout.head()
    assert (head.commit, head.branch, head.dirty) == (commit, "side", ("new",))
    assert at(clone).head().branch == "main"
    assert ("user.name", "Ada") in checkout.config
    assert checkout.remote("") == world.remote().as_uri()
    world.git(tree, "checkout", "--quiet", "--detach")
    assert at(tree).head().branch == ""


def test_a_submodule_is_a_checkout_of_its_own(world: World, clone: Path) -> None:
    world.git(clone, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", world.remote().as_uri(), "sub")
    checkout = at(clone / "sub")
    assert checkout.root == clone / "sub"
    assert checkout.head().commit == world.refs()[MAIN]


def test_what_is_no_checkout_is_told_as_such(world: World) -> None:
    nothing = world.folder / "nothing"
    nothing.mkdir()
    with pytest.raises(UsageError, match="no git repository"):
        at(nothing)
    with pytest.raises(UsageError, match="no git repository"):
        at(world.folder / "none")
    with pytest.raises(UsageError, match="bare"):
        at(world.remote())


def test_a_repository_without_a_commit_is_told_as_such(world: World) -> None:
    place = world.folder / "new"
    world.git(world.folder, "init", "--quiet", str(place))
    with pytest.raises(UsageError, match="no commit yet"):
        at(place).head()


# Seen.


def test_a_detached_head_has_no_branch_and_a_strange_branch_has_its_name(world: World, clone: Path) -> None:
    for name in ("a/b", "refs/heads/x", "ü", "HEAD-", "a'b", "heads/x", "x\u3000"):
        world.git(clone, "checkout", "--quiet", "-b", name)
        assert at(clone).head().branch == name
    world.git(clone, "checkout", "--quiet", "--detach")
    assert at(clone).head().branch == ""
    assert at(clone).head().commit == world.refs()[MAIN]
    world.git(clone, "checkout", "--quiet", "main")
    world.git(clone, "pack-refs", "--all")
    assert at(clone).head().commit == world.refs()[MAIN]


def test_what_is_not_committed_is_named_and_what_is_ignored_is_not(world: World, clone: Path) -> None:
    world.commit(clone, {".gitignore": "dist/\n*.log\n", "gone": "", "staged": "", "mode": ""}, "chore: x")
    assert at(clone).head().dirty == ()
    (clone / "dist").mkdir()
    (clone / "dist" / "x").touch()
    (clone / "x.log").touch()
    assert at(clone).head().dirty == ()
    (clone / "README").write_text("changed\n")
    (clone / "gone").unlink()
    (clone / "mode").chmod(0o755)
    (clone / "staged").write_text("x")
    world.git(clone, "add", "staged")
    (clone / 'new "ü" \n x').touch()
    (clone / "renamed to").touch()
    assert set(at(clone).head().dirty) == {"README", "gone", "mode", "staged", 'new "ü" \n x', "renamed to"}


@pytest.mark.parametrize(("key", "value"), [
    ("status.showUntrackedFiles", "no"), ("status.short", "true"), ("status.branch", "true"), ("status.relativePaths", "false"),
    ("status.renames", "copies"), ("color.ui", "always"), ("core.quotePath", "true"), ("status.showStash", "true"), ("status.aheadBehind", "true"),
    ("diff.ignoreSubmodules", "all"), ("core.fileMode", "true"), ("column.ui", "always"),
])  # fmt: skip
def test_a_callers_taste_does_not_hide_what_is_not_committed(world: World, clone: Path, key: str, value: str) -> None:
    world.git(clone, "config", key, value)
    (clone / "new").touch()
    (clone / "README").write_text("changed\n")
    assert set(at(clone).head().dirty) == {"new", "README"}


def test_files_in_conflict_are_named_and_a_stash_is_none(world: World, clone: Path) -> None:
    (clone / "README").write_text("put away\n")
    world.git(clone, "config", "status.showStash", "true")
    world.git(clone, "stash")
    assert at(clone).head().dirty == ()
    name = "a b  c"
    world.git(clone, "checkout", "--quiet", "-b", "side")
    world.commit(clone, {name: "ours\n"}, "fix: x", push=False)
    world.git(clone, "checkout", "--quiet", "main")
    world.commit(clone, {name: "theirs\n"}, "fix: y", push=False)
    assert "CONFLICT" in world.git(clone, "merge", "side", check=False)
    world.git(clone, "mv", "README", "moved away")
    assert set(at(clone).head().dirty) == {name, "README", "moved away"}
    assert at(clone).head().branch == "main"


def test_looking_writes_nothing_into_the_clone(world: World, clone: Path) -> None:
    (clone / "README").write_text("upstream\n")  # the same, yet newer than the index says
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in clone.rglob("*") if path.is_file()}
    checkout = at(clone)
    assert checkout.head().dirty == ()
    assert checkout.config
    assert checkout.person()
    assert checkout.remote("")
    assert {
        path: (path.stat().st_mtime_ns, path.stat().st_size) for path in clone.rglob("*") if path.is_file()
    } == before


def test_a_shallow_clone_says_so_and_its_worktree_too(world: World) -> None:
    world.commit(world.clone("grace"), {"x": "x"}, "feat: x")
    shallow = world.clone("flat", "upstream", "--depth=1")
    assert "shallow" in str(at(shallow).head().lacks)
    assert at(world.clone("ada")).head().lacks is None
    world.git(shallow, "worktree", "add", "--quiet", "--detach", str(world.folder / "tree"))
    assert "shallow" in str(at(world.folder / "tree").head().lacks)


# The upstream's address.


def test_the_upstream_is_what_is_configured_else_origin_else_the_only_remote(world: World, clone: Path) -> None:
    checkout = at(clone)
    origin = world.remote().as_uri()
    assert checkout.remote("") == origin
    assert checkout.remote("https://example.org/x") == "https://example.org/x"
    assert checkout.remote("git@example.org:x/y.git") == "git@example.org:x/y.git"
    assert Path(checkout.remote("../remotes/upstream.git")).resolve() == world.remote()
    world.git(clone, "remote", "add", "another", "https://example.org/other")
    assert at(clone).remote("") == origin
    world.git(clone, "remote", "remove", "origin")
    assert at(clone).remote("") == "https://example.org/other"
    world.git(clone, "remote", "add", "third", "https://example.org/third")
    with pytest.raises(UsageError, match="no remote named origin but another, third") as error:
        at(clone).remote("")
    assert "git remote add origin" in error.value.remedy


def test_a_clone_without_a_remote_says_what_to_type(world: World, clone: Path) -> None:
    world.git(clone, "remote", "remove", "origin")
    with pytest.raises(UsageError, match="no remote named origin"):
        at(clone).remote("")
    assert at(clone).remote("https://example.org/x") == "https://example.org/x"


def test_a_remote_by_a_relative_path_is_found_from_anywhere(
    world: World, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.git(clone, "remote", "set-url", "origin", "../remotes/upstream.git")
    monkeypatch.chdir("/")
    remote = GitRemote(at(clone).remote(""), Runner(store(world.folder / "store.git")))
    assert remote.refs().heads == {"main": world.refs()[MAIN]}


def test_a_remote_with_two_addresses_or_none_does_not_break(world: World, clone: Path) -> None:
    world.git(clone, "remote", "set-url", "--add", "origin", "https://example.org/mirror")
    assert at(clone).remote("") == world.remote().as_uri()
    world.git(clone, "config", "remote.bare.prune", "true")
    assert at(clone).remote("") == world.remote().as_uri()


@pytest.mark.parametrize(("address", "path"), [
    ("../x.git", True), ("/x", True), ("x", True), ("./a:b", True), ("https://h/x", False), ("host:x", False),
    ("git@host:x/y", False), ("file:///x", False), ("ssh://h:22/x", False),
])  # fmt: skip
def test_a_path_is_told_from_an_address(address: str, path: bool) -> None:
    assert is_path(address) == path


# Settings.


def test_the_settings_that_a_remote_or_a_signature_needs_are_carried_and_programs_are_not(
    world: World, clone: Path
) -> None:
    carried = {
        "http.https://example.org/.extraheader": "AUTHORIZATION: basic aHVudGVyMg==",
        "http.proxy": "http://proxy:1",
        "url.https://mirror.example.org/.insteadof": "https://example.org/",
        "user.signingkey": "ABC # not a comment; nor this",
        "tag.gpgsign": "true",
        "gpg.format": "ssh",
        "gpg.ssh.allowedsignersfile": "a b/c",
        "core.sshcommand": 'ssh -i "a b" -o X=y',
        "credential.https://example.org.username": "ada",
    }
    left = {
        "core.fsmonitor": "touch ran", "core.hookspath": "hooks", "alias.x": "!touch ran", "core.pager": "touch ran",
        "core.editor": "touch ran", "filter.x.clean": "touch ran", "diff.external": "touch ran", "core.worktree": "..",
        "remote.origin.uploadpack": "touch ran", "uploadpack.packobjectshook": "touch ran", "include.path": "more",
        "core.alternaterefscommand": "touch ran", "push.gpgsign": "true", "init.templatedir": "x", "fetch.prune": "true",
    }  # fmt: skip
    for key, value in {**carried, **left}.items():
        if key != "core.worktree":
            world.git(clone, "config", key, value)
    found = {key.lower(): value for key, value in at(clone).config}
    assert {key: found.get(key) for key in carried} == carried
    assert not set(left) & set(found)
    run = Runner(store(world.folder / "store.git"), config=at(clone).config)
    for key, value in carried.items():
        assert run("config", "--get", key).decode().rstrip("\n") == value
    assert "ran" not in os.listdir(clone)


def test_every_value_of_a_setting_is_carried_in_its_order(world: World, clone: Path) -> None:
    for value in ("first: 1", "second: 2", "", "third: 3"):
        world.git(clone, "config", "--add", "http.extraheader", value)
    values = [value for key, value in at(clone).config if key.lower() == "http.extraheader"]
    assert values == ["first: 1", "second: 2", "", "third: 3"]


def test_a_setting_without_a_value_means_true(world: World, clone: Path) -> None:
    with (clone / ".git" / "config").open("a") as config:
        config.write("[tag]\n\tgpgSign\n")
    assert world.git(clone, "config", "--type=bool", "tag.gpgSign") == "true"
    run = Runner(store(world.folder / "store.git"), config=at(clone).config)
    assert run("config", "--type=bool", "--get", "tag.gpgSign") == b"true\n"


@pytest.mark.parametrize(
    "condition",
    ["include", 'includeIf "gitdir:{clone}/.git"', 'includeIf "gitdir:{clone}/"', 'includeIf "onbranch:main"'],
)
def test_settings_in_an_included_file_are_carried(world: World, clone: Path, condition: str) -> None:
    more = world.folder / "more.config"
    more.write_text('[http "https://example.org/"]\n\textraheader = AUTHORIZATION: basic hunter2\n')
    with (clone / ".git" / "config").open("a") as config:
        config.write(f"[{condition.replace('{clone}', str(clone))}]\n\tpath = {more}\n")
    assert "hunter2" in world.git(clone, "config", "--get-regexp", "extraheader")
    assert "AUTHORIZATION: basic hunter2" in dict(at(clone).config).values()


def test_settings_of_a_worktree_alone_are_carried(world: World, clone: Path) -> None:
    world.git(clone, "config", "extensions.worktreeConfig", "true")
    world.git(clone, "config", "--worktree", "user.signingKey", "ABC")
    assert ("user.signingkey", "ABC") in {(key.lower(), value) for key, value in at(clone).config}


def test_a_section_in_any_spelling_is_carried(world: World, clone: Path) -> None:
    with (clone / ".git" / "config").open("a") as config:
        config.write(
            '[CORE]\n\tSshCommand = ssh -v\n[HTTP "https://Example.org/A"]\n\tExtraHeader = x: y\n[http.lower]\n\tproxy = p\n'
        )
    run = Runner(store(world.folder / "store.git"), config=at(clone).config)
    assert run("config", "core.sshcommand") == b"ssh -v\n"
    assert run("config", "http.https://Example.org/A.extraheader") == b"x: y\n"


# Who.


def test_one_is_who_git_says_and_nobody_where_git_does_not_know(
    world: World, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at(clone).person() == Person("Ada", "ada@example.org")
    world.git(clone, "config", "user.name", "Żółw <x> 日本")
    person = at(clone).person()
    assert person is not None
    assert person.name.startswith("Żółw")
    assert person.email == "ada@example.org"
    world.git(clone, "config", "--unset", "user.name")
    world.git(clone, "config", "--unset", "user.email")
    assert at(clone).person() is None
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Grace")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "grace@example.org")
    assert at(clone).person() == Person("Grace", "grace@example.org")


def test_an_email_alone_makes_nobody(world: World, clone: Path) -> None:
    world.git(clone, "config", "user.name", "")
    assert at(clone).person() is None


# Brought along.


def released(world: World, tag: str = "v1.0.0") -> str:
    """A release that somebody else made: a commit on main with a tag."""
    grace = world.folder / "grace"
    if not grace.exists():
        world.clone("grace")
    commit = world.commit(grace, {"CHANGELOG.md": f"{tag}\n"}, f"chore(release): {tag}")
    world.git(grace, "tag", "-m", "x", tag)
    world.git(grace, "push", "--quiet", "origin", tag)
    return commit


def follow(world: World, clone: Path, commit: str, branch: str = "main", tag: str = "v1.0.0") -> str:
    return at(clone).follow(world.remote().as_uri(), branch, commit, tag)


def test_a_clean_clone_steps_forward_and_gets_the_tag(world: World, clone: Path) -> None:
    commit = released(world)
    assert follow(world, clone, commit) == ""
    assert world.git(clone, "rev-parse", "HEAD") == world.git(clone, "rev-parse", "v1.0.0^{}") == commit
    assert world.git(clone, "status", "--porcelain") == ""
    assert (clone / "CHANGELOG.md").exists()
    assert not (clone / ".git" / "FETCH_HEAD").exists()
    assert follow(world, clone, commit) == ""


def test_a_dirty_clone_gets_the_tag_and_stays_where_it_is(world: World, clone: Path) -> None:
    before = world.git(clone, "rev-parse", "HEAD")
    (clone / "README").write_text("half done\n")
    assert "uncommitted" in follow(world, clone, released(world))
    assert world.git(clone, "rev-parse", "HEAD") == before
    assert (clone / "README").read_text() == "half done\n"
    assert world.git(clone, "tag") == "v1.0.0"


def test_an_untracked_file_in_the_way_is_not_overwritten(world: World, clone: Path) -> None:
    before = world.git(clone, "rev-parse", "HEAD")
    (clone / ".git" / "info" / "exclude").write_text("CHANGELOG.md\n")
    (clone / "CHANGELOG.md").write_text("mine\n")
    told = follow(world, clone, released(world))
    assert (clone / "CHANGELOG.md").read_text() == "mine\n"
    assert told
    assert world.git(clone, "rev-parse", "HEAD") == before


def test_a_clone_that_went_its_own_way_or_is_elsewhere_stays_as_it_is(world: World, clone: Path) -> None:
    commit = released(world)
    world.git(clone, "checkout", "--quiet", "-b", "side")
    before = world.git(clone, "rev-parse", "HEAD", "main")
    assert follow(world, clone, commit) == ""
    assert world.git(clone, "rev-parse", "HEAD", "main") == before
    world.git(clone, "checkout", "--quiet", "main")
    mine = world.commit(clone, {"mine": "x"}, "feat: mine", push=False)
    assert follow(world, clone, commit) == ""
    assert world.git(clone, "rev-parse", "HEAD") == mine
    world.git(clone, "checkout", "--quiet", "--detach", "HEAD~")
    assert follow(world, clone, commit) == ""
    assert world.git(clone, "rev-parse", "main") == mine


def test_a_clone_that_is_ahead_already_is_not_moved_back(world: World, clone: Path) -> None:
    commit = released(world)
    world.git(clone, "pull", "--quiet", "--ff-only")
    ahead = world.commit(clone, {"x": "x"}, "feat: x", push=False)
    assert follow(world, clone, commit) == ""
    assert world.git(clone, "rev-parse", "HEAD") == ahead


@pytest.mark.parametrize(
    "settings", [{}, {"fetch.prune": "true", "fetch.pruneTags": "true", "remote.origin.tagOpt": "--tags"}]
)
def test_a_tag_of_ones_own_is_never_overwritten_or_lost(world: World, clone: Path, settings: dict[str, str]) -> None:
    for key, value in settings.items():
        world.git(clone, "config", key, value)
    world.git(clone, "tag", "v1.0.0", "HEAD")
    world.git(clone, "tag", "mine", "HEAD")
    before = world.git(clone, "show-ref", "--tags")
    told = follow(world, clone, released(world))
    assert "left as it is" in told
    assert "clobber" in told, "why, it does not say"
    assert world.git(clone, "show-ref", "--tags") == before
    world.git(clone, "tag", "-d", "v1.0.0")
    assert follow(world, clone, world.refs()[MAIN]) == ""
    assert world.git(clone, "tag").split() == ["mine", "v1.0.0"]


@pytest.mark.parametrize("settings", [
    {"merge.ff": "false"}, {"branch.main.mergeOptions": "--no-ff --edit"}, {"merge.verifySignatures": "false"}, {"pull.rebase": "true"},
    {"merge.autoStash": "true"}, {"fetch.fsckObjects": "true"}, {"merge.stat": "true"}, {"tag.gpgSign": "true"}, {"commit.gpgSign": "true"},
])  # fmt: skip
def test_a_callers_taste_does_not_stop_a_step_forward(world: World, clone: Path, settings: dict[str, str]) -> None:
    for key, value in settings.items():
        world.git(clone, "config", key, value)
    commit = released(world)
    assert follow(world, clone, commit) == ""
    assert world.git(clone, "rev-parse", "HEAD") == commit


def test_an_upstream_that_is_gone_leaves_the_clone_as_it_is_and_says_so(world: World, clone: Path) -> None:
    before = world.git(clone, "show-ref")
    told = at(clone).follow("https://ada:hunter2@127.0.0.1:1/x", "main", before.split()[0], "v1.0.0")
    assert "left as it is" in told
    assert "hunter2" not in told
    assert world.git(clone, "show-ref") == before


def test_a_locked_index_leaves_the_clone_as_it_is_and_says_so(world: World, clone: Path) -> None:
    before = world.git(clone, "rev-parse", "HEAD")
    (clone / ".git" / "index.lock").touch()
    told = follow(world, clone, released(world))
    assert "index.lock" in told
    assert world.git(clone, "rev-parse", "HEAD") == before
