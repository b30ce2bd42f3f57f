"""docker buildx (https://docs.docker.com/reference/cli/docker/buildx/build/), with BuildKit 0.13 and later behind it."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from release.adapters.builders.builder import Recipe
from release.adapters.builders.engine import Engine, Say, alike, build_words, secret_words, without_foreign

OLDEST = (0, 13)
"""The BuildKit that first could date layers (https://github.com/moby/buildkit/blob/master/docs/build-repro.md)."""
CONTAINERD = "io.containerd.snapshotter"


class Instance(msgspec.Struct, frozen=True):
    """What `docker buildx inspect` says of the builder that is in use; `version` is () where it does not tell."""

    name: str = ""
    driver: str = ""
    error: str = ""
    version: tuple[int, ...] = ()
    architectures: frozenset[str] = frozenset()


class Buildx(Engine):
    """The builder that `docker buildx` has in use, or BUILDX_BUILDER names, asked to write an OCI layout.

    Its daemon outlives `stop`, which ends our end of it, whereupon BuildKit gives the build up.
    """

    name, program = "buildx", "docker"

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(environment)
        self._instance = Instance()

    def _useless(self) -> str:
        with self._workplace() as work:
            code, lines = self._answer(["buildx", "inspect"], work)
            self._instance = described(lines)
            if code or self._instance.error:
                told = self._instance.error or next((line for line in lines if line.strip()), "it printed nothing")
                return f"docker buildx cannot work here: {told}"
            return self._too_little(work)

    def _too_little(self, work: Path) -> str:
        """Why the builder in use is not enough."""
        seen = self._instance
        if seen.version and seen.version < OLDEST:
            found, least = (".".join(map(str, version)) for version in (seen.version, OLDEST))
            return f"the builder {seen.name} of docker buildx has BuildKit {found}, and layers are dated since {least}"
        if seen.driver == "docker":
            _, lines = self._answer(["info", "--format", "{{json .DriverStatus}}"], work)
            if not any(CONTAINERD in line for line in lines):
                return (
                    f"the builder {seen.name} of docker buildx has the driver docker without the containerd image store, "
                    "and writes no OCI layout (`docker buildx create --use` makes one that does)"
                )
        return ""

    def _make(self, recipe: Recipe, work: Path, into: Path, say: Say) -> Sequence[Path]:
        _date(recipe.context, recipe.epoch)
        raws: list[Path] = []
        secrets = secret_words(recipe, work)
        for number, parts in enumerate(alike(recipe.parts)):
            raw = into / f"raw-{number}"
            written = ("tar=false", "rewrite-timestamp=true", "compression=gzip", "force-compression=true")
            output = ["--output", _row("type=oci", f"dest={raw.resolve()}", *written)]
            fixed = ["--progress", "plain", "--no-cache", "--pull", "--provenance=false", "--sbom=false", *output]
            argv = ["buildx", "build", *fixed, *build_words(recipe, parts), *secrets, str(recipe.context.resolve())]
            with without_foreign(recipe, parts, work):
                self._run(f"image {recipe.name}", argv, work, say, {"SOURCE_DATE_EPOCH": str(recipe.epoch)})
            raws.append(raw)
        return raws

    @property
    def _architectures(self) -> Collection[str]:
        """Those that the builder tells of, which may run elsewhere; one that sleeps does not, and is taken to run here."""
        told = self._instance.architectures if not self.absent() else frozenset()
        return told or super()._architectures


def described(lines: Sequence[str]) -> Instance:
    """Read what `docker buildx inspect` prints: the builder first, then its nodes, all of whose platforms count."""
    found: dict[str, str] = {}
    architectures: set[str] = set()
    for line in lines:
        key, _, text = (part.strip() for part in line.partition(":"))
        found.setdefault(key.lower(), text)
        if key == "Platforms":
            architectures |= {(*one.strip(" *").split("/"), "")[1] for one in text.split(",")} - {""}
    seen = re.match(r"v?([0-9]+)\.([0-9]+)", found.get("buildkit version", "") or found.get("buildkit", ""))
    version = (int(seen[1]), int(seen[2])) if seen else ()
    known = version if any(version) else ()
    name, driver, error = (found.get(key, "") for key in ("name", "driver", "error"))
    return Instance(name, driver, error, known, frozenset(architectures))


def _date(context: Path, epoch: int) -> None:
    """BuildKit takes back what is later than the epoch, and leaves what is earlier: on a machine whose clock is behind,
    files of a fresh clone are."""
    for folder, folders, files in os.walk(context):
        for name in (*folders, *files):
            os.utime(Path(folder, name), (epoch, epoch), follow_symlinks=False)


def _row(*fields: str) -> str:
    """One line of CSV, as buildx reads it: a path may hold a comma."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()
