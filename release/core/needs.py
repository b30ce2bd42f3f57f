"""What files of dependencies ask for, as values: their formats are none of the core's business."""

from __future__ import annotations

from typing import Literal

import msgspec

Number = tuple[int, ...]
Role = Literal["dependency", "indirect", "language", "image"]


class Need(msgspec.Struct, frozen=True):
    """Something that is asked for: `wants` is the version, range or tag as written, `number` the lowest version in it, () for none.

    `place` says where in the file, where that matters ("extra docs"). An `indirect` one is there because another needs
    it; a `language` is what the code itself is written for.
    """

    name: str
    wants: str
    number: Number = ()
    role: Role = "dependency"
    place: str = ""


class Asked(msgspec.Struct, frozen=True):
    """All that a file asks for, in its order; `unreadable` says why that cannot be told, "" where it can."""

    needs: tuple[Need, ...] = ()
    unreadable: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """A file of dependencies whose text changed: what it asked for, and what it asks for now; None where there is no such file."""

    path: str
    before: Asked | None
    after: Asked | None
