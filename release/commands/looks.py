"""The lists that a fleet's status is made from, each as one look: a request, or a few that belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from itertools import chain
from typing import Any

from release.app import Session
from release.core.claims import of_downstream, of_image
from release.core.commits import plain
from release.core.config import Component, Downstream
from release.core.fleet_window import Upstream, calendar
from release.core.model import Refs
from release.core.naming import Naming, naming
from release.core.record import Proof
from release.core.version import render, template_values
from release.errors import Unseen
from release.ports import Lists, Registry

AHEAD = 2  # days: a commit's calendar day is where it was made, and a forge's clock is in UTC
HOME = ""  # the upstream, among components


PARTS = ("releases", "runs", "images", "strangers")


@dataclass(frozen=True)
class Look:
    """Which list (`part`, as in Listed) of which components (`of`), and how it is had: by `ask`, part -> what it is."""

    of: tuple[str, ...]
    part: str
    ask: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Scene:
    """What has to be known before lists are asked for: the upstream's releases that matter, who is asked, what is proved.

    `parts` are the lists that are wanted, as in Listed, besides tags and heads; "strangers" needs histories.
    """

    session: Session
    world: Upstream
    fleet: Sequence[Downstream]
    proved: Mapping[str, Mapping[str, Proof]]
    parts: Collection[str] = PARTS

    @cached_property
    def since(self) -> str:
        """The day before which nothing matters, "" for none."""
        first = min((calendar(self.world.tags[name]) for name in self.world.window), default="")
        try:
            return str(date.fromisoformat(first) - timedelta(days=AHEAD)) if first else ""
        except (ValueError, OverflowError):
            return ""

    def mattering(self, one: Downstream, tags: Mapping[str, str]) -> dict[str, str]:
        """Those tags of a component that are of a release that matters: tag -> release."""
        read = self._namings[one.tag].read
        return {
            tag: match.release for tag in tags if (match := read(tag)) is not None and match.release in self._inside
        }

    def branch(self, one: Downstream, release: str) -> str:
        """The branch that a release of a component belongs on."""
        if "{" not in one.branch:
            return one.branch
        return render(one.branch, template_values(self.world.versions[release], release, self.world.rules))

    @cached_property
    def _inside(self) -> frozenset[str]:
        return frozenset(self.world.window)

    @cached_property
    def _namings(self) -> Mapping[str, Naming]:
        return {template: naming(template, self.world.rules) for template in {one.tag for one in self.fleet}}


def refs_of(session: Session, one: Downstream | Component) -> Refs:
    """A component's branches and tags: by one request where the forge gives them so, else by git."""
    lists, told = session.lists(one.repository), None
    if lists is not None:
        try:
            return lists.refs()
        except Unseen as unseen:
            if unseen.after:
                raise
            told = unseen
    return session.refs(session.remote_at(one.repository, one.name), one.repository, told)


def refs_of_all(scene: Scene) -> Iterator[Look]:
    """What comes first: by the tags it is known what else there is to look at."""

    def ask(one: Downstream) -> Mapping[str, Any]:
        refs = refs_of(scene.session, one)
        return {"tags": refs.tags, "heads": refs.heads}

    for one in scene.fleet:
        yield Look((one.name,), "tags", partial(ask, one))


def every(scene: Scene, found: Mapping[str, Mapping[str, Any]]) -> Iterator[Look]:
    """All the rest that is wanted. `found` has the refs, as far as they could be seen."""
    yield from (
        look for look in chain(of_home(scene), of_fleet(scene, found), images(scene)) if look.part in scene.parts
    )


def of_fleet(scene: Scene, found: Mapping[str, Mapping[str, Any]]) -> Iterator[Look]:
    """The components' own."""
    for one in scene.fleet:
        lists, seen = scene.session.lists(one.repository), found[one.name]
        tags: Mapping[str, str] = seen.get("tags") or {}
        matter = scene.mattering(one, tags)
        if lists is not None:
            yield Look((one.name,), "releases", partial(releases, lists, scene.since, tuple(matter)))
            if one.workflow:
                yield Look((one.name,), "runs", partial(runs, lists, one.workflow, scene.since))
        if "tags" in seen:
            doubtful = off_the_head(scene, one, tags, matter, seen["heads"])
            yield Look((one.name,), "strangers", partial(strangers, scene.session, one, doubtful, seen["heads"]))


def of_home(scene: Scene) -> Iterator[Look]:
    """The upstream's own."""
    session = scene.session
    if (lists := session.lists(session.repository)) is None:
        return
    yield Look((HOME,), "releases", partial(releases, lists, scene.since, scene.world.window))
    if session.config.release.start == "tag":
        yield Look((HOME,), "runs", partial(runs, lists, session.config.release.workflow, scene.since))


def images(scene: Scene) -> Iterator[Look]:
    """The tags of every repository that somebody's images are in, once for all of them."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for table in scene.session.config.image:
        for wish in of_image(HOME, table):
            owners[wish.place, wish.name].append(HOME)
    for one in scene.fleet:
        for wish in of_downstream(one):
            if wish.kind == "image":
                owners[wish.place, wish.name].append(one.name)
    if owners:
        registry = scene.session.registry
        for (place, name), of in owners.items():
            yield Look(tuple(dict.fromkeys(of)), "images", partial(image_tags, registry, place, name))


def off_the_head(
    scene: Scene, one: Downstream, tags: Mapping[str, str], matter: Mapping[str, str], heads: Mapping[str, str]
) -> dict[str, set[str]]:
    """Branch -> the commits of its tags that are to be looked for in its history.

    One that is the head of the branch, or that a record proves, needs no look.
    """
    doubtful: dict[str, set[str]] = defaultdict(set)
    for tag, release in matter.items():
        branch, commit = scene.branch(one, release), tags[tag]
        proof = scene.proved.get(release, {}).get(f"downstream {one.name}")
        if commit not in (heads.get(branch), proof.commit if proof is not None else ""):
            doubtful[branch].add(commit)
    return doubtful


def releases(lists: Lists, since: str, wanted: Sequence[str]) -> Mapping[str, Any]:
    return {"releases": lists.releases(since, wanted)}


def runs(lists: Lists, workflow: str, since: str) -> Mapping[str, Any]:
    found, whole = lists.runs(workflow, since)
    return {"runs": found, "runs_since": whole}


def image_tags(registry: Registry, place: str, name: str) -> Mapping[str, Any]:
    return {"images": {f"{place}/{name}": registry.tags(place, name)}}


def strangers(
    session: Session, one: Downstream, doubtful: Mapping[str, set[str]], heads: Mapping[str, str]
) -> Mapping[str, Any]:
    """The commits that are not in the history of the branch that they belong on; one fetch a branch, at most.

    A branch that is gone, as one of an old line may be, is said, and harms no other.
    """
    gone = [branch for branch in doubtful if branch not in heads]
    judged = [
        session.remote_at(one.repository, one.name).outside(branch, heads[branch], commits)
        for branch, commits in doubtful.items()
        if branch in heads
    ]
    seen: dict[str, Any] = {"strangers": frozenset().union(*judged)} if judged or not gone else {}
    if gone:
        shown = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if gone[3:] else "")
        seen["errors"] = {"strangers": f"{one.name} has no branch {plain(shown, 200)}"}
    return seen
