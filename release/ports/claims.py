"""What a release says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from release.core.finding import Conflict
from release.core.model import (
    AttestWish,
    Release,
)


class Bills(Protocol):
    """Writes bills of materials."""

    def sbom(self, release: Release, commit: str, files: Iterable[tuple[str, str]]) -> bytes:
        """A document about files (name, SHA-256 in hex) and about what the project asks for at a commit; small.

        The same release gives the same bytes.
        """
        ...


class Signatures(Protocol):
    """Signs what a release says of itself, and sees whether a signature holds. `public` is a key (PEM), "" for none."""

    def lacking(self, wish: AttestWish, public: str) -> tuple[Conflict, ...]:
        """Why nothing could be signed as it is asked for: no key, no identity, a key that `public` would not verify."""
        ...

    def signed(self, wish: AttestWish, statement: bytes) -> bytes:
        """A line of a `*.intoto.jsonl` with an in-toto Statement. Refused where nothing can sign, Uncertain where a service
        did not answer: it may be done again."""
        ...

    def verified(self, wish: AttestWish, line: bytes, public: str) -> bytes | str:
        """The Statement of a line whose signature holds, or words why it does not; Unseen where that cannot be told."""
        ...
