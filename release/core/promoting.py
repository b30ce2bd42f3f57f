"""What a promotion of a release to a channel wishes: pointers, health, components, with every template filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from release.core import reference as ref
from release.core.address import in_address
from release.core.assembly import applies, downstream_wish
from release.core.channel_config import Channel, Health, Point
from release.core.channel_record import MoveKind
from release.core.channels import Offer, key_of
from release.core.config import Config, seconds
from release.core.instances import open_references
from release.core.model import DownstreamWish, Waiver
from release.core.promotion import HealthWish, PointWish, Promotion
from release.core.reference import Reference
from release.core.version import Version, names_in, render, scheme, template_values

MINUTE = 60
ORDER = ("image", "command", "file", "release")
"""The pointers that users watch come last: "Pre-release" is unticked when all else is done."""

Values = Mapping[str, str]


def promotion_of(
    config: Config,
    channel: Channel,
    offer: Offer,
    before: str,
    kind: MoveKind,
    waivers: tuple[Waiver, ...],
    releases: int,
    why: str = "",
) -> Promotion:
    """A move of a channel as it is wished; see Promotion for `before`, `waivers` and `releases`.

    A channel that goes back gets only its pointers moved: the components of that version are out since it was there, and
    how it did is known.
    """
    rules = scheme(config.version, config.project.name)
    values = {**template_values(offer.version, offer.tag, rules), "channel": channel.name}
    forward = kind == "promotion"
    return Promotion(
        channel=channel.name,
        kind=kind,
        line=key_of(channel, offer.version),
        version=offer.version.text,
        tag=offer.tag,
        commit=offer.commit,
        before=before,
        points=points_of(config, channel, offer.version, values),
        health=tuple(_health(one, values) for one in channel.health) if forward else (),
        instances=instances_of(config, channel, offer.version, values) if forward else (),
        waivers=waivers,
        environment=channel.approval,
        approvals=channel.approvals,
        releases=releases,
        deadline=seconds(channel.deadline) or MINUTE,
        why=why,
    )


def points_of(config: Config, channel: Channel, version: Version, values: Values) -> tuple[PointWish, ...]:
    """The pointers of a channel in the order in which they are moved; of one kind, in the order of the file."""
    return tuple(
        msgspec.structs.replace(wish, channel=channel.name)
        for kind in ORDER
        for point in channel.point
        if point.kind == kind
        for wish in _points(config, channel, point, version, values)
    )


def instances_of(config: Config, channel: Channel, version: Version, values: Values) -> tuple[DownstreamWish, ...]:
    """The components that a promotion to this channel releases. {n} is left in them: their numbers are found out later."""
    chosen = [
        one
        for one in config.downstream
        if one.per == "channel"
        and applies(one, version.line, version.kind)
        and (not one.channels or channel.name in one.channels)
    ]
    names = {one.name for one in chosen}
    waits = seconds(config.release.deadline) or 0
    return tuple(
        msgspec.structs.replace(downstream_wish(one, names, values, waits), images=open_references(one.images, values))
        for one in chosen
    )


def _points(config: Config, channel: Channel, point: Point, version: Version, values: Values) -> Iterator[PointWish]:
    if point.kind == "image":
        yield from _images(config, point, version, values)
    elif point.kind == "command":
        yield _command(point, values)
    elif point.kind == "file":
        yield _file(point, values)
    elif version.final:  # a candidate stays a prerelease
        yield from _marks(channel, point, values)


def _images(config: Config, point: Point, version: Version, values: Values) -> Iterator[PointWish]:
    """One for each registry; what is no image is told with the configuration."""
    image = ref.reference(render(point.image, values))
    source = render(point.source, values)
    if image is None or not ref.is_tag(source):
        return
    host, path = ref.split_host(render(point.image, values))
    repository = path.partition(":")[0]
    written = point.registries or ((host,) if host else _pushed(config, repository, version))
    places = tuple(dict.fromkeys(place for text in written if (place := ref.registry(text)) is not None))
    own = _named(point, values)
    for place in places:
        target = Reference(place, ref.in_registry(place, repository), image.tag)
        name = f"image {target}" if not own else own if len(places) == 1 else f"{own} in {place}"
        yield PointWish(name, "image", target, msgspec.structs.replace(target, tag=source))


def _pushed(config: Config, name: str, version: Version) -> tuple[str, ...]:
    """The registries that a release pushes an image to, Docker Hub where nothing says otherwise."""
    tables = (one for one in config.image if one.name == name and applies(one, version.line, version.kind))
    return tuple(place for table in tables for place in table.registries) or (ref.DOCKER_HUB,)


def _command(point: Point, values: Values) -> PointWish:
    """Without a name it is called as it is written: so it is called for every version."""
    run, shows = (tuple(render(word, values) for word in words) for words in (point.run, point.shows))
    name = _named(point, values) or f"command {' '.join(point.run)}"
    value = render(point.value, values)
    return PointWish(name, "command", value=value, template=point.value, run=run, shows=shows, env=point.env)


def _file(point: Point, values: Values) -> PointWish:
    repository, branch, path, key, value = (
        render(text, values) for text in (point.repository, point.branch, point.path, point.key, point.value)
    )
    place = repository + (f"@{branch}" if branch != "main" else "")
    return PointWish(
        _named(point, values) or " ".join(filter(None, ("file", place, path, key))),
        "file",
        repository=repository,
        branch=branch,
        path=path,
        key=key,
        value=value,
        template=point.value,
        by_pull_request=point.mode == "pull-request",
    )


def _marks(channel: Channel, point: Point, values: Values) -> Iterator[PointWish]:
    """First it is a prerelease no more, for none can be the latest; of a channel by line there is no latest."""
    name = f"{_named(point, values)} " if point.name else ""
    yield PointWish(f"{name}prerelease mark", "prerelease", value="release")
    if point.latest and channel.scope == "global":
        yield PointWish(f"{name}latest mark", "latest", value=values["tag"], template="{tag}")


def _named(point: Point, values: Values) -> str:
    return render(point.name, values)


def _health(one: Health, values: Values) -> HealthWish:
    """`env` are names of variables, and no templates."""
    texts = {
        name: render(getattr(one, name), values)
        for name in ("contains", "query", "samples", "workflow", "repository", "label")
    }
    return HealthWish(
        name=one.name or one.kind,
        kind=one.kind,
        run=tuple(render(word, values) for word in one.run),
        env=one.env,
        status=one.status,
        above=one.above,
        below=one.below,
        at_least=one.at_least,
        url=render(one.url, {name: in_address(value) for name, value in values.items()}),
        own_label=bool(names_in(one.label)),
        most=one.most,
        deadline=seconds(one.deadline) or MINUTE,
        **texts,
    )
