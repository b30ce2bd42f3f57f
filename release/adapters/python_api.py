"""Differences in the public names of Python packages, by griffe: read, never imported and never run.

Only regular files of a package are looked at, and links to files inside the tree: a link to a folder can lead around in
circles, or out of the tree. They are copied first, so that nothing else (a .pth file, a compiled module) is found.
"""

from __future__ import annotations

import ast
import logging
import os
import sys
import tempfile
import tokenize
import warnings
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import griffe
from griffe import BreakageKind

from release.core.facts import ApiChange
from release.errors import ReleaseError

logging.getLogger("griffe").addHandler(logging.NullHandler())  # what matters is an error here

Side = Literal["before", "now"]
Thing = griffe.Object | griffe.Alias
ENDINGS = (".py", ".pyi")
REMEDY = 'take "python-api" out of [changes] sources, or leave the package out'
FOR_PYTHON = frozenset(("__all__", "__dir__", "__doc__", "__getattr__", "__path__"))
"""What Python itself reads of a module: no names for users."""
VARIADIC = (griffe.ParameterKind.var_positional, griffe.ParameterKind.var_keyword)


def differences(old: Path, new: Path, packages: Collection[str]) -> tuple[ApiChange, ...]:
    """What changed for the users of these packages between two trees: `old` and `new` are their roots.

    A package is a path from the root, a folder or a module ("src/foo", "foo.py"), and is called by its last name. Public
    is what `__all__` says, or without one every name that has no underscore in front and was not imported; what is
    imported as itself (`from .a import b as b`) is public too. ReleaseError names a file that does not parse, and a
    package that is in neither tree.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-api-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # invalid escapes, before Python 3.12
        wanted = tuple(dict.fromkeys(packages))
        before = _Tree(old, Path(folder, "before"), "before", wanted)
        now = _Tree(new, Path(folder, "now"), "now", wanted)
        return tuple(change for package in wanted for change in _of_package(before, now, package))


def _of_package(before: _Tree, now: _Tree, package: str) -> Iterator[ApiChange]:
    old, new = before.packages.get(package), now.packages.get(package)
    name = _called(package)
    if old is None and new is None:
        raise ReleaseError(f"the Python package {package} is in neither commit", "mend [changes] packages")
    if old is None or new is None:
        gone = ApiChange("removed", name, "package is gone", package)
        yield gone if new is None else ApiChange("added", name, "package is new", package)
        return
    try:
        yield from _compared(before, now, old, new)
    except Exception as error:  # griffe on code that nobody has shown it yet: of whatever kind, it is no answer
        why = f"griffe cannot compare the package {package}: {type(error).__name__}: {error}"
        raise ReleaseError(why, REMEDY) from error


def _compared(before: _Tree, now: _Tree, old: Thing, new: Thing) -> Iterator[ApiChange]:
    walk = _Walk(before, now)
    walked = list(walk.compare(old, new, old.path))
    breakages = (one for one in griffe.find_breaking_changes(old, new) if not _for_python(one.obj))
    yield from dict.fromkeys([*(_broken(breakage, walk, before, now) for breakage in breakages), *walked])


class _Tree:
    """A tree, and its packages as griffe reads them; all in one collection, so that they may import from each other."""

    def __init__(self, root: Path, copies: Path, side: Side, packages: Collection[str]) -> None:
        self._root = root.resolve()
        self._side = side
        self._paths: dict[Path, str] = {}
        copies.mkdir()
        here = [package for package in packages if self._take(package, copies)]
        try:
            self.packages = _read(here, copies)
        except Exception as error:  # see _of_package
            why = f"griffe cannot read {' and '.join(here)} {self._when}: {type(error).__name__}: {error}"
            raise ReleaseError(why, REMEDY) from error

    def _take(self, package: str, copies: Path) -> bool:
        """Copy a package or module; whether there is one."""
        place, name = self._root / package, _called(package)
        module = place.with_name(f"{name}.py")
        if place.is_dir() and place.resolve().is_relative_to(self._root):
            self._copy(place, copies / name)
        elif self._is_ours(module):
            self._copy_file(module, copies / module.name)
        else:
            return False
        return True

    def path_of(self, thing: Thing) -> str:
        """The file, from the root of the tree, in which something is said; "" for nobody knows."""
        holder = thing.parent if thing.is_alias and thing.parent is not None else thing
        place = holder.filepath
        return self._paths.get(place, "") if isinstance(place, Path) else ""

    @property
    def _when(self) -> str:
        return "at the last release" if self._side == "before" else "at the commit to release"

    def _copy(self, package: Path, to: Path) -> None:
        """All modules of a package; a stub stands for its module, as for type checkers (PEP 561)."""
        to.mkdir()
        for folder, folders, files in os.walk(package):
            inside = Path(folder).relative_to(package)
            folders[:] = sorted(one for one in folders if one.isidentifier())
            (to / inside).mkdir(exist_ok=True)
            for file in sorted(files):
                place = Path(folder, file)
                if place.suffix in ENDINGS and place.stem.isidentifier() and self._is_ours(place):
                    self._copy_file(place, to / inside / file)
            for stub in (to / inside).glob("*.pyi"):
                stub.with_suffix(".py").unlink(missing_ok=True)

    def _is_ours(self, place: Path) -> bool:
        """A regular file inside the tree, also where links lead to it."""
        return place.is_file() and place.resolve().is_relative_to(self._root)

    def _copy_file(self, place: Path, to: Path) -> None:
        path = place.relative_to(self._root).as_posix()
        to.write_text(self._parsed(path, place.read_bytes()), encoding="utf-8", newline="")
        self._paths[to] = path

    def _parsed(self, path: str, content: bytes) -> str:
        """The text of a file that this Python can read; griffe itself would pass over one that it cannot."""
        try:
            encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
            text = content.decode(encoding)
            ast.parse(text, path)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            why = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            remedy = "mend it; if it is written for a newer Python, run this by that one"
            raise ReleaseError(
                f"{path}{line} {self._when} is not Python as {version} reads it: {why}", remedy
            ) from error
        return text


class _ImportedAsItself(griffe.Extension):
    """What typed packages mean by `from .a import b as b`: b is theirs to offer (typing specification, "Library interface")."""

    def on_alias_instance(self, *, alias: griffe.Alias, node: object, **_: Any) -> None:
        names = node.names if isinstance(node, ast.ImportFrom) else []
        if any(one.asname == one.name == alias.name for one in names):
            alias.public = True


class _Walk:
    """Two packages side by side: what came, and what is there but not public any more. `public` names what it passed.

    griffe tells what broke, by the name of the place where something is defined; users know it by another.
    """

    def __init__(self, before: _Tree, now: _Tree) -> None:
        self.public: dict[str, str] = {}
        self._before = before
        self._now = now
        self._seen: set[tuple[str, str]] = set()

    def compare(self, old: Thing, new: Thing, path: str) -> Iterator[ApiChange]:
        self.public.setdefault(new.path, path)
        if (old.path, new.path) in self._seen or old.kind is not new.kind:
            return
        self._seen.add((old.path, new.path))
        if isinstance(old, griffe.Function) and isinstance(new, griffe.Function):
            yield from self._awaited(old, new, path)
            yield from self._parameters(old, new, path)
        elif old.is_module or old.is_class:
            yield from self._members(old, new, path)

    def _members(self, old: Thing, new: Thing, path: str) -> Iterator[ApiChange]:
        was, is_ = old.all_members, new.all_members
        for name in (name for name in was if name in is_ and was[name].is_public):
            if is_[name].is_public:
                first, second = _target(was[name]), _target(is_[name])
                if first is not None and second is not None:
                    yield from self.compare(first, second, f"{path}.{name}")
            else:
                what = f"{_word(was[name])} is no longer public"
                yield ApiChange("removed", f"{path}.{name}", what, self._now.path_of(is_[name]))
        for name, member in is_.items():
            if member.is_public and not _for_python(member) and (name not in was or not was[name].is_public):
                what = f"new {_word(member)}" if name not in was else f"{_word(member)} is public now"
                yield ApiChange("added", f"{path}.{name}", what, self._now.path_of(member))

    def _awaited(self, old: griffe.Function, new: griffe.Function, path: str) -> Iterator[ApiChange]:
        """A call has to be awaited now, or must not be any more; griffe does not compare that."""
        was, is_ = ("async" in one.labels for one in (old, new))
        if was != is_:
            what = f"was {'async' if was else 'not async'} and is{'' if is_ else ' not'}"
            yield ApiChange("narrowed", path, what, self._now.path_of(new))

    def _parameters(self, old: griffe.Function, new: griffe.Function, path: str) -> Iterator[ApiChange]:
        was = {one.name: one for one in old.parameters}
        for one in new.parameters:
            if one.name not in was and not one.required:
                what = "takes any further arguments" if one.kind in VARIADIC else "new optional parameter"
                yield ApiChange("added", path, f"{what} {one.name}", self._now.path_of(new))
            elif one.name in was and was[one.name].required and not one.required:
                yield ApiChange("added", path, f"parameter {one.name} may be left out", self._now.path_of(new))


def _read(packages: Collection[str], folder: Path) -> dict[str, Thing]:
    """All packages in a folder of copies, with what they import from each other looked up."""
    loader = griffe.GriffeLoader(
        extensions=griffe.load_extensions(_ImportedAsItself()),
        search_paths=[folder],
        allow_inspection=False,
        store_source=False,
    )
    read: dict[str, Thing] = {package: loader.load(_called(package), try_relative_path=False) for package in packages}
    loader.resolve_aliases(implicit=True, external=False)
    for package in read.values():
        _without_circles(package)
    return read


def _called(package: str) -> str:
    return package.rpartition("/")[2].removesuffix(".py")


def _without_circles(thing: Thing) -> None:
    """Take away the names that stand for each other in a circle: Python finds nothing behind them, and griffe gives up."""
    for name, member in list(thing.members.items()):
        if isinstance(member, griffe.Alias):
            try:
                member.final_target  # noqa: B018
            except griffe.CyclicAliasError:
                del thing.members[name]
            except griffe.AliasResolutionError:
                pass
        elif member.is_module or member.is_class:
            _without_circles(member)


def _target(thing: Thing) -> griffe.Object | None:
    """What a name stands for; None if that is outside, or a circle."""
    if isinstance(thing, griffe.Object):
        return thing
    try:
        return thing.final_target
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return None


def _for_python(thing: Thing) -> bool:
    return thing.name in FOR_PYTHON and thing.parent is not None and thing.parent.is_module


def _word(thing: Thing) -> str:
    target = _target(thing)
    return target.kind.value if target is not None else "name"


def _broken(breakage: griffe.Breakage, walk: _Walk, before: _Tree, now: _Tree) -> ApiChange:
    thing = breakage.obj
    if breakage.kind is BreakageKind.OBJECT_REMOVED:
        return ApiChange("removed", _shown(thing.path, walk), f"{_word(thing)} is gone", before.path_of(thing))
    return ApiChange("narrowed", _shown(thing.path, walk), _narrowed(breakage), now.path_of(thing))


def _shown(path: str, walk: _Walk) -> str:
    """By the name that users know, also where only what it is in has one."""
    holder, dot, name = path.rpartition(".")
    return walk.public.get(path) or (f"{walk.public[holder]}{dot}{name}" if holder in walk.public else path)


def _narrowed(breakage: griffe.Breakage) -> str:
    """In plain words; a kind of breakage that is newer than this in griffe's own."""
    old, new = breakage.old_value, breakage.new_value
    match breakage.kind:
        case BreakageKind.PARAMETER_MOVED:
            return f"parameter {old.name} stands at another position"
        case BreakageKind.PARAMETER_REMOVED:
            return f"parameter {old.name} is gone"
        case BreakageKind.PARAMETER_CHANGED_KIND:
            return f"parameter {old.name} was {old.kind.value} and is {new.kind.value}"
        case BreakageKind.PARAMETER_CHANGED_DEFAULT:
            return f"parameter {old.name} is {new.default} if left out, and was {old.default}"
        case BreakageKind.PARAMETER_CHANGED_REQUIRED:
            return f"parameter {old.name} has to be given now"
        case BreakageKind.PARAMETER_ADDED_REQUIRED:
            return f"new parameter {new.name} has to be given"
        case BreakageKind.RETURN_CHANGED_TYPE:
            return f"returned {old}, and now does not say what" if new is None else f"returned {old}, and now {new}"
        case BreakageKind.OBJECT_CHANGED_KIND:
            return f"was a {old.value} and is a {new.value}".replace("a attribute", "an attribute")
        case BreakageKind.CLASS_REMOVED_BASE:
            lost = [str(base) for base in old if base not in new]
            return f"does not inherit from {', '.join(lost) or 'one of its bases'} any more"
        case _:
            return f"{breakage.kind.value}: {old} -> {new}"
