"""Wheel and sdist of a Python project, by its own build backend in an isolated environment (PEP 517)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from release.adapters.makers.bench import Bench, exactly
from release.adapters.makers.packing import settled
from release.core.model import ArtifactWish

SDIST = ".tar.gz"
WHEEL = ".whl"


def make(wish: ArtifactWish, bench: Bench) -> dict[str, Path]:
    """Build the project in the folder `path` of the clone: the files by name. Refused where it makes other files.

    The sdist is packed anew: not every backend gives the same bytes twice (setuptools writes the time of the build into
    what it generates and into the gzip header, and the user's name).
    """
    _settle_modes(bench.tree)
    bench.run(command(wish.makes, bench.tree / wish.path, bench.output), {})
    remedy = "name the files that it makes in [[artifact]] files"
    files = exactly(wish.makes, bench.output, f"the build backend of {wish.path or 'the project'}", remedy)
    for name, place in files.items():
        if name.endswith(SDIST):
            settled(place, bench.epoch, bench.going)
    return files


def command(names: Sequence[str], folder: Path, output: Path) -> list[str]:
    """What builds these files; both: the wheel from the sdist, as whoever installs the sdist gets it.

    `-P`: a folder `build` or a `build.py` in the clone is not taken for the library.
    """
    wanted = [option for option, end in (("--sdist", SDIST), ("--wheel", WHEEL)) if any(n.endswith(end) for n in names)]
    only = wanted if len(wanted) == 1 else []
    return [sys.executable, "-P", "-m", "build", *only, "--outdir", str(output), str(folder)]


def _settle_modes(tree: Path) -> None:
    """A clone has the modes that this user's umask leaves, and they would be seen in the files: 644 and 755, as git means them."""
    for folder, folders, names in os.walk(tree):
        if folder == str(tree):
            folders.remove(".git")
        Path(folder).chmod(0o755)
        for place in (Path(folder, name) for name in names):
            if not place.is_symlink():
                place.chmod(0o755 if place.stat().st_mode & 0o100 else 0o644)
