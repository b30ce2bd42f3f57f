"""Asks real git about a bare repository: few processes, no shell, nothing of the user's own configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SHA = re.compile(r"[0-9a-f]{40}")
BAD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{")
SHORT = re.compile(r"[0-9a-f]{7,39}")
REFS = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)"
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class GitError(Exception):
    """git's own words, when a command fails."""


@dataclass(frozen=True)
class Ref:
    """`commit` is what it points at in the end; `kind` is commit or tag (annotated)."""

    name: str
    sha: str
    kind: str
    commit: str


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class Tag:
    """An annotated tag's object."""

    name: str
    target: str
    kind: str
    tagger: Person
    message: str


def well_formed(name: str) -> bool:
    """Whether a ref, or a branch's or tag's name, is one that git takes (`git check-ref-format --allow-onelevel`)."""
    parts = name.split("/")
    if name == "@" or BAD.search(name) or name.endswith(".") or (not name.isascii() and _unsayable(name)):
        return False
    return all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)


def environment() -> dict[str, str]:
    """What git runs with here: no configuration but the repository's own."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": os.devnull,
    }


@dataclass(frozen=True)
class Git:
    """One bare repository."""

    path: Path

    def create(self, default_branch: str, source: Path | None = None) -> None:
        """Make it, from another bare repository or empty; an existing one only gets its default branch."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            made = self.path.with_name(f"{self.path.name}.new")
            shutil.rmtree(made, ignore_errors=True)
            if source:
                _git("clone", "--quiet", "--mirror", "--template=", "--", str(source.absolute()), str(made))
                _git("-C", str(made), "remote", "remove", "origin")
            else:
                _git("init", "--quiet", "--bare", "--template=", str(made))
            for name, value in (("gc.auto", "0"), ("receive.autogc", "false"), ("core.logAllRefUpdates", "false")):
                _git("-C", str(made), "config", name, value)
            made.rename(self.path)
        self.run("symbolic-ref", "HEAD", f"refs/heads/{default_branch}")

    def run(self, *arguments: str, stdin: bytes | None = None) -> str:
        """git's output as text; bytes that are none survive as surrogates."""
        return _git("--git-dir", str(self.path), *arguments, stdin=stdin)

    def asks(self, *arguments: str) -> bool:
        """Whether a command that answers by its exit code says yes."""
        try:
            self.run(*arguments)
        except GitError:
            return False
        return True

    def refs(self, *prefixes: str) -> list[Ref]:
        """Refs by name; a prefix is a whole ref or a folder of refs."""
        lines = self.run("for-each-ref", f"--format={REFS}", "--", *prefixes).split("\n")
        rows = [line.split("\0") for line in lines if line]
        return [Ref(name, sha, kind, peeled or sha) for name, sha, kind, peeled in rows]

    def ref(self, name: str) -> Ref | None:
        """One ref by its full name."""
        if not well_formed(name):
            return None
        return next((ref for ref in self.refs(name) if ref.name == name), None)

    def commit_of(self, name: str) -> str:
        """The commit that a branch, tag, full ref or commit id stands for; "" for none. Names are data, never expressions."""
        if not name or not well_formed(name):
            return ""
        candidates = [name]
        if not SHA.fullmatch(name) and not name.startswith("refs/") and name != "HEAD":
            candidates = [f"refs/heads/{name}", f"refs/tags/{name}"]
            candidates += [name] if SHORT.fullmatch(name) else []
        asked = "".join(f"{candidate}^{{commit}}\n" for candidate in candidates)
        answers = self.run("cat-file", "--batch-check=%(objectname)", stdin=_raw(asked)).split("\n")
        return next((answer for answer in answers if SHA.fullmatch(answer)), "")

    def kind(self, sha: str) -> str:
        """commit, tag, tree or blob; "" where there is no such object."""
        try:
            return self.run("cat-file", "-t", sha).strip() if SHA.fullmatch(sha) else ""
        except GitError:
            return ""

    def commits(self, shas: Iterable[str]) -> Iterator[Commit]:
        """Commits by full id, in one process."""
        wanted = [*shas]
        if not wanted:
            return
        data = _bytes(
            "--git-dir", str(self.path), "cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in wanted).encode()
        )
        place = 0
        for _ in wanted:
            end = data.index(b"\n", place)
            sha, kind, size = data[place:end].decode().split(" ")
            body = data[end + 1 : end + 1 + int(size)]
            place = end + 2 + int(size)
            if kind == "commit":
                yield parsed(sha, body)

    def commit(self, sha: str) -> Commit:
        return next(self.commits([sha]))

    def log(self, *revisions: str, limit: int = 0, path: str = "", bounds: Iterable[str] = ()) -> list[str]:
        """Ids of commits, newest first."""
        bound = [f"--max-count={limit}"] if limit else []
        only = ["--", f":(literal){path}"] if path else ["--"]
        return self.run("rev-list", *bound, *bounds, "--end-of-options", *revisions, *only).split()

    def contains(self, head: str, commit: str) -> bool:
        """Whether `commit` is in the history of `head`."""
        return self.asks("merge-base", "--is-ancestor", commit, head)

    def workflows_of(self, commit: str) -> bool:
        """Whether commits that no ref has yet change workflows."""
        new = ("log", "--format=", "--name-only", commit, "--not", "--all", "--", ".github/workflows")
        return bool(self.run(*new).strip())

    def blob(self, sha: str) -> bytes:
        return _bytes("--git-dir", str(self.path), "cat-file", "blob", sha)

    def tree_with(self, base: str, entries: str) -> str:
        """A new tree: `base` ("" for nothing) with entries as `update-index -z --index-info` reads them."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            where = ("--git-dir", str(self.path))
            if base:
                _bytes(*where, "read-tree", base, more=index)
            feed = entries.encode("utf-8", "surrogateescape")
            _bytes(*where, "update-index", "-z", "--index-info", stdin=feed, more=index)
            return _bytes(*where, "write-tree", more=index).decode().strip()

    def merge(self, ours: str, theirs: str, message: str, login: str, when: int) -> str:
        """A merge commit of two commits, on no branch yet; GitError where they conflict."""
        return self._merged(ours, theirs, (ours, theirs), message, login, when)

    def squash(self, ours: str, theirs: str, message: str, login: str, when: int) -> str:
        """One commit with all that another branch changed, on no branch yet; GitError where they conflict."""
        return self._merged(ours, theirs, (ours,), message, login, when)

    def rebase(self, ours: str, theirs: str, login: str, when: int) -> str:
        """Another branch's commits made anew on top of one, on no branch yet: the last of them; GitError where they conflict.

        GitHub makes each of them anew even where none would have to be. Merges are left out.
        """
        top = ours
        for sha in reversed(self.log(theirs, f"^{ours}", bounds=("--no-merges",))):
            author = self.run("show", "--no-patch", "--format=%an <%ae> %at +0000", sha).strip()
            top = self._made(self._tree(ours, sha), (top,), self.commit(sha).message, author, _signed(login, when))
        return top

    def _merged(self, ours: str, theirs: str, parents: Sequence[str], message: str, login: str, when: int) -> str:
        who = _signed(login, when)
        return self._made(self._tree(ours, theirs), parents, message, who, who)

    def _tree(self, ours: str, theirs: str) -> str:
        """The tree of two commits together."""
        return self.run("merge-tree", "--write-tree", ours, theirs).split("\n")[0]

    def _made(self, tree: str, parents: Sequence[str], message: str, author: str, committer: str) -> str:
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {author}", f"committer {committer}"]
        text = "\n".join([*lines, "", f"{message}\n"])
        return self.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=_raw(text)).strip()

    def file(self, commit: str, path: str) -> bytes | None:
        """A file's bytes at a commit."""
        try:
            return _bytes("--git-dir", str(self.path), "cat-file", "blob", f"{commit}:{path}")
        except GitError:
            return None


def parsed(sha: str, body: bytes) -> Commit:
    """A commit object's content."""
    head, _, message = body.decode("utf-8", "replace").partition("\n\n")
    lines = [line.partition(" ") for line in head.split("\n") if not line.startswith(" ")]
    fields = {name: value for name, _, value in lines}
    parents = tuple(value for name, _, value in lines if name == "parent")
    author, committer = _person(fields["author"]), _person(fields["committer"])
    return Commit(sha, fields["tree"], parents, author, committer, message.removesuffix("\n"))


def tagged(text: str) -> Tag:
    """An annotated tag's content."""
    head, _, message = text.partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.split("\n"))
    tagger = _person(fields.get("tagger", ""))
    return Tag(fields["tag"], fields["object"], fields["type"], tagger, message.removesuffix("\n"))


def _signed(login: str, when: int) -> str:
    """Whoever does something on the forge, as a commit's object names him; `when` is in seconds since 1970."""
    return f"{login} <{login}@users.noreply.localhost> {when} +0000"


def _person(line: str) -> Person:
    found = re.fullmatch(r"(.*?) ?<([^>]*)> (-?\d+) [+-]\d{4}", line)
    if not found:
        return Person("", "", "1970-01-01T00:00:00Z")
    name, email, seconds = found.groups()
    return Person(name, email, datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _unsayable(name: str) -> bool:
    """Half of a surrogate pair is no text, and no byte of git's either."""
    try:
        return not _raw(name)
    except UnicodeEncodeError:
        return True


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _git(*arguments: str, stdin: bytes | None = None) -> str:
    return _bytes(*arguments, stdin=stdin).decode("utf-8", "surrogateescape")


def _bytes(*arguments: str, stdin: bytes | None = None, more: Mapping[str, str] | None = None) -> bytes:
    done = subprocess.run(
        ["git", *arguments], input=stdin or b"", capture_output=True, env={**environment(), **(more or {})}, check=False
    )
    if done.returncode:
        raise GitError(done.stderr.decode("utf-8", "replace").strip() or f"git failed with {done.returncode}")
    return done.stdout
