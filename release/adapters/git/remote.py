"""A git repository elsewhere, behind a private store of objects: nobody's refs, index or checkout are touched."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from release.adapters.git import log, trees
from release.adapters.git.alone import alone
from release.adapters.git.file_history import file_history
from release.adapters.git.history import History
from release.adapters.git.run import Failure, Runner, complaint, text
from release.core.address import without_secret
from release.core.ancestry import contained
from release.core.file_change import FileChange
from release.core.model import Commit, Person, Refs, Splice, Tag
from release.core.record import PREFIX
from release.errors import Refused, ReleaseError, Uncertain, Unseen

HEADS, TAGS = "refs/heads/", "refs/tags/"
NOWHERE = "0" * 40


def store(folder: Path, objects: Path | None = None) -> Path:
    """A bare repository of ours; `objects` are borrowed from a clone that has most of them."""
    borrowed = folder / "objects/info/alternates"
    if not (folder / "HEAD").exists():
        for part in ("objects/info", "refs"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        whole = folder / f"HEAD.{uuid4().hex}"  # HEAD makes it a repository: it comes last, and whole
        whole.write_text("ref: refs/heads/none\n")
        whole.replace(folder / "HEAD")
    if objects is not None and (not borrowed.exists() or borrowed.read_text() != f"{objects}\n"):
        borrowed.write_text(f"{objects}\n")
    return folder


class GitRemote:
    """One remote. `shallow`: bring only what is pointed at, until history is asked for."""

    def __init__(self, url: str, run: Runner, shallow: bool = False) -> None:
        self.url = url
        self._run = run
        self._shallow = shallow
        self._here: dict[str, str] = {}

    def refs(self, *names: str) -> Refs:
        """Fresh from the remote: the refs with these full names, or all branches, tags and records.

        A name that is not UTF-8 is shown with backslashes, which git allows in no name: nothing else is called that.
        """
        asked = [name for full in names for name in (full, full + "^{}")] or [HEADS + "*", TAGS + "*", PREFIX + "*"]
        seen: dict[str, str] = {}
        for line in self._see("ls-remote", "--", self.url, *asked).decode("utf-8", "backslashreplace").split("\n"):
            commit, _, name = line.partition("\t")
            if name:
                seen[name.removesuffix("^{}")] = commit  # the peeled one comes second
        wanted = set(names)
        return refs_of({name: commit for name, commit in seen.items() if not wanted or name in wanted})

    def at(self, name: str) -> str:
        """The object that one ref, by its full name, points at; fresh, "" where there is none."""
        seen = self._see("ls-remote", "--", self.url, name).decode("utf-8", "backslashreplace").split("\n")
        return next((line.partition("\t")[0] for line in seen if line.partition("\t")[2] == name), "")

    def main(self) -> str:
        """The name of its default branch, "" where it has none."""
        seen = text(self._see("ls-remote", "--symref", "--", self.url, "HEAD")).split("\n")
        told = (line.removeprefix("ref: ").partition("\t") for line in seen if line.startswith("ref: "))
        return next((name.removeprefix(HEADS) for name, _, ref in told if ref == "HEAD" and name.startswith(HEADS)), "")

    def bring(self, names: Collection[str], commits: Collection[str]) -> None:
        """Make the objects of these refs available; `commits` are what they are known to point at.

        A ref whose name is not UTF-8 cannot be asked for by the name that it is shown with, and is left out.
        """
        asked = [name for name in names if speakable(name)]
        if not asked or (commits and all(self._kinds(commits))):
            return
        depth = ["--depth=1"] if self._shallow else []
        with alone(self._run.folder) if depth else nullcontext():
            self._see(
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                *depth,
                "--stdin",
                "--",
                self.url,
                stdin="".join(f"{name}\n" for name in asked).encode(),
            )
        if len(asked) == len(names) and not all(self._kinds(commits)):
            raise Unseen(f"{self.name} moved on while it was read", "run the same command again")

    def tip(self, branch: str) -> str:
        """The commit at the head of a branch, its object brought here; "" if there is none."""
        commit = self.refs(HEADS + branch).heads.get(branch, "")
        if commit:
            self.bring([HEADS + branch], [commit])
        return commit

    def holds(self, branch: str, commit: str) -> bool:
        """Whether a commit is in a branch's history."""
        tip = self.refs(HEADS + branch).heads.get(branch, "")
        if not tip:
            return False
        if tip != commit:
            with alone(self._run.folder) if self._shallow else nullcontext():
                whole = ["--unshallow"] if (self._run.folder / "shallow").exists() else []
                fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *whole)
                self._see(*fetch, "--", self.url, HEADS + branch)
        return tip == commit or self.ancestor(commit, tip)

    def outside(self, branch: str, tip: str, commits: Collection[str]) -> frozenset[str]:
        """Those of these commits that are not in the history of a branch, which is known to be at `tip`."""
        beside = self._run.at(store(self._run.folder.with_suffix(".history.git")))
        try:
            return History(beside, self.url).outside(branch, tip, commits)
        except Failure as failure:
            raise self._unseen(failure) from failure

    def file_history(self, branch: str, path: str, since: str = "") -> Iterator[FileChange]:
        """Each change of a file on the first parents' path of a branch, newest first; see `file_history.py`."""
        beside = self._run.at(store(self._run.folder.with_suffix(".files.git")))
        try:
            yield from file_history(beside, self.url, branch, path, since)
        except Failure as failure:
            raise self._unseen(failure) from failure

    def ancestor(self, old: str, new: str) -> bool:
        """Whether `old` is in the history of `new` (or is it); what is not here is not."""
        here = all(kind == "commit" for kind in self._kinds({old, new}))
        return here and (old == new or self._run.asks("merge-base", "--is-ancestor", old, new))

    def dates(self, tags: Mapping[str, str]) -> tuple[Tag, ...]:
        """Tags (name -> commit) with their commits' dates; "" for a tag on something that is no commit."""
        commits = list(dict.fromkeys(tags.values()))
        known = [commit for commit, kind in zip(commits, self._kinds(commits), strict=True) if kind == "commit"]
        asked = "".join(f"{commit}\n" for commit in known).encode()
        args = ("log", "--no-walk=unsorted", "-z", "--format=%H %cI", "--stdin")
        lines = self._run.stream(*args, stdin=asked) if known else iter(())
        dated = dict(text(line).split(" ", 1) for line in lines)
        return tuple(Tag(name, commit, dated.get(commit, "")) for name, commit in tags.items())

    def reachable(self, commit: str, tags: Mapping[str, str]) -> frozenset[str]:
        """The names of those tags whose commit is in the history of `commit`: one walk, whatever their number.

        `git rev-list` with an exclusion, and `git tag --merged` of git 2.39, can miss some where clocks were wrong.
        """
        names = [name for name in tags if speakable(name)]
        ids = list(dict.fromkeys(tags[name] for name in names))
        marks = [id_ for id_, kind in zip(ids, self._kinds(ids), strict=True) if kind == "commit"]
        found = contained(log.parents(self._run, [commit, *marks]), commit, marks) if marks else frozenset()
        return frozenset(name for name in names if tags[name] in found)

    def commits(self, tip: str, exclude: Collection[str]) -> Iterator[Commit]:
        """Newest first; a log of any length is never held whole."""
        return log.commits(self._run, tip, exclude)

    def lineage(self, tip: str) -> Iterator[Commit]:
        """The whole history of a commit, children before their parents; never held whole."""
        return log.commits(self._run, tip, (), "--topo-order")

    def known(self, tip: str, emails: Collection[str], mailmap: str = "") -> frozenset[str]:
        """Those of these addresses whose owners are authors of something in the history of the tip.

        Addresses are as the .mailmap of the commit `mailmap` (the tip, if none is given) has them, in any case.
        """
        asked: dict[str, set[str]] = {}
        for email in emails:
            asked.setdefault(email.casefold(), set()).add(email)
        found: set[str] = set()
        if asked:
            with closing(log.emails(self._run, tip, mailmap or tip)) as authors:
                for author in authors:
                    found |= asked.pop(author.casefold(), set())
                    if not asked:
                        break
        return frozenset(found)

    def changed(self, old: str, new: str) -> tuple[tuple[str, str], ...]:
        """Each path that differs between two commits, with git's letter for it: A, D, M or T. `old` may be "" for nothing."""
        return trees.changed(self._run, old, new)

    def tree(self, commit: str, folder: str) -> tuple[str, ...]:
        """The paths of the plain files under a folder ("" for the root); links and submodules are none."""
        return trees.plain(self._run, commit, folder)

    def export(self, commit: str, paths: Collection[str], target: Path) -> None:
        """Write the plain files at and under some paths to a directory, as they are at a commit; links are left out."""
        trees.export(self._run, commit, paths, target)

    def file(self, commit: str, path: str) -> str | None:
        """The text of a file at a commit, None where there is none."""
        return self.files(commit, (path,))[path]

    def files(self, commit: str, paths: Collection[str]) -> dict[str, str | None]:
        """The texts of several files at a commit, by one process; None where there is none.

        ReleaseError where one is not UTF-8.
        """
        found = self.contents(commit, paths)
        return {path: None if content is None else decoded(content, path, commit) for path, content in found.items()}

    def contents(self, commit: str, paths: Collection[str]) -> dict[str, bytes | None]:
        """The bytes of several files at a commit, by one process; None where there is none."""
        odd = self._odd(commit, paths)
        names = (odd.get(path, NOWHERE) if "\n" in path else f"{commit}:{path}" for path in paths)
        asked = "".join((f"{commit}\n", *(f"{name}\n" for name in names))).encode()
        rest = self._run("cat-file", "--batch", stdin=asked)
        found: dict[str, bytes | None] = {}
        for path in ("", *paths):
            header, _, rest = rest.partition(b"\n")
            _, kind, size = header.split(b" ") if not header.endswith(b" missing") else (b"", b"missing", b"-1")
            content, rest = rest[: max(0, int(size))], rest[int(size) + 1 :]
            if path:
                found[path] = content if kind == b"blob" else None
            elif kind == b"missing":
                raise Unseen(f"{commit[:10]} of {self.name} is not here", "run the same command again")
        return found

    def versions(self, commits: Sequence[str], path: str, most: int) -> list[bytes | None]:
        """The bytes of one file at each of several commits; None where there is none, or one of more than `most` bytes."""
        return trees.versions(self._run, commits, path, most)

    def _odd(self, commit: str, paths: Collection[str]) -> dict[str, str]:
        """The objects of those paths that would end a line of what git is asked: it is asked for them by id."""
        odd = [path for path in paths if "\n" in path]
        listed = text(self._run("ls-tree", "-z", commit, "--", *odd)) if odd else ""
        entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
        return {path: about.split(" ")[2] for about, _, path in entries}

    def modes(self, commit: str, paths: Collection[str]) -> dict[str, str]:
        """Git's mode of each of these paths that exists at a commit."""
        listed = text(self._run("ls-tree", "-z", commit, "--", *paths)) if paths else ""
        return {entry.partition("\t")[2]: entry[:6] for entry in listed.split("\0") if entry}

    def find(self, tip: str, message: str, paths: Collection[str] = ()) -> str:
        """The newest commit on the first parents' path that touches one of these files and whose message matches an extended regular expression, or ""."""
        search = ("--first-parent", "--max-count=1", "--format=%H", "--extended-regexp", f"--grep={message}")
        return text(self._run("log", *search, "--end-of-options", tip, "--", *paths)).strip()

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree: two commits with the same one have the same files."""
        return text(self._run("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")).strip()

    def commit(self, base: str, edits: Sequence[Splice], message: str, who: Person, date: str) -> str:
        """Make a commit object on `base`; no ref moves."""
        files = {path: content or "" for path, content in self.files(base, {edit.path for edit in edits}).items()}
        for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
            files[edit.path] = edit.applied(files[edit.path])
        modes = self.modes(base, files)
        gone = {edit.path for edit in edits if edit.removes}
        contents = {path: (modes.get(path, "100644"), text) for path, text in files.items() if path not in gone}
        return self.write([base], contents, message, who, date, gone=gone)

    def write(
        self,
        parents: Sequence[str],
        files: Mapping[str, tuple[str, str]],
        message: str,
        who: Person,
        date: str,
        fresh: bool = False,
        gone: Collection[str] = (),
    ) -> str:
        """A commit with these files (path -> mode, text) on the first parent's tree, or on none; by one process.

        What is `gone` is taken away, a folder with all that is in it; what is not there anyway does no harm.
        """
        scratch = f"refs/work/{uuid4().hex}"
        signature = f"{clean(who.name)} <{clean(who.email)}> {stamp(date)}"
        head = [f"commit {scratch}", "mark :1", f"author {signature}", f"committer {signature}", data(message)]
        origin = [f"{'from' if n == 0 else 'merge'} {parent}" for n, parent in enumerate(parents)]
        clear = ["deleteall"] if fresh else []
        body = [f"M {mode} inline {quoted(path)}\n{data(content)}" for path, (mode, content) in files.items()]
        clear += [f"D {quoted(path)}" for path in sorted(gone)]
        end = ["get-mark :1", f"reset {scratch}", f"from {NOWHERE}", "", "done", ""]
        script = "\n".join([*head, *origin, *clear, *body, *end])
        return text(self._run("fast-import", "--quiet", "--done", stdin=script.encode())).strip()

    def tag(self, name: str, commit: str, message: str, who: Person, date: str) -> str:
        """Make an annotated tag object, signed where git is set up so; no ref moves."""
        if self._signs:
            return self._signed_tag(name, commit, message, who, date)
        signature = f"{clean(who.name)} <{clean(who.email)}> {stamp(date)}"
        body = f"object {commit}\ntype commit\ntag {name}\ntagger {signature}\n\n{message}\n"
        return text(self._run("mktag", stdin=body.encode())).strip()

    def push(self, *moves: tuple[str, str, str]) -> None:
        """Move refs (name, old, new) all or none, each only from its old value ("" for: does not exist)."""
        leases = [f"--force-with-lease={name}:{old}" for name, old, _ in moves]
        try:
            self._run("push", "--porcelain", "--atomic", "--no-verify", *leases, "--", self.url,
                      *(f"{new}:{name}" for name, _, new in moves))  # fmt: skip
        except Failure as failure:
            why = complaint(failure.err) or "no reason given"
            if rejected := rejections(failure.out):
                raise Refused(
                    f"{self.name} refused {', '.join(rejected)}: {why}", "mend that, then run the same command again"
                ) from failure
            if b"the receiving end does not support" in failure.err:
                raise Refused(f"{self.name} cannot take this push: {why}", "ask whoever runs it") from failure
            raise Uncertain(f"the answer of {self.name} was lost: {why}", "run the same command again") from failure

    def refusal(self, commit: str, ref: str) -> str:
        """Why the remote would not take a push of a commit to that ref, "" if nothing says so; nothing is sent."""
        try:
            self._run("push", "--porcelain", "--dry-run", "--no-verify", "--", self.url, f"+{commit}:{ref}")
        except Failure as failure:
            return complaint(failure.err) or "no reason given"
        return ""

    @property
    def name(self) -> str:
        """The address as it may be shown."""
        return without_secret(self.url)

    def _see(self, *args: str, stdin: bytes = b"") -> bytes:
        try:
            return self._run(*args, stdin=stdin)
        except Failure as failure:
            raise self._unseen(failure) from failure

    def _unseen(self, failure: Failure) -> Unseen:
        why = complaint(failure.err) or "git gave no reason"
        return Unseen(f"cannot read {self.name}: {why}", "check the address, the network and your rights there")

    def _kinds(self, objects: Collection[str]) -> list[str]:
        """The type of each object, "" for what is not here. What was here once stays, and is not asked for again."""
        if new := [name for name in objects if name not in self._here]:
            asked = "".join(f"{name}\n" for name in new).encode()
            lines = text(self._run("cat-file", "--batch-check=%(objecttype)", stdin=asked)).split("\n")[:-1]
            self._here |= {name: line for name, line in zip(new, lines, strict=True) if not line.endswith(" missing")}
        return [self._here.get(name, "") for name in objects]

    @cached_property
    def _signs(self) -> bool:
        asked = ("config", "--type=bool", "--default=false", "--get")
        try:
            return any(text(self._run(*asked, key)) == "true\n" for key in ("tag.gpgSign", "tag.forceSignAnnotated"))
        except Failure as failure:
            raise Refused(f"git's settings cannot be read: {complaint(failure.err)}", "mend them") from failure

    def _signed_tag(self, name: str, commit: str, message: str, who: Person, date: str) -> str:
        """By git itself, in a repository whose refs nobody sees: it knows gpg, ssh and x509 keys."""
        with tempfile.TemporaryDirectory(prefix="sluice-sign-") as folder:
            run = self._run.at(store(Path(folder)))
            env = {
                "GIT_OBJECT_DIRECTORY": str(self._run.folder / "objects"),
                "GIT_COMMITTER_NAME": clean(who.name),
                "GIT_COMMITTER_EMAIL": clean(who.email),
                "GIT_COMMITTER_DATE": stamp(date),
            }
            try:
                run(
                    "tag",
                    "--sign",
                    "--cleanup=verbatim",
                    "--file=-",
                    "--end-of-options",
                    name,
                    commit,
                    stdin=(message.rstrip("\n") + "\n").encode(),
                    env=env,
                )
                made = text(run("rev-parse", "--verify", "--end-of-options", TAGS + name, env=env)).strip()
                if b"\n-----BEGIN " not in run("cat-file", "tag", made, env=env):  # git 2.39 may end well without
                    raise Failure("tag", b"", b"git made no signature")
                return made
            except Failure as failure:
                why = complaint(failure.err) or "no reason given"
                raise Refused(
                    f"the tag {name} could not be signed: {why}", "mend git's signing key, or set tag.gpgSign=false"
                ) from failure


def speakable(name: str) -> bool:
    """Whether a ref has the very name that it is shown with: one that is not UTF-8 is shown with backslashes."""
    return "\\" not in name


def refs_of(seen: Mapping[str, str]) -> Refs:
    """Full names sorted into branches, tags and records."""

    def part(prefix: str) -> dict[str, str]:
        return {name.removeprefix(prefix): commit for name, commit in seen.items() if name.startswith(prefix)}

    records = {line: tip for line, tip in part(PREFIX).items() if "/" not in line}
    return Refs(heads=part(HEADS), tags=part(TAGS), records=records)


def rejections(porcelain: bytes) -> list[str]:
    """The refs that the remote certainly did not take, by the lines of `git push --porcelain`."""
    lines = [line.split("\t") for line in text(porcelain).split("\n") if line.startswith("!\t")]
    sure = [line for line in lines if len(line) > 2 and "[remote failure]" not in line[2]]
    return [f"{line[1].partition(':')[2]} ({line[2].strip('[]').replace('] (', ': ').rstrip(')')})" for line in sure]


def data(content: str) -> str:
    """fast-import's form of a text: its length in bytes, then itself."""
    return f"data {len(content.encode())}\n{content}"


def decoded(content: bytes, path: str, commit: str) -> str:
    """A file's text; what is not UTF-8 cannot be edited without harm."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ReleaseError(f"{path} at {commit[:10]} is not UTF-8", "save it as UTF-8 and commit it") from error


def quoted(path: str) -> str:
    """fast-import's form of a path."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def clean(name: str) -> str:
    """A name that cannot end the line or the bracket it stands in."""
    return "".join(c for c in name if c.isprintable() and c not in "<>").strip()


def stamp(date: str) -> str:
    """Git's raw date: seconds since the epoch, in UTC."""
    return f"{int(datetime.fromisoformat(date).timestamp())} +0000"
