"""One release in one component, judged by lists.

A tag's commit is what the remote shows, and right where nothing says otherwise: where the record has proved another one, or
where it is not in the history of the branch, it is wrong. A release is published when it is in the forge's list, which has
no drafts. Assets and images are expected by the configuration, and there by name; that the bytes are right is for
`release.verify` to say, but a digest that the forge tells and the record has proved otherwise is told. Of a component that
promotions release, the newest number of each channel is looked at: it took the place of those before.

A list that was not asked for, or could not be seen, says nothing: what it would tell is None.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from release.core.evidence import Listed
from release.core.expected import Expected
from release.core.forge import Asset, Published, Run
from release.core.moments import age, between, instant
from release.core.record import Proof
from release.core.reference import Reference
from release.core.runs import NOTHING_DONE

State = Literal["found", "missing", "waiting", "released"]
Ran = Literal["green", "red", "running", "none"]
Lack = Literal["release", "run", "assets", "images"]


class Held(msgspec.Struct, frozen=True):
    """What is there of what is expected, by name.

    `incomplete` are broken uploads, `differing` have another digest than the record saw; `unseen` could not be looked at.
    """

    there: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def lacking(self) -> bool:
        return bool(self.missing or self.incomplete or self.differing)


class Wrong(msgspec.Struct, frozen=True):
    """A tag on a commit where it should not be: the record proved another one, or ("") it is not in the branch's history."""

    tag: str
    commit: str
    proved: str = ""


class Cell(msgspec.Struct, frozen=True):
    """One release in one component: `tag` is the one found or still to be made, `tags` are all that were found.

    None is for what is not known: the commit of a missing tag, the date of a downstream's commit, the tag to be made where a
    channel is part of its name, and all that nobody listed. `published` is when its (first) release came out, "" for not
    yet. `unpublished` are tags without a release. `run` is the newest run's state: "none" where none is to be seen. `channels`
    has the numbers that its tags carry. `since` is when it was released, or from when on it is missing: when the upstream's
    release came out, by its forge, else by its commit; `age` is the seconds from then. `lacks` says what of a tagged release
    is not as it should be.
    """

    release: str
    tag: str | None
    commit: str | None
    date: str | None
    state: State
    tags: tuple[str, ...] = ()
    published: str | None = None
    unpublished: tuple[str, ...] = ()
    run: Ran | None = None
    run_url: str = ""
    assets: Held | None = None
    images: Held | None = None
    channels: Mapping[str, tuple[int, ...]] = {}
    wrong: tuple[Wrong, ...] = ()
    since: str | None = None
    age: int | None = None
    lacks: tuple[Lack, ...] = ()

    @property
    def underway(self) -> bool:
        """Whether what it lacks may still come."""
        return bool(self.lacks) and self.run == "running"


class Lists(msgspec.Struct, frozen=True):
    """A component's lists, sorted for looking up: runs by tag, newest first, None where none were listed."""

    seen: Listed
    runs: Mapping[str, Sequence[Run]] | None
    now: str


class Due(msgspec.Struct, frozen=True):
    """A release, and when the upstream brought it out."""

    release: str
    at: str


class Tagged(msgspec.Struct, frozen=True):
    """A tag of a component: what it says, what the record has proved of it, and what has to be there for it."""

    name: str
    order: tuple[str, int]
    proof: Proof | None
    expected: Expected


def missing(due: Due, tag: str | None, state: Literal["missing", "waiting"], now: str) -> Cell:
    """A release that a component lacks, or that it cannot have yet."""
    return Cell(due.release, tag, None, None, state, since=due.at or None, age=age(due.at, now))


def found(due: Due, tags: Sequence[Tagged], lists: Lists) -> Cell:
    """A release that a component has; `tags` come by channel and number."""
    commits, newest = lists.seen.tags or {}, _newest(tags)
    published, unpublished = _published(tags, newest, lists.seen.releases)
    run = _run(due, newest, lists)
    assets, images = _assets(newest, lists.seen), _images(newest, lists.seen)
    return Cell(
        due.release,
        tags[0].name,
        commits[tags[0].name],
        None,
        "found",
        tuple(tag.name for tag in tags),
        published,
        unpublished,
        run[0],
        run[1],
        assets,
        images,
        _channels(tags),
        tuple(_wrong(tags, commits, lists.seen.strangers or ())),
        published or None,
        age(published, lists.now) if published else None,
        tuple(_lacks(unpublished, run[0], assets, images)),
    )


def released(due: Due, tag: Tagged, date: str, lists: Lists) -> Cell:
    """The upstream's own release."""
    cell = found(due, (tag,), lists)
    return msgspec.structs.replace(
        cell, date=date, state="released", since=due.at or None, age=age(due.at, lists.now), channels={}
    )


def _newest(tags: Sequence[Tagged]) -> Sequence[Tagged]:
    """The last of each channel."""
    return tuple({tag.order[0]: tag for tag in tags}.values())


def _channels(tags: Sequence[Tagged]) -> Mapping[str, tuple[int, ...]]:
    numbers: dict[str, list[int]] = {}
    for tag in tags:
        if tag.order[0]:
            numbers.setdefault(tag.order[0], []).append(tag.order[1])
    return {channel: tuple(found) for channel, found in numbers.items()}


def _published(
    tags: Sequence[Tagged], newest: Sequence[Tagged], releases: Mapping[str, Published] | None
) -> tuple[str | None, tuple[str, ...]]:
    """When the first of its releases came out, and which of the newest did not."""
    if releases is None:
        return None, ()
    times = [releases[tag.name].at for tag in tags if tag.name in releases]
    first = min(times, key=lambda at: instant(at) or float("inf"), default="")
    return first, tuple(tag.name for tag in newest if tag.name not in releases)


def _run(due: Due, newest: Sequence[Tagged], lists: Lists) -> tuple[Ran | None, str]:
    """How the newest runs for the newest tags stand: the worst of them, and where it is to be seen."""
    if lists.runs is None:
        return None, ""
    states = [_state(tag, lists.runs.get(tag.name, ()), _covered(due, lists)) for tag in newest]
    worst = ("red", "running", None, "none", "green")
    return min(states, key=lambda state: worst.index(state[0]))


def _state(tag: Tagged, runs: Sequence[Run], covered: bool) -> tuple[Ran | None, str]:
    run = next((one for one in runs if one.conclusion not in NOTHING_DONE), None)
    if run is not None:
        return ("green" if run.green else "red" if run.ended else "running"), run.url
    if tag.proof is not None and tag.proof.id:  # a forge forgets its runs after a while, and the record saw it green
        return "green", ""
    return ("none" if covered else None), ""


def _covered(due: Due, lists: Lists) -> bool:
    """Whether the list of runs goes back to when this was released: before that it says nothing."""
    passed = between(lists.seen.runs_since, due.at)
    return not lists.seen.runs_since or (passed is not None and passed >= 0)


def _assets(newest: Sequence[Tagged], seen: Listed) -> Held | None:
    """The files of the releases that are out; of one that is not, nothing is said."""
    out = [(tag, seen.releases[tag.name]) for tag in newest if seen.releases and tag.name in seen.releases]
    wanted = [(name, tag, release) for tag, release in out for name in tag.expected.assets]
    if not wanted:
        return None
    sorted_in: dict[str, list[str]] = {}
    assets = {tag.name: {asset.name: asset for asset in release.assets} for tag, release in out}
    for name, tag, _ in wanted:
        sorted_in.setdefault(_asset(name, tag, assets[tag.name].get(name)), []).append(name)
    return Held(**{state: tuple(dict.fromkeys(names)) for state, names in sorted_in.items()})


def _asset(name: str, tag: Tagged, asset: Asset | None) -> str:
    if asset is None:
        return "missing"
    if not asset.complete:
        return "incomplete"
    proved = tag.proof.assets.get(name) if tag.proof is not None else None
    return "differing" if proved and asset.digest and asset.digest != proved else "there"


def _images(newest: Sequence[Tagged], seen: Listed) -> Held | None:
    """The tags that registries have: an image that is there is there for some platform, as far as a list tells."""
    wanted = dict.fromkeys(image for tag in newest for image in tag.expected.images)
    if not wanted or (seen.images is None and "images" not in seen.errors):
        return None
    sorted_in: dict[str, list[str]] = {}
    for image in wanted:
        sorted_in.setdefault(_image(image, seen.images or {}), []).append(str(image))
    return Held(**{state: tuple(names) for state, names in sorted_in.items()})


def _image(image: Reference, listed: Mapping[str, Collection[str]]) -> str:
    tags = listed.get(f"{image.registry}/{image.name}")
    return "unseen" if tags is None else "there" if image.tag in tags else "missing"


def _wrong(tags: Sequence[Tagged], commits: Mapping[str, str], strangers: Collection[str]) -> Iterator[Wrong]:
    for tag in tags:
        commit, proof = commits[tag.name], tag.proof
        if proof is not None and proof.commit and proof.commit != commit:
            yield Wrong(tag.name, commit, proof.commit)
        elif commit in strangers:
            yield Wrong(tag.name, commit)


def _lacks(unpublished: Sequence[str], run: Ran | None, assets: Held | None, images: Held | None) -> Iterator[Lack]:
    if unpublished:
        yield "release"
    if run == "red":
        yield "run"
    if assets is not None and assets.lacking:
        yield "assets"
    if images is not None and images.lacking:
        yield "images"
