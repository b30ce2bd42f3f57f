"""A repository on a forge: what acts on it and proves, and what only lists."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

from release.core.facts import Pull
from release.core.forge import Asset, Check, Deployment, Entry, Environment, Proposed, Published, Run
from release.core.model import (
    Refs,
)


class Lists(Protocol):
    """What a forge lists of one repository, for whoever may look; drafts are not told of. Every call may raise Unseen."""

    def refs(self) -> Refs:
        """Branches and tags; no records."""
        ...

    def newest(self, number: int) -> tuple[Published, ...]:
        """So many of the releases that are out, those of the newest commits first, without their notes."""
        ...

    def releases(self, since: str, wanted: Collection[str]) -> Mapping[str, Published]:
        """The releases that are out, by tag, without their notes: those since a day ("YYYY-MM-DD", "" for all), perhaps older
        ones, and those of the `wanted` tags."""
        ...

    def runs(self, workflow: str, since: str) -> tuple[tuple[Run, ...], str]:
        """The runs of a workflow's file since a day, the newest first; and since when they are all there, "" for just so."""
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
        """Why the token is not enough here ("" if nothing says so): of "push", "dispatch", "deploy", "propose"."""
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

    def latest(self) -> Published | None:
        """The release that the repository shows as its latest; None where it shows none."""
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

    def mark(self, number: int, *, prerelease: bool) -> None:
        """Say of a release that is out whether it is a prerelease; by that it never becomes the latest."""
        ...

    def make_latest(self, number: int) -> None:
        """Have the repository show a release that is out as its latest; Refused for a prerelease."""
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

    def proposals(self, head: str, base: str, state: Literal["open", "closed"]) -> Iterator[Proposed]:
        """The pull requests from a branch of this repository into another one, newest first, page by page."""
        ...

    def propose(self, head: str, base: str, title: str, body: str) -> None:
        """Open a pull request; Refused where one is open for these branches."""
        ...

    def reword(self, number: int, title: str, body: str) -> None:
        """Give a pull request another title and description."""
        ...

    def start(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> int:
        """`workflow_dispatch`: the id of the run, 0 where the forge does not say. Nothing is known to have worked."""
        ...

    def signal(self, event: str, payload: Mapping[str, str]) -> None:
        """`repository_dispatch`. Nothing is known to have worked."""
        ...

    def runs(
        self, workflow: str, event: str = "", branch: str = "", since: str = "", commit: str = ""
    ) -> tuple[Run, ...]:
        """Runs of a workflow file (its base name, `release.yml`), newest first, at most the newest thousand.

        `branch` is a branch's or a tag's name, `since` ISO 8601 UTC: none that was created before; `commit` is the full id
        of the one that they ran for. Empty is any.
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

    def issues(self, label: str, most: int) -> tuple[int, ...] | None:
        """The numbers of open issues with a label, pull requests left out, newest first, no more than `most` of them.

        None where there is no such label, for then nobody can have given it to an issue.
        """
        ...

    def environment(self, name: str) -> Environment | None: ...

    def deployments(self, commit: str, environment: str, task: str) -> tuple[Deployment, ...]:
        """Requests for this commit, environment and task, newest first, each with its newest status."""
        ...

    def request(self, commit: str, environment: str, task: str, description: str) -> None:
        """Ask for a deployment of a commit; nothing is merged for it."""
        ...
