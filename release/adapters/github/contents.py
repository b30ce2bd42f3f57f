"""A file of a repository on GitHub, by one request."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

import msgspec

from release.adapters.github.door import Door, segment
from release.errors import Unseen

LIMIT = 1024 * 1024
"""The contents of a larger file are not told: https://docs.github.com/en/rest/repos/contents#get-repository-content"""


class FileShape(msgspec.Struct, frozen=True):
    """A file as the forge tells of it. A link, a submodule and a folder have no content, and are none."""

    type: str
    size: int = 0
    encoding: str = ""
    content: str = ""


class Contents:
    """Files of a repository."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def content(self, path: str, branch: str = "") -> bytes | None:
        """The bytes of a file at the head of a branch ("" for the default one), None where there is none; Unseen if it is too large."""
        place = "contents/" + "/".join(segment(part) for part in path.split("/"))
        ref = {"ref": f"refs/heads/{branch}"} if branch else {}
        shape: Any = FileShape | list[Any]  # a folder comes as a list
        file = self._door.find(f"read {path}", place, shape, **ref)
        if not isinstance(file, FileShape) or file.type != "file":
            return None
        if file.encoding != "base64" or file.size > LIMIT:
            raise Unseen(
                f"{path} of {self._door.name} is larger than 1 MiB", "keep in it only what configures a release"
            )
        try:
            return b64decode(file.content)
        except binascii.Error as error:
            raise Unseen(f"{path} of {self._door.name} came as no base64: {error}", "try again later") from error
