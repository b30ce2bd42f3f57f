"""The upload API, as https://docs.pypi.org/api/upload/ describes it and PyPI answers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from aiohttp import BodyPartReader, web
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from release.sandbox.index.answers import Problem
from release.sandbox.index.files import Files
from release.sandbox.index.trust import Trust
from release.sandbox.serving.store import Duplicate, Json

PIECE = 1 << 18
LONGEST = 1 << 20  # of a field that is no file: a description may be long
Fields: TypeAlias = dict[str, str]
REUSE = "See https://pypi.org/help/#file-name-reuse for more information."


class Uploads:
    """One file a request, a multipart form; the file goes to disk in pieces, and its name is taken for ever."""

    def __init__(self, files: Files, trust: Trust, clock: Callable[[], float]) -> None:
        self._files = files
        self._trust = trust
        self._clock = clock

    async def upload(self, request: web.Request) -> web.StreamResponse:
        projects = self._trust.admit(request)
        if request.content_type != "multipart/form-data":
            raise Problem(400, "Upload payload is no multipart form.")
        part = self._files.spare()
        try:
            fields, filename, facts = await _received(request, part)
            project = _checked(fields, filename, facts)
            if projects is not None and project not in projects:
                raise Problem(403, f"Invalid API Token: project-scoped token is not valid for project: {project!r}")
            facts |= {
                "project": project,
                "version": str(Version(fields["version"])),
                "requires_python": fields.get("requires_python", ""),
                "uploaded": datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }
            self._keep(filename, facts, part)
        finally:
            part.unlink(missing_ok=True)
        return web.Response()

    def _keep(self, filename: str, facts: Json, part: Path) -> None:
        """A name that is taken is no error where the bytes are the same."""
        try:
            self._files.add(filename, facts, part)
        except Duplicate:
            found = self._files.find(filename)
            if found is None or found["sha256"] != facts["sha256"]:
                kept = f"with sha256 hash {found['sha256']!r}" if found else "removed meanwhile"
                raise Problem(400, f"File already exists ({filename!r}, {kept}). {REUSE}") from None


async def _received(request: web.Request, part: Path) -> tuple[Fields, str, Json]:
    """The form's fields, the file's name, its size and SHA-256."""
    fields: Fields = {}
    filename, facts = "", Json()
    async for piece in await request.multipart():
        if not isinstance(piece, BodyPartReader):
            raise Problem(400, "Upload payload does not have a file.")
        if piece.name == "content":
            filename = piece.filename or ""
            facts = await _written(piece, part)
        elif piece.name:
            content = await piece.read(decode=True)
            if len(content) > LONGEST:
                raise Problem(400, f"{piece.name} is too long.")
            fields.setdefault(piece.name, bytes(content).decode("utf-8", "replace"))
    return fields, filename, facts


async def _written(piece: BodyPartReader, part: Path) -> Json:
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as out:
        while content := await piece.read_chunk(PIECE):
            await asyncio.to_thread(out.write, content)
            digest.update(content)
            size += len(content)
    return {"sha256": digest.hexdigest(), "size": size}


def _checked(fields: Fields, filename: str, facts: Json) -> str:
    """The project, if the form says what the file is; 400 otherwise."""
    if fields.get(":action") != "file_upload" or fields.get("protocol_version", "1") != "1":
        raise Problem(400, "Unknown protocol version.")
    for name in ("metadata_version", "name", "version", "filetype"):
        if not fields.get(name):
            raise Problem(400, f"{name}: This field is required.")
    if not facts:
        raise Problem(400, "Upload payload does not have a file.")
    if "sha256_digest" not in fields and "md5_digest" not in fields and "blake2_256_digest" not in fields:
        raise Problem(400, "Include at least one message digest.")
    if fields.get("sha256_digest", "").lower() not in ("", facts["sha256"]):
        raise Problem(400, "The digest supplied does not match a digest calculated from the uploaded file.")
    return _named(fields, filename)


def _named(fields: Fields, filename: str) -> str:
    """The project that a file is named for, which has to be the one that the form names."""
    name, version = _parsed(filename, fields["filetype"])
    if name != canonicalize_name(fields["name"]):
        raise Problem(400, f"Start filename for {fields['name']!r} with {canonicalize_name(fields['name'])!r}.")
    try:
        good = Version(fields["version"]) == version
    except InvalidVersion:
        raise Problem(400, f"{fields['version']!r} is an invalid value for Version.") from None
    if version.local:
        raise Problem(400, f"The use of local versions in {str(version)!r} is not allowed.")
    if not good:
        raise Problem(400, f"Version in filename should be {fields['version']!r} not {str(version)!r}.")
    return str(name)


def _parsed(filename: str, filetype: str) -> tuple[str, Version]:
    if "/" in filename or "\\" in filename or filename.startswith("."):
        raise Problem(400, "Cannot upload a file with '/' or '\\' in the name.")
    try:
        if filetype == "bdist_wheel" and filename.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(filename)
        elif filetype == "sdist" and filename.endswith(".tar.gz"):
            name, version = parse_sdist_filename(filename)
        else:
            raise Problem(400, "Invalid file extension: Use .tar.gz or .whl extension.")
    except (InvalidSdistFilename, InvalidWheelFilename) as error:
        raise Problem(400, f"Invalid filename: {error}") from error
    return name, version
