"""What breaks, lies or is not for us: nothing is half there, nobody else gets our login, and the words say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from release.adapters.http import Http
from release.adapters.registry import Registries
from release.core.oci import INDEX, LARGEST, MANIFEST
from release.core.reference import Reference
from release.errors import ConfigError, Refused, Uncertain, Unseen
from release.redact import Redactor
from release.sandbox.registry import Fault, SandboxRegistry
from tests.registries import LOGIN, Made, image
from tests.serving import Reply, Seen, Server

Open = Callable[..., Server]
Make = Callable[..., Registries]
BASIC = b64encode(":".join(LOGIN).encode()).decode()
ROOT = Path(__file__).parents[2]
GONE = {"errors": [{"code": "UNKNOWN", "message": "unknown"}]}
PUSH = """
import os, sys
from pathlib import Path
from release.adapters.http import Http
from release.adapters.registry import Registries
from release.core.reference import reference
from release.redact import Redactor
layout, digest, target, pid = sys.argv[1:]
Path(pid).write_text(str(os.getpid()))
Registries.at({}, Redactor(), Http({}, Redactor())).push(Path(layout), digest, reference(target), print)
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A client with Docker's logins as they are given."""
    made: list[Http] = []

    def client(auths: Mapping[str, Any] | None = None, places: Mapping[str, str] | None = None) -> Registries:
        folder = tmp_path / f"docker-{len(made)}"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"auths": auths or {}}))
        hide = Redactor()
        made.append(Http({}, hide, backoff=0.001, patience=1.0))
        return Registries.at({"DOCKER_CONFIG": str(folder)}, hide, made[-1], places)

    yield client
    for one in made:
        one.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxRegistry]:
    with SandboxRegistry(tmp_path / "registry") as served:
        yield served


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return image(tmp_path / "layout", "seed")


def known(host: str) -> dict[str, Any]:
    return {host: {"auth": BASIC}}


def at(host: str, name: str = "a/b", tag: str = "1") -> Reference:
    return Reference(host, name, tag)


def nothing(_: str) -> None:
    pass


def whole(registry: SandboxRegistry, made: Made, name: str = "a/b") -> bool:
    """Whether an image is there, as the registry's own books have it."""
    documents = set(made.kind(INDEX)) | set(made.kind(MANIFEST))
    tagged = registry.tags(name) == {"1": made.digest}
    return tagged and registry.blobs(name) == set(made.kind("")) and registry.manifests(name) == documents


# What breaks on the way.


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}])
def test_what_is_lost_on_the_way_to_a_blob_is_done_again(
    sandbox: SandboxRegistry, made: Made, make: Make, method: str, when: Any, fault: Any
) -> None:
    sandbox.faults(Fault(method, "*/blobs/*", when=when, **fault))
    make().push(made.layout, made.digest, at(sandbox.host), nothing)
    assert whole(sandbox, made)


def test_a_blob_that_never_gets_through_is_uncertain_and_the_next_run_ends_well(
    sandbox: SandboxRegistry, made: Made, make: Make
) -> None:
    sandbox.faults(Fault("PUT", "*/blobs/*", nth=0, reset=True))
    with pytest.raises(Uncertain, match="was asked, but its answer was lost"):
        make().push(made.layout, made.digest, at(sandbox.host), nothing)
    assert sandbox.manifests("a/b") == frozenset()
    sandbox.no_faults()
    make().push(made.layout, made.digest, at(sandbox.host), nothing)
    assert whole(sandbox, made)


def test_an_upload_that_the_registry_has_forgotten_begins_anew(
    sandbox: SandboxRegistry, made: Made, make: Make
) -> None:
    sandbox.faults(Fault("PUT", "*/blobs/uploads/*", status=404, body=GONE))
    make().push(made.layout, made.digest, at(sandbox.host), nothing)
    assert whole(sandbox, made)


def test_a_run_that_is_killed_in_an_upload_ends_in_the_same_world_when_it_is_run_again(
    sandbox: SandboxRegistry, tmp_path: Path, make: Make
) -> None:
    made, pid = image(tmp_path / "large", "large", 3_000_000), tmp_path / "pid"
    sandbox.faults(Fault("PUT", "*/blobs/uploads/*", nth=2, kill=str(pid)))
    argv = [sys.executable, "-c", PUSH, str(made.layout), made.digest, str(at(sandbox.host)), str(pid)]
    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -9, ended.stderr.decode()
    assert sandbox.tags("a/b") == {}
    make().push(made.layout, made.digest, at(sandbox.host), nothing)
    assert whole(sandbox, made)


def test_tokens_that_end_while_we_push_are_fetched_anew(tmp_path: Path, made: Made, make: Make) -> None:
    clock = count(1_000_000, 10)
    with SandboxRegistry(
        tmp_path / "registry", users=dict([LOGIN]), tokens=True, lifetime=120.0, clock=lambda: float(next(clock))
    ) as served:
        make(known(served.host)).push(made.layout, made.digest, at(served.host), nothing)
        assert whole(served, made)
        assert sum(one.path.startswith("/token") for one in served.requests) > 1


def test_a_registry_that_does_not_mount_is_sent_the_blob(sandbox: SandboxRegistry, made: Made, make: Make) -> None:
    client, said = make(), list[str]()
    client.push(made.layout, made.digest, at(sandbox.host), nothing)
    sandbox.faults(Fault("POST", "/v2/c/d/blobs/*", status=405, body=GONE))
    client.push(made.layout, made.digest, at(sandbox.host, "c/d"), said.append)
    assert sorted({line.partition(") ")[2] for line in said}) == ["mounted from a/b", "sent"]
    assert whole(sandbox, made, "c/d")


def test_where_there_is_nothing_to_mount_the_upload_that_began_instead_is_used(
    sandbox: SandboxRegistry, made: Made, make: Make
) -> None:
    client, said = make(), list[str]()
    client.push(made.layout, made.digest, at(sandbox.host), nothing)
    for digest in made.kind(""):
        sandbox.drop_blob("a/b", digest)
    sandbox.forget()
    client.push(made.layout, made.digest, at(sandbox.host, "c/d"), said.append)
    assert {line.partition(") ")[2] for line in said} == {"sent"}
    begun = [one.path for one in sandbox.requests if one.method == "POST"]
    assert len(begun) == 4
    assert all("mount=" in path for path in begun)
    assert whole(sandbox, made, "c/d")


def test_what_is_known_to_be_there_is_not_asked_again_and_what_was_pushed_is(
    sandbox: SandboxRegistry, made: Made, make: Make
) -> None:
    client = make()
    client.push(made.layout, made.digest, at(sandbox.host), nothing)
    sandbox.forget()
    assert client.missing(at(sandbox.host), made.digest) == ()
    assert sorted(one.method for one in sandbox.requests) == ["GET"] * 3 + ["HEAD"] * 4
    sandbox.forget()
    assert client.missing(at(sandbox.host), made.digest) == ()
    assert sandbox.requests == ()


def test_a_blob_that_may_not_be_looked_at_is_not_missing(sandbox: SandboxRegistry, made: Made, make: Make) -> None:
    client = make()
    client.push(made.layout, made.digest, at(sandbox.host), nothing)
    sandbox.faults(Fault("HEAD", "*/blobs/*", nth=0, status=403, body=GONE))
    with pytest.raises(Unseen, match="docker login"):
        client.missing(at(sandbox.host), made.digest)
    with pytest.raises(Refused, match="docker login"):
        client.push(made.layout, made.digest, at(sandbox.host), nothing)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "says"),
    [
        (413, {}, Refused, "takes nothing that is so large"),
        (429, {"Retry-After": "60"}, Refused, "takes no more requests"),
        (500, {}, Uncertain, "it answered 500"),
        (403, {}, Refused, "docker login"),
        (404, {}, Refused, "may have to be made"),
        (418, {}, Refused, "answered 418: unknown"),
    ],
)
def test_why_a_blob_is_not_taken_is_said(
    sandbox: SandboxRegistry, made: Made, make: Make, status: int, headers: Any, kind: Any, says: str
) -> None:
    sandbox.faults(Fault("PUT", "*/blobs/*", nth=0, status=status, headers=headers, body=GONE))
    with pytest.raises(kind) as told:
        make().push(made.layout, made.digest, at(sandbox.host), nothing)
    assert says in str(told.value)
    assert sandbox.tags("a/b") == {}


def test_a_tag_whose_answer_is_lost_is_uncertain_and_not_sent_twice(
    sandbox: SandboxRegistry, made: Made, make: Make
) -> None:
    client = make()
    client.push(made.layout, made.digest, at(sandbox.host), nothing)
    sandbox.forget()
    sandbox.faults(Fault("PUT", "/v2/a/b/manifests/v1", nth=0, when="after", reset=True))
    with pytest.raises(Uncertain, match="was lost"):
        client.tag(at(sandbox.host, tag="v1"), made.digest)
    assert [one.method for one in sandbox.requests] == ["GET", "PUT"]


# Who may push.


def test_a_reader_is_told_that_he_may_not_push(tmp_path: Path, made: Made, make: Make) -> None:
    for tokens in (False, True):
        with SandboxRegistry(
            tmp_path / f"registry-{tokens}", users=dict([LOGIN]), readers=[LOGIN[0]], tokens=tokens
        ) as served:
            client = make(known(served.host))
            assert f"docker login {served.host}" in client.lacks_push(at(served.host))
            with pytest.raises(Refused, match="docker login"):
                client.push(made.layout, made.digest, at(served.host), nothing)
            assert "docker login" in make({served.host: {"auth": "eDp5"}}).lacks_push(at(served.host))  # x:y


def test_an_upload_that_was_only_begun_to_ask_is_given_up(sandbox: SandboxRegistry, make: Make) -> None:
    assert make().lacks_push(at(sandbox.host)) == ""
    assert [(one.method, one.status) for one in sandbox.requests] == [("POST", 202), ("DELETE", 204)]


def test_whether_we_may_push_is_unseen_where_nobody_answers(sandbox: SandboxRegistry, make: Make) -> None:
    sandbox.faults(Fault("POST", nth=0, status=503))
    with pytest.raises(Unseen, match="it answered 503"):
        make().lacks_push(at(sandbox.host))


def test_rights_are_asked_for_as_they_are_needed(tmp_path: Path, made: Made, make: Make) -> None:
    def asked(served: SandboxRegistry) -> list[list[str]]:
        paths = [one.path for one in served.requests if one.path.startswith("/token")]
        served.forget()
        return [parse_qs(urlsplit(path).query)["scope"] for path in paths]

    with SandboxRegistry(tmp_path / "registry", users=dict([LOGIN]), tokens=True) as served:
        client = make(known(served.host))
        client.push(made.layout, made.digest, at(served.host), nothing)
        assert asked(served) == [["repository:a/b:pull,push"]]
        client.missing(at(served.host), made.digest)
        assert asked(served) == [["repository:a/b:pull"]]
        client.push(made.layout, made.digest, at(served.host, "c/d"), nothing)
        assert asked(served) == [
            ["repository:c/d:pull,push"],
            ["repository:c/d:pull,push", "repository:a/b:pull"],
        ]


def test_an_identity_token_opens_for_reading_and_writing(tmp_path: Path, made: Made, make: Make) -> None:
    with SandboxRegistry(tmp_path / "registry", users=dict([LOGIN]), tokens=True) as served:
        told = requests.get(f"{served.url}/token?offline_token=true", auth=LOGIN, timeout=10).json()
        client = make({served.host: {"identitytoken": told["refresh_token"]}})
        client.push(made.layout, made.digest, at(served.host), nothing)
        assert client.missing(at(served.host), made.digest) == ()
        wrong = make({served.host: {"identitytoken": "identity-of-nobody"}})
        assert "docker login" in wrong.lacks_push(at(served.host))


def test_an_identity_token_is_posted_to_relatives_of_the_registry_alone(serve: Open, make: Make) -> None:
    realm = serve(lambda seen: Reply(200, {"access_token": "t0ken"}))
    asks = {"WWW-Authenticate": f'Bearer realm="http://localhost:{realm.port}/token",service="s"'}
    server = serve(lambda seen: Reply(401, {"errors": []}, asks))
    place = server.url.removeprefix("http://")
    with pytest.raises(Unseen, match="docker login"):
        make({place: {"identitytoken": "my-identity"}}).document(at(place))
    assert [(one.method, one.body) for one in realm.seen] == [("GET", b"")]
    assert "my-identity" not in str(realm.seen)


# Who gets what.


class Taker:
    """A registry that takes everything and has nothing; an upload goes to `place`."""

    def __init__(self, place: str, **headers: str) -> None:
        self.place, self.headers = place, headers

    def __call__(self, seen: Seen) -> Reply:
        if seen.headers.get("authorization") != f"Basic {BASIC}":
            return Reply(401, GONE, {"WWW-Authenticate": 'Basic realm="x"'})
        if seen.method in ("GET", "HEAD"):
            return Reply(404, GONE)
        return Reply(202 if seen.method == "POST" else 201, b"", {"Location": self.place, **self.headers})


def test_an_upload_to_another_host_has_our_bytes_and_nothing_that_opens(serve: Open, made: Made, make: Make) -> None:
    store = serve(lambda seen: Reply(201))
    server = serve(Taker(f"{store.url}/up?signature=a%2Fb&x=1"))
    place = server.url.removeprefix("http://")
    make(known(place)).push(made.layout, made.digest, at(place), nothing)
    assert {one.headers.get("authorization") for one in store.seen} == {None}
    sent = {parse_qs(urlsplit(one.path).query)["digest"][0]: one.body for one in store.seen}
    assert sent == {digest: made.content[digest] for digest in made.kind("")}
    assert all(one.path.startswith("/up?signature=a%2Fb&x=1&digest=sha256%3A") for one in store.seen)


@pytest.mark.parametrize("told", ["/up/1?state=x", "up/1?state=x", "//127.0.0.1:{port}/up/1?state=x"])
def test_an_upload_goes_on_at_an_address_that_is_relative(serve: Open, made: Made, make: Make, told: str) -> None:
    taker = Taker("")
    server = serve(taker)
    taker.place = told.format(port=server.port)
    place = server.url.removeprefix("http://")
    make(known(place)).push(made.layout, made.digest, at(place), nothing)
    puts = [one.path.partition("?")[0] for one in server.seen if one.method == "PUT" and "digest=" in one.path]
    assert set(puts) == {"/v2/a/b/blobs/uploads/up/1" if told.startswith("up") else "/up/1"}
    assert len(puts) == 4


@pytest.mark.parametrize(
    "told",
    [
        "http://store.example/up", "//store.example/up", "ftp://127.0.0.1/up", "https://user:pass@store.example/up", "",
        "http://[", "file:///etc/passwd", "https://store.example/a b", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_an_upload_is_not_sent_to_what_is_not_safe(serve: Open, made: Made, make: Make, told: str) -> None:
    server = serve(Taker(told))
    place = server.url.removeprefix("http://")
    with pytest.raises(Refused, match="not safe"):
        make(known(place)).push(made.layout, made.digest, at(place), nothing)
    assert "PUT" not in {one.method for one in server.seen}


def test_what_a_registry_stores_under_another_digest_is_refused(serve: Open, made: Made, make: Make) -> None:
    server = serve(Taker("/up", **{"Docker-Content-Digest": f"sha256:{'0' * 64}"}))
    place = server.url.removeprefix("http://")
    with pytest.raises(Refused, match=r"stored sha256:.* as sha256:0000"):
        make(known(place)).push(made.layout, made.digest, at(place), nothing)


def test_a_blob_elsewhere_is_fetched_without_what_opens_the_registry(serve: Open, make: Make) -> None:
    store = serve(lambda seen: Reply(200, b"bytes", {"Content-Type": "application/octet-stream"}))

    def script(seen: Seen) -> Reply:
        if seen.headers.get("authorization") != f"Basic {BASIC}":
            return Reply(401, GONE, {"WWW-Authenticate": 'Basic realm="x"'})
        return Reply(307, b"", {"Location": f"{store.url}/blob"})

    place = serve(script).url.removeprefix("http://")
    assert b"".join(make(known(place)).blob(at(place), f"sha256:{'1' * 64}")) == b"bytes"
    assert [one.headers.get("authorization") for one in store.seen] == [None]


def test_a_place_that_stands_in_gets_its_own_login_and_never_that_of_the_registry(
    tmp_path: Path, made: Made, make: Make
) -> None:
    with SandboxRegistry(tmp_path / "registry", users=dict([LOGIN])) as served:
        target, places = Reference("docker.io", "library/tool", "1"), {"docker.io": served.url}
        make(known(served.host), places).push(made.layout, made.digest, target, nothing)
        assert served.tags("library/tool") == {"1": made.digest}
        stranger = make({"https://index.docker.io/v1/": {"auth": BASIC}, "docker.io": {"auth": BASIC}}, places)
        assert f"docker login {served.host}" in stranger.lacks_push(target)
        with pytest.raises(Unseen, match="docker login"):
            stranger.document(target)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("docker.io", "http://mirror.example"), ("docker.io", "mirror.example"), ("docker.io", "https://u:p@m.example"),
        ("docker.io", "https://m.example/?q"), ("docker.io", ""), ("no registry", "https://m.example"),
        ("docker.io", "ftp://127.0.0.1"), ("docker.io", "https://"),
    ],
)  # fmt: skip
def test_a_place_that_is_not_safe_is_bad_configuration(make: Make, name: str, url: str) -> None:
    with pytest.raises(ConfigError, match="is no registry with an address"):
        make(places={name: url})


# What lies.

CONTENT = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()
DIGEST = f"sha256:{sha256(CONTENT).hexdigest()}"


def test_bytes_that_are_not_those_of_their_digest_are_unseen(serve: Open, make: Make) -> None:
    lies = {"Content-Type": INDEX, "Docker-Content-Digest": f"sha256:{'2' * 64}"}
    place = serve(lambda seen: Reply(200, CONTENT, lies)).url.removeprefix("http://")
    client = make()
    with pytest.raises(Unseen, match="are not those of sha256:2222"):
        client.document(at(place))
    with pytest.raises(Unseen, match="are not those of sha256:3333"):
        client.document(at(place), f"sha256:{'3' * 64}")
    document = client.document(at(place), DIGEST)  # then what it says of it does not matter
    assert document is not None
    assert document.content == CONTENT


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("application/vnd.example+json", b'{"schemaVersion": 2}', "only images and indexes"),
        (MANIFEST, CONTENT, "only images and indexes"),
        (INDEX, b'{"schemaVersion": 2' + b" " * LARGEST + b"}", "longer than 4 MiB"),
        (INDEX, b"{", "no manifest"),
        ("text/html", b"<h1>hotel</h1>", "not with JSON"),
    ],
)
def test_what_is_no_document_is_unseen(serve: Open, make: Make, kind: str, content: bytes, says: str) -> None:
    place = serve(lambda seen: Reply(200, content, {"Content-Type": kind})).url.removeprefix("http://")
    with pytest.raises(Unseen, match=says):
        make().document(at(place))


@pytest.mark.parametrize("digest", ["sha256:../../../etc", "../x", "sha256:" + "A" * 64])
def test_a_digest_that_is_none_is_asked_of_nobody(serve: Open, make: Make, digest: str) -> None:
    inner = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "digest": digest, "size": 1}]})
    server = serve(lambda seen: Reply(200, inner.encode(), {"Content-Type": INDEX}))
    place = server.url.removeprefix("http://")
    with pytest.raises(Unseen, match="is no digest"):
        make().blob(at(place), digest)
    with pytest.raises(Unseen, match=r"is no application/vnd\.oci\.image\.index"):
        make().missing(at(place), f"sha256:{sha256(inner.encode()).hexdigest()}")
    assert len(server.seen) == 1


def test_a_page_that_says_404_is_no_word_of_a_registry(serve: Open, make: Make) -> None:
    config = {"mediaType": "application/x", "digest": f"sha256:{'4' * 64}", "size": 4}
    held = json.dumps({"schemaVersion": 2, "config": config, "layers": []}).encode()

    def script(seen: Seen) -> Reply:
        if "/manifests/" in seen.path:
            return Reply(200, held, {"Content-Type": MANIFEST})
        return Reply(404, b"<h1>not here</h1>", {"Content-Type": "text/html"})

    place = serve(script).url.removeprefix("http://")
    with pytest.raises(Unseen, match="answered 404"):
        make().missing(at(place), f"sha256:{sha256(held).hexdigest()}")


# What others say.


class Listing:
    """A registry without the API, whose index under the tag somebody else overwrites after our first write."""

    def __init__(self, theirs: Mapping[str, Any], ever: bool = False) -> None:
        self.theirs, self.ever = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [theirs]}, ever
        self.index: bytes | None = None
        self.written: list[list[str]] = []
        self.lock = threading.Lock()

    def __call__(self, seen: Seen) -> Reply:
        with self.lock:
            if f"/manifests/{DIGEST.replace(':', '-')}" in seen.path:
                return self._tag(seen)
        if seen.path.endswith(DIGEST) and "/manifests/" in seen.path:
            return Reply(200, CONTENT, {"Content-Type": INDEX})
        if seen.method == "PUT":
            return Reply(201)
        return Reply(200 if seen.method == "HEAD" or seen.path == "/v2/" else 404, GONE)

    def _tag(self, seen: Seen) -> Reply:
        if seen.method != "PUT":
            return Reply(200, self.index, {"Content-Type": INDEX}) if self.index else Reply(404, GONE)
        self.written.append([one["digest"] for one in seen.json["manifests"]])
        late = self.ever or len(self.written) == 1
        self.index = json.dumps(self.theirs).encode() if late else seen.body
        return Reply(201)


THEIRS: dict[str, Any] = {"mediaType": MANIFEST, "digest": f"sha256:{'5' * 64}", "size": 5, "data": "NQ=="}


def test_what_others_write_meanwhile_is_kept_and_what_they_overwrite_is_written_again(
    serve: Open, make: Make, tmp_path: Path
) -> None:
    listing = Listing(THEIRS)
    place = serve(listing).url.removeprefix("http://")
    (tmp_path / "said").write_bytes(b"said")
    digest = make().attach(at(place), DIGEST, "application/x", tmp_path / "said", {})
    assert [sorted(one) for one in listing.written] == [[digest], sorted([digest, THEIRS["digest"]])]
    assert listing.index is not None
    assert THEIRS in json.loads(listing.index)["manifests"]
    assert {one.digest for one in make().referrers(at(place), DIGEST)} == {digest, THEIRS["digest"]}


def test_others_who_overwrite_again_and_again_make_it_uncertain(serve: Open, make: Make, tmp_path: Path) -> None:
    place = serve(Listing(THEIRS, ever=True)).url.removeprefix("http://")
    (tmp_path / "said").write_bytes(b"said")
    with pytest.raises(Uncertain, match="again and again"):
        make().attach(at(place), DIGEST, "application/x", tmp_path / "said", {})


def test_a_file_that_is_not_there_and_a_tag_of_somebody_else_are_refused(
    sandbox: SandboxRegistry, made: Made, make: Make, tmp_path: Path
) -> None:
    client = make()
    client.push(made.layout, made.digest, at(sandbox.host), nothing)
    with pytest.raises(Refused, match="cannot read"):
        client.attach(at(sandbox.host), made.digest, "application/x", tmp_path / "nowhere", {})
    (tmp_path / "said").write_bytes(b"said")
    with SandboxRegistry(tmp_path / "older", referrers=False) as older:
        client.push(made.layout, made.digest, at(older.host), nothing)
        taken = at(older.host, tag=made.digest.replace(":", "-"))
        client.tag(taken, made.kind(MANIFEST)[0])
        with pytest.raises(Refused, match="something else than an index"):
            client.attach(at(older.host), made.digest, "application/x", tmp_path / "said", {})
        assert older.tags("a/b")[taken.tag] == made.kind(MANIFEST)[0]
        with pytest.raises(Unseen, match="something else than an index"):
            client.referrers(at(older.host), made.digest)


def test_a_list_of_many_pages_is_read_to_its_end_and_never_elsewhere(serve: Open, make: Make) -> None:
    def page(number: int) -> dict[str, Any]:
        return {"schemaVersion": 2, "manifests": [{**THEIRS, "digest": f"sha256:{str(number) * 64}"}]}

    def script(seen: Seen) -> Reply:
        onward = {"0": "?page=1", "1": elsewhere}.get(seen.path.partition("page=")[2] or "0", "")
        kind = {"Content-Type": INDEX}
        number = int(seen.path.partition("page=")[2] or "0")
        return Reply(200, json.dumps(page(number)).encode(), {**kind, **({"Link": f'<{onward}>; rel="next"'} if onward else {})})  # fmt: skip

    elsewhere = "?page=2"
    place = serve(script).url.removeprefix("http://")
    assert [one.digest[7] for one in make().referrers(at(place), DIGEST)] == ["0", "1", "2"]
    elsewhere = "https://elsewhere.example/?page=2"
    with pytest.raises(Unseen, match="no end here"):
        make().referrers(at(place), DIGEST)
