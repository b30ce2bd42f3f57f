"""The room of image builders: real repositories in, one index out; the same twice; nothing that leaves the context."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from release.adapters.builders.buildah import Buildah
from release.adapters.builders.builder import Recipe
from release.adapters.builders.embedded import Embedded
from release.adapters.builders.images import ImageRoom
from release.adapters.builders.layout import Layout
from release.core.finding import Conflict
from release.core.model import ImagePart, ImageWish
from release.core.oci import INDEX
from release.errors import Refused
from release.redact import HIDE
from tests.adapters.builders.flat import configuration, document, files, manifests, named

EPOCH = 1_700_000_000
TWO = ("linux/amd64", "linux/arm64")
COPIES = 'FROM scratch\nARG TARGETARCH\nCOPY tool-$TARGETARCH /tool\nCOPY notes.txt /\nENTRYPOINT ["/tool"]\n'
SAID = {"org.opencontainers.image.version": "1.0", "org.opencontainers.image.revision": "0" * 40}
Silent = Callable[[str], None]


class Absent:
    """An engine that is not here."""

    def __init__(self, name: str) -> None:
        self.name = name

    def absent(self) -> str:
        return f"{self.name} is not on PATH"

    def lacking(self, recipe: Recipe) -> tuple[Conflict, ...]:
        raise AssertionError("nobody asks one that is not here")

    def build(self, recipe: Recipe, into: Path, say: Silent) -> None:
        raise AssertionError("nobody builds with one that is not here")

    def stop(self) -> None:
        return


class Other(Embedded):
    """Builds as an engine would, and less than it should."""

    name = "buildah"

    def lacking(self, recipe: Recipe) -> tuple[Conflict, ...]:
        return ()

    def build(self, recipe: Recipe, into: Path, say: Silent) -> None:
        less = Recipe(recipe.name, recipe.dockerfile, recipe.context, recipe.parts[:1], recipe.epoch)
        super().build(less, into, say)


class Place:
    """A repository with one commit, what is built from it, and where that is kept."""

    def __init__(self, folder: Path, contents: Mapping[str, str], links: Mapping[str, str] | None = None) -> None:
        self.folder, self.cache, self.tree = folder, folder / ".release", folder / "tree"
        for name, text in contents.items():
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / name).write_text(text)
        for name, target in (links or {}).items():
            (self.tree / name).symlink_to(target)
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "all")
        self.commit = self.git("rev-parse", "HEAD")
        self.inputs: dict[str, Path] = {}
        for arch in ("amd64", "arm64"):
            self.inputs[f"tool-{arch}"] = folder / f"made-{arch}"
            self.inputs[f"tool-{arch}"].write_text(f"the tool for {arch}\n")
            self.inputs[f"tool-{arch}"].chmod(0o755)

    def git(self, *args: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        told = subprocess.run(["git", "-C", self.tree, *who, *args], check=True, capture_output=True, text=True)
        return told.stdout.strip()

    def room(self, *builders: Any, **environment: str) -> ImageRoom:
        return ImageRoom(self.tree / ".git", self.cache, environment, builders or [Embedded(self.cache)])

    def build(self, room: ImageRoom, made: ImageWish | None = None, heard: list[str] | None = None) -> str:
        say: Silent = (heard if heard is not None else []).append
        return room.build(made or wish(), self.commit, EPOCH, SAID, self.inputs, say).digest


def wish(**changes: Any) -> ImageWish:
    parts = tuple(ImagePart(one, artifacts=(f"tool-{one.removeprefix('linux/')}",)) for one in TWO)
    return ImageWish(**{"name": "owner/tool", "tag": "1.0", "file": "Dockerfile", "context": ".", "parts": parts, **changes})  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    tmp_path.joinpath("tree").mkdir()
    return Place(tmp_path, {"Dockerfile": COPIES, "notes.txt": "notes\n", "other/file": "x"})


def test_an_image_becomes_one_index_with_an_image_for_each_platform(place: Place) -> None:
    room = place.room()
    image = room.build(
        wish(labels={"org.example.by": "us"}), place.commit, EPOCH, SAID, place.inputs, lambda line: None
    )
    assert (image.name, image.builder) == ("owner/tool", "embedded")
    assert named(room.layout, "owner/tool:1.0") == image.digest
    index = document(room.layout, image.digest)
    assert (index["mediaType"], index["annotations"]) == (INDEX, SAID)
    assert [one["platform"] for one in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"}, {"architecture": "arm64", "os": "linux"},
    ]  # fmt: skip
    for one, listed in zip(image.platforms, index["manifests"], strict=True):
        manifest = document(room.layout, one.digest)
        below = (manifest["config"], *manifest["layers"])
        assert one.digest == listed["digest"]
        assert one.size == listed["size"] + sum(blob["size"] for blob in below)
        assert manifest["annotations"] == SAID
    for arch in ("amd64", "arm64"):
        held = files(room.layout, f"linux/{arch}")
        assert sorted(held) == ["notes.txt", "tool"]
        assert held["tool"].mode == 0o755
        assert configuration(room.layout, f"linux/{arch}")["config"]["Labels"] == {**SAID, "org.example.by": "us"}


@pytest.mark.parametrize("engine", ["embedded", "buildah"])
def test_whoever_copies_the_whole_context_gets_the_files_of_his_platform_alone(tmp_path: Path, engine: str) -> None:
    (tmp_path / "tree").mkdir()
    place = Place(tmp_path, {"Dockerfile": "FROM scratch\nCOPY . /all/\n", "notes.txt": "notes\n"})
    builder = Buildah(os.environ) if engine == "buildah" else Embedded(place.cache)
    if why := builder.absent():
        pytest.skip(f"{why}; scripts/images installs it")
    room, both = place.room(builder), wish(builder=engine)
    whole = room.build(both, place.commit, EPOCH, SAID, place.inputs, lambda line: None)
    for number, arch in enumerate(("amd64", "arm64")):
        held = files(room.layout, f"linux/{arch}")
        assert sorted(held) == ["all", "all/Dockerfile", "all/notes.txt", f"all/tool-{arch}"]
        alone = wish(builder=engine, parts=both.parts[number : number + 1])  # as the machine of a shard does
        mine = {f"tool-{arch}": place.inputs[f"tool-{arch}"]}
        made = room.build(alone, place.commit, EPOCH, SAID, mine, lambda line: None)
        assert made.platforms == whole.platforms[number : number + 1]
        room.build(both, place.commit, EPOCH, SAID, place.inputs, lambda line: None)  # it takes the name again


def test_what_every_platform_has_is_one_layer(place: Place) -> None:
    room = place.room()
    place.build(room)
    first, second = ([layer["digest"] for layer in one["layers"]] for one in manifests(room.layout).values())
    assert (len(first), len(second), len({*first, *second})) == (2, 2, 3)


def test_skopeo_reads_and_copies_it(place: Place, tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not here; scripts/images installs it")
    room = place.room()
    digest = place.build(room)
    source = f"oci:{room.layout}:owner/tool:1.0"
    said = subprocess.run(["skopeo", "inspect", source], check=True, capture_output=True, timeout=60).stdout
    assert json.loads(said)["Digest"] == digest
    copied = f"dir:{tmp_path / 'copied'}"
    subprocess.run(["skopeo", "copy", "--quiet", "--all", "--preserve-digests", source, copied], check=True, timeout=60)
    assert json.loads((tmp_path / "copied/manifest.json").read_text()) == document(room.layout, digest)


def test_buildah_takes_it_for_a_base(place: Place, tmp_path: Path) -> None:
    if why := Buildah(os.environ).absent():
        pytest.skip(f"{why}; scripts/images installs it")
    room = place.room()
    place.build(room)
    layout = shutil.copytree(room.layout, tmp_path / "layout")  # what begins with a dot is no name for buildah
    storage = ["--storage-driver", "vfs", "--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run")]
    from_it = ["buildah", *storage, "from", "--quiet", f"oci:{layout}:owner/tool:1.0"]
    name = subprocess.run(from_it, check=True, capture_output=True, text=True, timeout=120).stdout.strip()
    said = subprocess.run(["buildah", *storage, "inspect", name], check=True, capture_output=True, timeout=60).stdout
    assert json.loads(said)["OCIv1"]["config"]["Entrypoint"] == ["/tool"]


def test_the_same_commit_on_another_machine_gives_the_same_digest(place: Place, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    subprocess.run(["git", "clone", "--quiet", place.tree, tmp_path / "elsewhere/tree"], check=True)
    cache = tmp_path / "elsewhere/.release"
    other = ImageRoom(tmp_path / "elsewhere/tree/.git", cache, {}, [Embedded(cache, workers=5)])
    mask = os.umask(0o077)
    try:
        there = other.build(wish(), place.commit, EPOCH, SAID, place.inputs, lambda line: None)
    finally:
        os.umask(mask)
    assert there.digest == place.build(place.room())


def test_what_was_built_is_not_built_again_while_it_is_whole(place: Place) -> None:
    first, again, anew = [list[str]() for _ in range(3)]
    digest = place.build(place.room(), heard=first)
    assert place.build(place.room(), heard=again) == digest
    assert (len(first), again) == (3, [])
    layer = manifests(place.cache / "oci")["linux/amd64"]["layers"][0]["digest"]
    (place.cache / "oci/blobs/sha256" / layer.removeprefix("sha256:")).unlink()
    assert place.build(place.room(), heard=anew) == digest
    assert len(anew) == 3
    assert place.room().whole(digest)


@pytest.mark.parametrize("change", ["epoch", "annotations", "input", "program", "wish"])
def test_other_inputs_are_another_image(place: Place, change: str) -> None:
    room = place.room()
    old = place.build(room)
    if change == "input":
        place.inputs["tool-arm64"].write_text("another tool\n")
    if change == "program":
        place.inputs["tool-arm64"].chmod(0o644)
    made = wish(labels={"a": "b"}) if change == "wish" else wish()
    epoch, said = EPOCH + (change == "epoch"), {**SAID, **({"a": "b"} if change == "annotations" else {})}
    assert room.build(made, place.commit, epoch, said, place.inputs, lambda line: None).digest != old


def test_a_layer_that_was_compressed_before_is_linked(place: Place) -> None:
    room = place.room()
    place.build(room)
    (first,) = [path for path in (place.cache / "oci/blobs/sha256").iterdir() if path.name in layers(place)][:1]
    inode, stamp = first.stat().st_ino, first.stat().st_mtime_ns
    room.build(wish(labels={"new": "label"}), place.commit, EPOCH, SAID, place.inputs, lambda line: None)
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (inode, stamp)


def layers(place: Place) -> list[str]:
    layout = Layout(place.cache / "oci")
    index = document(layout.folder, named(layout.folder, "owner/tool:1.0"))
    image = document(layout.folder, index["manifests"][0]["digest"])
    return [layer["digest"].removeprefix("sha256:") for layer in image["layers"]]


@pytest.mark.parametrize(
    ("changes", "links", "said"),
    [
        ({"file": "nothing"}, {}, "nothing is no file of the commit"),
        ({"file": "../Dockerfile"}, {}, "../Dockerfile leads out of the repository"),
        ({"file": "/etc/passwd"}, {}, "/etc/passwd leads out of the repository"),
        ({"file": "out"}, {"out": "../made-amd64"}, "out leads out of the repository"),
        ({"context": "out"}, {"out": "/etc"}, "out leads out of the repository"),
        ({"context": "nothing"}, {}, "the context nothing is no folder of the commit"),
        ({"context": "notes.txt"}, {}, "the context notes.txt is no folder of the commit"),
        ({"context": "../.."}, {}, "../.. leads out of the repository"),
        ({"file": "runs"}, {}, "line 2 of runs is RUN, which the embedded builder does not do"),
        ({"builder": "embedded", "file": "runs"}, {}, "line 2 of runs is RUN, which the embedded builder does not do"),
        ({"builder": "podman"}, {}, "there is no builder podman"),
        ({}, {"folder/up": "../../outside"}, "folder/up in the context is a link to ../../outside, which is outside of it"),
        ({"context": "folder"}, {"folder/up": "../notes.txt"}, "up in the context is a link to ../notes.txt"),
        ({}, {"there": "/etc/passwd"}, "there in the context is a link to /etc/passwd, which is outside of it"),
        ({}, {"tool-amd64": "notes.txt"}, "tool-amd64 lies in the context already, and is an artifact, too"),
        ({"parts": (ImagePart("linux/amd64"),)}, {}, "line 3 of Dockerfile: copies tool-amd64, which is not in the context"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_told_before_and_refused(
    tmp_path: Path, changes: dict[str, Any], links: dict[str, str], said: str
) -> None:
    (tmp_path / "tree").mkdir()
    contents = {"Dockerfile": COPIES, "notes.txt": "", "runs": "FROM scratch\nRUN make\n", "folder/x": ""}
    place = Place(tmp_path, contents, links)
    if "parts" in changes:
        place.inputs.clear()
    room = place.room()
    (conflict,) = room.lacking(wish(**changes), place.commit)
    assert conflict.why.startswith("image owner/tool: ")
    assert said in conflict.why
    with pytest.raises(Refused) as caught:
        place.build(room, wish(**changes))
    assert said in caught.value.message
    assert not (place.cache / "oci/index.json").exists()


def test_a_link_that_leaves_is_no_matter_where_it_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    contents = {"Dockerfile": COPIES, "notes.txt": "", ".dockerignore": "tests\n", "tests/x": ""}
    place = Place(tmp_path, contents, {"tests/link": "/etc/passwd"})
    assert place.room().lacking(wish(), place.commit) == ()


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "-x", "", "a b", "..", "a\n"])
def test_an_input_is_a_plain_file_name(place: Place, name: str) -> None:
    place.inputs[name] = place.inputs["tool-amd64"]
    with pytest.raises(Refused, match="is no name of a file"):
        place.build(place.room())
    assert not (place.folder / "evil").exists()


def test_nothing_of_git_is_in_the_context(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    place = Place(tmp_path, {"Dockerfile": "FROM scratch\nCOPY . /\n", "a": ""})
    place.build(place.room(), wish(parts=(ImagePart("linux/amd64"),)))
    assert sorted(files(place.cache / "oci", "linux/amd64")) == ["Dockerfile", "a", "tool-amd64", "tool-arm64"]


RUNS = {"Dockerfile": COPIES, "runs": "FROM scratch\nCOPY a /\nRUN make\n", "a": "", "wrong": "FROM scratch\nCOPY x\n"}


@pytest.fixture
def mixed(tmp_path: Path) -> Place:
    (tmp_path / "tree").mkdir()
    return Place(tmp_path, {**RUNS, "notes.txt": ""})


def test_the_builder_is_chosen_by_what_is_needed_and_what_is_here(mixed: Place) -> None:
    own, here = Embedded(mixed.cache), Other(mixed.cache)
    room = mixed.room(here, own, Absent("podman"), Absent("buildx"))
    assert room.chosen(wish(), mixed.commit) == ("embedded", "embedded: it knows every line, and needs no engine")
    assert room.chosen(wish(file="runs"), mixed.commit) == (
        "buildah",
        "buildah: line 3 of runs is RUN, which the embedded builder does not do; buildx is not on PATH",
    )
    assert room.chosen(wish(builder="buildah"), mixed.commit)[1] == "buildah: [[image]] builder says so"


def test_no_engine_for_what_needs_one_is_told_with_all_that_are_absent(mixed: Place) -> None:
    room = mixed.room(Embedded(mixed.cache), Absent("podman"), Absent("buildx"), Absent("buildah"))
    (conflict,) = room.lacking(wish(file="runs"), mixed.commit)
    assert conflict.rule == "builder-missing"
    assert conflict.why.endswith("; buildx is not on PATH; buildah is not on PATH; podman is not on PATH")
    with pytest.raises(Refused, match="line 3 of runs is RUN"):
        room.chosen(wish(file="runs"), mixed.commit)


def test_what_nobody_can_build_is_given_to_no_engine(mixed: Place) -> None:
    room = mixed.room(Other(mixed.cache), Embedded(mixed.cache))
    (conflict,) = room.lacking(wish(file="wrong"), mixed.commit)
    assert (conflict.rule, conflict.why) == (
        "image-unbuildable", "image owner/tool: line 2 of wrong: COPY needs what to copy and where to",
    )  # fmt: skip


def test_a_platform_that_was_not_made_is_told(mixed: Place) -> None:
    room = mixed.room(Other(mixed.cache))
    with pytest.raises(
        Refused, match=r"buildah made image owner/tool for linux/amd64, and not for linux/amd64, linux/arm64"
    ):
        mixed.build(room, wish(builder="buildah"))
    assert not (mixed.cache / "oci/index.json").exists()


def test_a_secret_that_is_not_set_is_told_and_one_that_is_set_is_hidden(mixed: Place) -> None:
    made = wish(file="runs", builder="buildah", secrets={"token": "env:NPM_TOKEN"})
    (conflict,) = mixed.room(Other(mixed.cache)).lacking(made, mixed.commit)
    assert (conflict.rule, conflict.remedy) == ("secret-missing", "set NPM_TOKEN")
    with pytest.raises(Refused, match="NPM_TOKEN is not set"):
        mixed.build(mixed.room(Other(mixed.cache)), made)
    assert mixed.room(Other(mixed.cache), NPM_TOKEN="hunter2hunter2").lacking(made, mixed.commit) == ()
    assert "hunter2" not in HIDE.redacted("it is hunter2hunter2")


def test_a_stopped_build_ends_and_leaves_nothing(place: Place) -> None:
    own = Embedded(place.cache)
    room = place.room(own)
    room.stop()
    with pytest.raises(Refused, match="the build was stopped"):
        place.build(room)
    assert list((place.cache / "making").iterdir()) == []


KILLED = """
import sys
from pathlib import Path
from release.adapters.builders.embedded import Embedded
from release.adapters.builders.images import ImageRoom
from release.core.model import ImagePart, ImageWish
git, cache, commit, large = sys.argv[1:]
room = ImageRoom(Path(git), Path(cache), {}, [Embedded(Path(cache), 1)])
wish = ImageWish("a", "1", "Dockerfile", ".", (ImagePart("linux/amd64", artifacts=("large",)),))
print("begun", flush=True)
print(room.build(wish, commit, 1, {}, {"large": Path(large)}, lambda line: None).digest)
"""


def test_a_build_that_was_killed_is_made_whole_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    place = Place(tmp_path, {"Dockerfile": "FROM scratch\nCOPY large /\n"})
    (tmp_path / "large").write_bytes(b"".join(b"%d " % number for number in range(800_000)))

    def started(cache: Path) -> subprocess.Popen[bytes]:
        argv = [
            sys.executable,
            "-c",
            KILLED,
            str(place.tree / ".git"),
            str(cache),
            place.commit,
            str(tmp_path / "large"),
        ]
        return subprocess.Popen(argv, stdout=subprocess.PIPE)

    with started(place.cache) as killed:
        making = place.cache / "making"
        while killed.poll() is None and not any(path.stat().st_size for path in making.rglob("part-*")):
            time.sleep(0.001)  # until a part of the layer is on the disk
        assert killed.poll() is None
        killed.send_signal(signal.SIGKILL)
    assert not (place.cache / "oci/index.json").exists()
    with started(place.cache) as again, started(tmp_path / "undisturbed") as other:
        assert again.stdout is not None
        assert other.stdout is not None
        assert again.stdout.read() == other.stdout.read() != b"begun\n"
