"""The checkout a person stands in: looked at, and never touched before the remote has accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from configparser import Error as ConfigParserError
from functools import cached_property
from pathlib import Path

from git import Repo
from git.config import GitConfigParser
from git.exc import GitError, InvalidGitRepositoryError, NoSuchPathError

from release.adapters.git.run import Failure, Runner, text
from release.core.model import Head, Person
from release.errors import ReleaseError, UsageError

KEPT_SECTIONS = ("user", "http", "credential", "url", "gpg", "ssh", "author", "committer")
KEPT_KEYS = ("core.sshcommand", "commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated")
STATUS = ("--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--no-renames", "--untracked-files=normal")
FIELDS = {"1": 8, "u": 10, "?": 1}
"""What comes before the path: of a file that changed, of one that is in conflict, of one that git does not track."""


class Checkout:
    """`root` is the work tree, `common` the directory whose `objects` hold everything that is here."""

    def __init__(self, root: Path, common: Path, run: Runner, repo: Repo) -> None:
        self.root, self.common, self.run, self.repo = root, common, run, repo

    @classmethod
    def at(cls, place: Path) -> Checkout:
        """The checkout around a folder."""
        try:
            repo = Repo(place, search_parent_directories=True)
        except (InvalidGitRepositoryError, NoSuchPathError) as error:
            raise UsageError(f"{place} is in no git repository", "run this in a clone of your project") from error
        if repo.working_tree_dir is None:
            raise UsageError(f"{place} is a bare repository", "run this in a clone with a work tree")
        if repo.config_reader("repository").get_value("extensions", "objectformat", "sha1") != "sha1":
            raise UsageError(f"{place} is a SHA-256 repository", "only SHA-1 repositories can be released so far")
        root = Path(repo.working_tree_dir)
        return cls(root, Path(repo.common_dir), Runner(Path(repo.git_dir), root), repo)

    def opening(self, credentials: Callable[[], Sequence[tuple[str, str]]]) -> Checkout:
        """The same checkout, with what opens its remotes."""
        return Checkout(self.root, self.common, Runner(self.run.folder, self.root, credentials=credentials), self.repo)

    @cached_property
    def config(self) -> tuple[tuple[str, str], ...]:
        """The repository's own settings that a remote or a signature needs; programs and hooks are left behind."""
        try:
            listed = text(self.run("config", "--list", "--show-scope", "--includes", "-z")).split("\0")
        except Failure as failure:
            raise UsageError(
                f"the settings of this repository cannot be read: {failure.message}", "mend .git/config"
            ) from failure
        pairs: list[tuple[str, str]] = []
        for scope, entry in zip(listed[::2], listed[1::2], strict=False):
            key, equals, value = entry.partition("\n")
            kept = key.partition(".")[0] in KEPT_SECTIONS or key in KEPT_KEYS
            if kept and scope in ("local", "worktree"):
                pairs.append((key, value if equals else "true"))
        return tuple(pairs)

    def head(self) -> Head:
        """Where the checkout stands."""
        # By git alone: GitPython strips what Unicode calls white space from the end of a branch's name.
        entries = [entry for entry in text(self.run("status", *STATUS)).split("\0") if entry]
        said = dict(entry[2:].split(" ", 1) for entry in entries if entry.startswith("# "))
        commit, branch = said["branch.oid"], said["branch.head"]
        if commit == "(initial)":
            raise UsageError("this repository has no commit yet", "commit something, push it, and release that")
        return Head(
            commit=commit,
            branch="" if branch == "(detached)" else branch,
            dirty=tuple(differing(entries)),
            lacks=self._lacks(),
        )

    def tagged(self, tag: str) -> dict[str, str]:
        """The tag of this name in this clone, on its peeled commit; nothing where there is none."""
        form = "--format=%(refname)%09%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        lines = text(self.run("for-each-ref", form, "--", f"refs/tags/{tag}")).split("\n")
        found = dict(line.split("\t") for line in lines if line)
        return {tag: found[f"refs/tags/{tag}"]} if f"refs/tags/{tag}" in found else {}

    def remote(self, wanted: str) -> str:
        """The address of the upstream: what the configuration says, else `origin`, else the only remote there is."""
        reader = self._reader()
        values = {remote.name: reader.get_values(f'remote "{remote.name}"', "url", "") for remote in self.repo.remotes}
        remotes = {name: str(urls[0]) for name, urls in values.items() if urls[0]}  # git reads from the first
        address = wanted or remotes.get("origin") or (next(iter(remotes.values())) if len(remotes) == 1 else "")
        if not address:
            raise UsageError(
                f"this clone has no remote named origin{' but ' + ', '.join(sorted(remotes)) if remotes else ''}",
                "set [project] repository in release.toml, or `git remote add origin ...`",
            )
        return str(self.root / address) if is_path(address) else address

    def person(self) -> Person | None:
        """Who git says that one is, None where it does not know."""
        try:
            line = text(self.run("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"))
        except Failure:
            return None
        name, _, rest = line.partition(" <")
        return Person(name, rest.partition(">")[0])

    def follow(self, address: str, branch: str, commit: str, tag: str) -> str:
        """Bring the checkout along after a release: the tag, and the branch if that is a clean step forward.

        Returns what was not done and what to type for it, "" when all is well.
        """
        try:
            self.run(
                "fetch",
                "--no-tags",
                "--no-write-fetch-head",
                "--",
                address,
                f"refs/tags/{tag}:refs/tags/{tag}",
            )
            head = self.head()
            if head.branch != branch or head.commit == commit or not self._ahead(head.commit, commit):
                return ""
            if head.dirty:
                return (
                    f"your {branch} was left where it is, for it has uncommitted changes; `git pull` when it is clean"
                )
            self.run("merge", "--quiet", "--ff-only", "--no-overwrite-ignore", commit)
        except ReleaseError as error:
            return f"your clone was left as it is ({error.message}); `git pull --tags` brings it along"
        return ""

    def _ahead(self, old: str, new: str) -> bool:
        return self.run.asks("merge-base", "--is-ancestor", old, new)

    def _lacks(self) -> tuple[str, str] | None:
        """What a clone without all of its history lacks, and what to type."""
        if (self.common / "shallow").exists():
            return (
                "this clone is shallow: tags and history that decide the version are missing",
                "git fetch --unshallow --tags",
            )
        reader = self._reader()
        promised = any(reader.has_option(section, "promisor") for section in reader.sections())
        if promised or reader.has_option("extensions", "partialclone"):
            return "this clone is partial: files that decide the version may be missing", "clone it without --filter"
        return None

    def _reader(self) -> GitConfigParser:
        """The repository's own settings."""
        try:
            reader = self.repo.config_reader("repository")
            reader.sections()
        except (ConfigParserError, GitError, ValueError) as error:
            raise UsageError(f"the settings of this repository cannot be read: {error}", "mend .git/config") from error
        return reader


def differing(entries: Iterable[str]) -> Iterator[str]:
    """The paths of tracked files that differ from the head, and of untracked ones, as `git status --porcelain=v2` has them."""
    for entry in entries:
        if entry[0] in FIELDS:
            yield entry.split(" ", FIELDS[entry[0]])[-1]


def is_path(address: str) -> bool:
    """Whether an address is a path on this machine, not a URL or `host:path`."""
    before, colon, _ = address.partition(":")
    return not colon or "/" in before
