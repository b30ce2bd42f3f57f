"""release.toml -> Config. Strict: every unknown key and wrong type is told at once, with the nearest known name."""

from __future__ import annotations

import difflib
import functools
import itertools
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from release.core import toml_text
from release.core.config import Config, FleetFile
from release.errors import ConfigError

T = TypeVar("T", Config, FleetFile)

LIMIT = 1024 * 1024
MOST_TOLD = 100
COMMITTED = (
    "version", "changes", "changelog", "artifact", "attest", "commit", "gate", "rules", "upstream", "image", "package",
    "publish",
)  # fmt: skip


def load(path: Path) -> Config:
    """Read the file `path`, usually `release.toml` in the checkout's root. ConfigError says what is wrong with it."""
    try:
        return parse(decoded(_content(path), str(path)), str(path))
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path) from None


def fleet_file(path: Path, where: str) -> FleetFile:
    """Read the file with more of the fleet; `where` names it in messages."""
    try:
        return fleet_of(decoded(_content(path), where), where)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"project.fleet is {where}, and there is no such file", "write it, or leave it out") from None


def included_file(path: Path, where: str) -> str:
    """The text of a component's own release.toml in a checkout of it."""
    try:
        return decoded(_content(path), where)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"there is no {where}", "mend the path of the [[include]], or leave it out") from None


def included(text: str, where: str) -> Config:
    """What is read of a component's own release.toml: only its fleet is asked for, and only that is judged."""
    asked = {
        name: table for name, table in _toml(text, where).items() if name in ("project", "downstream", "component")
    }
    if isinstance(project := asked.get("project"), dict):
        asked["project"] = {name: project[name] for name in ("name", "requires", "fleet") if name in project}
    return _convert(asked, Config, where)


def parse(text: str, where: str) -> Config:
    """Take `text` for the configuration; `where` names it in messages."""
    return _convert(_toml(text, where), Config, where)


def partly(text: str, where: str, tables: Collection[str]) -> Config:
    """Somebody else's configuration, of which only these tables are read and judged: it may be of another version."""
    return _convert({key: value for key, value in _toml(text, where).items() if key in tables}, Config, where)


def partly_from(path: Path, tables: Collection[str]) -> Config:
    """The same, kept in a file of ours."""
    try:
        return partly(decoded(_content(path), str(path)), str(path), tables)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"sync.config is {path.name}, and there is no such file", "write it, or leave it out"
        ) from None


def fleet_of(text: str, where: str) -> FleetFile:
    """The text of a file with more of a fleet."""
    return _convert(_toml(text, where), FleetFile, where)


def at_commit(working: Config, committed: str | None, where: str) -> Config:
    """The rules of a release: how it is made is read at the released commit, where it goes from the working tree.

    `committed` is the text of the commit's release.toml, None if it has none; then all is as in the working tree.
    Of that text only the tables that count are judged, so that an old one does not fail over what is not asked of it.
    """
    if committed is None:
        return working
    elsewhere = set(Config.__struct_fields__) - set(COMMITTED)
    data = {key: value for key, value in _toml(committed, where).items() if key not in elsewhere}
    rules = _convert(data, Config, where)
    return msgspec.structs.replace(working, **{table: getattr(rules, table) for table in COMMITTED})


def _content(path: Path) -> bytes:
    """The bytes of a plain file, one more than are taken at most; FileNotFoundError where there is none."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise ConfigError(f"{path} is {what}", "name the configuration file itself")
        with path.open("rb") as file:
            return file.read(LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}", "make it readable") from None


def _missing(path: Path) -> ConfigError:
    folder = path.parent.absolute()
    name = folder.name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", folder.name) else "demo"
    example = (f'project.name = "{name}"', 'version.tag = "v{version}"', 'commit.mode = "none"')
    lines = "".join(f"\n    {line}" for line in example)
    remedy = f"run from the checkout's root, or write one:{lines}"
    return ConfigError(f"there is no {path.name} in {folder}", remedy)


def decoded(content: bytes, where: str) -> str:
    if len(content) > LIMIT:
        raise _too_large(where)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{where}, line {line}: this is not UTF-8", "save the file as UTF-8") from None


def _too_large(where: str) -> ConfigError:
    return ConfigError(f"{where} is larger than 1 MiB", "keep in it only what configures a release")


def _toml(text: str, where: str) -> dict[str, Any]:
    if len(text) > LIMIT:
        raise _too_large(where)
    if text.startswith("\ufeff"):
        raise ConfigError(f"{where} starts with a byte order mark", "save the file as UTF-8 without one")
    try:
        return toml_text.loads(text)
    except RecursionError:
        raise ConfigError(f"{where} is nested too deep", "write it flatter") from None
    except ValueError as error:
        raise _syntax(str(error), text, where) from None


def _syntax(message: str, text: str, where: str) -> ConfigError:
    """tomllib tells the place at the end of its message (Python 3.14 alone has it as attributes)."""
    match = re.fullmatch(r"(?s)(.*?)(?: \(at (?:line (\d+), column (\d+)|end of document)\))?", message)
    what, line, column = match.groups() if match else (message, None, None)
    place = f"line {line}, column {column}" if line else f"line {text.count(chr(10), 0, -1) + 1}"
    return ConfigError(f"{where}, {place}: {what[:1].lower()}{what[1:]}", "mend the TOML there (https://toml.io)")


def _convert(data: dict[str, Any], shape: type[T], where: str) -> T:
    problems = tuple(itertools.islice(_problems(data, shape, ""), MOST_TOLD))
    if not problems:
        return msgspec.convert(data, shape, strict=True)
    if len(problems) == 1:
        raise ConfigError(f"{where}: {problems[0]}", problems=problems)
    lines = "".join(f"\n    {problem}" for problem in problems)
    count = f"{len(problems)} problems" if len(problems) < MOST_TOLD else f"{MOST_TOLD} problems or more"
    raise ConfigError(f"{where} has {count}:{lines}", problems=problems)


def _problems(value: object, wanted: Any, path: str) -> Iterator[str]:
    """All that keeps `value`, found at `path`, from being a `wanted`."""
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        yield from _table_problems(value, wanted, path)
    elif get_origin(wanted) is tuple:
        yield from _list_problems(value, get_args(wanted)[0], path)
    elif get_origin(wanted) is Mapping and isinstance(value, dict):
        for key, inner in value.items():
            yield from _problems(inner, get_args(wanted)[1], _join(path, key))
    else:
        yield from _value_problems(value, wanted, path)


def _table_problems(value: object, wanted: type[msgspec.Struct], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        remedy = f"; write it as [{path}]" if _plain(path) else ""
        yield f"{path} must be a table, not {_shown(value)}{remedy}"
        return
    fields = _fields(wanted)
    for key, inner in value.items():
        if key in fields:
            yield from _problems(inner, fields[key].type, _join(path, key))
        else:
            yield f"{_join(path, key)} is not a known key; {_nearest(key, fields)}"
    for name, field in fields.items():
        if field.required and name not in value:
            yield f"{_join(path, name)} is missing; add it: it must be {_described(field.type)}"


@functools.cache
def _fields(wanted: type[msgspec.Struct]) -> Mapping[str, FieldInfo]:
    """The keys of a table: a fleet has a thousand of the same."""
    return {field.encode_name: field for field in msgspec.structs.fields(wanted)}


def _list_problems(value: object, wanted: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _problems(inner, wanted, f"{path}[{number}]")
    elif isinstance(value, dict) and _plain(path):
        yield f"{path} must be {_described(tuple[wanted, ...])}, not one table; write it as [[{path}]]"
    else:
        yield f"{path} must be {_described(tuple[wanted, ...])}, not {_shown(value)}"


def _value_problems(value: object, wanted: Any, path: str) -> Iterator[str]:
    try:
        msgspec.convert(value, wanted, strict=True)
    except msgspec.ValidationError:
        near = _near(value, get_args(wanted)) if get_origin(wanted) is Literal else ""
        hint = f'; did you mean "{near}"?' if near else ""
        yield f"{path} must be {_described(wanted)}, not {_shown(value)}{hint}"


def _nearest(key: str, known: Mapping[str, object]) -> str:
    near = _near(key, tuple(known))
    return f'did you mean "{near}"?' if near else f"known here: {', '.join(known)}"


def _near(value: object, known: tuple[str, ...]) -> str:
    found = difflib.get_close_matches(str(value)[:100].lower(), known, n=1)
    return found[0] if found else ""


def _join(path: str, key: str) -> str:
    step = key if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key) else _shortened(repr(key))
    return f"{path}.{step}" if path else step


def _plain(path: str) -> bool:
    return "[" not in path


NAMES: Mapping[object, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
SEVERAL: Mapping[object, str] = {str: "texts", bool: "truth values", int: "whole numbers", float: "numbers"}


def _described(wanted: Any) -> str:
    """A type in plain words."""
    if get_origin(wanted) is Literal:
        choices = [f'"{choice}"' for choice in get_args(wanted)]
        return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
    if get_origin(wanted) is tuple:
        return f"a list of {_several(get_args(wanted)[0])}"
    return NAMES.get(wanted, "a table")


def _several(wanted: Any) -> str:
    return _described(wanted) if get_origin(wanted) is Literal else SEVERAL.get(wanted, "tables")


def _shown(value: object) -> str:
    """A value in plain words, on one line and without control characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {_shortened(repr(value))}"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number that is far too long"
    if isinstance(value, int | float):
        return f"the number {value!r}"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    return "a date or time"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
