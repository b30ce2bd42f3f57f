"""Archives hold what they are told to, and have the same bytes wherever they are packed."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.adapters.makers.packing import Member, tarball, zipped
from release.core.model import ArtifactWish
from release.errors import Refused
from tests.adapters.makers.conftest import EPOCH, Shop
from tests.world import World

FILES = {"docs/a.md": "a\n", "docs/sub/b.md": "b\n", "src/x.py": "x\n", "run.sh": "#!/bin/sh\n", "é.txt": "é\n"}
ALL = {"README": "upstream\n", **FILES}


def archive(name: str, *include: str, artifacts: tuple[str, ...] = (), folder: str = "") -> ArtifactWish:
    return ArtifactWish(name, kind="archive", include=include, artifacts=artifacts, folder=folder)


@pytest.fixture
def filled(shop: Shop) -> Shop:
    shop.commit(FILES)
    (shop.clone / "run.sh").chmod(0o755)
    shop.commit({})
    return shop


def held(place: Path) -> dict[str, str]:
    """The files of an archive with their texts, as other programs unpack them; a program's has a "!" behind it."""
    if place.suffix == ".zip":
        with zipfile.ZipFile(place) as packed:
            assert packed.testzip() is None
            programs = {one.filename: one.external_attr >> 16 == 0o100755 for one in packed.infolist()}
            return {name: packed.read(name).decode() + ("!" if programs[name] else "") for name in packed.namelist()}
    target = place.parent / f"{place.name}-unpacked"
    target.mkdir()
    subprocess.run(["tar", "-xf", str(place)], cwd=target, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    found = {str(one.relative_to(target)): one for one in target.rglob("*") if one.is_file()}
    return {name: one.read_text() + ("!" if one.stat().st_mode & 0o100 else "") for name, one in found.items()}


@pytest.mark.parametrize("end", [".tar", ".tar.gz", ".tgz", ".zip"])
def test_it_holds_what_is_named_of_the_commit_and_the_files_of_other_builds(
    filled: Shop, tmp_path: Path, end: str
) -> None:
    program = tmp_path / "0123"
    program.write_text("binary\n")
    program.chmod(0o755)
    (filled.clone / "docs" / "untracked.md").touch()
    wish = archive(f"app{end}", "docs", "run.sh", "é.txt", artifacts=("app",), folder="app-1.0.0")
    kept = filled.build(wish, {"app": program})
    assert held(kept[f"app{end}"]) == {
        "app-1.0.0/docs/a.md": "a\n", "app-1.0.0/docs/sub/b.md": "b\n", "app-1.0.0/run.sh": "#!/bin/sh\n!",
        "app-1.0.0/é.txt": "é\n", "app-1.0.0/app": "binary\n!",
    }  # fmt: skip


@pytest.mark.parametrize(("include", "names"), [
    (("**",), list(ALL)), (("docs",), ["docs/a.md", "docs/sub/b.md"]), (("docs/*",), ["docs/a.md"]),
    (("**/*.md",), ["docs/a.md", "docs/sub/b.md"]), (("docs/**", "docs/a.md"), ["docs/a.md", "docs/sub/b.md"]),
    (("*.txt", "*.sh"), ["é.txt", "run.sh"]), (("src/x.py",), ["src/x.py"]),
])  # fmt: skip
def test_paths_folders_and_globs(filled: Shop, include: tuple[str, ...], names: list[str]) -> None:
    kept = filled.build(archive("app.tar", *include))
    with tarfile.open(kept["app.tar"]) as tar:
        assert tar.getnames() == sorted(names)


def test_its_bytes_are_the_same_whatever_the_clock_the_umask_and_the_order_are(filled: Shop, world: World) -> None:
    ends = (".tar", ".tar.gz", ".zip")
    first = {end: filled.build(archive(f"app{end}", "docs", "run.sh"))[f"app{end}"].read_bytes() for end in ends}
    before = os.umask(0o077)
    try:
        other = Shop(world)
        again = {end: other.build(archive(f"app{end}", "run.sh", "docs/**"), into="x")[f"app{end}"] for end in ends}
    finally:
        os.umask(before)
    assert {end: place.read_bytes() for end, place in again.items()} == first
    assert gzip.decompress(first[".tar.gz"]) == first[".tar"]
    assert first[".tar.gz"][:10] == b"\x1f\x8b\x08\x00" + b"\0" * 4 + b"\0\xff"  # RFC 1952: no name, no time, no system


def test_of_a_file_it_says_no_more_than_has_to_be_said(filled: Shop) -> None:
    kept = filled.build(archive("app.tar", "**"))
    with tarfile.open(kept["app.tar"]) as tar:
        said = {(one.uid, one.gid, one.uname, one.gname, one.mtime, one.isreg()) for one in tar}
        headers = {one.name for one in tar if one.pax_headers}
    assert said == {(0, 0, "", "", EPOCH, True)}
    assert headers == {"é.txt"}
    kept = filled.build(archive("app.zip", "**"))
    moment = datetime.fromtimestamp(EPOCH - 1, UTC)
    with zipfile.ZipFile(kept["app.zip"]) as packed:
        times = {datetime(*one.date_time, tzinfo=UTC) for one in packed.infolist()}
        assert {one.create_system for one in packed.infolist()} == {3}
    assert times == {moment}


@pytest.mark.parametrize(("wish", "said"), [
    (archive("app.tar", "docs", "nothing", "*.rs"), "has not: nothing, \\*.rs"),
    (archive("app.tar", "../README"), "has not: ../README"),
    (archive("app.tar", ".git"), "has not: .git"),
    (archive("app.tar", "README", artifacts=("README",)), "two files named README"),
])  # fmt: skip
def test_what_is_not_there_or_there_twice_is_refused(filled: Shop, wish: ArtifactWish, said: str) -> None:
    with pytest.raises(Refused, match=said):
        filled.build(wish, {"README": filled.clone / "README"} if wish.artifacts else {})
    assert list(filled.kept.iterdir()) == []


@pytest.mark.parametrize("end", [".tar", ".zip"])
def test_links_and_names_that_are_no_text_are_refused_where_they_are_named(filled: Shop, end: str) -> None:
    (filled.clone / "docs" / "out").symlink_to("/etc/passwd")
    (filled.clone / "in").symlink_to("docs")
    Path(os.fsdecode(bytes(filled.clone) + b"/src/\xff.py")).touch()
    filled.commit({})
    with pytest.raises(Refused, match="no plain file: docs/out"):
        filled.build(archive(f"app{end}", "docs"))
    with pytest.raises(Refused, match="no plain file: in"):
        filled.build(archive(f"app{end}", "in"))
    with pytest.raises(Refused, match=r"has not: in/a\.md"):
        filled.build(archive(f"app{end}", "in/a.md"))
    with pytest.raises(Refused, match="no plain file: src/"):
        filled.build(archive(f"app{end}", "src"))
    assert filled.build(archive(f"app{end}", "docs/*.md"))


@given(
    members=st.dictionaries(st.text("aé./b", min_size=1, max_size=9).filter(lambda t: all(t.split("/")) and not set(t.split("/")) & {".", ".."}), st.binary(max_size=99), max_size=6),
    epoch=st.integers(0, 2**33),
)  # fmt: skip
def test_what_is_packed_is_what_other_readers_find(
    members: dict[str, bytes], epoch: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    places = {name: folder / hashlib.sha256(name.encode()).hexdigest() for name in members}
    for name, place in places.items():
        place.write_bytes(members[name])
    all_of_them = [Member(name, place) for name, place in places.items()]
    tarball(all_of_them, folder / "x.tgz", epoch, lambda: None)
    zipped(reversed(all_of_them), folder / "x.zip", epoch, lambda: None)
    with tarfile.open(folder / "x.tgz") as tar:
        assert {one.name: tar.extractfile(one).read() for one in tar} == members  # type: ignore[union-attr]
        assert {one.mtime for one in tar} <= {epoch}
    with zipfile.ZipFile(folder / "x.zip") as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == members


def test_a_large_file_is_never_held_whole_and_ends_when_everything_ends(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    stop, read = threading.Event(), list[int]()

    def going() -> None:
        read.append(1)
        if len(read) > 64:
            stop.set()
            raise Refused("the run ends")

    for pack, name in ((tarball, "x.tar.gz"), (zipped, "x.zip")):
        read.clear()
        with pytest.raises(Refused, match="the run ends"):
            pack([Member("large", large)], tmp_path / name, EPOCH, going)
    assert stop.is_set()


def test_a_file_that_needs_64_bits_gets_them_in_a_zip(tmp_path: Path) -> None:
    """APPNOTE 4.3.9.2: the local header of such a file has sizes of all ones, and the extra field 0x0001."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate((1 << 32) + 1)
    with pytest.raises(Refused):
        zipped([Member("large", large)], tmp_path / "x.zip", EPOCH, refusing_after(1))
    with (tmp_path / "x.zip").open("rb") as file:
        head = file.read(64)
    assert struct.unpack("<II", head[18:26]) == (0xFFFFFFFF, 0xFFFFFFFF)
    assert head[30 + 5 : 30 + 7] == b"\x01\x00"


def refusing_after(pieces: int) -> Callable[[], None]:
    left = iter(range(pieces))

    def going() -> None:
        if next(left, None) is None:
            raise Refused("enough")

    return going
