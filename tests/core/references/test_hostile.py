"""What a component's files may hold besides references: the time and the memory that they take grow with their length."""

from __future__ import annotations

import time

import pytest

from release.core.model import UpdateWish
from release.core.references import looked

LINES = 50_000
FILES = {
    "one long word": ("toml", "a" * 500_000 + " = 1\n"),
    "a key of many parts": ("toml", "a." * 20_000 + "a = 1\n"),
    "parts in quotes": ("toml", '"a" . ' * 20_000 + "a = 1\n"),
    "deep arrays of TOML": ("toml", "a = " + "[" * 250 + "1," * LINES + "]" * 250 + "\n"),
    "deep arrays of JSON": ("json", "[" * 250 + "1," * LINES + "1" + "]" * 250),
    "deep lists of YAML": ("yaml", "[a," * 150 + "b," * LINES + "]" * 150),
    "many here-documents": ("docker-arg", "FROM x\nRUN " + "<<A " * LINES + "\n" + "A\n" * LINES + "ARG B=1\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_a_hostile_file_takes_grows_with_its_length(name: str) -> None:
    kind, text = FILES[name]
    began = time.process_time()
    said, (conflict,) = looked((UpdateWish("some/file", kind, "1.2.0", key="A"),), {"some/file": text.encode()})  # type: ignore[arg-type]
    assert time.process_time() - began < 3
    assert not said
    assert conflict.rule in ("update-unreadable", "update-missing")


def test_here_documents_end_in_the_order_in_which_they_begin() -> None:
    text = "FROM x\nRUN <<A <<B\nB\nARG C=in\nA\nARG C=in\nB\nARG C=out\n"
    (said,), conflicts = looked(
        (UpdateWish("some/file", "docker-arg", "1.2.0", key="C"),), {"some/file": text.encode()}
    )
    assert not conflicts
    assert said.says == "out"
