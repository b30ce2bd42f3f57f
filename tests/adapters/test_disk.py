"""What this machine keeps is never overwritten, never half written, and never anywhere but where it belongs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.adapters.disk import PART, STALE, Disk, safe
from release.errors import Refused, ReleaseError, Unseen

FULL = """\
import resource, sys
from pathlib import Path
from release.adapters.disk import Disk
from release.errors import Refused

act, source, target = sys.argv[1:]
disk = Disk(Path(target).parent / "cache")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    if act == "place":
        disk.place(Path(source), Path(target))
    elif act == "write":
        disk.write("x" * 5000, Path(target))
    else:
        disk.remember("x" * 5000, "key")
except Refused as refused:
    print(refused)
    sys.exit(3)
"""
HOSTILE = st.one_of(
    st.text(alphabet="ab./\\_-+\0\n\x1b\u202e\u2028ü ~*", max_size=80),
    st.text(max_size=400),
    st.sampled_from(
        [
            "",
            ".",
            "..",
            "...",
            "/",
            "../../etc/passwd",
            "-rf",
            ".hidden",
            "CON",
            "a" * 60,
            "a" * 61,
            "a" * 300,
            "é",
            "e\u0301",
        ]
    ),
)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "cache")


def source(tmp_path: Path, content: bytes = b"content", mode: int = 0o644) -> Path:
    path = tmp_path / "source"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def parts(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"{PART}*"))


# Placed.


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o444])
def test_a_file_is_placed_with_its_bytes_and_its_mode(tmp_path: Path, disk: Disk, mode: int) -> None:
    content = bytes(range(256)) * 10_000
    target = tmp_path / "deep" / "er" / "app"
    disk.place(source(tmp_path, content, mode), target)
    assert target.read_bytes() == content
    assert target.stat().st_mode & 0o7777 == mode
    assert target.stat().st_nlink == 1
    assert [path.name for path in target.parent.iterdir()] == ["app"]


def test_a_link_is_placed_as_the_file_it_points_at(tmp_path: Path, disk: Disk) -> None:
    link = tmp_path / "link"
    link.symlink_to(source(tmp_path))
    disk.place(link, tmp_path / "out" / "app")
    assert not (tmp_path / "out" / "app").is_symlink()
    assert (tmp_path / "out" / "app").read_bytes() == b"content"


def test_the_same_bytes_once_more_are_fine_and_others_are_refused(tmp_path: Path, disk: Disk) -> None:
    target = tmp_path / "out" / "app"
    origin = source(tmp_path)
    disk.place(origin, target)
    before = target.stat()
    disk.place(origin, target)
    disk.write("content", target)
    for act in (partial(disk.place, source(tmp_path, b"other"), target), partial(disk.write, "other", target)):
        with pytest.raises(Refused, match="exists already") as refused:
            act()
        assert "nothing is ever overwritten" in refused.value.remedy
    after = target.stat()
    assert target.read_bytes() == b"content"
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    assert [path.name for path in target.parent.iterdir()] == ["app"]


@pytest.mark.parametrize("kind", ["folder", "dangling link", "link to a folder"])
def test_whatever_is_there_is_not_overwritten(tmp_path: Path, disk: Disk, kind: str) -> None:
    target = tmp_path / "out" / "app"
    target.parent.mkdir()
    if kind == "folder":
        target.mkdir()
    else:
        target.symlink_to(tmp_path if kind == "link to a folder" else tmp_path / "none")
    before = target.lstat()
    for act in (partial(disk.place, source(tmp_path), target), partial(disk.write, "x", target)):
        with pytest.raises(Refused, match="exists already"):
            act()
    assert target.lstat().st_ino == before.st_ino
    assert parts(tmp_path) == []
    assert not (tmp_path / "none").exists()


def test_a_link_to_the_same_bytes_is_somebody_who_walked_along(tmp_path: Path, disk: Disk) -> None:
    target = tmp_path / "out" / "app"
    target.parent.mkdir()
    target.symlink_to(source(tmp_path))
    disk.place(tmp_path / "source", target)
    assert target.is_symlink()


def test_of_many_at_once_with_other_bytes_one_is_first_and_whole(tmp_path: Path, disk: Disk) -> None:
    target = tmp_path / "out" / "app"
    ended: list[str] = []

    def write(text: str) -> None:
        try:
            disk.write(text * 50_000, target)
            ended.append(text)
        except Refused:
            pass

    threads = [threading.Thread(target=write, args=(text,)) for text in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 1
    assert target.read_text() == ended[0] * 50_000
    assert parts(tmp_path) == []


@given(text=st.text(max_size=200))
def test_a_text_is_written_and_read_as_it_is(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "texts"
    disk = Disk(folder)
    target = folder / hashlib.sha256(text.encode()).hexdigest()
    disk.write(text, target)
    assert target.read_bytes() == text.encode()
    assert target.stat().st_mode & 0o777 == 0o644
    assert disk.text(target) == text
    disk.remember(text, "key", text)
    assert disk.recall("key", text) == text


@pytest.mark.parametrize("text", ["a\r\nb", "a\rb", "\ufeffa", "\u2028", "\0"])
def test_a_text_with_other_ends_of_lines_comes_back_as_it_was(tmp_path: Path, disk: Disk, text: str) -> None:
    disk.write(text, tmp_path / "text")
    assert disk.text(tmp_path / "text") == text
    disk.remember(text, "key")
    assert disk.recall("key") == text


# Disks that are full, and folders that cannot be written.


@pytest.mark.parametrize("act", ["place", "write", "remember"])
def test_a_disk_that_is_full_is_refused_and_leaves_nothing(tmp_path: Path, act: str) -> None:
    origin, target = source(tmp_path, b"x" * 5000), tmp_path / "out" / "app"
    done = subprocess.run(
        [sys.executable, "-c", FULL, act, str(origin), str(target)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "cannot write" in done.stdout
    assert "same command again" in done.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [origin]


def test_a_file_where_a_folder_should_be_is_refused_by_its_own_name(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "out").write_text("in the way")
    for target in (tmp_path / "out" / "app", tmp_path / "out" / "deep" / "app"):
        for act in (partial(disk.place, source(tmp_path), target), partial(disk.write, "x", target)):
            with pytest.raises(Refused) as refused:
                act()
            assert f"{target} exists" not in refused.value.message
    assert (tmp_path / "out").read_text() == "in the way"


def test_a_source_that_is_gone_is_refused_and_leaves_nothing(tmp_path: Path, disk: Disk) -> None:
    with pytest.raises(Refused, match="No such file"):
        disk.place(tmp_path / "none", tmp_path / "out" / "app")
    assert list((tmp_path / "out").iterdir()) == []


def test_why_a_folder_takes_no_files_is_told_and_nothing_is_made(tmp_path: Path, disk: Disk) -> None:
    assert disk.unwritable(tmp_path) == ""
    assert disk.unwritable(tmp_path / "a" / "b") == ""
    (tmp_path / "file").touch()
    assert disk.unwritable(tmp_path / "file") == f"{tmp_path / 'file'} is a file"
    assert disk.unwritable(tmp_path / "file" / "a" / "b") == f"{tmp_path / 'file'} is a file"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_link_to_nowhere_takes_no_files(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "none" / "deep")
    why = disk.unwritable(tmp_path / "out")
    try:
        disk.write("x", tmp_path / "out" / "app")
    except Refused:
        assert why
    else:
        assert not why


# What a killed run left.


def test_a_part_of_long_ago_is_cleaned_up_and_one_of_now_is_somebody_elses(tmp_path: Path, disk: Disk) -> None:
    out = tmp_path / "out"
    out.mkdir()
    old, new, other = out / f"{PART}old", out / f"{PART}new", out / ".hidden"
    for path in (old, new, other):
        path.write_text("x")
    long_ago = time.time() - STALE - 10
    for path in (old, other):
        os.utime(path, (long_ago, long_ago))
    assert disk.names(out) == frozenset()
    disk.write("x", out / "app")
    assert sorted(path.name for path in out.iterdir()) == [".hidden", f"{PART}new", "app"]
    assert disk.names(out) == frozenset({"app"})


def test_a_folder_that_is_named_like_a_part_is_no_trouble(tmp_path: Path, disk: Disk) -> None:
    left = tmp_path / "out" / f"{PART}folder"
    left.mkdir(parents=True)
    os.utime(left, (1, 1))
    disk.write("x", tmp_path / "out" / "app")
    assert disk.names(tmp_path / "out") == frozenset({"app"})


# Seen.


def test_a_digest_is_that_of_the_bytes_and_there_is_none_where_nothing_is(tmp_path: Path, disk: Disk) -> None:
    assert disk.digest(source(tmp_path, b"")) == (hashlib.sha256(b"").hexdigest(), 0)
    assert disk.digest(source(tmp_path, b"\r\n\0")) == (hashlib.sha256(b"\r\n\0").hexdigest(), 3)
    assert disk.digest(tmp_path / "none") is None
    assert disk.digest(tmp_path / "source" / "below") is None
    with pytest.raises(Unseen):
        disk.digest(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Unseen):
        disk.digest(tmp_path / "loop")


def test_a_large_file_is_never_held_whole(tmp_path: Path, disk: Disk) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 << 20)
    tracemalloc.start()
    try:
        digest = disk.digest(large)
        disk.place(large, tmp_path / "out" / "large")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert digest is not None
    assert digest[1] == 64 << 20
    assert peak < 8 << 20


def test_a_text_or_folder_that_cannot_be_read_is_unseen_and_never_absent(tmp_path: Path, disk: Disk) -> None:
    assert disk.text(tmp_path / "none") is None
    assert disk.names(tmp_path / "none") is None
    for path in (source(tmp_path, b"\xff"), tmp_path):
        with pytest.raises(Unseen):
            disk.text(path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Unseen):
        disk.names(tmp_path / "loop")


# Remembered.


def test_a_value_is_remembered_under_its_whole_key_and_the_last_one_counts(tmp_path: Path, disk: Disk) -> None:
    assert disk.recall("a", "b") is None
    disk.remember("first", "a", "b")
    disk.remember("second", "a", "b")
    assert disk.recall("a", "b") == "second"
    assert Disk(tmp_path / "cache").recall("a", "b") == "second"
    assert disk.recall("a", "c") is None
    disk.remember("third", "a", "c\0d")
    assert disk.recall("a", "c\0d") == "third"
    assert disk.recall("a", "c_d") is None


@pytest.mark.parametrize("broken", ["no text", "folder", "file in the way"])
def test_a_memory_that_is_broken_is_no_memory_or_told(disk: Disk, tmp_path: Path, broken: str) -> None:
    disk.remember("x", "a", "b")
    place = tmp_path / "cache" / "memory" / "a" / "b"
    place.unlink()
    if broken == "no text":
        place.write_bytes(b"\xff\xfe")
    elif broken == "folder":
        place.mkdir()
    else:
        place.parent.rmdir()
        place.parent.write_text("")
    with suppress(ReleaseError):
        assert disk.recall("a", "b") is None


@given(names=st.lists(HOSTILE, min_size=2, max_size=2, unique=True))
def test_any_name_is_one_part_of_a_path_and_two_names_are_two(names: list[str]) -> None:
    made = [safe(name) for name in names]
    assert made[0] != made[1]
    for name in made:
        assert name not in ("", ".", "..")
        assert not name.startswith(".")
        assert "/" not in name
        assert name.isascii()
        assert name.isprintable()
        assert len(name.encode()) <= 255
        assert (Path("folder") / name).name == name


def test_a_name_that_looks_like_the_safe_form_of_another_is_another() -> None:
    assert safe("a/b") != safe(safe("a/b"))


def test_a_plain_name_stays_readable() -> None:
    assert safe("app-1.0.0+rke2r1_linux.tar.gz") == "app-1.0.0+rke2r1_linux.tar.gz"
    assert safe("a" * 40) == "a" * 40
    assert safe("../x").startswith("_x-")


def test_a_file_is_kept_under_its_digest_and_stays_a_program(tmp_path: Path, disk: Disk) -> None:
    source = tmp_path / "app"
    source.write_bytes(b"abc")
    source.chmod(0o777)
    # The digest of "abc" stands in FIPS 180-2, appendix B.1.
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert disk.kept(wanted) is None
    assert disk.keep(source) == (wanted, 3)
    place = disk.kept(wanted)
    assert place is not None
    assert place.read_bytes() == b"abc"
    assert place.stat().st_mode & 0o777 == 0o755
    assert [one.name for one in place.parent.iterdir()] == [wanted]


def test_what_comes_in_pieces_is_kept_whole_or_not_at_all(tmp_path: Path, disk: Disk) -> None:
    assert disk.take([b"a", b"", b"bc"])[1] == 3

    def broken() -> Iterator[bytes]:
        yield b"a"
        raise Refused("it broke off", "")

    with pytest.raises(Refused, match="it broke off"):
        disk.take(broken())
    assert len(list((tmp_path / "cache" / "files" / "sha256").iterdir())) == 1


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "", ".", "..", "a/b", "a" * 500])
def test_what_is_no_digest_is_looked_for_below_the_cache_alone(disk: Disk, name: str) -> None:
    assert disk.kept(name) is None
