"""Everything that one command works with, opened when it is first needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from release import __version__, observe
from release.app import clock
from release.app.environment import as_a_person, builder_of, invocation_of, of_builds, places_of
from release.core.address import located, without_secret
from release.core.aim import History, Observation, at_line
from release.core.claims import Claim, Hidden
from release.core.config import Config
from release.core.facts import ApiChange
from release.core.finding import Conflict
from release.core.model import DownstreamWish, Head, Person, Refs
from release.core.needs import Asked
from release.core.notes import TEMPLATES, Template
from release.core.version import Version, scheme
from release.errors import ConfigError, ConflictError, Unseen, UsageError
from release.observe import Sources
from release.ports import (
    Bills,
    Commands,
    Forge,
    Index,
    Ledger,
    Lists,
    Publishers,
    Registry,
    Remote,
    Shelf,
    Signatures,
    Uploads,
)
from release.redact import HIDE

if TYPE_CHECKING:
    from release.adapters.builders.images import ImageRoom
    from release.adapters.delegates import Delegates
    from release.adapters.git.checkout import Checkout
    from release.adapters.git.claims import SyncClaims
    from release.adapters.git.remote import GitRemote
    from release.adapters.git.run import Runner
    from release.adapters.github import GitHub
    from release.adapters.http import Http
    from release.adapters.process import Processes
    from release.adapters.shards import Shards
    from release.engine.journal import Journal
    from release.engine.step import Step
    from release.engine.walk import Engine, Event
    from release.steps.doors import Doors


NOBODY = Person("", "")  # who looks only need not be known
WORKERS = 16


@dataclass(frozen=True)
class Session:
    """Everything one command works with. `started_for` is the tag that this run was started for, "" for none.

    With a forge, `repository` is the upstream's `owner/name` there, and `own_run` the workflow run that this is part of.
    """

    root: Path
    config: Config
    checkout: Checkout
    remote: GitRemote
    ledger: Ledger
    shelf: Shelf
    processes: Processes
    person: Person | None
    started_for: str
    address: str
    github: GitHub | None = None
    repository: str = ""
    own_run: int = 0
    logins: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def head(self) -> Head:
        return self.checkout.head()

    def who(self) -> Person:
        if self.person is None:
            raise UsageError(
                "git does not know who you are",
                'git config user.name "Your Name"; git config user.email you@example.org',
            )
        return self.person

    def now(self) -> str:
        return clock.now()

    def lacking(self, head: Head) -> tuple[Conflict, ...]:
        """Why nothing can be decided in this clone."""
        return (Conflict("incomplete-clone", *head.lacks),) if head.lacks else ()

    def observed(self, asked: Version | None = None, line: str = "") -> Observation:
        """The upstream as it is now; `asked` is a version whose record is looked for in the history of its line.

        With a `line` we stand at the head of the branch where that one is released, whatever is checked out here.
        """
        head = self.head()
        if conflicts := self.lacking(head):
            raise ConflictError(conflicts)
        rules = scheme(self.config.version, self.config.project.name)
        wanted = (asked.line, rules.tag(asked)) if asked else None
        try:
            at = partial(at_line, self.config, head, line) if line else None
            return observe.upstream(self.remote, self.ledger, head, self.person or NOBODY, self.now(), wanted, at)
        except Unseen:
            if self.forge is not None:
                self.forge.head(head.branch or "main")  # tells better than git what is wrong with a token
            raise

    def refs(self, remote: Remote, repository: str, told: Unseen | None = None) -> Refs:
        """A repository's refs; where git cannot see them, its forge tells better what is wrong with a token.

        `told` is what was said of them when they were asked for otherwise: git has less to say.
        """
        try:
            return remote.refs()
        except Unseen as unseen:
            if self.github is not None:
                self.github.forge(repository).head("main")
            raise (told or unseen) from None

    def sources(self, config: Config) -> Sources:
        """Where what changed is read, as far as the configuration asks for it."""
        forge = self.forge if wants_pulls(config) else None
        return Sources(self.remote, self.compared, self.asked, forge)

    @property
    def server(self) -> str:
        """The address of the forge, "" without one."""
        return self.github.server if self.github is not None else ""

    def template(self, config: Config, history: History) -> Template:
        """How a release's notes are written: by a built-in template, or by one of the project's own at that commit."""
        name = config.changelog.template
        if name in TEMPLATES:
            return TEMPLATES[name]
        source = history.files.get(name)
        if source is None:
            why = f"changelog.template is {name!r}, and {history.base[:10]} has no such file"
            raise ConfigError(why, f"commit it, or take a built-in one: {', '.join(TEMPLATES)}")
        from release.adapters.templates import template

        return template(source, name)

    def compared(self, old: str, new: str, packages: Collection[str]) -> tuple[ApiChange, ...]:
        """How the public names of Python packages differ between two commits: both are written to a folder, and read there."""
        from tempfile import TemporaryDirectory

        from release.adapters.python_api import differences

        with TemporaryDirectory(prefix="sluice-api-") as folder:
            before, after = Path(folder, "before"), Path(folder, "after")
            self.remote.export(old, packages, before)
            self.remote.export(new, packages, after)
            return differences(before, after, packages)

    def asked(self, path: str, text: str) -> Asked:
        """What a file of dependencies asks for."""
        from release.adapters.manifests import asked

        return asked(path, text)

    def claimed(self, wanted: Collection[Claim]) -> Mapping[Claim, str | Hidden]:
        """What is there already of what a release claims, "" for nothing; Hidden where that cannot be told."""
        if not wanted:
            return {}
        from concurrent.futures import ThreadPoolExecutor

        def look(claim: Claim) -> str | Hidden:
            try:
                if claim.kind == "image":
                    return self.registry.digest(str(claim))
                return claim.version if self.index.holds(claim.place, claim.name, claim.version) else ""
            except Unseen as error:
                return Hidden(error.message, error.remedy)

        with ThreadPoolExecutor(WORKERS, thread_name_prefix="sluice-claims") as pool:
            return dict(zip(wanted, pool.map(look, wanted), strict=True))

    @cached_property
    def http(self) -> Http:
        """What registries and indexes are asked with: the forge has its own."""
        from release.adapters.http import Http

        return Http(self.logins, HIDE, f"sluice/{__version__}")

    @cached_property
    def registry(self) -> Registry:
        """Every container registry, with Docker's logins."""
        from release.adapters.registry import Registries

        hosts = {name: real for name, real in places_of(self.environment).items() if "://" not in name}
        return Registries.at(self.logins, HIDE, self.http, hosts)

    @cached_property
    def index(self) -> Index:
        """Every package index."""
        from release.adapters.index import Indexes

        addresses = {name: real for name, real in places_of(self.environment).items() if "://" in name}
        return Indexes(self.http, addresses)

    @cached_property
    def uploads(self) -> Uploads:
        """What puts files onto package indexes."""
        from release.adapters.uploads import Uploads, needed

        given = {name: value for name, value in self.environment.items() if needed(name)}
        return Uploads(self.http, given, HIDE, places_of(self.environment))

    @cached_property
    def publishers(self) -> Publishers:
        """What runs the project's own commands that publish."""
        from release.adapters.publishers import Publishers

        cache = self.root / ".release"
        return Publishers(cache / "store.git", cache / "logs", self.environment, HIDE)

    @cached_property
    def commands(self) -> Commands:
        """What runs the project's own commands that look at the world, or move something in it."""
        from release.adapters.commands import Commands

        cache = self.root / ".release"
        return Commands(cache / "store.git", cache / "logs", self.environment, HIDE)

    @cached_property
    def delegates(self) -> Delegates:
        """What runs the own releases of components, as a person would there."""
        from release.adapters.delegates import Delegates

        logs, settings = self.root / ".release" / "logs", self.checkout.config
        return Delegates(self.reach, logs, as_a_person(self.environment), self.person or NOBODY, settings, HIDE)

    @cached_property
    def images(self) -> ImageRoom:
        """What builds images here: a builder of our own, and the engines of this machine."""
        from release.adapters.builders.buildah import Buildah
        from release.adapters.builders.buildx import Buildx
        from release.adapters.builders.embedded import Embedded
        from release.adapters.builders.images import ImageRoom
        from release.adapters.builders.podman import Podman

        cache = self.root / ".release"
        engines = [engine(self.environment) for engine in (Buildx, Buildah, Podman)]
        told = of_builds(self.environment, self.config)
        return ImageRoom(cache / "store.git", cache, told, [Embedded(cache), *engines])

    @cached_property
    def shards(self) -> Shards:
        """What several machines made, on disk."""
        from release.adapters.disk import Disk
        from release.adapters.shards import Shards

        return Shards(Disk(self.root / ".release"))

    @cached_property
    def bills(self) -> Bills:
        """What writes down what a release holds."""
        from release.adapters.sbom import Bills

        name = self.config.project.name or self.repository or "release"
        tool = ("sluice-release", __version__)
        return Bills(self.remote, name, self.source, self.config.changes.manifests, tool)

    @cached_property
    def signatures(self) -> Signatures:
        """What signs, with the key or the identity of this run."""
        from release.adapters.signing import Signatures

        return Signatures(self.environment, self.root, HIDE)

    @property
    def source(self) -> str:
        """The upstream's address for everybody, "" where it has none."""
        if self.github is not None:
            return f"{self.github.server}/{self.repository}"
        return without_secret(self.address) if self.address.startswith(("https://", "http://")) else ""

    @property
    def forge(self) -> Forge | None:
        """The upstream on its forge."""
        return self.github.forge(self.repository) if self.github is not None else None

    def lists(self, repository: str) -> Lists | None:
        """What the forge lists of a repository, `owner/name`; None without one."""
        return self.github.lists(repository) if self.github is not None else None

    def remote_at(self, repository: str, name: str) -> Remote:
        """A downstream's repository, with a small store of its own; relative addresses are relative to the upstream."""
        from release.adapters.git.remote import GitRemote

        return GitRemote(*self.reach(repository, name), shallow=True)

    def claims_at(self, repository: str, name: str, tag: str) -> SyncClaims:
        """What a component's own schedule claims of a tag, in the component's repository."""
        from release.adapters.git.claims import SyncClaims
        from release.adapters.git.remote import GitRemote

        remote = GitRemote(*self.reach(repository, name), shallow=True)
        return SyncClaims(remote, self.person or NOBODY, clock.now, tag)

    def claims_here(self, tag: str) -> SyncClaims:
        """What our own schedule claims of a tag, in our repository."""
        return self.claims_at(self.repository or self.address, "sync-claims", tag)

    def reach(self, repository: str, name: str) -> tuple[str, Runner]:
        """A downstream's address, and the git that opens it."""
        from release.adapters.disk import safe
        from release.adapters.git.remote import store
        from release.adapters.git.run import Runner

        address = self.github.address(repository) if self.github is not None else located(repository, self.address)
        run = Runner(
            store(self.root / ".release" / "downstreams" / f"{safe(name)}.git"),
            config=self.checkout.config,
            credentials=opening(self.github, address),
        )
        return address, run

    def doors(self) -> Doors:
        """What the steps act through."""
        from release.steps.doors import Doors

        def elsewhere(wish: DownstreamWish) -> Remote:
            return self.remote_at(wish.repository, wish.name)

        def forge_of(wish: DownstreamWish) -> Forge:
            assert self.github is not None
            return self.github.forge(wish.repository)

        return Doors(
            self.remote,
            self.ledger,
            self.processes,
            self.shelf,
            elsewhere,
            self.root,
            ours=bool(self.started_for),
            forge=self.forge,
            forge_of=forge_of if self.github is not None else None,
            own_run=self.own_run,
            project=self.config.project.name or self.repository or "the upstream",
            source=self.source,
            rules=scheme(self.config.version, self.config.project.name),
            builder=builder_of(self.environment),
            invocation=invocation_of(self.environment),
            rival=lambda wish: self.claims_at(wish.repository, wish.name, wish.tag),
            open_registry=lambda: self.registry,
            open_images=lambda: self.images,
            open_index=lambda: self.index,
            open_uploads=lambda: self.uploads,
            open_publishers=lambda: self.publishers,
            open_delegates=lambda: self.delegates,
            open_bills=lambda: self.bills,
            open_signatures=lambda: self.signatures,
        )

    @contextmanager
    def engine(
        self, *listeners: Callable[[Event], None], label: Callable[[Step[Any]], str] = attrgetter("name")
    ) -> Iterator[Engine]:
        """An engine that tells the listeners; when it is left, nothing of it runs any more."""
        from concurrent.futures import ThreadPoolExecutor

        from release.adapters.haste import hurry
        from release.engine.walk import Engine

        def tell(event: Event) -> None:
            for listener in listeners:
                listener(event)

        pool = ThreadPoolExecutor(WORKERS, "sluice", initializer=hurry)
        try:
            yield Engine(pool, time.monotonic, tell, label)
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        from release.engine.journal import Journal

        journal = Journal(self.root / ".release" / "journal.jsonl", clock.now, uuid4().hex[:8])
        try:
            yield journal
        finally:
            journal.close()

    def stop(self) -> None:
        """End every process that still runs."""
        from release.adapters.git.run import stop

        if self.github is not None:
            self.github.stop()
        self.processes.stop()
        for name in ("images", "uploads", "publishers", "commands", "delegates", "http"):  # as far as they were opened
            if (opened := self.__dict__.get(name)) is not None:
                opened.stop()
        stop()


def wants_pulls(config: Config) -> bool:
    """Whether pull requests are asked for: by a source of the bump, or by a template that tells of them."""
    by_source = {"labels", "release-note"}.intersection(config.changes.sources)
    return bool(by_source) or config.changelog.template != "keep-a-changelog"


def opening(github: GitHub | None, address: str) -> Callable[[], Sequence[tuple[str, str]]]:
    """What opens a git remote, asked for when one is about to be opened."""
    return tuple if github is None else partial(github.git_settings, address)
