"""The room of image builders: a context from the release commit, the builder that fits, and the layout that keeps what it made."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import msgspec

from release.adapters.builders.builder import Builder, Recipe
from release.adapters.builders.embedded import BEYOND, UNBUILDABLE
from release.adapters.builders.ignoring import Context, ignore_of
from release.adapters.builders.layout import Layout, below
from release.adapters.disk import Disk, complaining
from release.adapters.git.clone import clone
from release.core.commits import plain
from release.core.finding import Conflict
from release.core.model import BuiltImage, ImageWish, PlatformImage
from release.core.oci import MANIFEST, Descriptor, Document, Index, Platform, digest_of, normal, platform_of, written
from release.errors import Refused
from release.redact import HIDE

ENGINES = ("buildx", "buildah", "podman")
"""In this order: what is in most users' hands comes first."""
MADE = "2"
"""The way in which images are made here: it changes when the same wish gives other bytes."""
STALE = 86400  # seconds: what a killed run left


class ImageRoom:
    """`objects` is the store whose commits are cloned, `cache` is `.release/`; `environment` has the secrets that wishes name.

    Of `builders`, the one named "embedded" is asked first.
    """

    def __init__(self, objects: Path, cache: Path, environment: Mapping[str, str], builders: Sequence[Builder]) -> None:
        self._objects, self._environment = objects, environment
        self._making, self._memory = cache / "making", Disk(cache)
        self._layout = Layout(cache / "oci")
        self._builders = {builder.name: builder for builder in builders}
        self._choices: dict[bytes, _Choice] = {}
        self._lock = Lock()

    @property
    def layout(self) -> Path:
        """The folder of the layout."""
        return self._layout.folder

    def chosen(self, wish: ImageWish, commit: str) -> tuple[str, str]:
        """The builder for an image, and why it is that one. Refused where none can build it."""
        choice = self._choice(wish, commit)
        if not choice.builder:
            raise Refused(*_first(choice.conflicts))
        return choice.builder, choice.why

    def lacking(self, wish: ImageWish, commit: str) -> tuple[Conflict, ...]:
        """What would keep it from being built, seen without the files that are still to be made."""
        return (*self._unset(wish), *self._choice(wish, commit).conflicts)

    def build(
        self,
        wish: ImageWish,
        commit: str,
        epoch: int,
        annotations: Mapping[str, str],
        inputs: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> BuiltImage:
        """Build for every platform, into one index that has a name in the layout; what was built before is not built again."""
        key = _key(wish, commit, epoch, annotations, self.fingerprints(inputs))
        if (known := self._remembered(wish, key)) is not None:
            return known
        if unset := self._unset(wish):
            raise Refused(*_first(unset))
        with self._recipe(wish, commit, inputs, epoch, annotations) as recipe:
            choice = self._choose(wish, recipe)
            if choice.conflicts or not choice.builder:
                raise Refused(*_first(choice.conflicts))
            say(choice.why)
            with self._folder() as made:
                self._builders[choice.builder].build(recipe, made / "layout", say)
                image = self._kept(wish, Layout(made / "layout"), annotations, choice.builder)
        self._memory.remember(msgspec.json.encode(image).decode(), *key)
        return image

    def fingerprints(self, inputs: Mapping[str, Path]) -> dict[str, str]:
        """What tells files of builds apart, by name."""
        return {name: self._digest(path) for name, path in sorted(inputs.items())}

    def export(self, digest: str, folder: Path) -> None:
        """Copy an image for one platform into a layout of its own."""
        layout = Layout(folder)
        layout.take(digest, self._layout)
        document = layout.document(digest)
        assert document is not None, "it was taken just now"
        layout.name("shard", document.descriptor)

    def gather(
        self,
        wish: ImageWish,
        commit: str,
        epoch: int,
        annotations: Mapping[str, str],
        inputs: Mapping[str, str],
        parts: Mapping[str, Path],
    ) -> BuiltImage:
        """The index of images that other machines built, each in the layout of a shard, by platform.

        `inputs` are the fingerprints of what lies in them: `build` then knows the result. Refused where a layout holds
        another platform, or other bytes than its digests say.
        """
        manifests = {}
        for name, folder in parts.items():
            made = Layout(folder)
            try:
                found, place = _by_platform(made), normal(platform_of(name))
            except Refused as broken:
                raise Refused(
                    f"the shard of image {wish.name} for {name}: {broken.message}", "build it again"
                ) from broken
            if [*found] != [place]:
                said = ", ".join(found) or "nothing"
                raise Refused(f"the shard of image {wish.name} for {name} holds {said}", "build it again")
            manifests[place] = (made, found[place])
        image = self._indexed(wish, manifests, annotations, "shards")
        self._memory.remember(msgspec.json.encode(image).decode(), *_key(wish, commit, epoch, annotations, inputs))
        return image

    def document(self, digest: str) -> Document | None:
        """A manifest or an index of the layout."""
        return self._layout.document(digest)

    def whole(self, digest: str) -> bool:
        """Whether the layout has an index and everything below it."""
        return self._layout.whole(digest)

    def stop(self) -> None:
        """End what still runs, now."""
        for builder in self._builders.values():
            builder.stop()

    def _digest(self, path: Path) -> str:
        """What a file is, and whether it may be run. In our own store it has its digest for a name."""
        with complaining(path), path.open("rb") as file:
            program = os.fstat(file.fileno()).st_mode & 0o100
            stored = self._memory.kept(path.name) == path
            return f"{path.name if stored else hashlib.file_digest(file, 'sha256').hexdigest()} {program}"

    def _choice(self, wish: ImageWish, commit: str) -> _Choice:
        """Decided once for a wish at a commit: files that are still to be made lie there, empty."""
        key = msgspec.json.encode((wish, commit))
        with self._lock:
            if key not in self._choices:
                self._choices[key] = self._decided(wish, commit)
            return self._choices[key]

    def _decided(self, wish: ImageWish, commit: str) -> _Choice:
        names = dict.fromkeys(name for part in wish.parts for name in part.artifacts)
        try:
            with self._folder() as folder:
                (empty := folder / "empty").touch()
                with self._recipe(wish, commit, dict.fromkeys(names, empty), 0, {}) as recipe:
                    return self._choose(wish, recipe)
        except Refused as error:
            return _Choice("", "", (Conflict(UNBUILDABLE, f"image {wish.name}: {error.message}", error.remedy),))

    def _choose(self, wish: ImageWish, recipe: Recipe) -> _Choice:
        own = self._builders.get("embedded")
        if wish.builder != "auto":
            return self._named(wish, recipe)
        conflicts = own.lacking(recipe) if own else ()
        if own and not conflicts:
            return _Choice(own.name, "embedded: it knows every line, and needs no engine")
        if real := tuple(one for one in conflicts if one.rule != BEYOND):
            return _Choice("", "", _of(wish, real))
        return self._engine(wish, recipe, conflicts)

    def _engine(self, wish: ImageWish, recipe: Recipe, beyond: Sequence[Conflict]) -> _Choice:
        """The first engine that is here."""
        absent: list[str] = []
        reason = beyond[0].why if beyond else "there is no embedded builder"
        for builder in (self._builders[name] for name in ENGINES if name in self._builders):
            if why := builder.absent():
                absent.append(why)
                continue
            told = "; ".join([f"{builder.name}: {reason}", *absent])
            return _Choice(builder.name, told, _of(wish, builder.lacking(recipe)))
        why = f"{reason}; {'; '.join(absent)}" if absent else reason
        return _Choice(
            "", "", _of(wish, (Conflict("builder-missing", why, "install docker buildx, buildah or podman"),))
        )

    def _named(self, wish: ImageWish, recipe: Recipe) -> _Choice:
        builder = self._builders.get(wish.builder)
        why = builder.absent() if builder else f"there is no builder {wish.builder}"
        if builder is None or why:
            remedy = f'install {wish.builder}, or set builder = "auto"'
            return _Choice("", "", _of(wish, (Conflict("builder-missing", why, remedy),)))
        lacks = [
            msgspec.structs.replace(one, rule=UNBUILDABLE) if one.rule == BEYOND else one
            for one in builder.lacking(recipe)
        ]
        return _Choice(builder.name, f"{builder.name}: [[image]] builder says so", _of(wish, lacks))

    @contextmanager
    def _recipe(
        self, wish: ImageWish, commit: str, inputs: Mapping[str, Path], epoch: int, annotations: Mapping[str, str]
    ) -> Iterator[Recipe]:
        """The context in a clone, with the inputs beside what lies in it; Refused where it is not whole."""
        with clone(self._objects, commit) as tree:
            shutil.rmtree(tree / ".git")  # its bytes differ from clone to clone
            context = _inside(tree, wish.context, "context")
            if not context.is_dir():
                raise Refused(f"the context {wish.context} is no folder of the commit", "mend [[image]] context")
            dockerfile = _inside(tree, wish.file, "file")
            if not dockerfile.is_file():
                raise Refused(f"{wish.file} is no file of the commit", "mend [[image]] file")
            _lay(inputs, context)
            Context(context, ignore_of(context, dockerfile))
            yield Recipe(
                f"{wish.name}:{wish.tag}", dockerfile, context, wish.parts, epoch,
                {**annotations, **wish.labels}, self._secrets(wish),
            )  # fmt: skip

    def _secrets(self, wish: ImageWish) -> dict[str, str]:
        """The secrets of a wish by their ids; those that are not set are left out."""
        found = {name: self._environment.get(place.removeprefix("env:"), "") for name, place in wish.secrets.items()}
        for value in filter(None, found.values()):
            HIDE.learn(value)
        return {name: value for name, value in found.items() if value}

    def _unset(self, wish: ImageWish) -> tuple[Conflict, ...]:
        there = self._secrets(wish)
        missing = {name: place.removeprefix("env:") for name, place in wish.secrets.items() if name not in there}
        return tuple(
            Conflict("secret-missing", f"image {wish.name} needs the secret {name}: {place} is not set", f"set {place}")
            for name, place in missing.items()
        )

    def _kept(self, wish: ImageWish, made: Layout, annotations: Mapping[str, str], builder: str) -> BuiltImage:
        """What a builder made, with our annotations, in our layout and under its name."""
        manifests = _by_platform(made)
        wanted = {normal(platform_of(one)): one for one in wish.platforms}
        if manifests.keys() != wanted.keys():
            said = ", ".join(sorted(manifests)) or "nothing"
            why = f"{builder} made image {wish.name} for {said}, and not for {', '.join(wish.platforms)}"
            raise Refused(why, "mend the Dockerfile, or [[image]] platforms")
        return self._indexed(wish, {place: (made, found) for place, found in manifests.items()}, annotations, builder)

    def _indexed(
        self,
        wish: ImageWish,
        manifests: Mapping[str, tuple[Layout, Document]],
        annotations: Mapping[str, str],
        builder: str,
    ) -> BuiltImage:
        """One index over images of all platforms, in our layout and under its name."""
        images, entries = [], []
        for name in wish.platforms:
            place = normal(platform_of(name))
            document = self._annotated(*manifests[place], annotations)
            entries.append(msgspec.structs.replace(document.descriptor, platform=platform_of(place)))
            size = len(document.content) + sum(one.size for one in below(document))
            images.append(PlatformImage(name, document.digest, size))
        index = self._layout.write(written(Index(tuple(entries), annotations=dict(sorted(annotations.items())))))
        self._layout.name(f"{wish.name}:{wish.tag}", index)
        return BuiltImage(wish.name, index.digest, tuple(images), builder, wish.tag)

    def _annotated(self, made: Layout, document: Document, annotations: Mapping[str, str]) -> Document:
        """A manifest with our annotations besides its own, in our layout with all that it holds."""
        for one in below(document):
            self._layout.bring(one.digest, made)
        manifest = document.manifest()
        both = dict(sorted({**manifest.annotations, **annotations}.items()))
        told = written(msgspec.structs.replace(manifest, annotations=both))
        self._layout.write(told)
        return told

    def _remembered(self, wish: ImageWish, key: tuple[str, ...]) -> BuiltImage | None:
        """What came of the same inputs before, if the layout still has it; it gets its name again."""
        try:
            image = msgspec.json.decode(self._memory.recall(*key) or "", type=BuiltImage)
        except ValueError:
            return None
        if not self._layout.whole(image.digest):
            return None
        document = self._layout.document(image.digest)
        assert document is not None, "it is whole"
        self._layout.name(f"{wish.name}:{wish.tag}", document.descriptor)
        return image

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A folder beside the layout, so that files can be linked into it; gone afterwards."""
        with complaining(self._making):
            self._making.mkdir(parents=True, exist_ok=True)
            _sweep(self._making)
            folder = tempfile.mkdtemp(dir=self._making)
        try:
            yield Path(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class _Choice(msgspec.Struct, frozen=True):
    builder: str
    why: str
    conflicts: tuple[Conflict, ...] = ()


def _of(wish: ImageWish, conflicts: Sequence[Conflict]) -> tuple[Conflict, ...]:
    return tuple(msgspec.structs.replace(one, why=f"image {wish.name}: {one.why}") for one in conflicts)


def _first(conflicts: Sequence[Conflict]) -> tuple[str, str]:
    return "; ".join(one.why for one in conflicts), conflicts[0].remedy


def _key(
    wish: ImageWish, commit: str, epoch: int, annotations: Mapping[str, str], inputs: Mapping[str, str]
) -> tuple[str, ...]:
    """Everything that decides what an image is; where it goes does not. `inputs` are fingerprints."""
    alone = msgspec.structs.replace(wish, targets=())
    told = msgspec.json.encode((alone, epoch, annotations, inputs), order="sorted")
    return f"images {MADE}", commit, digest_of(told)


def _inside(tree: Path, path: str, key: str) -> Path:
    """A path of the commit; Refused where it leads out of it, be it by a link."""
    place = tree / posixpath.normpath(path)
    if path.startswith("/") or ".." in path.split("/") or not place.resolve().is_relative_to(tree.resolve()):
        raise Refused(f"{plain(path)} leads out of the repository", f"mend [[image]] {key}")
    return place.resolve()


def _lay(inputs: Mapping[str, Path], context: Path) -> None:
    """Put files of builds into the context, by a link where that can be; nothing is overwritten."""
    for name, source in inputs.items():
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+~-]*", name):
            raise Refused(f"{plain(name)} is no name of a file", "rename the artifact")
        target = context / name
        if os.path.lexists(target):
            raise Refused(f"{name} lies in the context already, and is an artifact, too", "rename one of them")
        with complaining(target):
            shutil.copy(source, target)


def _by_platform(made: Layout) -> dict[str, Document]:
    """The manifests of a layout by the platform that they are for; Refused where two are for one."""
    found: dict[str, Document] = {}
    for entry, document in _manifests(made, made.entries()):
        if document.media_type != MANIFEST:
            raise Refused(
                f"{document.digest[:19]} is {plain(document.media_type)}", "let the builder write OCI manifests"
            )
        config = made.small(document.manifest().config.digest)
        said = msgspec.json.decode(config, type=Platform) if config else Platform()
        place = normal(entry.platform if entry.platform and entry.platform.os else said)
        if found.setdefault(place, document) != document:
            raise Refused(f"the builder made two images for {plain(place)}", "name each platform once")
    return found


def _manifests(made: Layout, entries: Sequence[Descriptor]) -> Iterator[tuple[Descriptor, Document]]:
    for entry in entries:
        document = made.document(entry.digest)
        if document is None:
            raise Refused(f"the layout lacks {entry.digest[:19]}", "run the same command again")
        if document.is_index:
            yield from _manifests(made, below(document))
        else:
            yield entry, document


def _sweep(folder: Path) -> None:
    for left in folder.iterdir():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE:
                shutil.rmtree(left)
