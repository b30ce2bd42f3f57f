"""What a release does, one file a step. The paths below are the table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from release.core.images import noted_image
from release.core.manifest import document_names
from release.core.model import DownstreamWish, GateWish, Release
from release.core.record import DRAFT, OUTPUT, RELEASE, TAG, Record, Withdrawal
from release.core.reference import Reference
from release.core.verification import Expected
from release.engine.step import Step
from release.ports import Shown
from release.steps.approval import ApprovalGate
from release.steps.assets import UploadArtifact, UploadDocument
from release.steps.attach import Attach
from release.steps.begin import Begin
from release.steps.build import Making, noted_files
from release.steps.checks import ChecksGate
from release.steps.commit import MakeCommit
from release.steps.components import Downstream as Downstream
from release.steps.components import components_of
from release.steps.doors import Doors
from release.steps.draft import Draft
from release.steps.elsewhere import checks_of, packages_of, publishers_of
from release.steps.finish import Finish
from release.steps.gate import Gate
from release.steps.given import Given, Whole
from release.steps.image import BuildImage
from release.steps.images_gate import ImagesGate
from release.steps.land import Land
from release.steps.made import attached_of, builds_of, images_of, pushes_of, said_beside, said_of, supply_of, tags_of
from release.steps.output import Publish
from release.steps.propose import Propose
from release.steps.publish import PublishRelease
from release.steps.push import PushImage, TagImage
from release.steps.tag_run import FollowRun
from release.steps.verify import Listing, VerifyAsset
from release.steps.verify_claims import VerifyProvenance, VerifySbom
from release.steps.verify_image import Beside, VerifyImage
from release.steps.withdraw import MarkWithdrawn, NoteWithdrawal


def release_path(doors: Doors, release: Release, before: str) -> list[Step[Any]]:
    """The whole path. `before` is the tip of the line's record that the release was designed over, "" for none."""
    gates = tuple(gate_of(doors, release, wish) for wish in release.gates)
    commit = MakeCommit("commit", release, doors.remote, doors.ledger, doors.shelf)
    begin = Begin("begin", release, before, gates, commit, doors.remote, doors.ledger)
    early = release.start == "tag"
    asked = tuple(
        gate for gate in gates if not isinstance(gate, Gate)
    )  # the forge has the last word until the tag is out
    tag_first = (land_of(doors, release, begin, asked),) if early else ()
    followed = following(doors, release, tag_first)
    made = made_of(doors, release, begin, (*tag_first, *followed))
    staged = staged_of(doors, release, begin, made, followed) if doors.forge is not None else None
    checks = checks_of(doors, release, made.files)
    making = (*made.steps, *(staged.steps if staged else ()), *checks)
    ready = making if staged or release.output or release.publishers else (*made.ends, *checks)
    land = next(iter(tag_first), None) or land_of(doors, release, begin, (*asked, *ready))
    published: list[Step[Any]] = []
    if release.output and made.files:
        published.append(publish_of(doors, release, begin, land, made))
    published += tags_of(doors, release, begin, land, made.pushes, made.attached)
    published += packages_of(doors, release, begin, land, checks)
    published += publishers_of(doors, release, begin, land, made.files)
    if staged is not None:
        published.append(staged.published(doors, release, begin, land, tuple(published)))
    downstreams = downstream_path(doors, release, (begin, land, *followed, *published))
    required = tuple(step for step in downstreams if step.wish.required and not step.means)
    finish = Finish("finish", release, begin, land, tuple(published), required, doors.ledger)
    landing = (land, *followed, *making) if early else (*making, land)
    return [*gates, commit, begin, *landing, *published, *downstreams, finish]


@dataclass(frozen=True)
class Part:
    """A part of the path that makes something: files, images, and the tags of images in registries."""

    files: tuple[Making, ...]
    images: tuple[BuildImage, ...] = ()
    tags: tuple[TagImage, ...] = ()

    @property
    def steps(self) -> tuple[Step[Any], ...]:
        """All of them, each after what it needs."""
        end = Whole("whole", (*self.files, *self.images, *self.tags))
        return tuple(TopologicalSorter(with_needs(end)).static_order())


def proposal_path(doors: Doors, release: Release) -> list[Step[Any]]:
    """What comes before a release whose branch takes no push: nothing begins before this is merged."""
    assert doors.forge is not None, "pull requests without a forge are refused with the configuration"
    return [Propose("pull request", release, doors.remote, doors.forge)]


def with_needs(end: Step[Any]) -> dict[Step[Any], tuple[Step[Any], ...]]:
    """A step and all that it needs, each with its own needs."""
    found: dict[Step[Any], tuple[Step[Any], ...]] = {}
    left = [end]
    while left:
        step = left.pop()
        if step not in found:
            found[step] = step.needs
            left += step.needs
    return found


def build_path(doors: Doors, release: Release, record: Record) -> Part:
    """The files of a release, made for their own sake."""
    return Part(builds_of(doors, release, Given("begin", record), ()))


def image_path(doors: Doors, release: Release, record: Record) -> Part:
    """The images of a release, and the files that lie in them."""
    begin = Given("begin", record)
    return Part((), images_of(doors, release, begin, (), builds_of(doors, release, begin, ())))


def push_path(doors: Doors, release: Release, record: Record) -> Part:
    """The images of a release in their registries, under their version tags: the tag in git is out."""
    images = image_path(doors, release, record).images
    begin, tag = Given("begin", record), Given("tag", record.state.commit)
    return Part((), images, tags_of(doors, release, begin, tag, pushes_of(doors, release, images), ()))


def downstream_path(doors: Doors, release: Release, upstream: tuple[Step[Any], ...]) -> list[Downstream]:
    """The downstreams, each after those it names, with what each is to name; `upstream` is what has to be out before any of them."""
    return components_of(doors, release, release.downstreams, doors.ledger, upstream)


def withdrawal_path(doors: Doors, release: Release, withdrawal: Withdrawal) -> list[Step[Any]]:
    """First the record, which says why; then what people see."""
    note = NoteWithdrawal("record", release, withdrawal, doors.ledger)
    return [note] if doors.forge is None else [note, MarkWithdrawn(RELEASE, release, note, doors.forge)]


def listing_path(doors: Doors, release: Release) -> list[Listing]:
    """What a verification asks first: which files there are, of the upstream and of each downstream, and should be."""
    record = doors.ledger.latest(release)
    if doors.forge is None or doors.forge_of is None:
        there = shown_of(doors, release)
        return [Listing("files", release, record, None, there)] if there is not None else []
    own = Listing("assets", release, record, None, doors.forge)
    return [
        own,
        *(
            Listing(f"downstream {wish.name}: assets", release, record, wish, doors.forge_of(wish))
            for wish in release.downstreams
            if wish.trigger != "none"
        ),
    ]


def shown_of(doors: Doors, release: Release) -> Shown | None:
    """What shows the files of the upstream's release: its forge, else the folder that took them, if it is here."""
    if doors.forge is not None:
        return doors.forge
    folder = doors.shelf.shown(doors.root / release.output / release.tag) if release.output else None
    return folder if folder is not None and folder.published(release.tag) is not None else None


def file_path(listing: Listing, files: Sequence[Expected]) -> list[VerifyAsset]:
    """Each of these files, to be fetched and compared."""
    return [VerifyAsset(f"{listing.name.removesuffix('s')} {one.name}", one, listing.forge) for one in files]


def claim_path(
    doors: Doors, release: Release, listing: Listing, files: Sequence[VerifyAsset]
) -> list[VerifyAsset | VerifySbom | VerifyProvenance]:
    """The upstream's own files, and what the release says of them."""
    own, attest, forge = tuple(files), release.attest, listing.forge
    path: list[VerifyAsset | VerifySbom | VerifyProvenance] = list(own)
    if attest.sbom:
        path.append(VerifySbom(f"sbom {attest.sbom}", release, own, forge))
    if attest.provenance:
        record, name = doors.ledger.latest(release), f"provenance {attest.provenance}"
        path.append(VerifyProvenance(name, release, record, own, doors.remote, forge, doors.signatures))
    return path


def verify_images(doors: Doors, release: Release) -> list[VerifyImage]:
    """Each image in each registry, of the upstream and of its downstreams, to be fetched and compared."""
    record = doors.ledger.latest(release)
    shown = shown_of(doors, release)
    beside = tuple(
        Beside(kind, file, made.sha256)
        for file, kind in said_beside(release)
        for made in noted_files(record, (file,)) or ()
    )
    own = [
        VerifyImage(
            f"image {target}", target, wish.platforms,
            (("the record", noted.digest),) if (noted := noted_image(record, wish)) else (),
            doors.registry, shown, release.tag, wish.name, beside,
        )
        for wish in release.images
        for target in wish.targets
    ]  # fmt: skip
    theirs = [
        VerifyImage(
            f"downstream {wish.name}: image {image}", image, wish.platforms, _told(record, wish, image), doors.registry
        )
        for wish in release.downstreams
        for image in wish.images
    ]
    return [*own, *theirs]


def _told(record: Record | None, wish: DownstreamWish, image: Reference) -> tuple[tuple[str, str], ...]:
    """Which digest the record saw a downstream's image have."""
    proof = record.evidence.get(f"downstream {wish.name}") if record is not None else None
    digest = proof.images.get(str(image)) if proof is not None else None
    return (("the record", digest),) if digest else ()


@dataclass(frozen=True)
class Staged:
    """What lies on the forge before anybody sees it: the draft, its artifacts, its documents with the manifest last."""

    draft: Draft
    artifacts: tuple[UploadArtifact, ...]
    documents: tuple[UploadDocument, ...]

    @property
    def steps(self) -> tuple[Step[Any], ...]:
        return (self.draft, *self.artifacts, *self.documents)

    def published(
        self, doors: Doors, release: Release, begin: Begin, land: Land, before: tuple[Step[Any], ...]
    ) -> PublishRelease:
        """The step that shows it, after all that is published elsewhere."""
        forge = self.draft.forge
        return PublishRelease(
            RELEASE, release, begin, land, self.draft, self.artifacts, self.documents, before, forge, doors.ledger
        )


def gate_of(doors: Doors, release: Release, wish: GateWish) -> Step[str]:
    """A gate of any kind; those of a forge need one."""
    name = f"gate {wish.name}"
    if wish.kind == "command":
        return Gate(name, release, wish, doors.ledger, doors.workshop, doors.shelf)
    if wish.kind == "images":
        return ImagesGate(name, release, wish, doors.remote, doors.registry)
    assert doors.forge is not None, "a gate that needs a forge is refused with the configuration"
    if wish.kind == "checks":
        return ChecksGate(name, release, wish, doors.own_run, doors.forge)
    return ApprovalGate(name, release, wish, doors.forge)


@dataclass(frozen=True)
class Made:
    """What a release makes before anybody sees it."""

    files: tuple[Making, ...]
    images: tuple[BuildImage, ...]
    pushes: tuple[PushImage, ...]
    attached: tuple[Attach, ...]

    @property
    def steps(self) -> tuple[Step[Any], ...]:
        return (*self.files, *self.images, *self.pushes, *self.attached)

    @property
    def ends(self) -> tuple[Step[Any], ...]:
        """What is made for its own sake. A file that only lies in an image is not made again where the image is there: it may
        come out as another one."""
        within = {part for image in self.images for part in image.parts}
        return tuple(step for step in self.steps if step not in within)


def made_of(doors: Doors, release: Release, begin: Begin, tag: tuple[Step[Any], ...]) -> Made:
    """Files and images, what is said of them, and the images in their registries under a tag that nobody follows."""
    builds = builds_of(doors, release, begin, tag)
    images = images_of(doors, release, begin, tag, builds)
    files = (*builds, *said_of(doors, release, begin, tag, builds, images))
    pushes = pushes_of(doors, release, images)
    return Made(files, images, pushes, attached_of(doors, release, pushes, files))


def following(doors: Doors, release: Release, tag: tuple[Land, ...]) -> tuple[Step[Any], ...]:
    """The run of the tag, for whoever is not that run."""
    if doors.forge is None or doors.ours or not tag:
        return ()
    return (FollowRun(f"run of {release.tag}", release, tag[0], doors.forge, doors.ledger),)


def staged_of(doors: Doors, release: Release, begin: Begin, made: Made, followed: tuple[Step[Any], ...]) -> Staged:
    """The draft and everything in it, after all that is made."""
    assert doors.forge is not None
    forge, ledger = doors.forge, doors.ledger
    draft = Draft(
        DRAFT, release, begin, (*made.files, *made.images, *followed), forge, ledger, doors.mine(release.start)
    )
    artifacts = tuple(
        UploadArtifact(f"asset {file}", release, file, draft, build, forge, ledger, supply_of(doors, release))
        for build in made.files
        for file in build.makes
    )
    documents: tuple[UploadDocument, ...] = ()
    *others, last = document_names(release)
    for file in others:
        documents += (UploadDocument(f"asset {file}", release, file, begin, draft, artifacts, (), (), forge),)
    manifest = UploadDocument(f"asset {last}", release, last, begin, draft, artifacts, made.images, documents, forge)
    return Staged(draft, artifacts, (*documents, manifest))


def land_of(doors: Doors, release: Release, begin: Begin, ready: tuple[Step[Any], ...]) -> Land:
    """The push of branch and tag."""
    return Land(TAG, release, begin, ready, doors.remote, doors.ledger)


def publish_of(doors: Doors, release: Release, begin: Begin, land: Land, made: Made) -> Publish:
    """The directory that takes the artifacts."""
    return Publish(
        OUTPUT,
        release,
        begin,
        land,
        made.files,
        made.images,
        doors.ledger,
        doors.shelf,
        supply_of(doors, release),
        doors.root / release.output,
        doors.mine(release.start),
    )
