"""What a component that looks after itself has to make: which of its upstream's newest releases it lacks, and what each still waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from release.core.address import located
from release.core.assembly import applies, downstreams
from release.core.config import Config, Downstream
from release.core.finding import Conflict
from release.core.fleet_window import Wanted, window
from release.core.model import DownstreamWish, Person, Release, Tag
from release.core.moments import instant
from release.core.naming import naming, versions_in
from release.core.version import Version, scheme, template_values

State = Literal["there", "missing", "made", "waits", "failed", "blocked"]
ORDER: Mapping[str, int] = {"failed": 1, "blocked": 3, "waits": 4}
OF_ITSELF = ("local", "sync")
"""Triggers of components that have a release path of their own."""


class Offer(msgspec.Struct, frozen=True):
    """A release that is out: its tag, and the names of its complete files; None where no forge tells of files."""

    tag: Tag
    files: frozenset[str] | None = None


class Due(msgspec.Struct, frozen=True):
    """A release of the upstream that this component has to have: what is to be made, and what that still waits for ("" for nothing)."""

    release: str
    version: Version
    commit: str
    wish: DownstreamWish
    waits: str = ""


class Synced(msgspec.Struct, frozen=True):
    """One release of the upstream, and what is so of it here."""

    release: str
    tag: str
    state: State
    detail: str = ""


class Sync(msgspec.Struct, frozen=True):
    """What was found and made: of `releases` those that were looked at, by precedence."""

    name: str
    upstream: str
    releases: tuple[Synced, ...]
    remarks: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """0 where all is there or made; else, of several at once: 1 failed, 3 a person has to decide, 4 something waits."""
        return min((ORDER[one.state] for one in self.releases if one.state in ORDER), default=0)


def own(config: Config, upstream: str, name: str, repository: str) -> Downstream | Conflict:
    """Which of the upstream's downstreams this is: the one of that name, or the only one whose repository this is.

    `upstream` is the upstream's address, or "" where repositories are `owner/name`, as `repository` then is, too.
    """
    if name:
        found = [one for one in config.downstream if one.name == name]
    else:
        found = [one for one in config.downstream if same(one.repository, upstream, repository)]
    if len(found) == 1:
        one = found[0]
        if one.per == "channel":
            why = f"{one.name} is released for channels, by promotions"
            return Conflict("sync-channel", why, "promote it; fleet.sync makes what every release brings")
        if one.trigger == "none":
            why = f"{one.name} releases nothing: its trigger is none"
            return Conflict(
                "sync-none", why, "choose a trigger in the upstream's [[downstream]], or do without fleet.sync"
            )
        return one
    names = ", ".join(one.name for one in (found or config.downstream)) or "none"
    if name:
        return Conflict("sync-unknown", f"the upstream has no downstream {name}", f"there are: {names}")
    how = "several downstreams" if found else "no downstream"
    why = f"the upstream has {how} with this repository ({names})"
    return Conflict("sync-unknown", why, "say which one this is: [sync] name")


def same(one: str, upstream: str, repository: str) -> bool:
    """Whether two repositories are the same, as far as their addresses tell."""
    if not upstream:
        return one.lower() == repository.lower()
    return located(one, upstream).rstrip("/").removesuffix(".git") == repository.rstrip("/").removesuffix(".git")


def due(
    config: Config,
    one: Downstream,
    offers: Sequence[Offer],
    parents: Mapping[str, Mapping[str, Offer]],
    since: str = "",
) -> tuple[Due, ...] | Conflict:
    """What this component is to have of these releases, by precedence.

    `parents` are the components that it comes after: what each of them has, by its tags. `since` is a day; without one,
    releases before `project.since` are history, where that one is among the offered.
    """
    tags = [offer.tag for offer in offers]
    known = any(tag.name == config.project.since for tag in tags)
    project = config.project if known else msgspec.structs.replace(config.project, since="")
    world = window(msgspec.structs.replace(config, project=project), tags, Wanted(since=since))
    if isinstance(world, Conflict):
        return world
    by_tag = {offer.tag.name: offer for offer in offers}
    named = {two.name: two for two in config.downstream}
    family = msgspec.structs.replace(
        config, downstream=(one, *(named[name] for name in one.after if name in named and name != one.name))
    )
    found = []
    for name in world.window:
        version = world.versions[name]
        if applies(one, version.line, version.kind):
            values = template_values(version, name, world.rules)
            wishes = {wish.name: wish for wish in downstreams(family, version.line, version.kind, values)}
            wish = wishes[one.name]
            waits = "; ".join(_waits(by_tag[name], wish, wishes, parents))
            found.append(Due(name, version, by_tag[name].tag.commit, wish, waits))
    return tuple(found)


def _waits(
    offer: Offer, wish: DownstreamWish, wishes: Mapping[str, DownstreamWish], parents: Mapping[str, Mapping[str, Offer]]
) -> Iterator[str]:
    """What is to be there first, and is not."""
    for name in wish.after:
        if wishes[name].tag not in parents.get(name, {}):
            yield f"waits for {wishes[name].tag} of {name}"
    parent = wishes.get(wish.of)
    source = offer if parent is None else parents.get(parent.name, {}).get(parent.tag)
    if source is None or source.files is None:
        return
    if missing := [name for name in wish.after_assets if name not in source.files]:
        yield f"waits for {', '.join(missing)} of {source.tag.name}"


def newest(offers: Sequence[Offer], last: int) -> tuple[Offer, ...]:
    """As many, by the dates of their commits; what is on no commit has none, and is no release."""
    dated = [offer for offer in offers if offer.tag.date]
    return tuple(sorted(dated, key=lambda offer: instant(offer.tag.date) or 0.0, reverse=True)[:last])


def doubt(
    config: Config, one: Downstream, offers: Sequence[Offer], tags: Mapping[str, str], here: Mapping[str, str]
) -> str:
    """Why a list of the upstream's releases is not believed, "" where it may be.

    An outage has shown an empty list, and an old one: then the newest release looks as if it were none. What is `here` was
    made of releases that were out; the upstream's own `tags` come from elsewhere, by git. Where both know a release that is
    newer than all that the list has, the list is short. Where only a tag here does, that is nobody's.
    """
    rules = scheme(config.version, config.project.name)
    made = {match.release: match.version for tag in here if (match := naming(one.tag, rules).read(tag)) is not None}
    if not offers and made:
        return f"the list of its releases is empty, and {max(made.items(), key=lambda pair: pair[1])[0]} was made here"
    listed = [version for offer in offers if (version := rules.of_tag(offer.tag.name)) is not None]
    top = max(listed, default=None)
    newer = [(name, version) for name, version in made.items() if name in tags and top is not None and version > top]
    if newer and top is not None:
        name, _ = max(newer, key=lambda pair: pair[1])
        return f"{name} is tagged there, and was made here, and the newest of its listed releases is {rules.tag(top)}"
    return ""


def strays(config: Config, one: Downstream, tags: Mapping[str, str], here: Mapping[str, str]) -> tuple[str, ...]:
    """Tags here that are of no release of the upstream."""
    rules = scheme(config.version, config.project.name)
    found = versions_in(one.tag, rules, here)
    return tuple(sorted(tag for tag, version in found if rules.tag(version) not in tags))


def release_of(due: Due, now: str, who: Person) -> Release:
    """The upstream's release, as far as one that is made of it has to know."""
    version = due.version
    return Release(
        version=version.text,
        tag=due.release,
        line=version.line,
        kind=version.kind,
        bump="given",
        previous=None,
        branch="",
        base=due.commit,
        date=now,
        author=who,
        mode="none",
    )
