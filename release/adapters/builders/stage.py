"""What a Dockerfile means for one platform, as far as the embedded builder knows it: a base, files to copy, a configuration.

The meaning of each line is the one that https://docs.docker.com/reference/dockerfile/ gives it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from release.adapters.builders.dockerfile import Bad, Dockerfile, Instruction, expanded, pairs, words
from release.core.commits import plain
from release.core.model import ImagePart
from release.core.oci import normal, platform_of

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What an image has that is built on nothing."""
LAYOUTS = ("oci:", "oci-layout://")
EVERY = "buildx, buildah or podman"
FLAGS: Mapping[str, tuple[str, ...]] = {"COPY": ("chown", "chmod"), "ADD": ("chown", "chmod")}
SYNTAX = re.compile(r"(?:docker\.io/)?docker/dockerfile(?::1(?:\.\d+){0,2})?")
_ID = re.compile(r"\d{1,9}")
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")


class Beyond(Bad):
    """A line that this builder does not know: `what` it is, and `who` does."""

    def __init__(self, line: int, what: str, who: str = EVERY) -> None:
        super().__init__(line, what)
        self.who = who


class Copy(msgspec.Struct, frozen=True):
    """COPY or ADD: `sources` lie in the context ("a/b", perhaps with wildcards), `target` is from the root.

    `folder` says that the target is one whatever is there; `mode` is None where the files keep theirs.
    """

    line: int
    sources: tuple[str, ...]
    target: str
    folder: bool
    owner: tuple[int, int] = (0, 0)
    mode: int | None = None
    unpacks: bool = False


class Folder(msgspec.Struct, frozen=True):
    """WORKDIR: a folder that has to be there; `owner` is None where only its name is known."""

    line: int
    path: str
    owner: tuple[int, int] | None


class Step(msgspec.Struct, frozen=True):
    """One instruction: what it says, and what it puts into the image, if anything."""

    said: str
    puts: Copy | Folder | None = None


class Plan(msgspec.Struct, frozen=True):
    """An image of one platform: the steps after FROM, and the configuration (`config` of the image configuration)."""

    steps: tuple[Step, ...]
    config: Mapping[str, Any]


def base_of(file: Dockerfile, part: ImagePart) -> tuple[str, int]:
    """What an image is built on ("" for nothing, else where an OCI layout lies: "path" or "path:name"), and the line. Bad or Beyond."""
    found = _From(file, part)
    return found.place, file.instructions[found.number].line


def planned(file: Dockerfile, part: ImagePart, config: Mapping[str, Any], labels: Mapping[str, str]) -> Plan:
    """The image of one platform, on a base with this configuration ({} for none); Bad or Beyond at the first line of that kind."""
    stage = _Stage(file, part, config)
    for instruction in file.instructions[_From(file, part).number + 1 :]:
        stage.does(instruction)
    return stage.plan(labels)


def beyond(file: Dockerfile, part: ImagePart) -> tuple[Beyond, ...]:
    """Every line that this builder does not know."""
    return tuple(_beyond(file, part))


def _beyond(file: Dockerfile, part: ImagePart) -> Iterator[Beyond]:
    if file.syntax and not SYNTAX.fullmatch(file.syntax):
        yield Beyond(1, f"asks for the syntax {plain(file.syntax, 80)}", "buildx")
    begun = False
    for one in file.instructions:
        if one.word == "FROM" and begun:
            yield Beyond(one.line, "is a second FROM")
        elif (found := _unknown(one)) is not None:
            yield found
        begun = begun or one.word == "FROM"
    try:
        _From(file, part)
    except Beyond as error:
        yield error
    except Bad:
        return


def _unknown(one: Instruction) -> Beyond | None:
    if one.word not in _Stage.KNOWN and one.word != "FROM":
        return Beyond(one.line, f"is {one.word}")
    if one.heredoc:
        return Beyond(one.line, f"is {one.word} with a text of its own (<<)", "buildx, or a newer buildah or podman")
    known = FLAGS.get(one.word, ())
    if strange := [name for name, _ in one.flags if name not in known]:
        return Beyond(one.line, f"is {one.word} --{strange[0]}", "buildx" if strange[0] != "from" else EVERY)
    if one.word == "ADD" and re.search(r"(?:^|[\s\"'])(?:[a-z]+://|git@)", one.rest):
        return Beyond(one.line, "is ADD of an address")
    return None


class _From:
    """The lines up to FROM."""

    def __init__(self, file: Dockerfile, part: ImagePart) -> None:
        self.values = dict(of_platform(part.platform))
        for self.number, one in enumerate(file.instructions):
            if one.word == "FROM":
                self.place = self._place(file, one)
                return
            if one.word != "ARG":
                raise Bad(one.line, f"{one.word} comes before FROM")
            self.values |= arguments(one, file.escape, self.values, {}, part.args)
        raise Bad(1, "there is no FROM in it")

    def _place(self, file: Dockerfile, one: Instruction) -> str:
        said = _filled(one, one.rest, self.values, file.escape)
        found = re.fullmatch(r"(\S+)(?:[ \t]+as[ \t]+[A-Za-z][A-Za-z0-9._-]*)?", said.strip(), re.IGNORECASE)
        if found is None:
            raise Bad(one.line, f"FROM {plain(said, 80)} names no image")
        if one.flags:
            raise Beyond(one.line, f"is FROM --{one.flags[0][0]}")
        if found[1] == "scratch":
            return ""
        for prefix in LAYOUTS:
            if found[1].startswith(prefix):
                return found[1].removeprefix(prefix)
        raise Beyond(one.line, f"is FROM {plain(found[1], 80)}, which is neither scratch nor an OCI layout")


class _Stage:
    """Walks through the lines after FROM."""

    def __init__(self, file: Dockerfile, part: ImagePart, config: Mapping[str, Any]) -> None:
        self._escape, self._part = file.escape, part
        self._global = _From(file, part).values
        self._args: dict[str, str] = {}
        self._config: dict[str, Any] = {"WorkingDir": "/", "Env": [PATH], **config}
        self._env = dict(text.partition("=")[::2] for text in self._config["Env"])
        self._steps: list[Step] = []
        self._has_cmd = False

    def does(self, one: Instruction) -> None:
        """Take one line into account."""
        if (unknown := _unknown(one)) is not None:
            raise unknown
        if one.word not in self.KNOWN:
            raise Beyond(one.line, f"is a second {one.word}")
        puts = self.KNOWN[one.word](self, one)
        flags = "".join(f"--{name}={value} " for name, value in one.flags)
        self._steps.append(Step(f"{one.word} {flags}{one.rest}", puts))

    def plan(self, labels: Mapping[str, str]) -> Plan:
        """What came of it; `labels` are put over those of the file."""
        config = {key: value for key, value in self._config.items() if value}
        config["Env"] = [f"{name}={value}" for name, value in self._env.items()]
        both = {**self._config.get("Labels", {}), **labels}
        return Plan(tuple(self._steps), {**config, **({"Labels": both} if both else {})})

    @property
    def _values(self) -> dict[str, str]:
        return {**self._args, **self._env}

    def _filled(self, one: Instruction, text: str) -> str:
        return _filled(one, text, self._values, self._escape)

    def _arg(self, one: Instruction) -> None:
        given = {**of_platform(self._part.platform), **self._part.args}
        self._args |= arguments(one, self._escape, self._values, self._global, given)

    def _pairs(self, one: Instruction) -> dict[str, str]:
        try:
            found = pairs(one.rest, self._escape)
        except ValueError as error:
            raise Bad(one.line, f"{one.word}: {error}") from error
        return {self._filled(one, name): self._filled(one, value) for name, value in found}

    def _set(self, one: Instruction) -> None:
        self._env |= self._pairs(one)

    def _label(self, one: Instruction) -> None:
        self._config["Labels"] = {**self._config.get("Labels", {}), **self._pairs(one)}

    def _user(self, one: Instruction) -> None:
        self._config["User"] = self._filled(one, one.rest)

    def _workdir(self, one: Instruction) -> Folder:
        path = self._absolute(self._filled(one, one.rest))
        self._config["WorkingDir"] = path
        return Folder(one.line, path.lstrip("/"), _ids(self._config.get("User", "")))

    def _command(self, one: Instruction) -> list[str]:
        listed = one.listed()
        return ["/bin/sh", "-c", one.rest] if listed is None else list(listed)

    def _entrypoint(self, one: Instruction) -> None:
        self._config["Entrypoint"] = self._command(one)
        if not self._has_cmd:  # that of the base was for another program
            self._config["Cmd"] = []

    def _cmd(self, one: Instruction) -> None:
        self._config["Cmd"], self._has_cmd = self._command(one), True

    def _expose(self, one: Instruction) -> None:
        ports = dict(self._config.get("ExposedPorts", {}))
        for word in words(one.rest, self._escape):
            ports |= {port: {} for port in _ports(one, self._filled(one, word))}
        self._config["ExposedPorts"] = ports

    def _copy(self, one: Instruction) -> Copy:
        listed = one.listed()
        *sources, target = [self._filled(one, word) for word in listed or words(one.rest, self._escape)]
        if not sources:
            raise Bad(one.line, f"{one.word} needs what to copy and where to")
        flags = dict(one.flags)
        return Copy(
            one.line,
            tuple(_source(one, source) for source in sources),
            self._absolute(target).lstrip("/"),
            target.endswith("/") or posixpath.basename(target) in (".", ".."),
            self._owner(one, flags.get("chown", "")),
            self._mode(one, flags.get("chmod", "")),
            one.word == "ADD",
        )

    def _absolute(self, path: str) -> str:
        return "/" + posixpath.normpath(posixpath.join(self._config["WorkingDir"] or "/", path)).lstrip("/")

    def _owner(self, one: Instruction, text: str) -> tuple[int, int]:
        owner = _ids(self._filled(one, text)) if text else (0, 0)
        if owner is None:
            raise Beyond(one.line, f"is {one.word} --chown with a name (the embedded builder knows numbers alone)")
        return owner

    def _mode(self, one: Instruction, text: str) -> int | None:
        mode = self._filled(one, text)
        if mode and not re.fullmatch(r"[0-7]{3,4}", mode):
            raise Beyond(one.line, f"is {one.word} --chmod={plain(mode, 20)}, which is no octal number", "buildx")
        return int(mode, 8) if mode else None

    KNOWN: Mapping[str, Callable[[_Stage, Instruction], Copy | Folder | None]] = {
        "ADD": _copy, "ARG": _arg, "CMD": _cmd, "COPY": _copy, "ENTRYPOINT": _entrypoint, "ENV": _set,
        "EXPOSE": _expose, "LABEL": _label, "USER": _user, "WORKDIR": _workdir,
    }  # fmt: skip


def of_platform(text: str) -> dict[str, str]:
    """What a Dockerfile may ask about the platform that it is built for."""
    platform = platform_of(normal(platform_of(text)))
    return {
        "TARGETPLATFORM": str(platform),
        "TARGETOS": platform.os,
        "TARGETARCH": platform.architecture,
        "TARGETVARIANT": platform.variant,
    }


def arguments(
    one: Instruction, escape: str, values: Mapping[str, str], outer: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """The values of an ARG: the one that was given, else its default, else the one that it has before FROM."""
    found: dict[str, str] = {}
    for word in words(one.rest, escape):
        name, equals, default = word.partition("=")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise Bad(one.line, f"ARG {plain(name, 40)} is no name")
        if name in given:
            found[name] = given[name]
        elif equals:
            found[name] = _filled(one, default, {**values, **found}, escape)
        elif name in outer:
            found[name] = outer[name]
    return found


def _filled(one: Instruction, text: str, values: Mapping[str, str], escape: str) -> str:
    try:
        return expanded(text, values, escape)
    except ValueError as error:
        raise Bad(one.line, f"{one.word}: {plain(str(error), 120)}") from error


def _source(one: Instruction, text: str) -> str:
    path = posixpath.normpath(text.lstrip("/") or ".")
    if path == ".." or path.startswith("../"):
        raise Bad(one.line, f"{one.word} {plain(text, 80)} leads out of the context")
    return "" if path == "." else path


def _ids(text: str) -> tuple[int, int] | None:
    """Numbers of a user and a group; a user's number is its group's where none is given. None for names."""
    user, colon, group = text.partition(":")
    user, group = ("0" if one == "root" else one for one in (user or "0", (group if colon else user) or "0"))
    return (int(user), int(group)) if _ID.fullmatch(user) and _ID.fullmatch(group) else None


def _ports(one: Instruction, text: str) -> list[str]:
    found = _PORT.fullmatch(text)
    if found is None:
        raise Bad(one.line, f"EXPOSE {plain(text, 40)} is no port")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 < first <= last < 1 << 16:
        raise Bad(one.line, f"EXPOSE {text} is no port")
    return [f"{port}/{found[3] or 'tcp'}" for port in range(first, last + 1)]
