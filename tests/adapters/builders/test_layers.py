"""Layers: the same bytes from the same entries, whatever the machine; read by tar and gzip; never held whole."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.adapters.builders.layers import BLOCK, Entry, archive, gzipped
from release.errors import Refused

EPOCH = 1_700_000_000


def packed(*entries: Entry) -> bytes:
    return b"".join(archive(entries, EPOCH))


def file(folder: Path, path: str, content: bytes = b"x") -> Entry:
    place = folder / "source"
    place.write_bytes(content)
    return Entry(path, "file", 0o644, source=str(place), size=len(content))


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 3 * BLOCK), st.integers(1, 1 << 18), st.booleans())
def test_the_same_bytes_come_out_whatever_the_cores_and_the_pieces(
    seed: bytes, size: int, step: int, dull: bool
) -> None:
    content = (seed or b"a") * (size // len(seed or b"a")) if dull else os.urandom(size)
    whole = b"".join(gzipped([content], 1))
    pieces = (content[at : at + step] for at in range(0, len(content), step))
    assert b"".join(gzipped(pieces, 3)) == whole
    assert gzip.decompress(whole) == content


def test_it_is_one_gzip_member_that_says_nothing_of_this_machine() -> None:
    whole = b"".join(gzipped([b"text " * BLOCK]))
    assert whole[:10] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
    press = zlib.decompressobj(31)
    assert press.decompress(whole) == b"text " * BLOCK
    assert (press.eof, press.unused_data) == (True, b"")
    assert len(whole) < BLOCK / 20


def test_what_cannot_be_compressed_is_stored() -> None:
    content = os.urandom(2 * BLOCK)
    assert len(content) < len(b"".join(gzipped([content]))) < len(content) * 1.001


def test_tar_reads_what_was_written(tmp_path: Path) -> None:
    if (tar := shutil.which("tar")) is None:
        pytest.skip("there is no tar program here")
    long = "d/" * 60 + "a file whose name is very long" * 5
    entries = [Entry("d", "folder", 0o755), file(tmp_path, long, b"long"), Entry("d/link", "link", 0o777, 7, 8, link="../x" * 40)]  # fmt: skip
    listed = subprocess.run([tar, "tvf", "-", "--numeric-owner"], input=packed(*entries), capture_output=True, check=True).stdout.decode()  # fmt: skip
    lines = listed.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("drwxr-xr-x 0/0")
    assert long in listed
    assert f"d/link -> {'../x' * 40}" in listed
    assert "7/8" in listed


def test_extended_headers_come_only_where_they_are_needed(tmp_path: Path) -> None:
    plain = packed(file(tmp_path, "a" * 99))
    assert len(plain) == 512 + 512 + 1024
    assert b"PaxHeader" not in plain
    assert b"PaxHeader" in packed(file(tmp_path, "\u00e4"))


def test_the_order_in_which_entries_come_is_no_matter(tmp_path: Path) -> None:
    some = [
        Entry("b", "folder", 0o755),
        file(tmp_path, "b/c"),
        file(tmp_path, "a"),
        Entry("b-", "link", 0o777, link="b"),
    ]
    assert packed(*some) == packed(*reversed(some))
    with tarfile.open(fileobj=io.BytesIO(packed(*some))) as tar:
        assert tar.getnames() == ["a", "b", "b-", "b/c"]
        assert {member.mtime for member in tar} == {EPOCH}


@pytest.mark.parametrize("size", [0, 2])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(Refused, match="a changed while it was read"):
        packed(Entry("a", "file", 0o644, source=file(tmp_path, "a").source, size=size))


MEMORY = """
import sys
from release.adapters.builders.layers import Entry, archive, gzipped
entry = Entry("a", "file", 0o644, source=sys.argv[1], size=300 << 20)
size = sum(map(len, gzipped(archive([entry], 0))))
assert 0 < size < 10 << 20, size
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_a_large_file_is_never_held_whole(tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells here what a process held")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(300 << 20)
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path / "large"], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 80 << 10  # KiB
