"""The embedded builder: makes images of files without an engine, a daemon, root or the network.

It knows what copies and describes, and refuses what runs. Each COPY, ADD and WORKDIR is a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import msgspec

from release.adapters.builders import copying, stage
from release.adapters.builders.builder import Recipe
from release.adapters.builders.dockerfile import LONGEST, Bad, Dockerfile, parse
from release.adapters.builders.ignoring import Context, ignore_of
from release.adapters.builders.layers import LEVEL, Entry, archive, gzipped
from release.adapters.builders.layout import Layout, below
from release.adapters.builders.tree import Tree
from release.adapters.disk import Disk, safe
from release.core.commits import plain
from release.core.finding import Conflict
from release.core.model import ImagePart
from release.core.oci import CONFIG, LAYER, Descriptor, ImageManifest, Index, Platform, normal, platform_of, written
from release.errors import Refused

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

UNBUILDABLE = "image-unbuildable"
BEYOND = "builder-cannot"
"""The rule of a line that another builder knows."""
GZIP = ("application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER)
TAR = "application/vnd.oci.image.layer.v1.tar"
PACKING = f"gzip {LEVEL} 1"
"""How layers are compressed: what was compressed in another way is not taken for the same."""


class Layer(msgspec.Struct, frozen=True):
    """A layer: the digest of its archive, and what a manifest says of it compressed."""

    diff_id: str
    descriptor: Descriptor


class Base(msgspec.Struct, frozen=True):
    """What an image is built on: a layout and a manifest in it (None for nothing), and its image configuration."""

    layout: Layout | None = None
    manifest: ImageManifest | None = None
    config: Mapping[str, Any] = {}

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        return self.manifest.layers if self.manifest else ()


class Embedded:
    """Builds by itself. `cache` (`.release/`) remembers which archives were compressed before; their blobs lie in its layout.

    `workers` threads compress, 0 for one a core.
    """

    name = "embedded"

    def __init__(self, cache: Path, workers: int = 0) -> None:
        self._press = Press(cache, workers)

    def absent(self) -> str:
        """It is always here."""
        return ""

    def lacking(self, recipe: Recipe) -> tuple[Conflict, ...]:
        """Every line that it does not know; where it knows them all, the first that cannot be done."""
        try:
            file = read(recipe.dockerfile)
            if others := {one.args: one for part in recipe.parts for one in stage.beyond(file, part)}:
                return tuple(_conflict(recipe, one) for one in others.values())
            context = Context(recipe.context, ignore_of(recipe.context, recipe.dockerfile))
            for part in recipe.parts:
                base, own = based(file, part, context), context.without(recipe.foreign(part))
                for _ in _filled(planned(recipe, part, file, base), base, own):
                    pass
        except Bad as error:
            return (_conflict(recipe, error),)
        except Refused as error:
            return (Conflict(UNBUILDABLE, error.message, error.remedy),)
        return ()

    def build(self, recipe: Recipe, into: Path, say: Callable[[str], None]) -> None:
        """Write an image for each platform into a layout; Refused with the line that cannot be done."""
        try:
            file = read(recipe.dockerfile)
            context = Context(recipe.context, ignore_of(recipe.context, recipe.dockerfile))
            made = _Making(recipe, file, context, self._press, Layout(into), say)
            made.finish([made.image(part) for part in recipe.parts])
        except Bad as error:
            conflict = _conflict(recipe, error)
            raise Refused(conflict.why, conflict.remedy) from error

    def stop(self) -> None:
        """End what still runs, now."""
        self._press.stop()


class Press:
    """Compresses layers, each archive once."""

    def __init__(self, cache: Path, workers: int) -> None:
        self._known, self._memory, self._workers = Layout(cache / "oci"), Disk(cache), workers
        self._place = cache / "memory" / safe(PACKING)
        self._stopped = Event()

    def stop(self) -> None:
        """End what still runs, now."""
        self._stopped.set()

    def layer(self, entries: tuple[Entry, ...], epoch: int, into: Layout) -> Layer:
        """A layer, put into a layout: what was compressed before is taken over."""
        if self._memory.names(self._place) and (found := self._recalled(entries, epoch, into)):
            return found
        told = sha256()
        pieces = gzipped(self._read(archive(entries, epoch), told), self._workers)
        descriptor = Descriptor(LAYER, *into.put(pieces))
        diff_id = f"sha256:{told.hexdigest()}"
        self._memory.remember(msgspec.json.encode(descriptor).decode(), PACKING, diff_id)
        return Layer(diff_id, descriptor)

    def _recalled(self, entries: tuple[Entry, ...], epoch: int, into: Layout) -> Layer | None:
        """What came of the same archive before, if that is still here."""
        told = sha256()
        for _ in self._read(archive(entries, epoch), told):
            pass
        diff_id = f"sha256:{told.hexdigest()}"
        try:
            known = msgspec.json.decode(self._memory.recall(PACKING, diff_id) or "", type=Descriptor)
        except ValueError:
            return None
        if self._known.size(known.digest) != known.size:
            return None
        into.bring(known.digest, self._known)
        return Layer(diff_id, known)

    def _read(self, pieces: Iterable[bytes], told: HASH) -> Iterator[bytes]:
        """The same pieces, hashed on their way, until it is stopped."""
        for piece in pieces:
            if self._stopped.is_set():
                raise Refused("the build was stopped", "run the same command again")
            told.update(piece)
            yield piece


class _Making:
    """Makes the images of one recipe; a layer that several platforms have is made once."""

    def __init__(
        self, recipe: Recipe, file: Dockerfile, context: Context, press: Press, into: Layout, say: Callable[[str], None]
    ) -> None:
        self._recipe, self._file, self._context = recipe, file, context
        self._press, self._into, self._say = press, into, say
        self._layers: dict[tuple[Entry, ...], Layer] = {}

    def image(self, part: ImagePart) -> Descriptor:
        """The image of one platform, in the layout."""
        base, own = based(self._file, part, self._context), self._context.without(self._recipe.foreign(part))
        if base.layout is not None:
            for one in base.layers:
                self._into.bring(one.digest, base.layout)
        plan = planned(self._recipe, part, self._file, base)
        layers = [self._layer(entries) for entries in _filled(plan, base, own)]
        config = _config(self._recipe, part, plan, base, layers)
        about = Descriptor(CONFIG, *self._into.put([config]))
        made = [one.descriptor for one in layers if one is not None]
        manifest = written(ImageManifest(about, (*map(_as_oci, base.layers), *made)))
        told = self._into.write(manifest)
        self._say(f"{part.platform}: {manifest.digest}, {sum(one.size for one in made)} bytes in {len(made)} layers")
        return msgspec.structs.replace(told, platform=platform_of(normal(platform_of(part.platform))))

    def finish(self, images: Sequence[Descriptor]) -> None:
        """Name the images by one index."""
        self._into.name(self._recipe.name, self._into.write(written(Index(tuple(images)))))

    def _layer(self, entries: tuple[Entry, ...]) -> Layer | None:
        if not entries:
            return None
        if entries not in self._layers:
            self._layers[entries] = self._press.layer(entries, self._recipe.epoch, self._into)
        return self._layers[entries]


def read(dockerfile: Path) -> Dockerfile:
    """A Dockerfile as it lies there; Bad where it is none, Refused where it cannot be read."""
    try:
        with dockerfile.open("rb") as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise Bad(1, f"it has more than {LONGEST} bytes")
        return parse(content.decode())
    except OSError as error:
        raise Refused(f"{plain(dockerfile.name)} cannot be read: {error.strerror}", "mend [[image]] file") from error
    except UnicodeDecodeError as error:
        raise Bad(1, "it is not UTF-8") from error


def based(file: Dockerfile, part: ImagePart, context: Context) -> Base:
    """What an image of a platform is built on; Bad where the layout in the context has nothing for it."""
    place, line = stage.base_of(file, part)
    if not place:
        return Base()
    folder, name = _split(place)
    found = context.followed(folder)
    if found is None or context.things[found].kind != "folder":
        raise Bad(line, f"FROM {plain(place)} is no folder in the context")
    layout = Layout(context.folder / found)
    entry = _entry(layout, name)
    manifest = _manifest(layout, entry, part.platform) if entry else None
    if manifest is None:
        raise Bad(line, f"FROM {plain(place)}: there is no image for {part.platform} in that OCI layout")
    config = layout.small(manifest.config.digest)
    try:
        return Base(layout, manifest, msgspec.json.decode(config or b"", type=dict[str, Any]))
    except ValueError as error:
        raise Bad(line, f"FROM {plain(place)}: its configuration cannot be read") from error


def planned(recipe: Recipe, part: ImagePart, file: Dockerfile, base: Base) -> stage.Plan:
    """The steps of one platform."""
    return stage.planned(file, part, base.config.get("config") or {}, recipe.labels)


def _filled(plan: stage.Plan, base: Base, context: Context) -> Iterator[tuple[Entry, ...]]:
    """For each step, what it puts on top of those before it."""
    tree = Tree()
    for one in base.layers if base.layout else ():
        if one.mediaType not in (*GZIP, TAR):
            raise Refused(f"a layer of the base image is {plain(one.mediaType)}", "take one with layers of tar or gzip")
        assert base.layout is not None
        tree.read(base.layout.path(one.digest))
    for step in plan.steps:
        entries = copying.put(step.puts, context, tree) if step.puts else ()
        tree.add(entries)
        yield entries


def _config(recipe: Recipe, part: ImagePart, plan: stage.Plan, base: Base, layers: Sequence[Layer | None]) -> bytes:
    """The image configuration (image-spec, config.md): one entry of history for each line."""
    platform = platform_of(normal(platform_of(part.platform)))
    created = datetime.fromtimestamp(recipe.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    history = [
        {"created": created, "created_by": step.said, **({} if layer else {"empty_layer": True})}
        for step, layer in zip(plan.steps, layers, strict=True)
    ]
    about = {key: value for key, value in msgspec.to_builtins(platform).items() if value}
    old = base.config.get("rootfs") or {}
    diff_ids = [*(old.get("diff_ids") or []), *(one.diff_id for one in layers if one)]
    value = {
        **base.config, **about, "created": created, "config": plan.config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [*(base.config.get("history") or []), *history],
    }  # fmt: skip
    return msgspec.json.encode(value, order="sorted")


def _split(place: str) -> tuple[str, str]:
    """A path in the context, and the name after it."""
    folder, _, name = place.partition(":")
    return folder.strip("/") if not folder.startswith("..") else folder, name


def _entry(layout: Layout, name: str) -> Descriptor | None:
    """What a name stands for; without one, the only thing in a layout."""
    entries = layout.entries()
    return layout.named(name) if name else entries[0] if len(entries) == 1 else None


def _manifest(layout: Layout, entry: Descriptor, platform: str) -> ImageManifest | None:
    """The manifest for a platform at or below an entry."""
    document = layout.document(entry.digest)
    if document is None:
        return None
    if document.is_index:
        wanted = normal(platform_of(platform))
        fits = (one for one in below(document) if one.platform and normal(one.platform) == wanted)
        return next((found for one in fits if (found := _manifest(layout, one, platform))), None)
    manifest = document.manifest()
    config = layout.small(manifest.config.digest)
    said = msgspec.json.decode(config, type=Platform) if config else Platform()
    return manifest if normal(said) == normal(platform_of(platform)) else None


def _as_oci(one: Descriptor) -> Descriptor:
    return msgspec.structs.replace(one, mediaType=LAYER if one.mediaType in GZIP else one.mediaType)


def _conflict(recipe: Recipe, error: Bad) -> Conflict:
    name = plain(recipe.dockerfile.name)
    if isinstance(error, stage.Beyond):
        why = f"line {error.line} of {name} {error.why}, which the embedded builder does not do"
        return Conflict(BEYOND, why, f"take {error.who}, or write it in another way")
    return Conflict(UNBUILDABLE, f"line {error.line} of {name}: {error.why}", "mend it, and commit that")
