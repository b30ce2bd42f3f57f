"""What a configuration must not say of what is uploaded and published: [[package]] with `files`, [[publish]].

What a package claims has rules of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from release.core import making
from release.core import reference as ref
from release.core.address import holds_secret
from release.core.assembly import applies
from release.core.config import Config, Package, Publish, seconds
from release.core.finding import Conflict
from release.core.model import PackageWish
from release.core.notation import VALUES, bad_lines, bad_run, quoted, repeated, same_names, unknown_names
from release.core.publishing import host, uploaded
from release.core.samples import samples

TOLD = ("SLUICE_VERSION", "SLUICE_TAG", "SLUICE_COMMIT", "SLUICE_PLATFORM", "SLUICE_ARTIFACTS", "SOURCE_DATE_EPOCH")
"""Variables whose values a release gives to every command."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")


def publish_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps a release from being uploaded and published as the configuration says."""
    found = [one for number, table in enumerate(config.package) for one in _package(f"package[{number}]", table)]
    yield from found
    for number, table in enumerate(config.publish):
        yield from _publish(f"publish[{number}]", table)
    yield from same_names("publish", [(table.name, table) for table in config.publish])
    if not found:
        yield from _together(config)


# One table.


def _package(place: str, table: Package) -> Iterator[Conflict]:
    for text in table.files:
        yield from unknown_names(f"{place}.files", text, VALUES)
    if not table.files:
        if table.upload:
            why = f"{place} has no files, so that nothing is uploaded, and upload is of no use"
            yield Conflict("unused", why, "name the files, or leave upload out")
        return
    if holds_secret(table.upload):
        why = f"{place}.upload has a password or a token in it, for everybody to read"
        remedy = (
            "take it out and have it changed; TWINE_USERNAME and TWINE_PASSWORD, ~/.pypirc or a keyring have logins"
        )
        yield Conflict("secret-in-config", why, remedy)
    elif table.upload and ref.index(table.upload) is None:
        why = f"{place}.upload is {quoted(table.upload)}"
        remedy = "write the address that twine takes, https (http for this machine only), as in https://upload.pypi.org/legacy/"
        yield Conflict("bad-index", why, remedy)
    elif not making.package(table, {}).upload:
        why = f"{place}.files are to be uploaded, and what takes files for {quoted(table.index)} is not known"
        yield Conflict("upload-unknown", why, "name it with upload, as in https://HOST/legacy/")


def _publish(place: str, table: Publish) -> Iterator[Conflict]:
    if not _NAME.fullmatch(table.name) or ".." in table.name:
        remedy = "use up to 100 letters, digits and ._/-, begin with a letter or digit, and have no .. in it"
        yield Conflict("bad-name", f"{place}.name is {quoted(table.name)}", remedy)
    for key, run in (("run", table.run), ("exists", table.exists)):
        yield from bad_run(f"{place}.{key}", run)
        for word in run:
            yield from unknown_names(f"{place}.{key}", word, VALUES)
    if table.run and table.run == table.exists:
        why = f"{place}.exists is the same command as run: it would publish to see whether it is published"
        yield Conflict("bad-exists", why, "write one that only looks: exit code 0 for there, 1 for not there")
    yield from _variables(f"{place}.env", table.env)
    if table.deadline and seconds(table.deadline) is None:
        why = f"{place}.deadline is {quoted(table.deadline)}, which is no duration"
        yield Conflict("bad-duration", why, 'write it like "90s", "45m" or "2h"')
    yield from bad_lines(f"{place}.lines", table.lines)


def _variables(place: str, names: Sequence[str]) -> Iterator[Conflict]:
    for name in names:
        if "=" in name:
            yield Conflict(
                "bad-variable", f"{place} gives a variable a value, for everybody to read", "write its name alone"
            )
        elif not _VARIABLE.fullmatch(name):
            yield Conflict("bad-variable", f"{place} has {quoted(name)}", "write a variable's name, as in NPM_TOKEN")
        elif name in TOLD:
            yield Conflict("bad-variable", f"{place} has {name}, which every command is told", "leave it out")
    for name in repeated(names):
        yield Conflict("duplicate-name", f"{place} has {quoted(name)} twice", "leave one out")


# All of a release.


def _together(config: Config) -> Iterator[Conflict]:
    """What is wrong in a release: by the first one that might be and has something wrong."""
    if not any(table.files for table in config.package):
        return
    lines = ("", *dict.fromkeys(line for table in config.package for line in table.lines))
    for sample in (one for line in lines for one in samples(config, (line,) if line else ())):
        built = [one for one in config.artifact if applies(one, sample.line, sample.kind)]
        wishes = [wish for one in built for wish in making.artifacts(one, sample.values)]
        chosen = [
            (f"package[{n}]", uploaded(making.package(one, sample.values), wishes))
            for n, one in enumerate(config.package)
            if one.files and applies(one, sample.line, sample.kind)
        ]
        made = {name for wish in wishes for name in wish.makes}
        files = [conflict for place, wish in chosen for conflict in _files(place, wish, made)]
        if found := [*files, *_same_place(chosen)]:
            yield from found
            return


def _files(place: str, wish: PackageWish, made: Collection[str]) -> Iterator[Conflict]:
    for name in wish.files:
        if name not in made:
            why = f"{place}.files has {quoted(name)}, which no [[artifact]] makes for such a release"
            yield Conflict("no-such-artifact", why, "name a file as it is built, or the [[artifact]] that makes it")
        elif not _is_of(name, wish):
            why = f"{place}.files has {quoted(name)}, which is no wheel or sdist of {wish.name} {wish.version} by its name"
            remedy = "indexes read name and version from it: name a file of that package, or mend its name or version"
            yield Conflict("package-file", why, remedy)
    for name in repeated(wish.files):
        yield Conflict("duplicate-name", f"{place}.files has {quoted(name)} twice", "leave one out")


def _is_of(file: str, wish: PackageWish) -> bool:
    """Whether a file's name says that it is of that package and version, by the binary distribution format and PEP 625."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    try:
        parts = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
        return parts == (ref.package(wish.name), Version(wish.version))
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    except InvalidVersion:  # what is claimed has a rule of its own
        return True


def _same_place(chosen: Sequence[tuple[str, PackageWish]]) -> Iterator[Conflict]:
    """Two that a record could not tell apart; two that claim the same are told of there."""
    seen: dict[tuple[str, str], tuple[str, PackageWish]] = {}
    for place, wish in chosen:
        other, before = seen.setdefault((ref.package(wish.name), host(wish.index)), (place, wish))
        if other != place and (before.index, before.version) != (wish.index, wish.version):
            why = f"{other} and {place} both upload {quoted(wish.name)} to {host(wish.index)}"
            yield Conflict("duplicate-name", why, "leave one out, or let no release select both")
