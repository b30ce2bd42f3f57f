"""What buildah, podman and docker buildx have in common: how their programs are run, and what becomes of what they write."""

from __future__ import annotations

import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from release.adapters.builders import emulation
from release.adapters.builders.builder import Recipe
from release.adapters.children import Children, ended, printable, secret
from release.core.finding import Conflict
from release.core.model import ImagePart
from release.core.oci import Descriptor, ImageManifest, Index, Platform, is_digest, written
from release.errors import Refused
from release.redact import HIDE

TAIL = 20
PATIENCE = 30.0  # seconds for an answer: a daemon may be there and say nothing
LISTED = 400  # lines of an answer that are read
LOGINS = ("REGISTRY_AUTH_FILE",)
"""What looks like a secret and only says where logins are; DOCKER_CONFIG and HOME do not look like one."""

Say = Callable[[str], None]
T = TypeVar("T")


class Engine(ABC):
    """A program that builds images. `environment` is the machine's: what may be a secret is not handed on."""

    name: str
    program: str

    def __init__(self, environment: Mapping[str, str]) -> None:
        kept = {key: value for key, value in environment.items() if not secret(key) or key in LOGINS}
        self._environment = {key: value for key, value in kept.items() if key != "SOURCE_DATE_EPOCH"}
        self._children = Children()
        self._absent: str | None = None

    def absent(self) -> str:
        """Why it cannot be used here, "" if it can; looked at once."""
        if self._absent is None:
            found = shutil.which(self.program, path=self._environment.get("PATH"))
            self._absent = self._asked() if found else f"{self.program} is not on PATH"
        return self._absent

    def _asked(self) -> str:
        try:
            return self._useless()
        except (Refused, OSError) as error:
            return f"{self.program} cannot be asked: {error}"

    def lacking(self, recipe: Recipe) -> tuple[Conflict, ...]:
        """RUN lines for machines that this one neither is nor emulates."""
        return emulation.lacking(recipe, self._architectures)

    def build(self, recipe: Recipe, into: Path, say: Say) -> None:
        """Write an OCI layout of its own into a new folder, one manifest for each platform."""
        for value in recipe.secrets.values():
            HIDE.learn(value)
        try:
            into.mkdir(parents=True)
            with self._workplace() as work:
                gather(self._make(recipe, work, into, say), into)
        except OSError as error:
            why = f"image {recipe.name}: {self.name} could not work ({error.strerror}: {error.filename})"
            raise Refused(why, "mend that, then run the same command again") from error

    def stop(self) -> None:
        """End what still runs, now."""
        self._children.stop()

    @abstractmethod
    def _useless(self) -> str:
        """Why the program, which is here, cannot build here; "" if it can."""

    @abstractmethod
    def _make(self, recipe: Recipe, work: Path, into: Path, say: Say) -> Sequence[Path]:
        """Build; the layouts that it wrote, in folders below `into`. `work` is gone afterwards."""

    @property
    def _architectures(self) -> Collection[str]:
        """Those whose programs can be run here."""
        return emulation.native() | emulation.registered()

    @contextmanager
    def _workplace(self) -> Iterator[Path]:
        """A folder that nobody else may read, for secrets and for what is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="sluice-engine-", ignore_cleanup_errors=True) as folder:
            work = Path(folder).resolve()
            try:
                yield work
            finally:
                self._clear(work)

    def _clear(self, work: Path) -> None:
        """Take away what a plain deletion of the folder would leave: here nothing."""
        return

    def _run(self, what: str, argv: Sequence[str], cwd: Path, say: Say, env: Mapping[str, str] | None = None) -> None:
        """Run to the end, every line is said; Refused with the last ones where it fails."""
        tail: list[str] = []

        def hear(line: bytes) -> None:
            if shown := printable(line).strip():
                tail[:] = [*tail[1 - TAIL :], shown]
                say(shown)

        code = self._children.run(what, [self.program, *argv], cwd, {**self._environment, **(env or {})}, hear)
        if code != 0:
            told = " | ".join(tail[-3:]) or "it printed nothing"
            remedy = "mend what it tells, or choose another [[image]] builder; then run the same command again"
            raise Refused(f"{what}: {self.name} ended with {ended(code)}: {told}", remedy)

    def _answer(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
        """The exit code of a question, and the lines that were printed."""
        lines: list[str] = []

        def hear(line: bytes) -> None:
            if len(lines) < LISTED:
                lines.append(printable(line))

        code = self._children.run(
            self.name, [self.program, *argv], cwd, {**self._environment, **(env or {})}, hear, PATIENCE
        )
        return code, lines


class StoredEngine(Engine):
    """One that needs no daemon, with a storage of its own that is gone afterwards: nobody's images are touched.

    The driver `vfs` and the isolation `chroot` work without any right that a container does not have.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(environment)
        # Docker takes a folder without logins for what it is; these refuse to work there.
        if not Path(self._environment.get("DOCKER_CONFIG", ""), "config.json").is_file():
            self._environment.pop("DOCKER_CONFIG", None)

    def _useless(self) -> str:
        with self._workplace() as work:
            code, lines = self._answer([*self._storage(work), "info"], work, _within(work))
        told = next((line for line in reversed(lines) if line.strip()), "it printed nothing")
        return f"{self.program} cannot work here: {told}" if code else ""

    def _make(self, recipe: Recipe, work: Path, into: Path, say: Say) -> Sequence[Path]:
        what, listed, raw = f"image {recipe.name}", "sluice", into / "raw"
        storage, secrets = self._storage(work), secret_words(recipe, work)
        raw.mkdir()
        for parts in alike(recipe.parts):
            fixed = ("--timestamp", str(recipe.epoch), "--format", "oci", "--identity-label=false")
            alone = ("--isolation", "chroot", "--layers=false", "--no-cache", "--manifest", listed)
            asked = [*fixed, *alone, *build_words(recipe, parts), *secrets]
            argv = [*storage, "build", *asked, str(recipe.context.resolve())]
            # In the context: what FROM oci:PATH names is looked for from where the program runs.
            with without_foreign(recipe, parts, work):
                self._run(what, argv, recipe.context, say, _within(work))
        # A relative name: what has a colon in it would be read as a path and a tag.
        self._run(what, [*storage, "manifest", "push", "--all", listed, "oci:.:sluice"], raw, say, _within(work))
        return [raw]

    def _storage(self, work: Path) -> list[str]:
        return ["--storage-driver", "vfs", "--root", str(work / "root"), "--runroot", str(work / "run")]

    def _clear(self, work: Path) -> None:
        """Without root, files belong to users that exist only in its name space: from there they can be deleted."""
        if os.geteuid() != 0 and (work / "root").exists():
            argv = [self.program, *self._storage(work), "unshare", "rm", "-rf", str(work / "root")]
            Children().run(self.name, argv, work, {**self._environment, **_within(work)}, lambda line: None)


def _within(work: Path) -> dict[str, str]:
    """What an engine leaves behind where it is killed lies in a folder of ours, too."""
    return {"TMPDIR": str(work)}


def alike(parts: Sequence[ImagePart]) -> list[tuple[ImagePart, ...]]:
    """Platforms that are built in one go: those whose build arguments and artifacts are the same."""
    groups: dict[tuple[object, ...], list[ImagePart]] = {}
    for part in parts:
        groups.setdefault((*sorted(part.args.items()), *sorted(part.artifacts)), []).append(part)
    return [tuple(group) for group in groups.values()]


@contextmanager
def without_foreign(recipe: Recipe, parts: Sequence[ImagePart], work: Path) -> Iterator[None]:
    """The context as one build of platforms that are alike has it: files for others alone are out of the way."""
    aside = Path(tempfile.mkdtemp(dir=work))
    names = [name for name in recipe.foreign(parts[0]) if (recipe.context / name).exists()]
    for name in names:
        shutil.move(recipe.context / name, aside / name)
    try:
        yield
    finally:
        for name in names:
            shutil.move(aside / name, recipe.context / name)


def build_words(recipe: Recipe, parts: Sequence[ImagePart]) -> list[str]:
    """What every engine is told in the same words."""
    args = [word for name, text in sorted(parts[0].args.items()) for word in ("--build-arg", f"{name}={text}")]
    labels = [word for name, text in sorted(recipe.labels.items()) for word in ("--label", f"{name}={text}")]
    platforms = ",".join(part.platform for part in parts)
    return ["--platform", platforms, "--file", str(recipe.dockerfile.resolve()), *args, *labels]


def secret_words(recipe: Recipe, work: Path) -> list[str]:
    """Secrets as engines take them: by files that only we can read, in a folder that is gone afterwards."""
    words: list[str] = []
    for number, (name, value) in enumerate(sorted(recipe.secrets.items())):
        place = work / f"secret-{number}"
        with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(value)
        words += ["--secret", f"id={name},src={place}"]
    return words


def gather(raws: Sequence[Path], into: Path) -> None:
    """One layout of several: `index.json` names the manifests, with their platforms, and nothing else is kept."""
    blobs = into / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    found: dict[str, Descriptor] = {}
    for raw in raws:
        for one in _manifests(raw, _read(raw / "index.json", Index)):
            platform = one.platform or _platform(raw, one)
            _move(raw, one, blobs)
            found.setdefault(one.digest, msgspec.structs.replace(one, annotations={}, platform=platform))
        shutil.rmtree(raw)
    (into / "index.json").write_bytes(written(Index(tuple(found.values()))).content)
    (into / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')


def _manifests(raw: Path, index: Index) -> Iterator[Descriptor]:
    """The image manifests below an index, whatever indexes are between."""
    for one in index.manifests:
        if one.mediaType.endswith((".index.v1+json", ".list.v2+json")):
            yield from _manifests(raw, _read(_blob(raw, one), Index))
        else:
            yield one


def _platform(raw: Path, one: Descriptor) -> Platform:
    """An image for one platform alone says it in its configuration only."""
    return _read(_blob(raw, _read(_blob(raw, one), ImageManifest).config), Platform)


def _move(raw: Path, one: Descriptor, blobs: Path) -> None:
    manifest = _read(_blob(raw, one), ImageManifest)
    for held in (one, manifest.config, *manifest.layers):
        source = _blob(raw, held)
        if source.exists():  # else it was moved for another platform
            source.replace(blobs / source.name)


def _blob(layout: Path, one: Descriptor) -> Path:
    if not is_digest(one.digest) or not one.digest.startswith("sha256:"):
        raise Refused(f"the engine wrote a layout with the digest {one.digest!r:.80}", "use another engine")
    return layout.joinpath("blobs", *one.digest.split(":"))


def _read(place: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(place.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise Refused(f"the engine wrote a layout that cannot be read: {error}", "use another engine") from error
