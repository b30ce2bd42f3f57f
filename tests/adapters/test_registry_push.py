"""What is brought to registries is there, to the byte, whatever breaks on the way; the same on every registry."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from release.adapters.http import Http
from release.adapters.registry import Registries
from release.core.oci import CONFIG, EMPTY, INDEX, LAYER, MANIFEST
from release.core.reference import Reference
from release.errors import Refused, Unseen
from release.redact import Redactor
from tests.registries import REAL, Made, Running, image, registry

KIND = "application/vnd.in-toto+json"
NUMBERS = count(1)


@dataclass
class Bench:
    """A registry that runs, and clients of it; `name` is of a repository that nobody had before."""

    running: Running
    folder: Path
    https: list[Http]

    def client(self, login: bool = True, hide: Redactor | None = None, **how: Any) -> Registries:
        """One that has asked nothing yet."""
        docker = self.folder / f"docker-{next(NUMBERS)}"
        docker.mkdir()
        if login:
            (docker / "config.json").write_text(json.dumps(self.running.docker))
        hide = hide or Redactor()
        self.https.append(Http({}, hide, backoff=0.001, patience=1.0, **how))
        return Registries.at({"DOCKER_CONFIG": str(docker)}, hide, self.https[-1])

    def fresh(self, tag: str = "1") -> Reference:
        return Reference(self.running.host, f"owner/tool-{next(NUMBERS)}", tag)

    def image(self, size: int = 4000) -> Made:
        number = next(NUMBERS)
        return image(self.folder / f"layout-{number}", f"seed {number}", size)

    def skopeo(self, *words: str, where: str = "") -> bytes:
        """What skopeo prints; it has a look at everything by itself."""
        if shutil.which("skopeo") is None:
            pytest.skip("skopeo is not here; scripts/ci-packages installs it")
        found = [f"--{where}tls-verify=false"]
        if self.running.login is not None:
            found.append(f"--{where}creds={':'.join(self.running.login)}")
        argv = ["skopeo", words[0], *found, *words[1:]]
        ended = subprocess.run(argv, capture_output=True, check=False, timeout=60)
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout


@pytest.fixture(scope="module", params=REAL)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with REAL[request.param](tmp_path_factory.mktemp("registry")) as one:
        yield one


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Callable[[Running], Bench]]:
    https: list[Http] = []
    yield lambda running: Bench(running, tmp_path, https)
    for one in https:
        one.close()


@pytest.fixture
def bench(running: Running, open_bench: Callable[[Running], Bench]) -> Bench:
    return open_bench(running)


def nothing(_: str) -> None:
    pass


def at(reference: Reference, tag: str) -> Reference:
    return Reference(reference.registry, reference.name, tag)


# On every registry.


def test_an_image_is_there_as_it_was_in_the_layout(bench: Bench) -> None:
    made, target = bench.image(), bench.fresh()
    bench.client().push(made.layout, made.digest, target, nothing)
    looking = bench.client()
    assert looking.digest(str(target)) == made.digest
    assert looking.missing(target, made.digest) == ()
    for digest in (*made.kind(INDEX), *made.kind(MANIFEST)):
        document = looking.document(target, digest)
        assert document is not None
        assert document.content == made.content[digest]
    for digest in made.kind(""):
        assert b"".join(looking.blob(target, digest)) == made.content[digest]


def test_skopeo_reads_what_we_wrote(bench: Bench) -> None:
    made, target = bench.image(), bench.fresh()
    bench.client().push(made.layout, made.digest, target, nothing)
    assert bench.skopeo("inspect", "--raw", f"docker://{target}").strip() == made.content[made.digest].strip()
    out = bench.folder / "out"
    bench.skopeo("copy", "--all", "--preserve-digests", f"docker://{target}", f"oci:{out}:x", where="src-")
    found = {f"sha256:{one.name}" for one in (out / "blobs" / "sha256").iterdir()}
    assert found == set(made.content)


def test_what_skopeo_wrote_is_read_by_us(bench: Bench) -> None:
    made, target = bench.image(), bench.fresh()
    bench.skopeo("copy", "--all", "--preserve-digests", f"oci:{made.layout}", f"docker://{target}", where="dest-")
    document = bench.client().document(target)
    assert document is not None
    assert document.digest == made.digest
    assert bench.client().missing(target, made.digest) == ()


def test_what_is_there_is_not_sent_again_and_what_another_repository_has_is_mounted(bench: Bench) -> None:
    made, target, client = bench.image(), bench.fresh(), bench.client()
    said: list[str] = []
    client.push(made.layout, made.digest, target, said.append)
    assert sorted(line.split()[0] for line in said) == sorted(one[:19] for one in made.kind(""))
    assert all(line.endswith(" sent") for line in said)
    said.clear()
    client.push(made.layout, made.digest, at(target, "2"), said.append)
    assert said == []
    other = bench.fresh()
    client.push(made.layout, made.digest, other, said.append)
    assert [line.partition(") ")[2] for line in said] == [f"mounted from {target.name}"] * 4
    assert bench.client().missing(other, made.digest) == ()


def test_what_is_not_there_is_told(bench: Bench) -> None:
    made, target, client = bench.image(), bench.fresh(), bench.client()
    assert client.document(target) is None
    assert client.document(target, made.digest) is None
    assert client.missing(target, made.digest) == (made.digest,)
    with pytest.raises(Refused, match="there is no sha256:"):
        client.tag(target, made.digest)
    with pytest.raises(Refused, match="there is no sha256:"):
        client.attach(target, made.digest, KIND, made.layout / "index.json", {})
    with pytest.raises(Unseen, match="answered 404"):
        list(client.blob(target, made.digest))


def test_a_tag_is_given_to_what_is_there_and_moved(bench: Bench) -> None:
    one, two, target, client = bench.image(), bench.image(), bench.fresh("stage-1"), bench.client()
    client.push(one.layout, one.digest, target, nothing)
    client.push(two.layout, two.digest, at(target, "stage-2"), nothing)
    client.tag(at(target, "v1"), one.digest)
    client.tag(at(target, "latest"), one.digest)
    client.tag(at(target, "latest"), two.digest)
    looking = bench.client()
    found = {tag: looking.digest(str(at(target, tag))) for tag in ("stage-1", "stage-2", "v1", "latest")}
    assert found == {"stage-1": one.digest, "stage-2": two.digest, "v1": one.digest, "latest": two.digest}


def test_whether_we_may_push_is_asked_without_a_trace(bench: Bench) -> None:
    target = bench.fresh()
    assert bench.client().lacks_push(target) == ""
    assert bench.client().digest(str(target)) == ""
    headers = {"Authorization": f"Basic {bench.running.docker['auths'][bench.running.host]['auth']}"} if bench.running.login else {}  # fmt: skip
    listed = requests.get(f"http://{bench.running.host}/v2/_catalog", headers=headers, timeout=10)
    assert target.name not in listed.text


def test_without_a_login_nothing_is_pushed_and_the_words_say_how_to_log_in(bench: Bench) -> None:
    if bench.running.login is None:
        pytest.skip("this registry asks for no login")
    made, target, client = bench.image(), bench.fresh(), bench.client(login=False)
    assert f"docker login {bench.running.host}" in client.lacks_push(target)
    with pytest.raises(Refused, match="docker login"):
        client.push(made.layout, made.digest, target, nothing)
    assert bench.client().document(target) is None


def test_what_is_said_about_an_image_is_listed_once(bench: Bench) -> None:
    made, target, client = bench.image(), bench.fresh(), bench.client()
    client.push(made.layout, made.digest, target, nothing)
    file = bench.folder / "provenance.intoto.jsonl"
    file.write_bytes(b'{"payload": "e30="}\n')
    assert client.referrers(target, made.digest) == ()
    first = client.attach(target, made.digest, KIND, file, {"org.example.of": "one"})
    assert client.attach(target, made.digest, KIND, file, {"org.example.of": "one"}) == first
    second = bench.client().attach(target, made.digest, "application/vnd.cyclonedx+json", file, {})
    found = {one.digest: one for one in bench.client().referrers(target, made.digest)}
    assert found.keys() == {first, second}
    assert len(bench.client().referrers(target, made.digest)) == 2
    assert found[first].artifactType == KIND
    assert found[first].annotations == {"org.example.of": "one"}
    assert found[second].artifactType == "application/vnd.cyclonedx+json"


def test_several_say_something_at_once_and_nothing_is_lost(bench: Bench) -> None:
    made, target, client = bench.image(), bench.fresh(), bench.client()
    client.push(made.layout, made.digest, target, nothing)
    file = made.layout / "index.json"
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda n: client.attach(target, made.digest, f"application/x-{n}", file, {}), range(4)))
    assert {one.digest for one in client.referrers(target, made.digest)} == set(said)
    assert len(set(said)) == 4


def test_what_says_something_is_an_artifact_as_the_specification_has_it(bench: Bench) -> None:
    """image-spec 1.1, "Guidelines for Artifact Usage": an empty configuration, one layer, and the subject."""
    made, target, client = bench.image(), bench.fresh(), bench.client()
    client.push(made.layout, made.digest, target, nothing)
    file = bench.folder / "said"
    file.write_bytes(b"said")
    digest = client.attach(target, made.digest, KIND, file, {})
    raw = bench.skopeo("inspect", "--raw", f"docker://{target.registry}/{target.name}@{digest}")
    empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert json.loads(raw) == {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": EMPTY, "digest": empty, "size": 2},
        "layers": [{"mediaType": KIND, "digest": f"sha256:{sha256(b'said').hexdigest()}", "size": 4}],
        "artifactType": KIND,
        "subject": {"mediaType": INDEX, "digest": made.digest, "size": len(made.content[made.digest])},
    }
    assert b"".join(client.blob(target, f"sha256:{sha256(b'said').hexdigest()}")) == b"said"


def test_empty_blobs_and_a_layer_that_many_share_are_sent_once(bench: Bench) -> None:
    made, target = bench.image(size=0), bench.fresh()
    layer = made.kind("")
    said: list[str] = []
    bench.client().push(made.layout, made.digest, target, said.append)
    assert len(said) == len(layer) == 3  # two configurations, and the layer of both platforms
    assert bench.client().missing(target, made.digest) == ()


# What cannot be pushed, or is not what it says.


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    folder = tmp_path_factory.mktemp("debian")
    with registry(folder) as one:
        yield one, folder / "data" / "docker" / "registry" / "v2" / "blobs" / "sha256"


def test_what_a_registry_has_lost_is_missing(debian: tuple[Running, Path], open_bench: Callable[..., Bench]) -> None:
    bench, stored = open_bench(debian[0]), debian[1]
    made, target = bench.image(), bench.fresh()
    bench.client().push(made.layout, made.digest, target, nothing)

    def data(digest: str) -> Path:
        return stored / digest[7:9] / digest[7:] / "data"

    first, second, *_ = sorted(made.kind(""))
    data(first).unlink()
    data(second).write_bytes(b"short")
    assert sorted(bench.client().missing(target, made.digest)) == [first, second]
    lost = sorted(made.kind(MANIFEST))[0]
    data(lost).unlink()
    assert lost in bench.client().missing(target, made.digest)


def test_a_layout_that_lacks_something_is_refused_before_anything_is_sent(
    debian: tuple[Running, Path], open_bench: Callable[..., Bench]
) -> None:
    bench = open_bench(debian[0])
    target = bench.fresh()
    for kind in (INDEX, MANIFEST, ""):
        made = bench.image()
        (made.layout / "blobs" / "sha256" / made.kind(kind)[-1][7:]).unlink()
        with pytest.raises(Refused, match="built anew"):
            bench.client().push(made.layout, made.digest, target, nothing)
    short = bench.image()
    (short.layout / "blobs" / "sha256" / short.kind("")[0][7:]).write_bytes(b"short")
    with pytest.raises(Refused, match="built anew"):
        bench.client().push(short.layout, short.digest, target, nothing)
    assert target.name not in requests.get(f"http://{target.registry}/v2/_catalog", timeout=10).text


def test_bytes_that_are_not_those_of_their_name_are_refused_by_the_registry(
    debian: tuple[Running, Path], open_bench: Callable[..., Bench]
) -> None:
    bench = open_bench(debian[0])
    made, target = bench.image(), bench.fresh()
    bad = made.layout / "blobs" / "sha256" / made.kind("")[0][7:]
    bad.write_bytes(bytes(len(bad.read_bytes())))
    with pytest.raises(Refused, match=r"answered 400.*digest"):
        bench.client().push(made.layout, made.digest, target, nothing)
    assert bench.client().document(target) is None


def test_layers_that_lie_elsewhere_are_neither_sent_nor_asked_for(
    debian: tuple[Running, Path], open_bench: Callable[..., Bench]
) -> None:
    bench = open_bench(debian[0])
    config, target = b'{"architecture": "amd64", "os": "linux"}', bench.fresh()
    foreign = {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": f"sha256:{'7' * 64}", "size": 70, "urls": ["https://layers.example/7"],
    }  # fmt: skip
    described = {"mediaType": CONFIG, "digest": f"sha256:{sha256(config).hexdigest()}", "size": len(config)}
    content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": [foreign]}
    manifest = json.dumps(content).encode()
    blobs = bench.folder / "foreign" / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for held in (config, manifest):
        (blobs / sha256(held).hexdigest()).write_bytes(held)
    digest, client, said = f"sha256:{sha256(manifest).hexdigest()}", bench.client(), list[str]()
    client.push(bench.folder / "foreign", digest, target, said.append)
    assert said == [f"sha256:{sha256(config).hexdigest()[:12]} ({len(config)} bytes) sent"]
    assert client.missing(target, digest) == ()
    assert LAYER not in manifest.decode()
