"""Files that a command makes."""

from __future__ import annotations

import shutil
from pathlib import Path

from release.adapters.makers.bench import Bench, exactly, one_file, told
from release.core.model import ArtifactWish


def make(wish: ArtifactWish, bench: Bench) -> dict[str, Path]:
    """Run it in the clone, with `$SLUICE_INPUTS` and `$SLUICE_OUTPUT`: the files by name.

    With a `path` it is that one file of the clone; without, all of `$SLUICE_OUTPUT`. Refused where it is not exactly that.
    """
    inputs = bench.tree.parent / "inputs"
    inputs.mkdir()
    for name, place in bench.inputs.items():  # copies: what a command does to them is nobody else's loss
        bench.going()
        shutil.copy(place, inputs / name)
    bench.run(wish.run, {"SLUICE_INPUTS": str(inputs), "SLUICE_OUTPUT": str(bench.output)})
    if wish.path:
        return {name: one_file(wish.path, bench.tree, told(wish)) for name in wish.makes}
    return exactly(wish.makes, bench.output, told(wish), "mend the command, or [[artifact]] name or files")
