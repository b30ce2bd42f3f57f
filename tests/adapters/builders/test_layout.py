"""An OCI layout on disk: written all or nothing, by many at once, and read by skopeo."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from release.adapters.builders.layout import NAME, PART, STALE, Layout, document_of
from release.core.oci import CONFIG, INDEX, LAYER, MANIFEST, Descriptor, ImageManifest, Index, Platform, written
from release.errors import Refused


def filled(layout: Layout, seed: bytes = b"layer") -> Descriptor:
    """An index with one image in a layout."""
    config = Descriptor(CONFIG, *layout.put([b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}']))
    layer = Descriptor(LAYER, *layout.put([seed, b" in pieces"]))
    image = layout.write(written(ImageManifest(config, (layer,))))
    entry = Descriptor(image.mediaType, image.digest, image.size, platform=Platform("amd64", "linux"))
    return layout.write(written(Index((entry,))))


def layer_of(layout: Layout) -> Path:
    return layout.path(f"sha256:{sha256(b'layer in pieces').hexdigest()}")


def test_a_layout_is_as_the_specification_has_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "oci")
    index = filled(layout)
    layout.name("owner/name:1", index)
    assert json.loads((tmp_path / "oci/oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    listed = json.loads((tmp_path / "oci/index.json").read_text())
    assert (listed["schemaVersion"], listed["mediaType"]) == (2, INDEX)
    (entry,) = listed["manifests"]
    assert entry == {
        "mediaType": INDEX,
        "digest": index.digest,
        "size": index.size,
        "annotations": {NAME: "owner/name:1"},
    }
    for blob in (tmp_path / "oci/blobs/sha256").iterdir():
        assert sha256(blob.read_bytes()).hexdigest() == blob.name
    assert sorted(path.name for path in (tmp_path / "oci/blobs").iterdir()) == ["sha256"]


def test_skopeo_finds_an_image_by_its_name(tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not here; scripts/images installs it")
    layout = Layout(tmp_path / "oci")
    index = filled(layout)
    layout.name("owner/name:1.0", index)
    layout.name("other:1.0", filled(layout, b"other"))
    told = subprocess.run(
        ["skopeo", "inspect", "--raw", f"oci:{layout.folder}:owner/name:1.0"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert f"sha256:{sha256(told.stdout).hexdigest()}" == index.digest


def test_a_name_moves_and_others_stay(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    old, new = filled(layout), filled(layout, b"new")
    layout.name("a:1", old)
    layout.name("b:1", old)
    layout.name("a:1", new)
    assert {one.annotations[NAME]: one.digest for one in layout.entries()} == {"a:1": new.digest, "b:1": old.digest}
    assert layout.whole(old.digest)


def test_whole_is_what_has_everything_below_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    index = filled(layout)
    assert layout.whole(index.digest)
    place = layer_of(layout)
    content = place.read_bytes()
    place.write_bytes(content[:-1])
    assert not layout.whole(index.digest)
    place.unlink()
    assert not layout.whole(index.digest)
    assert not layout.whole("sha256:" + "0" * 64)
    assert not layout.whole("../../etc/passwd")


def test_a_document_of_other_bytes_is_none(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    index = filled(layout)
    place = layout.path(index.digest)
    place.write_bytes(place.read_bytes().replace(b"amd64", b"arm64"))
    assert layout.document(index.digest) is None
    assert not layout.whole(index.digest)


def test_what_is_taken_over_is_compared_with_its_digest(tmp_path: Path) -> None:
    other, layout = Layout(tmp_path / "other"), Layout(tmp_path / "ours")
    index = filled(other)
    layer_of(other).write_bytes(b"layer in piecez")
    with pytest.raises(Refused, match="not what its name says"):
        layout.take(index.digest, other)
    assert layout.document(index.digest) is None, "children come first"
    layer_of(other).write_bytes(b"layer in pieces")
    layout.take(index.digest, other)
    assert layout.whole(index.digest)
    assert layer_of(layout).samefile(layer_of(other))


def test_what_is_missing_in_another_layout_is_told(tmp_path: Path) -> None:
    other, layout = Layout(tmp_path / "other"), Layout(tmp_path / "ours")
    index = filled(other)
    layer_of(other).unlink()
    with pytest.raises(Refused, match="cannot be read: No such file"):
        layout.take(index.digest, other)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"manifests":[]}', INDEX), (b'{"layers":[]}', MANIFEST), (b'{"mediaType":"x/y"}', "x/y"), (b"{}", None),
        (b"[]", None), (b"\xff", None), (b'{"mediaType":1}', None),
    ],
)  # fmt: skip
def test_a_document_is_what_it_says(content: bytes, kind: str | None) -> None:
    found = document_of(content)
    assert (found.media_type if found else None) == kind


NAMING = """
import sys
from pathlib import Path
from release.adapters.builders.layout import Layout
from release.core.oci import INDEX, Descriptor
for number in range(20):
    Layout(Path(sys.argv[1])).name(f"{sys.argv[2]}:{number}", Descriptor(INDEX, "sha256:" + "0" * 64, 1))
"""


def test_no_name_is_lost_where_several_write(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", NAMING, tmp_path, name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    wanted = {f"{name}:{number}" for name in "abc" for number in range(20)}
    assert {one.annotations[NAME] for one in Layout(tmp_path).entries()} == wanted


HOLDING = """
import signal, sys
from pathlib import Path
from release.adapters.builders.layout import Layout
with Layout(Path(sys.argv[1]))._locked():
    print("held", flush=True)
    signal.pause()
"""


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDING, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGKILL)
    layout = Layout(tmp_path)
    layout.name("a:1", filled(layout))
    assert layout.named("a:1") is not None


def test_what_a_killed_run_left_half_written_goes_after_a_while(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    filled(layout)
    old, new = (tmp_path / "blobs" / f"{PART}{name}" for name in ("old", "new"))
    for place in (old, new):
        place.write_bytes(b"half")
    os.utime(old, times=(new.stat().st_mtime - 2 * STALE,) * 2)
    layout.put([b"more"])
    assert (old.exists(), new.exists()) == (False, True)


FULL = """
import resource, signal, sys
from pathlib import Path
from release.adapters.builders.layout import Layout
from release.errors import Refused
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    Layout(Path(sys.argv[1])).put([bytes(1 << 19)] * 4)
except Refused as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_is_told_and_left_clean(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"cannot write {tmp_path}: File too large; ")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
