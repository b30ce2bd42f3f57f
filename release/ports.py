"""The doors to the world, as the steps see them. Adapters stand behind them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from release.core.delegated import Ended
from release.core.facts import Pull
from release.core.finding import Conflict
from release.core.forge import Asset, Check, Deployment, Entry, Environment, Proposed, Published, Run
from release.core.model import (
    ArtifactWish,
    AttestWish,
    BuiltImage,
    Commit,
    DownstreamWish,
    ImageWish,
    PackageWish,
    Person,
    PublishWish,
    Refs,
    Release,
    Splice,
    Tag,
)
from release.core.oci import Descriptor, Document
from release.core.record import Broken, Outcome, Proof, Record, Withdrawal
from release.core.reference import Reference


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

    def outside(self, branch: str, tip: str, commits: Collection[str]) -> frozenset[str]:
        """Those of these commits that are not in the history of a branch, which is known to be at `tip`; all looked at in one go."""
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

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree: two commits with the same one have the same files."""
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


class Claims(Protocol):
    """What is noted of a release, and claimed for it, where others see it."""

    def fresh(self, release: Release) -> Record | None:
        """A release's record: fresh if it is its line's newest, else as far as this process knows it."""
        ...

    def latest(self, release: Release) -> Record | None:
        """The newest that this process has seen or written of a release's record; asks nobody."""
        ...

    def claim(self, record: Record, name: str, proof: Proof, over: Proof | None = None) -> bool:
        """Write a proof only where `over` is what the record says under that name now; false if somebody came first.

        Refused when the record is another release's by now.
        """
        ...


class Rival(Protocol):
    """The other side that may set the same component going: for the upstream's captain it is that component's own schedule."""

    def claimed(self, release: Release, name: str) -> Proof | None:
        """What the other side claims under that name, fresh; a claim that came to nothing has no `at`. May raise Unseen."""
        ...


class Ledger(Claims, Protocol):
    """The records of an upstream."""

    def read(self, line: str) -> Record | None:
        """The record of one line, fresh from the remote."""
        ...

    def past(self, line: str, tag: str) -> Record | None:
        """An older release's last record, found in the history of its line."""
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
        wish: ArtifactWish,
        commit: str,
        env: Mapping[str, str],
        inputs: Mapping[str, Path],
        keep: Callable[[str, Path], None],
        say: Callable[[str], None],
    ) -> None:
        """Make the files of a wish at a commit, and hand each of them, by its name, to `keep`; exactly those.

        `inputs` are files of other builds, by name. Refused where the build fails, or makes less or more than it should.
        """
        ...


class Delegates(Protocol):
    """Runs the own releases of components, each in a throwaway clone of its branch."""

    def missing(self, run: Sequence[str]) -> str:
        """The program of a command, if it is not to be found; else ""."""
        ...

    def release(self, wish: DownstreamWish, say: Callable[[str], None]) -> Ended:
        """Run a component's command to its end. Refused where it cannot begin."""
        ...

    def ended(self, wish: DownstreamWish) -> Ended | None:
        """How it ended when this process ran it last, None where it did not."""
        ...

    def unfinished(self, wish: DownstreamWish) -> bool:
        """Whether the component's own record says that this release has begun, and not that all of it is out. May raise Unseen."""
        ...


class Shelf(Protocol):
    """What this machine keeps: the cache under `.release/`, and directories that take artifacts."""

    def recall(self, *key: str) -> str | None: ...

    def remember(self, value: str, *key: str) -> None: ...

    def node(self) -> str:
        """A random name of this machine's cache, the same until the cache is deleted."""
        ...

    def keep(self, source: Path) -> tuple[str, int]:
        """Copy a file into the store, under its digest; SHA-256 (hex) and size (bytes). Streams."""
        ...

    def take(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Write what comes in pieces into the store, under its digest; SHA-256 (hex) and size (bytes)."""
        ...

    def lay(self, source: Path, target: Path) -> None:
        """Copy a file to where an older one of that name may be, all or nothing."""
        ...

    def kept(self, sha256: str) -> Path | None:
        """The file with this digest (hex) in the store, None where it is not there."""
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

    def rewrite(self, old: str, new: str, target: Path) -> None:
        """Put a text in the place of the one that was looked at, all or nothing; Refused where the file says another by now."""
        ...

    def names(self, folder: Path) -> frozenset[str] | None:
        """The names in a folder, None where there is no folder."""
        ...

    def unwritable(self, folder: Path) -> str:
        """Why a folder cannot take files, "" if it can; nothing is made."""
        ...

    def shown(self, folder: Path) -> Shown:
        """The files of a folder, as a release shows them; a folder that is not there is no release."""
        ...


class Shown(Protocol):
    """The files of releases that are out: a forge has them, and a folder. Every call may raise Unseen."""

    @property
    def name(self) -> str:
        """Where that is, for people."""
        ...

    def published(self, tag: str) -> Published | None:
        """The release for a tag, None where nothing is out."""
        ...

    def assets(self, number: int) -> tuple[Asset, ...]:
        """Its files."""
        ...

    def download(self, asset: int) -> Iterator[bytes]:
        """A file's bytes, in pieces."""
        ...


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


class Images(Protocol):
    """Builds images into an OCI layout that this machine keeps, in throwaway clones of a commit."""

    @property
    def layout(self) -> Path:
        """The folder of the layout."""
        ...

    def chosen(self, wish: ImageWish, commit: str) -> tuple[str, str]:
        """The builder for an image, and why it is that one. Refused where none can build it."""
        ...

    def lacking(self, wish: ImageWish, commit: str) -> tuple[Conflict, ...]:
        """What would keep it from being built: a Dockerfile that cannot be, an engine that is not here, emulation."""
        ...

    def build(
        self,
        wish: ImageWish,
        commit: str,
        epoch: int,
        annotations: Mapping[str, str],
        inputs: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> BuiltImage:
        """Build for every platform, into one index; `inputs` are files of builds, by name.

        `annotations` (`org.opencontainers.image.*`) go to index and manifests, and are labels, too; `epoch` is the time of
        everything in it. Refused where a build fails, or makes other platforms than were asked for.
        """
        ...

    def document(self, digest: str) -> Document | None:
        """A manifest or an index of the layout."""
        ...

    def whole(self, digest: str) -> bool:
        """Whether the layout has an index and everything below it."""
        ...


class Registry(Protocol):
    """What registries hold, by their distribution API. An image is named by its Reference; a `digest` is "sha256:...".

    What reads raises Unseen where it cannot be told: no answer, no right to look, something that is no registry. What
    writes raises Refused (certainly not done) or Uncertain; blobs and manifests are by digest, so that it may be done again.
    """

    def digest(self, reference: str) -> str:
        """The digest (`sha256:...`) of the image that a tag names, as in `docker.io/library/alpine:3`; "" where there is none."""
        ...

    def tags(self, place: str, name: str) -> frozenset[str]:
        """All tags of a repository `name` of the registry `place`; nothing where there is no such repository."""
        ...

    def document(self, image: Reference, digest: str = "") -> Document | None:
        """The manifest or index that a digest, else the tag of `image`, names; its bytes have that digest. None where there is none."""
        ...

    def missing(self, image: Reference, digest: str) -> tuple[str, ...]:
        """The digests that are not there of an index or manifest and everything below it; asks, and fetches no blob."""
        ...

    def blob(self, image: Reference, digest: str) -> Iterator[bytes]:
        """A blob's bytes, in pieces; not compared with the digest."""
        ...

    def lacks_push(self, image: Reference) -> str:
        """Why we may not push there, "" if nothing says so; nothing that anybody sees is written."""
        ...

    def push(self, layout: Path, digest: str, image: Reference, say: Callable[[str], None]) -> None:
        """Bring everything below a digest from an OCI layout, children first, and name it by the tag of `image`.

        What is there is not sent again; what another repository of that registry has is mounted where it allows that.
        """
        ...

    def tag(self, image: Reference, digest: str) -> None:
        """Give a manifest that is there the tag of `image`; copies nothing. Whether the tag may be moved is not asked here."""
        ...

    def attach(self, image: Reference, subject: str, kind: str, content: Path, annotations: Mapping[str, str]) -> str:
        """Say something about an image: a file of the artifact type `kind`, as a referrer of the digest `subject`; its digest.

        Where a registry has no referrers API, the index under the tag `sha256-<hex>` has it. Once is enough.
        """
        ...

    def referrers(self, image: Reference, subject: str) -> tuple[Descriptor, ...]:
        """What is said about an image, by the API or by the tag."""
        ...


class Bills(Protocol):
    """Writes bills of materials."""

    def sbom(self, release: Release, commit: str, files: Iterable[tuple[str, str]]) -> bytes:
        """A document about files (name, SHA-256 in hex) and about what the project asks for at a commit; small.

        The same release gives the same bytes.
        """
        ...


class Signatures(Protocol):
    """Signs what a release says of itself, and sees whether a signature holds. `public` is a key (PEM), "" for none."""

    def lacking(self, wish: AttestWish, public: str) -> tuple[Conflict, ...]:
        """Why nothing could be signed as it is asked for: no key, no identity, a key that `public` would not verify."""
        ...

    def signed(self, wish: AttestWish, statement: bytes) -> bytes:
        """A line of a `*.intoto.jsonl` with an in-toto Statement. Refused where nothing can sign, Uncertain where a service
        did not answer: it may be done again."""
        ...

    def verified(self, wish: AttestWish, line: bytes, public: str) -> bytes | str:
        """The Statement of a line whose signature holds, or words why it does not; Unseen where that cannot be told."""
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

    def files(self, place: str, name: str, version: str) -> Mapping[str, str]:
        """The wheels and sdists of a version, yanked ones too: name -> SHA-256 (hex), "" where the index does not say."""
        ...

    def fetched(self, place: str, name: str, file: str) -> Iterator[bytes]:
        """A file's bytes, in pieces; not compared with any digest."""
        ...


class Publishers(Protocol):
    """Runs a project's own commands that publish, in throwaway clones of a commit, with the variables that they name.

    `env` is what every build is told; `files` lie in `$SLUICE_ARTIFACTS`, by name.
    """

    def lacks(self, wish: PublishWish) -> str:
        """Why a command could not publish, "" if nothing says so: a program that is not here, a variable that is not set."""
        ...

    def publish(
        self,
        wish: PublishWish,
        commit: str,
        env: Mapping[str, str],
        files: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> None:
        """Run it; Refused with the end of its output where it says that it failed, Uncertain where it was ended."""
        ...

    def exists(self, wish: PublishWish, commit: str, env: Mapping[str, str], files: Mapping[str, Path]) -> bool:
        """Whether it is out, by the command that looks; Unseen where that does not say."""
        ...


class Uploads(Protocol):
    """Puts files onto Python package indexes. An index takes a file's name once: nothing is ever replaced."""

    def lacks(self, wish: PackageWish) -> str:
        """Why nothing could be uploaded, "" if nothing says so: no credentials and no identity. Nothing is written."""
        ...

    def wrong(self, wish: PackageWish, files: Mapping[str, Path]) -> str:
        """Why an index would not take these files, by name: what is in them; "" if nothing says so. Nothing is sent."""
        ...

    def upload(self, wish: PackageWish, files: Mapping[str, Path], say: Callable[[str], None]) -> None:
        """Upload files, by name, one after the other; `say` hears of each that was taken. Streams.

        Refused with the index's words; Uncertain where its answer was lost: then what came before is there.
        """
        ...
