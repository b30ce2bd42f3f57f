"""The engines that are installed here, each held to the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release.adapters.builders.buildah import Buildah
from release.adapters.builders.builder import Recipe
from release.adapters.builders.buildx import Buildx
from release.adapters.builders.engine import Engine
from release.adapters.builders.podman import Podman
from release.core.model import ImagePart
from release.errors import Refused
from release.redact import HIDE

EPOCH = 1_700_000_000  # 2023-11-14T22:13:20Z
SECRET = "ghs_notforanybodyelse"
ENGINES = [Buildah, Podman, Buildx]
AMD64, ARM64 = "linux/amd64", "linux/arm64"
COPIES = "FROM scratch\nARG WHO=nobody\nARG TARGETARCH\nCOPY app /app\nENV MADE_FOR=$WHO-$TARGETARCH\n"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, workplace: Path) -> Engine:
    made: Engine = request.param(os.environ)
    if why := made.absent():
        pytest.skip(f"{why}{'; scripts/images installs it' if made.name == 'buildah' else ''}")
    return made


@pytest.fixture
def workplace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made; podman takes no long path."""
    with tempfile.TemporaryDirectory(prefix="sl-", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def context(folder: Path, dockerfile: str, **files: str) -> Path:
    """A context with these files, made now."""
    folder.mkdir()
    for name, text in {"app": "an app\n", **files, "Dockerfile": dockerfile}.items():
        (folder / name).write_text(text)
    return folder


def recipe(place: Path, parts: tuple[ImagePart, ...] = (ImagePart(AMD64),), **more: Any) -> Recipe:
    return Recipe("app", place / "Dockerfile", place, parts, EPOCH, **more)


def with_shell(folder: Path, dockerfile: str) -> Path:
    """A context with this machine's shell and what it is linked with, so that nothing has to be fetched to run it."""
    place = context(folder, dockerfile)
    shell = Path("/bin/sh").resolve()
    linked = subprocess.run(["ldd", shell], check=True, capture_output=True, text=True).stdout
    for file in re.findall(r"(/\S+) \(0x", linked):
        target = place / "root" / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (place / "root" / "bin").mkdir(exist_ok=True)
    shutil.copy(shell, place / "root" / "bin" / "sh")
    return place


def here() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
    return f"linux/{machine}" if machine else pytest.skip("a machine that these tests do not know")


def read(layout: Path, digest: str) -> Any:
    return json.loads((layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes())


def manifests(layout: Path) -> dict[str, str]:
    """Platform -> digest, as the index names them."""
    index = json.loads((layout / "index.json").read_bytes())
    found = {}
    for one in index["manifests"]:
        named = one["platform"]
        found["/".join(filter(None, (named["os"], named["architecture"], named.get("variant", ""))))] = one["digest"]
    return found


def configuration(layout: Path, platform: str) -> Any:
    return read(layout, read(layout, manifests(layout)[platform])["config"]["digest"])


def built(engine: Engine, wanted: Recipe, into: Path) -> Path:
    engine.build(wanted, into, lambda line: None)
    return into


def test_each_platform_gets_a_manifest_whose_layers_hold_the_files(engine: Engine, tmp_path: Path) -> None:
    place = context(tmp_path / "context", COPIES)
    layout = built(engine, recipe(place, (ImagePart(AMD64), ImagePart(ARM64))), tmp_path / "out")
    assert sorted(manifests(layout)) == [AMD64, ARM64]
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    for platform in (AMD64, ARM64):
        config, arch = configuration(layout, platform), platform.removeprefix("linux/")
        assert (config["os"], config["architecture"]) == ("linux", arch)
        assert f"MADE_FOR=nobody-{arch}" in config["config"]["Env"]
        (layer,) = read(layout, manifests(layout)[platform])["layers"]
        with tarfile.open(layout / "blobs" / "sha256" / layer["digest"].removeprefix("sha256:")) as tar:
            member = tar.getmember("app")
            held = tar.extractfile(member)
            assert held is not None
            assert (held.read(), member.mtime) == (b"an app\n", EPOCH)


def test_a_layout_can_be_read_by_skopeo(engine: Engine, tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not here; scripts/images installs it")
    layout = built(engine, recipe(context(tmp_path / "context", COPIES)), tmp_path / "out")
    copied = tmp_path / "copied"
    argv = ["skopeo", "copy", "--quiet", "--preserve-digests", f"oci:{layout}", f"dir:{copied}"]
    subprocess.run(argv, check=True, timeout=60)
    assert json.loads((copied / "manifest.json").read_text()) == read(layout, manifests(layout)[AMD64])


def test_arguments_are_a_platforms_own_and_labels_are_everybodys(engine: Engine, tmp_path: Path) -> None:
    parts = (ImagePart(AMD64, {"WHO": "a, b=c"}), ImagePart("linux/arm/v7", {"WHO": "other"}), ImagePart("linux/s390x", {"WHO": "other"}))  # fmt: skip
    place = context(tmp_path / "context", COPIES)
    layout = built(engine, recipe(place, parts, labels={"org.example.said": 'a "quote", and = more'}), tmp_path / "out")
    assert sorted(manifests(layout)) == [AMD64, "linux/arm/v7", "linux/s390x"]
    expected = {AMD64: "a, b=c-amd64", "linux/arm/v7": "other-arm", "linux/s390x": "other-s390x"}
    for platform, text in expected.items():
        config = configuration(layout, platform)["config"]
        assert f"MADE_FOR={text}" in config["Env"]
        assert config["Labels"] == {"org.example.said": 'a "quote", and = more'}


def test_the_same_context_at_another_time_gives_the_same_digests(engine: Engine, tmp_path: Path) -> None:
    parts = (ImagePart(AMD64), ImagePart(ARM64, {"WHO": "other"}))
    found: list[tuple[dict[str, str], str, list[str]]] = []
    for name in ("first", "second"):
        began = time.time()
        place = context(tmp_path / name, COPIES + 'LABEL x=y\nENTRYPOINT ["/app"]\n')
        changed = 1_600_000_000 + len(found)  # long before the epoch, as where a clock is wrong
        os.utime(place / "app", (changed, changed))
        layout = built(engine, recipe(place, parts), tmp_path / f"{name}-out")
        found.append((manifests(layout), configuration(layout, AMD64)["created"], blobs(layout)))
        while not found[1:] and int(time.time()) == int(began):  # an image would tell the clock's second
            time.sleep(0.05)
    assert found[0] == found[1]
    assert found[0][1] == "2023-11-14T22:13:20Z"


def test_a_command_that_runs_gives_the_same_digests_too(engine: Engine, tmp_path: Path) -> None:
    said = 'FROM scratch\nCOPY root /\nRUN echo "made" > /made\n'
    layouts = [
        built(engine, recipe(with_shell(tmp_path / name, said), (ImagePart(here()),)), tmp_path / f"{name}-out")
        for name in ("first", "second")
    ]
    assert blobs(layouts[0]) == blobs(layouts[1])
    assert files(layouts[0])["made"] == b"made\n"


def test_a_secret_is_there_for_a_command_and_nowhere_else(engine: Engine, tmp_path: Path, workplace: Path) -> None:
    said = "FROM scratch\nCOPY root /\n" + (
        "RUN --mount=type=secret,id=login read -r key < /run/secrets/login || true; "
        'echo "${#key}" > /length; echo "it is $key"\n'
    )
    wanted = recipe(with_shell(tmp_path / "context", said), (ImagePart(here()),), secrets={"login": SECRET})
    told: list[str] = []
    engine.build(wanted, tmp_path / "out", told.append)
    assert files(tmp_path / "out")["length"] == b"21\n"  # what `printf %s ghs_notforanybodyelse | wc -c` says
    assert any("it is ***" in line for line in told)
    assert not any(SECRET in line for line in told)
    for blob in (tmp_path / "out").rglob("*"):
        assert not blob.is_file() or SECRET.encode() not in unpacked(blob)
    assert list(workplace.iterdir()) == []


def test_the_environment_of_an_engine_has_no_token_and_no_secret_is_in_its_arguments(
    tmp_path: Path, workplace: Path
) -> None:
    """A program that stands in for the engine tells what it was given."""
    fake = tmp_path / "bin" / "buildah"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nprintf "arg %s\\n" "$@"\nenv\nstat -c "mode %a" {workplace}/*/secret-0\nexit 3\n')
    fake.chmod(0o755)
    (tmp_path / "config.json").write_text("{}")
    logins = {"DOCKER_CONFIG": str(tmp_path), "REGISTRY_AUTH_FILE": "/auth.json", "HOME": "/home/me"}
    path = f"{fake.parent}:{os.environ['PATH']}"
    environment = {**logins, "GITHUB_TOKEN": "t0k3n-of-ours", "SOURCE_DATE_EPOCH": "1", "PATH": path}
    engine = Buildah(environment)
    wanted = recipe(context(tmp_path / "context", COPIES), secrets={"login": SECRET})
    told: list[str] = []
    with pytest.raises(Refused, match=r"image app: buildah ended with exit code 3: .*mode 600"):
        engine.build(wanted, tmp_path / "out", told.append)
    text = "\n".join(told)
    assert all(f"{name}={value}" in told for name, value in logins.items())
    assert not any(word in text for word in ("t0k3n", SECRET, "SOURCE_DATE_EPOCH"))
    assert any(re.fullmatch(rf"TMPDIR={workplace}/[^/]+", line) for line in told)
    assert any(re.fullmatch(rf"arg id=login,src={workplace}/[^/]+/secret-0", line) for line in told)
    assert HIDE.redacted(SECRET) == "***"
    assert list(workplace.iterdir()) == []


def test_a_build_that_fails_tells_how_it_ended(engine: Engine, tmp_path: Path, workplace: Path) -> None:
    place = context(tmp_path / "context", "FROM scratch\nCOPY nothing /\n")
    told: list[str] = []
    with pytest.raises(Refused, match=rf"image app: {engine.name} ended with exit code [0-9]+: .*nothing") as refused:
        engine.build(recipe(place), tmp_path / "out", told.append)
    assert "choose another [[image]] builder" in refused.value.remedy
    assert any("COPY nothing" in line for line in told)
    assert list(workplace.iterdir()) == []


def test_what_runs_ends_when_it_is_stopped_with_all_that_it_started(
    engine: Engine, tmp_path: Path, workplace: Path
) -> None:
    said = "FROM scratch\nCOPY root /\nRUN echo sluice-begun; while :; do :; done\n"
    wanted = recipe(with_shell(tmp_path / "context", said), (ImagePart(here()),))

    def say(line: str) -> None:
        if "sluice-begun" in line and "RUN" not in line:
            threading.Thread(target=engine.stop).start()

    with pytest.raises(Refused, match="signal 9"):
        engine.build(wanted, tmp_path / "out", say)
    assert list(workplace.iterdir()) == []
    assert not busy(str(workplace))
    with pytest.raises(Refused, match="signal 9"):
        engine.build(wanted, tmp_path / "again", say)


def test_a_folder_of_logins_without_any_is_no_reason_to_fail(tmp_path: Path, workplace: Path) -> None:
    engine = Buildah({**os.environ, "DOCKER_CONFIG": str(tmp_path)})
    if why := engine.absent():
        pytest.skip(f"{why}; scripts/images installs it")
    layout = built(engine, recipe(context(tmp_path / "context", COPIES)), tmp_path / "out")
    assert list(manifests(layout)) == [AMD64]


def test_a_program_that_is_not_here_is_said_to_be_absent(tmp_path: Path) -> None:
    assert Buildah({"PATH": str(tmp_path)}).absent() == "buildah is not on PATH"


def test_an_engine_that_cannot_work_here_says_why(tmp_path: Path) -> None:
    fake = tmp_path / "podman"
    fake.write_text('#!/bin/sh\necho "Error: unknown flag: --root" >&2\nexit 125\n')
    fake.chmod(0o755)
    assert Podman({"PATH": str(tmp_path)}).absent() == "podman cannot work here: Error: unknown flag: --root"


def test_a_program_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release.adapters.builders.engine.PATIENCE", 0.3)
    fake = tmp_path / "buildah"
    fake.write_text("#!/bin/sh\nsleep 600\n")
    fake.chmod(0o755)
    engine = Buildah({"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert engine.absent() == "buildah cannot work here: it printed nothing"


def test_a_program_of_another_machine_is_said_to_be_unusable(tmp_path: Path) -> None:
    fake = tmp_path / "buildah"
    fake.write_bytes(b"\x7fELF of another machine")
    fake.chmod(0o755)
    assert (
        Buildah({"PATH": str(tmp_path)})
        .absent()
        .startswith("buildah cannot be asked: buildah: `buildah` cannot be run")
    )


def blobs(layout: Path) -> list[str]:
    return sorted(place.name for place in (layout / "blobs" / "sha256").iterdir())


def files(layout: Path) -> dict[str, bytes]:
    """The plain files of all layers of an image for one platform."""
    found: dict[str, bytes] = {}
    (digest,) = manifests(layout).values()
    for layer in read(layout, digest)["layers"]:
        with tarfile.open(layout / "blobs" / "sha256" / layer["digest"].removeprefix("sha256:")) as tar:
            for member in tar:
                held = tar.extractfile(member) if member.isfile() else None
                found |= {member.name: held.read()} if held is not None else {}
    return found


def unpacked(blob: Path) -> bytes:
    """A blob's bytes, without the compression of layers."""
    content = blob.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        return subprocess.run(["gzip", "-dc"], input=content, check=True, capture_output=True).stdout
    return content


def busy(text: str) -> list[str]:
    """The processes whose command line names something."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if text in said:
            found.append(said)
    return found
