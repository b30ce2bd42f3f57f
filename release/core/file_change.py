"""A file's past on a branch, as git tells it."""

from __future__ import annotations

import msgspec

from release.core.model import Person


class FileChange(msgspec.Struct, frozen=True):
    """A commit that changed a file. `who` is its author, `when` its committer date (ISO 8601), as the commit has them.

    `content` are the file's bytes from there on; None where it is gone, is no plain file, or is longer than anybody's.
    """

    commit: str
    who: Person
    when: str
    content: bytes | None
