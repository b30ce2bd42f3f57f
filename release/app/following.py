"""The upstream that a component follows: its own configuration, and what of it is out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from release import config as configuration
from release.app import clock
from release.app.session import NOBODY, Session
from release.core.config import Config, Downstream, FleetFile
from release.core.contradictions import contradictions
from release.core.finding import Conflict
from release.core.fleet import resolved
from release.core.fleet_window import first_day
from release.core.forge import Published
from release.core.model import Refs, Tag
from release.core.sync import Offer, newest, own
from release.errors import ConfigError, ConflictError, Unseen, UsageError

if TYPE_CHECKING:
    from release.adapters.git.claims import RecordClaims
    from release.adapters.git.remote import GitRemote

STORE = "sync-upstream"
PAGE = 100  # releases that one request lists
TABLES = ("project", "version", "release", "downstream", "component")
"""What is read of the upstream's configuration; the rest is none of ours, and may be of a version that we do not know."""


@dataclass(frozen=True)
class Following:
    """`config` is the upstream's, and `one` what it says of this component. `refs` are its branches, tags and records."""

    session: Session
    config: Config
    one: Downstream
    remote: GitRemote
    refs: Refs

    @property
    def upstream(self) -> str:
        """Its repository, as it may be shown."""
        return self.session.config.sync.upstream if self.session.github is not None else self.remote.name

    @property
    def on_forge(self) -> bool:
        """Whether its releases are told of by a forge; else its tags are its releases."""
        return self.session.github is not None and self.config.project.forge != "none"

    def offers(self, last: int) -> tuple[Offer, ...]:
        """Its newest releases that are out."""
        if not self.on_forge:
            return newest(self._of_tags(self.refs.tags, self.remote), last)
        lists = self.session.lists(self.session.config.sync.upstream)
        assert lists is not None
        return tuple(_offer(one, self.refs.tags) for one in lists.newest(last) if one.tag in self.refs.tags)

    def begins(self, offers: Sequence[Offer]) -> str:
        """The day before which all is history, where its tag is not among the offered; "" where nothing says so, or they tell."""
        name = self.config.project.since
        if not name or any(offer.tag.name == name for offer in offers):
            return ""
        there = {name: self.refs.tags[name]} if name in self.refs.tags else {}
        self.remote.bring([f"refs/tags/{one}" for one in there], list(there.values()))
        found = first_day(name, self.remote.dates(there))
        if isinstance(found, Conflict):
            raise ConflictError((found,))
        return found

    def parents(self, last: int) -> Mapping[str, Mapping[str, Offer]]:
        """What the components have that this one comes after, by their tags: one list each."""
        named = {one.name: one for one in self.config.downstream}
        return {name: self._of(named[name], last) for name in self.one.after if name in named}

    def records(self) -> RecordClaims:
        """What its captains have claimed, in its records."""
        from release.adapters.git.claims import RecordClaims
        from release.adapters.git.ledger import GitLedger
        from release.adapters.git.remote import GitRemote

        def whole() -> tuple[GitLedger, GitRemote]:
            remote = GitRemote(*self.session.reach(self.session.config.sync.upstream, f"{STORE}-records"))
            return GitLedger(remote, NOBODY, clock.now), remote

        return RecordClaims(GitLedger(self.remote, NOBODY, clock.now), whole)

    def _of(self, parent: Downstream, last: int) -> Mapping[str, Offer]:
        remote = self.session.remote_at(self._beside(parent.repository), f"sync-{parent.name}")
        tags = remote.refs().tags
        if not self.on_forge:
            return {name: Offer(Tag(name, commit)) for name, commit in tags.items()}
        lists = self.session.lists(parent.repository)
        assert lists is not None
        newest = lists.newest(max(PAGE, 2 * last))  # it may have had more releases than the upstream
        return {one.tag: _offer(one, tags) for one in newest if one.tag in tags}

    def _beside(self, repository: str) -> str:
        """A repository as the upstream names it: a relative one is beside the upstream, not beside us."""
        from release.core.address import located

        return repository if self.session.github is not None else located(repository, self.remote.url)

    def _of_tags(self, tags: Mapping[str, str], remote: GitRemote) -> list[Offer]:
        """Tags with their dates: their commits are brought, all at once, and stay here."""
        remote.bring([f"refs/tags/{name}" for name in tags], list(dict.fromkeys(tags.values())))
        return [Offer(tag) for tag in remote.dates(tags)]


def following(session: Session) -> Following:
    """Open the upstream that [sync] names."""
    from release.adapters.git.remote import GitRemote

    sync = session.config.sync
    if not sync.upstream:
        raise UsageError("this project follows no upstream", '[sync] upstream = "..." in release.toml names one')
    remote = GitRemote(*session.reach(sync.upstream, STORE), shallow=True)
    refs = session.refs(remote, sync.upstream)
    config = resolved(_sound(_configuration(session, remote, refs)))
    address = "" if session.github is not None else remote.url
    found = own(config, address, sync.name, session.repository or session.address)
    if isinstance(found, Conflict):
        raise ConflictError((found,))
    return Following(session, config, found, remote, refs)


def _configuration(session: Session, remote: GitRemote, refs: Refs) -> Config:
    """The upstream's own configuration, or what is written here in its place."""
    sync = session.config.sync
    if sync.config:
        config = configuration.partly_from(session.root / sync.config, TABLES)
        if not config.project.fleet:
            return config
        place = (session.root / sync.config).parent / config.project.fleet
        return _whole(config, configuration.fleet_file(place, config.project.fleet))
    branch = sync.branch or remote.main()
    commit = refs.heads.get(branch, "")
    if not commit:
        told = f"no branch {branch}" if branch else "no default branch"
        raise Unseen(f"{remote.name} has {told}, where its release.toml is looked for", "name it: [sync] branch")
    remote.bring([f"refs/heads/{branch}"], [commit])
    text = remote.file(commit, "release.toml")
    where = f"release.toml at {branch} of {remote.name}"
    if text is None:
        raise ConfigError(f"there is no {where}", "write what it would say into a file here: [sync] config")
    config = configuration.partly(text, where, TABLES)
    if not config.project.fleet:
        return config
    where = f"{config.project.fleet} at {branch} of {remote.name}"
    more = remote.file(commit, config.project.fleet)
    if more is None:
        raise ConfigError(
            f"the upstream's project.fleet is {config.project.fleet}, and there is no {where}", "mend it there"
        )
    return _whole(config, configuration.fleet_of(more, where))


def _whole(config: Config, fleet: FleetFile) -> Config:
    """With what its fleet file has besides; what that includes belongs to others."""
    return msgspec.structs.replace(
        config, downstream=(*config.downstream, *fleet.downstream), component=(*config.component, *fleet.component)
    )


def _sound(config: Config) -> Config:
    """A configuration that does not contradict itself in what is read of it."""
    if found := contradictions(config):
        problems = tuple(str(conflict) for conflict in found)
        raise ConfigError("the upstream's release.toml contradicts itself", problems=problems)
    return config


def _offer(one: Published, tags: Mapping[str, str]) -> Offer:
    files = frozenset(asset.name for asset in one.assets if asset.complete)
    return Offer(Tag(one.tag, tags[one.tag], one.at), files)
