"""JSON as the values that are asked for, from any thread."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from threading import Lock
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")
_LEARNING = Lock()


def decoded(content: bytes | str, shape: type[T]) -> T:
    """What JSON says, in the form that is asked for; raises as msgspec does.

    msgspec learns a type where it first meets it, and a second thread that meets it meanwhile takes the process down.
    So one at a time learns; reading is for all.
    """
    with _LEARNING:
        decoder = _decoder(cast("Hashable", shape))
    value: T = decoder.decode(content)
    return value


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)
