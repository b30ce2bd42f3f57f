"""A downstream on a forge: set going, followed to its end, and Done only when all of it is seen to be out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.finding import Blocked, Conflict, Done, Failed, Finding, Pending, Underway
from release.core.forge import PACE, Asset, Published, Run, passed
from release.core.images import lacking_platforms
from release.core.model import DownstreamWish, Release
from release.core.record import Proof, Record
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Claims, Forge, Registry
from release.steps.downstream import misplaced
from release.steps.trigger import Trigger


@dataclass(frozen=True, eq=False)
class FollowDownstream(Step[Proof]):
    """Its value is what was seen: tag, commit, run, digests of the assets.

    Done is: the release for the tag is published, its commit is in `branch`, the newest run that belongs to it is green,
    every expected asset and image is there, each image for every platform. `registry` is None where no image is expected.
    `home` is the forge where the release `origin` lies that it is built on: the upstream's, or another component's. `mine` is
    false where the tag's own run sets it going, and has to have the rights for it. `waits` is false where nobody stays to see it end.
    """

    release: Release
    wish: DownstreamWish
    upstream: tuple[Step[Any], ...]
    after: tuple[Step[Proof], ...]
    trigger: Trigger
    home: Forge
    origin: str
    forge: Forge
    registry: Registry | None
    ledger: Claims
    mine: bool
    waits: bool = True

    public = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.wish.deadline if self.waits else 0.0

    def preflight(self) -> tuple[Conflict, ...]:
        if not self.mine:
            return ()
        if why := self.forge.lacks(*self.trigger.rights):
            return (Conflict("forge-right", f"{self.name}: {why}", "give the token that right there"),)
        if not self.forge.head(self.wish.branch):
            why = f"{self.forge.name} has no branch {self.wish.branch}"
            return (Conflict("no-branch", why, "mend [[downstream]] branch"),)
        if self.wish.workflow:
            self.forge.runs(self.wish.workflow, since=self.forge.now())  # raises where there is no such workflow
        return self.trigger.preflight()

    def inspect(self, known: Known) -> Finding[Proof]:
        record = self._record()
        if self.wish.workflow and self.trigger.since(record):  # while its run goes on, nothing else needs to be asked
            run = self.trigger.run(record)
            if run is not None and not run.ended:
                return running(run, self.wish.workflow)
        out = self.forge.published(self.wish.tag)
        commit = self.forge.tagged(self.wish.tag)
        noted = record.evidence.get(self.name) if record is not None else None
        seen = noted is not None and bool(commit) and (noted.tag, noted.commit) == (self.wish.tag, commit)
        if commit and not seen and not self.forge.holds(self.wish.branch, commit):
            return Blocked(misplaced(self.wish, commit))
        if out is None and (todo := self.trigger.pending(record)):
            return self._unready() or self.trigger.holds() or Pending(todo)
        run = self.trigger.run(record) if self.wish.workflow else None
        if out is None and run is not None and run.green and self.forge.published(self.wish.tag) is not None:
            return self.inspect(known)  # it came out between the two looks
        if run is None and seen and noted is not None and noted.id:  # a forge forgets its runs after a while
            return self._whole(self._complete(out, commit, noted.id, green=True))
        return self._of_run(run, record, out) or self._whole(
            self._complete(out, commit, run.id if run else 0, green=run is not None)
        )

    def apply(self, known: Known, say: Say) -> None:
        record = self._record()
        if not self.trigger.sends or (self.trigger.itself and self._unfinished()):
            self.trigger.pull(record, say)
            return
        run = self.trigger.run(record) if self.wish.workflow else None
        if run is not None and run.ended and not run.green:
            say(f"run {run.id} of {self.wish.workflow} again, its failed jobs only")
            self.forge.rerun(run.id)
            return
        out = self.forge.published(self.wish.tag)
        fruitless = self.trigger.again and run is not None and run.green
        unstarted = out is None and run is None and (self.trigger.again or self.trigger.pending(record))
        if fruitless or unstarted:
            self.trigger.pull(record, say)
            return
        found = self.inspect(known)
        if isinstance(found, Failed):
            raise Refused(found.why, found.remedy)

    def _unfinished(self) -> bool:
        """Whether a component that looks after itself is not there yet, or has more to do."""
        return self.forge.published(self.wish.tag) is None or bool(self.trigger.left())

    def _whole(self, found: Finding[Proof]) -> Finding[Proof]:
        """What was found, unless the component itself says that there is more to come."""
        left = self.trigger.left() if isinstance(found, Done) else ""
        return self.trigger.holds() or Pending(left) if left else found

    def _record(self) -> Record | None:
        """Claims and proofs, fresh where other runs may have written some."""
        return self.ledger.fresh(self.release) if self.trigger.again else self.ledger.latest(self.release)

    def _unready(self) -> Underway | None:
        """What it comes after and is not there yet, though the upstream is out."""
        out = self.home.published(self.origin) if self.wish.after_assets else None
        if out is None:
            return None
        there = {asset.name for asset in self.home.assets(out.id) if asset.complete}
        missing = [name for name in self.wish.after_assets if name not in there]
        return Underway(f"waits for {', '.join(missing)} of {self.origin}") if missing else None

    def _of_run(
        self, run: Run | None, record: Record | None, out: Published | None
    ) -> Underway | Pending | Failed | None:
        """What keeps the run from being green; None where it is, or where none is asked for."""
        if not self.wish.workflow:
            return self._unanswered(record) if out is None else None
        if run is None:
            return self._unstarted(self.trigger.since(record) or (out.at if out is not None else ""), out)
        if not run.ended:
            return running(run, self.wish.workflow)
        if run.green:
            return None
        return Failed(told(run, self.wish.workflow, self.forge))

    def _unstarted(self, since: str, out: Published | None) -> Underway | Pending | Failed:
        """No run is to be seen: for a while that is the forge's slowness, then it is a fault, and what can be sent again will be."""
        if not since or passed(since, self.forge.now()) < self.wish.starts_within:
            return Underway(f"no run of {self.wish.workflow} has started in {self.forge.name} yet")
        if self.trigger.again and out is None:
            return Pending(
                f"the {self.wish.trigger} of {since} was accepted, and nothing has started in {self.forge.name}: send it again"
                f" (does {self.wish.workflow} on its default branch run on {self.wish.trigger}?)"
            )
        why = f"{self.wish.tag} was released at {since}, and no run of {self.wish.workflow} has started in {self.forge.name}"
        remedy = (
            f"see that {self.wish.workflow} runs on {self.wish.trigger}, and that it was no workflow's GITHUB_TOKEN that made"
            f" it, for its events start nothing; then start it: gh workflow run {self.wish.workflow} --repo {self.forge.name}"
            f" --ref {self.wish.tag}"
        )
        return Failed(why, remedy)

    def _unanswered(self, record: Record | None) -> Pending | None:
        """A dispatch of which nothing can be followed, and nothing has come in all the time that it was given."""
        since = self.trigger.since(record)
        if not since or passed(since, self.forge.now()) < self.wish.deadline:
            return None
        return Pending(f"the {self.wish.trigger} of {since} brought no release {self.wish.tag}: send it again")

    def _complete(self, out: Published | None, commit: str, run: int, green: bool) -> Finding[Proof]:
        """Whether the release and every expected asset are there, now that the run is."""
        said = f"{self.wish.workflow} is green, but " if green else ""
        if out is None or not commit:
            why = f"{said}{self.forge.name} has no release {self.wish.tag}"
            return self._lacking(why, green)
        there = {asset.name: asset for asset in self.forge.assets(out.id) if asset.complete}
        missing = [name for name in self.wish.assets if name not in there]
        if missing:
            return self._lacking(f"{said}{self.wish.tag} of {self.forge.name} lacks {', '.join(missing)}", green)
        images = self._images()
        if isinstance(images, str):
            return self._lacking(f"{said}{images}", green)
        proof = Proof(tag=self.wish.tag, commit=commit, id=run, assets=digests(list(there.values())), images=images)
        held = [f"run {run} green"] if run else []
        held += [f"{len(there)} assets", *([f"{len(images)} images"] if images else [])]
        return Done(proof, f"{self.wish.tag} on {commit[:10]}, {', '.join(held)}")

    def _images(self) -> dict[str, str] | str:
        """The digests of the images that it is to have, by reference; or what of them is missing."""
        found: dict[str, str] = {}
        for image in self.wish.images if self.registry is not None else ():
            document = self.registry.document(image) if self.registry is not None else None
            if document is None:
                return f"there is no image {image}"
            if missing := lacking_platforms(document, self.wish.platforms):
                return f"the image {image} is not for {', '.join(missing)}"
            found[str(image)] = document.digest
        return found

    def _lacking(self, why: str, green: bool) -> Failed | Underway:
        """Something is missing: where the run is over, nothing will bring it."""
        if not green:
            return Underway(why)
        again = "the same command starts it again" if self.trigger.again else "run it again there"
        return Failed(why, f"mend {self.wish.workflow} so that it fails when it makes nothing; then {again}")


def running(run: Run, workflow: str) -> Underway:
    """A run that goes on."""
    return Underway(f"{workflow} {run.status.replace('_', ' ')}: {run.url or run.id}")


def told(run: Run, workflow: str, forge: Forge) -> str:
    """How a run ended, and the last that its failed job said, on lines of their own."""
    first = f"{workflow} ended with {run.conclusion} ({run.url or run.id}); the same command runs its failed jobs again"
    return f"{first}\n{forge.complaint(run.id)}".strip()


def digests(assets: list[Asset]) -> dict[str, str]:
    """SHA-256 by name, as far as the forge says it."""
    return {asset.name: asset.digest for asset in sorted(assets, key=lambda one: one.name) if asset.digest}
