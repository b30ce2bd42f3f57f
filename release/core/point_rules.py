"""What a configuration must not say of [[channel.point]]: pointers that could not be read, moved, or told apart."""

from __future__ import annotations

from collections.abc import Iterator

from release.core import reference as ref
from release.core.address import holds_secret, is_remote, without_secret
from release.core.channel_config import Channel, Point
from release.core.config import Config
from release.core.finding import Conflict
from release.core.forge_rules import is_repository
from release.core.kind_rules import bad_names, bad_variables, of_a_kind
from release.core.notation import VALUES, bad_path, bad_run, filled, is_ref, quoted, unknown_names
from release.core.references.keys import steps_of
from release.core.samples import samples
from release.core.version import names_in, render

LONGEST_VALUE = 200
FILES = (".yaml", ".yml", ".json", ".toml")
SAID = (*VALUES, "channel")
"""What a pointer may say."""
PLACED = ("channel", "line", "major", "minor")
"""What its place may be made of: it stays where it is from one release to the next."""
NEEDED = {"image": ("image",), "file": ("path", "key"), "release": (), "command": ("run", "shows")}
USABLE = {
    "image": ("image", "registries", "source"),
    "file": ("repository", "branch", "path", "key", "value", "mode"),
    "release": ("latest",),
    "command": ("run", "shows", "value", "env"),
}

Place = tuple[str, ...]


def point_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps the pointers of channels from meaning one thing each."""
    for number, channel in enumerate(config.channel):
        for index, point in enumerate(channel.point):
            yield from _point(config, channel, f"channel[{number}].point[{index}]", point)
        yield from bad_names(f"channel[{number}].point", [point.name for point in channel.point if point.name])
    yield from _shared(config)


def _point(config: Config, channel: Channel, place: str, point: Point) -> Iterator[Conflict]:
    yield from of_a_kind(place, point, NEEDED, USABLE)
    yield from unknown_names(f"{place}.name", point.name, SAID)
    if point.kind == "image":
        yield from _image(config, channel, place, point)
    elif point.kind == "file":
        yield from _file(config, channel, place, point)
    elif point.kind == "command":
        yield from _command(config, channel, place, point)
    elif config.project.forge == "none":
        yield _no_forge(f"{place} is of kind release")
    if channel.scope == "line" and point.kind in ("image", "file"):
        yield from _of_each_line(channel, place, point)


def _image(config: Config, channel: Channel, place: str, point: Point) -> Iterator[Conflict]:
    host, _ = ref.split_host(point.image)
    if point.image and ref.reference(filled(point.image)) is None:
        why = f"{place}.image is {quoted(point.image)}"
        yield Conflict("bad-image", why, "write [HOST[:PORT]/]owner/name:tag, as in owner/name:{channel}")
    elif point.registries and host:
        why = f"{place}.image is {quoted(point.image)}, which names a registry, and there are registries"
        yield Conflict("bad-image", why, "put that into registries, or leave registries out")
    for text in point.registries:
        if ref.registry(text) is None:
            why = f"{place}.registries has {quoted(without_secret(text))}"
            yield Conflict("bad-registry", why, "write HOST or HOST:PORT, as in localhost:5000")
    yield from unknown_names(f"{place}.image", point.image, PLACED)
    yield from _says(config, channel, f"{place}.source", point.source)
    if not ref.is_tag(filled(point.source)):
        yield Conflict("bad-image-tag", f"{place}.source is {quoted(point.source)}", "write a tag, as in {image_tag}")


def _file(config: Config, channel: Channel, place: str, point: Point) -> Iterator[Conflict]:
    for key in ("repository", "branch", "path", "key"):
        yield from unknown_names(f"{place}.{key}", getattr(point, key), PLACED)
    if point.path:
        yield from _path(f"{place}.path", filled(point.path))
    if point.key:
        yield from _key(f"{place}.key", point.key)
    if not point.branch or not is_ref(point.branch):
        yield Conflict("bad-branch", f"{place}.branch is {quoted(point.branch)}", "write a branch's name")
    yield from _repository(config, f"{place}.repository", point.repository)
    yield from _says(config, channel, f"{place}.value", point.value)
    if point.mode == "pull-request" and config.project.forge == "none":
        yield _no_forge(f'{place}.mode is "pull-request"')


def _path(place: str, path: str) -> Iterator[Conflict]:
    yield from bad_path(place, path)
    if not path.lower().endswith(FILES):
        why = f"{place} is {quoted(path)}, and its ending does not tell how to read it"
        yield Conflict("bad-path", why, f"name a file that ends in {', '.join(FILES)}")


def _key(place: str, key: str) -> Iterator[Conflict]:
    try:
        steps_of(filled(key))
    except ValueError as error:
        remedy = 'write it like stable.latest, items[0].version, channels[name={channel}].latest or "a.b".c'
        yield Conflict("bad-key", f"{place} is {quoted(key)}: {error}", remedy)


def _repository(config: Config, place: str, text: str) -> Iterator[Conflict]:
    """The upstream's own, or another one, as a downstream's."""
    if not text:
        return
    if holds_secret(text):
        why = f"{place} has a password or a token in it, for everybody to read"
        remedy = "take it out and have it changed; a credential helper gives it to git (git help credentials)"
        yield Conflict("secret-in-config", why, remedy)
    elif config.project.forge == "github" and not is_repository(filled(text)):
        why = f"{place} is {quoted(without_secret(text))}, and the forge is GitHub"
        yield Conflict("bad-repository", why, "write owner/name")
    elif not is_remote(text):
        yield Conflict("bad-repository", f"{place} is {quoted(without_secret(text))}", "write a URL or a path")


def _command(config: Config, channel: Channel, place: str, point: Point) -> Iterator[Conflict]:
    for key, words in (("run", point.run), ("shows", point.shows)):
        if words:
            yield from bad_run(f"{place}.{key}", words)
        for word in words:
            yield from unknown_names(f"{place}.{key}", word, SAID)
    yield from bad_variables(f"{place}.env", point.env)
    yield from _says(config, channel, f"{place}.value", point.value)


def _says(config: Config, channel: Channel, place: str, template: str) -> Iterator[Conflict]:
    """A pointer says another thing for every release, else nobody sees that it moved."""
    yield from unknown_names(place, template, SAID)
    if not template.isprintable() or len(template) > LONGEST_VALUE or template != template.strip():
        why = f"{place} is {quoted(template)}"
        yield Conflict("bad-value", why, f"write up to {LONGEST_VALUE} printable characters on one line")
        return
    seen: dict[str, str] = {}
    for sample in samples(config, ()):
        if sample.kind == "candidate" and channel.accepts == "final":
            continue
        other = seen.setdefault(render(template, sample.values), sample.version)
        if other != sample.version:
            why = f"{place} is {quoted(template)}, which is the same for {other} and {sample.version}"
            yield Conflict("bad-value", why, "name what changes, as in {tag}")
            return


def _of_each_line(channel: Channel, place: str, point: Point) -> Iterator[Conflict]:
    """Of a channel by line each line has its own pointer, or two of them would fight for one."""
    keys = ("image",) if point.kind == "image" else ("repository", "branch", "path", "key")
    named = {name for key in keys for name in names_in(getattr(point, key))}
    if "line" not in named and not {"major", "minor"} <= named:
        why = f'{place} is the same for every line, and the scope of {channel.name} is "line"'
        yield Conflict("channel-line-pointer", why, f"put {{line}} into its {' or '.join(keys[-2:])}")


def _shared(config: Config) -> Iterator[Conflict]:
    """One pointer has one channel: two would move it to and fro."""
    seen: dict[Place, str] = {}
    for channel in config.channel:
        for point in channel.point:
            for place in _places(config, channel, point):
                who = seen.setdefault(place, channel.name)
                if who != channel.name:
                    why = f"{who} and {channel.name} both move {quoted(' '.join(filter(None, place)))}"
                    yield Conflict("pointer-shared", why, "give each a pointer of its own, or leave one out")
        for place in _twice(config, channel):
            why = f"{channel.name} has two pointers {quoted(' '.join(filter(None, place)))}"
            yield Conflict("pointer-shared", why, "leave one out")


def _twice(config: Config, channel: Channel) -> Iterator[Place]:
    seen: set[Place] = set()
    for point in channel.point:
        own = _places(config, channel, point) | ({("prerelease mark",)} if point.kind == "release" else set())
        yield from sorted(seen & own)
        seen |= own


def _places(config: Config, channel: Channel, point: Point) -> set[Place]:
    """What a pointer moves, as far as nobody else may: every release has a mark of its own, and there is one latest."""
    if point.kind == "image":
        return _tags(config, channel, point)
    if point.kind == "file":
        texts = (point.repository or config.project.repository, point.branch, point.path, point.key)
        return {("file", *(_rendered(channel, text) for text in texts))}
    if point.kind == "command":
        return {("command", *(_rendered(channel, word) for word in point.run))}
    return {("latest mark",)} if point.latest and channel.scope == "global" else set()


def _tags(config: Config, channel: Channel, point: Point) -> set[Place]:
    host, path = ref.split_host(_rendered(channel, point.image))
    name = path.partition(":")[0]
    pushed = tuple(place for table in config.image if table.name == name for place in table.registries)
    registries = point.registries or ((host,) if host else pushed or (ref.DOCKER_HUB,))
    return {("image", f"{ref.registry(registry) or registry}/{path}") for registry in registries}


def _rendered(channel: Channel, text: str) -> str:
    return render(text, {"channel": channel.name})


def _no_forge(what: str) -> Conflict:
    remedy = 'set project.forge = "github", or leave it out'
    return Conflict("no-forge", f"{what}, and project.forge is none", remedy)
