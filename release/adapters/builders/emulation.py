"""Which machines' programs can be run here: a RUN for another one needs an emulator, which the kernel knows by binfmt_misc.

https://docs.kernel.org/admin-guide/binfmt-misc.html; the names of the handlers are those of qemu-user-static.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from release.adapters.builders.builder import Recipe
from release.core.finding import Conflict

BINFMT = Path("/proc/sys/fs/binfmt_misc")
MACHINES = {
    "x86_64": "amd64", "i386": "386", "i686": "386", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "arm": "arm",
    "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64", "loongarch64": "loong64", "mips64el": "mips64le",
}  # fmt: skip
"""What the kernel, or qemu, and what an image calls an architecture."""
ALSO = {"amd64": ("386",), "arm64": ("arm",)}
"""What a machine may run beside its own; where it does not, the build itself says so."""

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\1")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*", re.IGNORECASE)
_FLAG = re.compile(r"--([a-z]+)=(\S+)")
_FROM = re.compile(r"\bfrom=([^\s,]+)")


class Stage(msgspec.Struct, frozen=True):
    """A stage of a Dockerfile: `run` is the line of its first RUN, 0 for none; `uses` are other stages, by name or number."""

    name: str
    base: str
    platform: str
    run: int
    uses: tuple[str, ...]


def native() -> frozenset[str]:
    """The architectures, as images name them, that this machine runs by itself."""
    machine = platform.machine().lower()
    own = MACHINES.get(machine, machine)
    return frozenset((own, *ALSO.get(own, ())))


def registered(folder: Path = BINFMT) -> frozenset[str]:
    """The architectures that the kernel hands to an emulator, which it keeps open (flag F): in an image there is none."""
    found = {file.name.removeprefix("qemu-"): _text(file) for file in sorted(folder.glob("qemu-*"))}
    ready = [name for name, said in found.items() if said.startswith("enabled") and _kept(said)]
    return frozenset(MACHINES.get(name, name) for name in ready)


def lacking(recipe: Recipe, architectures: Collection[str]) -> tuple[Conflict, ...]:
    """A conflict for each platform with a RUN that cannot be run; COPY needs no emulator. () where nothing can be read."""
    stages = needed(_text(recipe.dockerfile))
    return tuple(found for wanted in recipe.platforms if (found := _foreign(recipe, stages, wanted, architectures)))


def needed(text: str) -> tuple[Stage, ...]:
    """The stages of a Dockerfile that its last one is made of, itself included."""
    stages = tuple(_stages(text))
    names = {key: stage for number, stage in enumerate(stages) for key in (str(number), stage.name) if key}
    found: list[Stage] = []
    left = list(stages[-1:])
    while left:
        stage = left.pop()
        if stage not in found:
            found.append(stage)
            left += [names[use] for use in (stage.base, *stage.uses) if use in names]
    return tuple(stage for stage in stages if stage in found)


def instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """The line, the word in capitals and the rest of each instruction; continued lines are one, heredocs are left out."""
    lines = text.splitlines()
    escape = _escape(lines)
    skip: list[str] = []
    whole, first = "", 0
    for number, line in enumerate(lines, 1):
        if skip:
            skip = skip[1:] if line.strip("\t") == skip[0] else skip
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first or number
        whole += line.rstrip().removesuffix(escape)
        if line.rstrip().endswith(escape):
            continue
        word, rest = (*whole.split(None, 1), "")[:2]
        yield first, word.upper(), rest
        skip = [found[1] for found in _HEREDOC.findall(rest)] if word.upper() in ("RUN", "COPY", "ADD") else []
        whole, first = "", 0


def _stages(text: str) -> Iterator[Stage]:
    stage: Stage | None = None
    for line, word, rest in instructions(text):
        if word == "FROM":
            if stage is not None:
                yield stage
            stage = _stage(rest)
        elif stage is not None and word in ("RUN", "COPY", "ADD"):
            uses = (*stage.uses, *(use.lower() for use in _FROM.findall(rest)))
            run = stage.run or (line if word == "RUN" else 0)
            stage = msgspec.structs.replace(stage, run=run, uses=uses)
    if stage is not None:
        yield stage


def _stage(rest: str) -> Stage:
    words = [word for word in rest.split() if not word.startswith("--")]
    flags = dict(_FLAG.findall(rest))
    name = words[2] if len(words) == 3 and words[1].upper() == "AS" else ""
    return Stage(name.lower(), (words or [""])[0].lower(), flags.get("platform", ""), 0, ())


def _foreign(recipe: Recipe, stages: tuple[Stage, ...], wanted: str, architectures: Collection[str]) -> Conflict | None:
    """What keeps one platform from being built."""
    for stage in stages:
        runs_on = _platform(stage, stages, wanted)
        if stage.run and runs_on and _architecture(runs_on) not in architectures:
            why = (
                f"line {stage.run} of {recipe.dockerfile.name} is RUN for {runs_on}, "
                f"and this machine runs {', '.join(sorted(architectures))}"
            )
            remedy = (
                f"build the shard of {wanted} on such a machine (invoke release.matrix names it), "
                "or install qemu-user-static (docker run --privileged tonistiigi/binfmt --install all)"
            )
            return Conflict("needs-emulation", why, remedy)
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _kept(said: str) -> bool:
    """Whether a handler's flags have F."""
    return any(line.startswith("flags:") and "F" in line.removeprefix("flags:") for line in said.splitlines())


def _escape(lines: list[str]) -> str:
    """What continues a line: the directive is only heeded above everything else."""
    for line in lines:
        if found := _ESCAPE.fullmatch(line.strip()):
            return found[1]
        if not line.startswith("#"):
            break
    return "\\"


def _architecture(platform: str) -> str:
    return (*platform.split("/"), "", "")[1]


def _platform(stage: Stage, stages: tuple[Stage, ...], wanted: str) -> str:
    """The platform whose programs a stage runs, "" for that of this machine."""
    if "BUILDPLATFORM" in stage.platform:
        return ""
    if stage.platform and "$" not in stage.platform:
        return stage.platform
    before = stages[: stages.index(stage)]
    under = [one for one in before if one.name and one.name == stage.base]
    return wanted if stage.platform or not under else _platform(under[-1], before, wanted)
