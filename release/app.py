"""The composition root: reads the environment, opens the doors, starts engines. Nobody else does any of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from release import __version__, observe
from release import config as configuration
from release.core.address import located, repository_of, without_secret
from release.core.aim import History, Observation
from release.core.claims import Claim
from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.facts import ApiChange
from release.core.finding import Conflict
from release.core.forge_rules import is_repository
from release.core.model import DownstreamWish, Head, Person
from release.core.needs import Asked
from release.core.notes import TEMPLATES, Template
from release.core.version import Version, scheme
from release.errors import ConfigError, ConflictError, ReleaseError, Unseen, UsageError
from release.observe import Sources
from release.ports import Bills, Forge, Index, Ledger, Publishers, Registry, Remote, Shelf, Signatures, Uploads
from release.redact import HIDE

if TYPE_CHECKING:
    from release.adapters.builders.images import ImageRoom
    from release.adapters.git.checkout import Checkout
    from release.adapters.github import GitHub
    from release.adapters.http import Http
    from release.adapters.process import Processes
    from release.adapters.shards import Shards
    from release.engine.journal import Journal
    from release.engine.walk import Engine, Event
    from release.steps.doors import Doors

NOBODY = Person("", "")  # who looks only need not be known
WORKERS = 16
# What makes git look at another repository than the one we name; `git rev-parse --local-env-vars` lists them.
FOREIGN = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG", "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_INTERNAL_SUPER_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_CONFIG_COUNT",
)  # fmt: skip

# What registries and indexes are asked with: the forge's tokens are none of their business, nor of a credential helper's.
OF_REGISTRIES = (
    "PATH", "HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME", "PASSWORD_STORE_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


@dataclass(frozen=True)
class Session:
    """Everything one command works with. `started_for` is the tag that this run was started for, "" for none.

    With a forge, `repository` is the upstream's `owner/name` there, and `own_run` the workflow run that this is part of.
    """

    root: Path
    config: Config
    checkout: Checkout
    remote: Remote
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
        return now()

    def lacking(self, head: Head) -> tuple[Conflict, ...]:
        """Why nothing can be decided in this clone."""
        return (Conflict("incomplete-clone", *head.lacks),) if head.lacks else ()

    def observed(self, asked: Version | None = None) -> Observation:
        """The upstream as it is now; `asked` is a version whose record is looked for in the history of its line."""
        head = self.head()
        if conflicts := self.lacking(head):
            raise ConflictError(conflicts)
        rules = scheme(self.config.version, self.config.project.name)
        wanted = (asked.line, rules.tag(asked)) if asked else None
        try:
            return observe.upstream(self.remote, self.ledger, head, self.person or NOBODY, self.now(), wanted)
        except Unseen:
            if self.forge is not None:
                self.forge.head(head.branch or "main")  # tells better than git what is wrong with a token
            raise

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

    def claimed(self, wanted: Collection[Claim]) -> Mapping[Claim, str | None]:
        """What is there already of what a release claims, "" for nothing; None where that cannot be told."""
        if not wanted:
            return {}
        from concurrent.futures import ThreadPoolExecutor

        def look(claim: Claim) -> str | None:
            try:
                if claim.kind == "image":
                    return self.registry.digest(str(claim))
                return claim.version if self.index.holds(claim.place, claim.name, claim.version) else ""
            except Unseen:
                return None

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

    def remote_at(self, repository: str, name: str) -> Remote:
        """A downstream's repository, with a small store of its own; relative addresses are relative to the upstream."""
        from release.adapters.disk import safe
        from release.adapters.git.remote import GitRemote, store
        from release.adapters.git.run import Runner

        address = self.github.address(repository) if self.github is not None else located(repository, self.address)
        run = Runner(
            store(self.root / ".release" / "downstreams" / f"{safe(name)}.git"),
            config=self.checkout.config,
            credentials=opening(self.github, address),
        )
        return GitRemote(address, run, shallow=True)

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
            builder=builder_of(self.environment),
            invocation=invocation_of(self.environment),
            open_registry=lambda: self.registry,
            open_images=lambda: self.images,
            open_index=lambda: self.index,
            open_uploads=lambda: self.uploads,
            open_publishers=lambda: self.publishers,
            open_bills=lambda: self.bills,
            open_signatures=lambda: self.signatures,
        )

    @contextmanager
    def engine(self, *listeners: Callable[[Event], None]) -> Iterator[Engine]:
        """An engine that tells the listeners; when it is left, nothing of it runs any more."""
        from concurrent.futures import ThreadPoolExecutor

        from release.engine.walk import Engine

        def tell(event: Event) -> None:
            for listener in listeners:
                listener(event)

        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="sluice")
        try:
            yield Engine(pool, time.monotonic, tell)
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        from release.engine.journal import Journal

        journal = Journal(self.root / ".release" / "journal.jsonl", now, uuid4().hex[:8])
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
        for name in ("images", "uploads", "publishers", "http"):  # as far as they were opened
            if (opened := self.__dict__.get(name)) is not None:
                opened.stop()
        stop()


def session(place: Path | None = None) -> Session:
    """Open everything around a checkout, and its upstream."""
    return opened_at(place, upstream, lambda checkout: checkout.person())


def looking(place: Path | None = None) -> Session:
    """The same, for whoever only asks: a clone without a remote is its own upstream."""
    return opened_at(place, upstream_or_itself, lambda checkout: None)


Who = Callable[["Checkout"], Person | None]
Upstream = Callable[["Checkout", Config, "GitHub | None"], tuple[str, str]]


def opened_at(place: Path | None, upstream_of: Upstream, who: Who) -> Session:
    """Open everything around a checkout; `upstream_of` finds its upstream, and `who` the person who acts, if one does."""
    environment = cleared(os.environ)
    # Importing GitPython would run `git version` twice, and fail without git. We run git by its name, and say so.
    os.environ.update(GIT_PYTHON_REFRESH="quiet", GIT_PYTHON_GIT_EXECUTABLE="git-when-it-is-run")
    from release.adapters.disk import Disk
    from release.adapters.git.checkout import Checkout
    from release.adapters.git.ledger import GitLedger
    from release.adapters.git.remote import GitRemote, store
    from release.adapters.git.run import Runner
    from release.adapters.process import Processes

    checkout = Checkout.at(place or Path.cwd())
    config = checked(configuration.load(checkout.root / "release.toml"))
    github = opened(config, environment)
    repository, address = upstream_of(checkout, config, github)
    github = opened(config, environment, repository)
    if own := [one.name for one in config.downstream if itself(one.repository, repository, address)]:
        raise ConfigError(
            f"the downstream {own[0]} is the upstream itself, {without_secret(address)}", "mend its repository"
        )
    credentials = opening(github, address)
    checkout = checkout.opening(credentials)
    cache = hidden(checkout.root / ".release")
    objects = store(cache / "store.git", checkout.common / "objects")
    remote = GitRemote(address, Runner(objects, config=checkout.config, credentials=credentials))
    person = who(checkout)
    return Session(
        root=checkout.root,
        config=config,
        checkout=checkout,
        remote=remote,
        ledger=GitLedger(remote, person or NOBODY, now),
        shelf=Disk(cache),
        processes=Processes(objects, cache / "logs", of_builds(environment, config)),
        person=person,
        started_for=tag_of(environment),
        address=address,
        github=github,
        repository=repository,
        own_run=run_of(environment, repository),
        logins={name: value for name, value in environment.items() if name in OF_REGISTRIES},
        environment=environment,
    )


def places_of(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Where registries and indexes really are, by their names: a mirror, or a rehearsal. ConfigError where it cannot be read.

    SLUICE_PLACES holds pairs with blanks between them: `docker.io=http://127.0.0.1:5000`. Registries are named by their
    hosts, indexes by their addresses: `https://pypi.org/simple=http://127.0.0.1:8080/simple`.
    """
    pairs = [pair.partition("=") for pair in environment.get("SLUICE_PLACES", "").split()]
    for name, _, real in pairs:
        if not name or not real.startswith(("https://", "http://")):
            raise ConfigError(f"SLUICE_PLACES has {name!r:.60}, and no address for it", "write NAME=https://ADDRESS")
    return {name: real for name, _, real in pairs}


def wants_pulls(config: Config) -> bool:
    """Whether pull requests are asked for: by a source of the bump, or by a template that tells of them."""
    by_source = {"labels", "release-note"}.intersection(config.changes.sources)
    return bool(by_source) or config.changelog.template != "keep-a-changelog"


def opened(config: Config, environment: Mapping[str, str], repository: str = "") -> GitHub | None:
    """The forge that the configuration names; nothing is asked of it yet. With the upstream's `owner/name`, it may be acted on."""
    if config.project.forge == "none":
        return None
    from release.adapters.github import GitHub

    return GitHub.at(environment, HIDE, rights(config, repository) if repository else {})


def rights(config: Config, repository: str) -> Mapping[str, Collection[str]]:
    """What a release needs of which repository: an App's token is for no more than that."""
    approval = any(gate.kind == "approval" for gate in config.gate)
    needed: dict[str, set[str]] = {one.repository: set() for one in config.component}  # whose tags are looked at
    needed |= {
        one.repository: {"dispatch" if one.trigger == "workflow_dispatch" else "push"} for one in config.downstream
    }
    for one in config.downstream:
        if one.workflow:  # the failed jobs of a run are started again
            needed[one.repository].add("dispatch")
    proposes = config.commit.mode == "pull-request"
    own = {"push", *(["deploy"] if approval else []), *(["propose"] if proposes else [])}
    return {**needed, repository: own}


def opening(github: GitHub | None, address: str) -> Callable[[], Sequence[tuple[str, str]]]:
    """What opens a git remote, asked for when one is about to be opened."""
    return tuple if github is None else partial(github.git_settings, address)


def upstream(checkout: Checkout, config: Config, github: GitHub | None) -> tuple[str, str]:
    """The upstream's `owner/name` on its forge ("" without one), and its address for git: `origin` where that is it."""
    if github is None:
        return "", checkout.remote(config.project.repository)
    wanted = config.project.repository
    try:
        origin = checkout.remote("")
    except UsageError:
        if not wanted:
            raise
        return wanted, github.address(wanted)
    there = repository_of(origin) if github.serves(origin) else ""
    if not wanted and not is_repository(there):
        why = f"origin, {without_secret(origin)}, is no repository of {github.server}"
        raise ConfigError(why, 'name the upstream: project.repository = "owner/name"')
    same = wanted.lower() in ("", there.lower())
    return (there, origin) if same else (wanted, github.address(wanted))


def upstream_or_itself(checkout: Checkout, config: Config, github: GitHub | None) -> tuple[str, str]:
    """The upstream, or the clone's own repository where it has no remote and none is configured."""
    if github is None and not config.project.repository and not checkout.repo.remotes:
        return "", str(checkout.common)
    return upstream(checkout, config, github)


def itself(downstream: str, repository: str, address: str) -> bool:
    """Whether a downstream's repository is the upstream's own."""
    return downstream.lower() == repository.lower() if repository else located(downstream, address) == address


def run_of(environment: Mapping[str, str], repository: str) -> int:
    """The workflow run of the upstream that this process is part of, 0 for none."""
    number = environment.get("GITHUB_RUN_ID", "")
    here = environment.get("GITHUB_REPOSITORY", "").lower() == repository.lower() != ""
    return int(number) if here and number.isascii() and number.isdigit() and len(number) < 20 else 0


def checked(config: Config) -> Config:
    """The configuration, if it does not contradict itself."""
    found = contradictions(config)
    if found:
        problems = tuple(str(conflict) for conflict in found)
        raise ConfigError("release.toml contradicts itself", problems=problems)
    return config


def of_builds(environment: Mapping[str, str], config: Config) -> Mapping[str, str]:
    """What gates and builds may be told of the environment: not the key that signs, whatever its variable is named."""
    kind, _, name = config.attest.key.partition(":")
    return {key: value for key, value in environment.items() if kind != "env" or key != name}


def builder_of(environment: Mapping[str, str]) -> str:
    """The workflow that runs us, by GitHub's variables, as its certificates name it; "" for none."""
    server, workflow = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_WORKFLOW_REF", "")
    return f"{server}/{workflow}" if server and workflow else ""


def invocation_of(environment: Mapping[str, str]) -> str:
    """The workflow run that this process is part of, "" for none."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name, "") for name in names)
    attempt = environment.get("GITHUB_RUN_ATTEMPT", "1")
    return f"{server}/{repository}/actions/runs/{run}/attempts/{attempt}" if server and repository and run else ""


def tag_of(environment: Mapping[str, str]) -> str:
    """The tag that a workflow was started for, by GitHub's variables; "" for none."""
    ref = environment.get("GITHUB_REF", "")
    return ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else ""


def cleared(environment: os._Environ[str]) -> Mapping[str, str]:
    """This process's environment without what would lead git astray."""
    for name in (*FOREIGN, *(name for name in environment if name.startswith("GIT_TRACE"))):
        environment.pop(name, None)
    beside = str(Path(sys.executable).parent)  # what is installed with us is found, in a venv that is not activated too
    return {**environment, "PATH": os.pathsep.join((environment.get("PATH", os.defpath), beside))}


def hidden(folder: Path) -> Path:
    """Our cache, which git does not see."""
    ignore = folder / ".gitignore"
    try:
        folder.mkdir(exist_ok=True)
        if not ignore.exists() or ignore.read_text() != "*\n":
            ignore.write_text("*\n")
    except OSError as error:
        raise ReleaseError(
            f"cannot write {folder}: {error.strerror}", "it is a cache and a log: make room for it"
        ) from error
    return folder


def now() -> str:
    """ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def interactive() -> bool:
    """Whether a person sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
