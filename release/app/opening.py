"""Opening: a checkout, its configuration, its upstream and its forge."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from release import config as configuration
from release.app import clock
from release.app.environment import OF_REGISTRIES, cleared, of_builds, run_of, tag_of
from release.app.included import Reader, whole
from release.app.session import NOBODY, Session, opening
from release.core.address import located, repository_of, without_secret
from release.core.channel_config import Channel
from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.fleet import resolved
from release.core.fleet_file import Whole, alone, placed
from release.core.forge_rules import is_repository
from release.core.model import Person
from release.errors import ConfigError, ReleaseError, UsageError
from release.redact import HIDE

if TYPE_CHECKING:
    from release.adapters.git.checkout import Checkout
    from release.adapters.github import GitHub


def session(place: Path | None = None) -> Session:
    """Open everything around a checkout, and its upstream."""
    return opened_at(place, upstream, lambda checkout: checkout.person())


def looking(place: Path | None = None) -> Session:
    """The same, for whoever only asks about the project itself: a clone without a remote is its own upstream, and where the
    fleet has files of its own, they are not read."""
    return opened_at(place, upstream_or_itself, lambda checkout: None, without_fleet)


def surveying(place: Path | None = None) -> Session:
    """The same, for whoever only asks, about the fleet."""
    return opened_at(place, upstream_or_itself, lambda checkout: None)


Who = Callable[["Checkout"], Person | None]
Upstream = Callable[["Checkout", Config, "GitHub | None"], tuple[str, str]]
Fleet = Callable[[Config, Reader], Whole]


def with_fleet(config: Config, reader: Reader) -> Whole:
    """With all that its files name."""
    return whole(config, reader.root, reader)


def without_fleet(config: Config, reader: Reader) -> Whole:
    """Without the fleet, where it has files of its own; one that stands in release.toml is there, and is judged."""
    return Whole(alone(config) if config.project.fleet else config)


def opened_at(place: Path | None, upstream_of: Upstream, who: Who, fleet: Fleet = with_fleet) -> Session:
    """Open everything around a checkout; `upstream_of` finds its upstream, `who` the person who acts, if one does, and `fleet`
    all that the configuration names besides."""
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
    written = configuration.load(checkout.root / "release.toml")
    checked(alone(written) if written.project.fleet else resolved(written))
    repository, address = upstream_of(checkout, written, opened(written, environment))
    cache = hidden(checkout.root / ".release")
    github = opened(written, environment, repository, cache)
    found = fleet(written, Reader(checkout.root, written.project.fleet, address, checkout, github))
    config = resolved(found.config)
    if written.project.fleet:
        checked(config, found.places)
        github = opened(config, environment, repository, cache)
    if own := [one.name for one in config.downstream if itself(one.repository, repository, address)]:
        raise ConfigError(
            f"the downstream {own[0]} is the upstream itself, {without_secret(address)}", "mend its repository"
        )
    credentials = opening(github, address)
    checkout = checkout.opening(credentials)
    objects = store(cache / "store.git", checkout.common / "objects")
    remote = GitRemote(address, Runner(objects, config=checkout.config, credentials=credentials))
    person = who(checkout)
    return Session(
        root=checkout.root,
        config=config,
        checkout=checkout,
        remote=remote,
        ledger=GitLedger(remote, person or NOBODY, clock.now),
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


def opened(
    config: Config, environment: Mapping[str, str], repository: str = "", cache: Path | None = None
) -> GitHub | None:
    """The forge that the configuration names; nothing is asked of it yet. With the upstream's `owner/name`, it may be acted on.

    `cache` is the folder where later commands find its answers.
    """
    if config.project.forge == "none":
        return None
    from release.adapters.github import GitHub

    return GitHub.at(environment, HIDE, rights(config, repository) if repository else {}, cache)


TO_TRIGGER: Mapping[str, set[str]] = {"workflow_dispatch": {"dispatch"}, "sync": set()}


def rights(config: Config, repository: str) -> Mapping[str, Collection[str]]:
    """What a release needs of which repository: an App's token is for no more than that."""
    approval = any(gate.kind == "approval" for gate in config.gate)
    needed: dict[str, set[str]] = {one.repository: set() for one in config.component}  # whose tags are looked at
    if config.sync.upstream:
        needed.setdefault(config.sync.upstream, set())  # whose releases are followed
    for one in config.downstream:
        needed.setdefault(one.repository, set()).update(TO_TRIGGER.get(one.trigger, {"push"}))
        if one.workflow and one.trigger != "sync":  # the failed jobs of a run are started again
            needed[one.repository].add("dispatch")
        if one.update:
            needed[one.repository].update(("push", "propose"))
    proposes = config.commit.mode == "pull-request"
    own = {"push", *(["deploy"] if approval else []), *(["propose"] if proposes else [])}
    needed = {**needed, repository: own}
    for place, more in of_channels(config.channel):
        needed.setdefault(place or repository, set()).update(more)
    return needed


def of_channels(channels: Collection[Channel]) -> Iterator[tuple[str, set[str]]]:
    """What promotions need of which repository, "" for the upstream's; where only something is looked at, nothing more."""
    for channel in channels:
        if channel.approval:
            yield "", {"deploy"}
        for point in channel.point:
            if point.kind == "file":
                yield point.repository, {"push", *(["propose"] if point.mode == "pull-request" else [])}
        yield from ((health.repository, set()) for health in channel.health)


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


def checked(config: Config, places: Mapping[str, str] = {}) -> Config:
    """The configuration, if it does not contradict itself; `places` as in Whole."""
    found = contradictions(config)
    if found:
        problems = tuple(str(placed(conflict, places)) for conflict in found)
        raise ConfigError("release.toml contradicts itself", problems=problems)
    return config


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


def interactive() -> bool:
    """Whether a person sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
