"""The doors to the world, as the steps see them. Adapters stand behind them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from release.core.facts import Pull
from release.core.forge import Asset, Check, Deployment, Entry, Environment, Published, Run
from release.core.model import Commit, Person, Refs, Release, Splice, Tag
from release.core.record import Broken, Outcome, Proof, Record, Withdrawal


class Remote(Protocol):
    """A git repository elsewhere, read and written without touching anybody's checkout.

    Every call may raise Unseen (could not look). `push` raises Refused (certainly nothing moved) or Uncertain.
    """

    url: str

    @property
    def name(self) -> str:
        """The address as it may be shown."""
        ...

    def refs(self, *names: str) -> Refs:
        """Fresh from the remote: the refs with these full names, or all branches, tags and records."""
        ...

    def bring(self, names: Collection[str], commits: Collection[str]) -> None:
        """Make the objects of these refs available; `commits` are what they are known to point at."""
        ...

    def tip(self, branch: str) -> str:
        """The commit at the head of a branch, its object brought here without its history; "" if there is none."""
        ...

    def holds(self, branch: str, commit: str) -> bool:
        """Whether a commit is in a branch's history."""
        ...

    def dates(self, tags: Mapping[str, str]) -> tuple[Tag, ...]:
        """Tags (name -> commit) with their commits' dates; the objects are here."""
        ...

    def reachable(self, commit: str, tags: Mapping[str, str]) -> frozenset[str]:
        """The names of those tags whose commit is in the history of `commit`."""
        ...

    def ancestor(self, old: str, new: str) -> bool: ...

    def commits(self, tip: str, exclude: Collection[str]) -> Iterator[Commit]:
        """Newest first; a log of any length is never held whole. Authors are as the tip's .mailmap has them."""
        ...

    def lineage(self, tip: str) -> Iterator[Commit]:
        """The whole history of a commit, children before their parents; never held whole."""
        ...

    def known(self, tip: str, emails: Collection[str], mailmap: str = "") -> frozenset[str]:
        """Those of these addresses whose owners are authors of something in the history of the tip.

        Addresses are as the .mailmap of the commit `mailmap` (the tip, if none is given) has them, in any case.
        """
        ...

    def changed(self, old: str, new: str) -> tuple[tuple[str, str], ...]:
        """Each path that differs between two commits, with git's letter for it: A, D, M or T. `old` may be "" for nothing."""
        ...

    def tree(self, commit: str, folder: str) -> tuple[str, ...]:
        """The paths of the plain files under a folder ("" for the root); links and submodules are none."""
        ...

    def export(self, commit: str, paths: Collection[str], target: Path) -> None:
        """Write the plain files at and under some paths to a directory, as they are at a commit; links are left out."""
        ...

    def file(self, commit: str, path: str) -> str | None:
        """The text of a file at a commit, None where there is none."""
        ...

    def files(self, commit: str, paths: Collection[str]) -> dict[str, str | None]:
        """The texts of several files at a commit, None where there is none; ReleaseError where one is not UTF-8."""
        ...

    def contents(self, commit: str, paths: Collection[str]) -> dict[str, bytes | None]:
        """The bytes of several files at a commit, None where there is none."""
        ...

    def modes(self, commit: str, paths: Collection[str]) -> dict[str, str]:
        """Git's mode of each of these paths that exists at a commit: 100644, 100755, 120000 a link, 040000 a folder."""
        ...

    def commit(self, base: str, edits: Sequence[Splice], message: str, who: Person, date: str) -> str:
        """Make a commit object on `base`; no ref moves."""
        ...

    def tag(self, name: str, commit: str, message: str, who: Person, date: str) -> str:
        """Make an annotated tag object, signed where git is set up so; no ref moves."""
        ...

    def push(self, *moves: tuple[str, str, str]) -> None:
        """Move refs (name, old, new) all or none, each only from its old value ("" for: does not exist)."""
        ...

    def refusal(self, commit: str, ref: str) -> str:
        """Why the remote would not take a push of a commit to that ref, "" if nothing says so; nothing is sent."""
        ...


class Ledger(Protocol):
    """The records of an upstream."""

    def read(self, line: str) -> Record | None:
        """The record of one line, fresh from the remote."""
        ...

    def fresh(self, release: Release) -> Record | None:
        """A release's record: fresh if it is its line's newest, else as far as this process knows it."""
        ...

    def past(self, line: str, tag: str) -> Record | None:
        """An older release's last record, found in the history of its line."""
        ...

    def latest(self, release: Release) -> Record | None:
        """The newest that this process has seen or written of a release's record; asks nobody."""
        ...

    def all(self, refs: Refs) -> tuple[Record | Broken, ...]:
        """The newest record of every line."""
        ...

    def begin(self, record: Record) -> None:
        """Write a new record over the one at `record.tip` ("" for none). Refused when another came first."""
        ...

    def note(self, record: Record, evidence: Mapping[str, Proof]) -> None:
        """Add evidence to the record of a release; Refused when the record is another release's by now."""
        ...

    def claim(self, record: Record, name: str, proof: Proof, over: Proof | None = None) -> bool:
        """Write a proof only where `over` is what the record says under that name now; false if somebody came first.

        Refused when the record is another release's by now.
        """
        ...

    def withdraw(self, record: Record, withdrawal: Withdrawal) -> None:
        """Say in its line's newest record that a release of it is not to be taken any more; once is enough."""
        ...

    def attested(
        self, record: Record, evidence: Mapping[str, Proof], push: Callable[[tuple[str, str, str]], None]
    ) -> None:
        """Add evidence by a push of the caller's, all or none with what else it moves; `push` gets the record's own move.

        Refused when the record is another release's by now, or was given up.
        """
        ...

    def close(self, record: Record, outcome: Outcome, why: str = "") -> None:
        """Say how a release ended."""
        ...


class Workshop(Protocol):
    """Runs commands in throwaway clones of a commit, without secrets in their environment."""

    def missing(self, run: Sequence[str]) -> str:
        """The program of a command, if it is not to be found; else ""."""
        ...

    def gate(
        self, name: str, run: Sequence[str], commit: str, env: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Run a command at a commit; Refused with the end of its output if it fails."""
        ...

    def build(
        self,
        name: str,
        path: str,
        run: Sequence[str],
        commit: str,
        env: Mapping[str, str],
        keep: Path,
        say: Callable[[str], None],
    ) -> None:
        """Run a command at a commit and keep the one file it makes, at `keep`."""
        ...


class Shelf(Protocol):
    """What this machine keeps: the cache under `.release/`, and directories that take artifacts."""

    def recall(self, *key: str) -> str | None: ...

    def remember(self, value: str, *key: str) -> None: ...

    def node(self) -> str:
        """A random name of this machine's cache, the same until the cache is deleted."""
        ...

    def artifact(self, commit: str, name: str) -> Path:
        """Where a built artifact is kept."""
        ...

    def digest(self, path: Path) -> tuple[str, int] | None:
        """SHA-256 (hex) and size (bytes) of a file, None where there is none."""
        ...

    def text(self, path: Path) -> str | None:
        """A small file's text, None where there is none."""
        ...

    def place(self, source: Path, target: Path) -> None:
        """Copy a file to where nothing is yet, all or nothing; Refused where something is."""
        ...

    def write(self, text: str, target: Path) -> None:
        """Write a text to where nothing is yet, all or nothing; Refused where something is."""
        ...

    def names(self, folder: Path) -> frozenset[str] | None:
        """The names in a folder, None where there is no folder."""
        ...

    def unwritable(self, folder: Path) -> str:
        """Why a folder cannot take files, "" if it can; nothing is made."""
        ...


class Forge(Protocol):
    """One repository on a forge.

    Every call may raise Unseen (could not look: an answer that never came, a 404 for lack of a right). What writes
    raises Refused (certainly not done, with the forge's own words) or Uncertain (perhaps done, the answer was lost).
    """

    @property
    def name(self) -> str:
        """`owner/name`."""
        ...

    def now(self) -> str:
        """The forge's own clock, ISO 8601 UTC, whole seconds: two machines need not agree on theirs."""
        ...

    def lacks(self, *rights: str) -> str:
        """Why the token is not enough here ("" if nothing says so): `rights` are of "push", "dispatch", "deploy"."""
        ...

    def releases(self) -> Iterator[Published]:
        """Every release, newest first, drafts included, page by page; Unseen where drafts cannot be seen (no right to push)."""
        ...

    def release(self, number: int) -> Published | None:
        """The release or draft with this id."""
        ...

    def published(self, tag: str) -> Published | None:
        """The release that is out for a tag; a draft is none."""
        ...

    def draft(self, entry: Entry) -> int:
        """Make a draft; its id. Not create-only: there may be many for one tag."""
        ...

    def revise(self, number: int, entry: Entry) -> None:
        """Make a draft, or a release that is out, say what the entry says; draft stays draft."""
        ...

    def publish(self, number: int, entry: Entry) -> None:
        """Publish a draft, never as the latest; tag and target are sent along, else GitHub unbinds the draft from its tag."""
        ...

    def drop(self, number: int) -> None:
        """Delete a draft; Refused where it is published."""
        ...

    def create(self, entry: Entry) -> None:
        """Make a release that is out at once, never as the latest; create-only: Refused where one is out for that tag."""
        ...

    def assets(self, number: int) -> tuple[Asset, ...]:
        """The files of a release."""
        ...

    def upload(self, number: int, name: str, source: Path | bytes) -> None:
        """Add a file to a release; Refused where one of that name is there. Streams."""
        ...

    def discard(self, asset: int) -> None:
        """Delete a file of a draft."""
        ...

    def download(self, asset: int) -> Iterator[bytes]:
        """A file's bytes, in pieces."""
        ...

    def tagged(self, tag: str) -> str:
        """The commit that a tag points at, peeled; "" if there is no such tag."""
        ...

    def head(self, branch: str) -> str:
        """The commit at the head of a branch; "" if there is none."""
        ...

    def holds(self, branch: str, commit: str) -> bool:
        """Whether a commit is in a branch's history."""
        ...

    def pulls(self, since: str | None, numbers: Collection[int] = (), commits: Collection[str] = ()) -> Iterator[Pull]:
        """The pull requests that were changed since then (ISO 8601 UTC, "" for all) and are merged, the last changed first.

        Then those of the `numbers` that were not among them; a number that no merged pull request has is passed over.
        Then those that brought the `commits` (full ids), with the ids that each of them brought, also where it was told
        before; a commit that the forge does not have, or that came by no merged pull request, is passed over. With None
        for `since` only what is given by number or commit is looked at.
        """
        ...

    def start(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> int:
        """`workflow_dispatch`: the id of the run, 0 where the forge does not say. Nothing is known to have worked."""
        ...

    def signal(self, event: str, payload: Mapping[str, str]) -> None:
        """`repository_dispatch`. Nothing is known to have worked."""
        ...

    def runs(self, workflow: str, event: str = "", branch: str = "", since: str = "") -> tuple[Run, ...]:
        """Runs of a workflow file (its base name, `release.yml`), newest first, at most the newest thousand.

        `branch` is a branch's or a tag's name, `since` ISO 8601 UTC: none that was created before. Empty is any.
        Unseen where there is no such workflow.
        """
        ...

    def run(self, number: int) -> Run | None:
        """A run by its id, at its newest attempt."""
        ...

    def complaint(self, run: int) -> str:
        """The name of a run's failed job and the last lines that it printed, for people: printable, bounded, without secrets."""
        ...

    def rerun(self, run: int) -> None:
        """Run the failed jobs of a run once more."""
        ...

    def checks(self, commit: str) -> tuple[Check, ...]:
        """The newest of each check run and of each commit status of a commit."""
        ...

    def environment(self, name: str) -> Environment | None: ...

    def deployments(self, commit: str, environment: str, task: str) -> tuple[Deployment, ...]:
        """Requests for this commit, environment and task, newest first, each with its newest status."""
        ...

    def request(self, commit: str, environment: str, task: str, description: str) -> None:
        """Ask for a deployment of a commit; nothing is merged for it."""
        ...


class Registry(Protocol):
    """What registries hold, by their distribution API; read only."""

    def digest(self, reference: str) -> str:
        """The digest (`sha256:...`) of the image that a tag names, as in `docker.io/library/alpine:3`; "" where there is none.

        Unseen where it cannot be told: no answer, no right to look, something that is no registry.
        """
        ...


class Index(Protocol):
    """What Python package indexes hold, by PEP 691 and PEP 503; read only. `place` is an index's "simple" address.

    Unseen where it cannot be told.
    """

    def versions(self, place: str, name: str) -> frozenset[str]:
        """Every version of a package that a file is named for, yanked ones too, in PEP 440's normal form."""
        ...

    def holds(self, place: str, name: str, version: str) -> bool:
        """Whether a package has this version, however both are spelt."""
        ...
