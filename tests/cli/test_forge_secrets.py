"""No token and no key is to be seen anywhere, in any form, however verbose a release is and whatever goes wrong."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from release.sandbox.forge import Fault, auth
from release.sandbox.serving.store import Json, Store
from tests.forged import WORKFLOW, Fleet, fleet, workflow
from tests.world import Answer

VERBOSE = {
    "GIT_TRACE": "1",
    "GIT_TRACE_CURL": "1",
    "GIT_CURL_VERBOSE": "1",
    "GIT_TRACE_PACKET": "1",
    "INVOKE_RUN_ECHO": "1",
}
# A build that looks where it should not, and a job that prints its secret so that its own forge does not know it again.
NOSY = "tr '\\\\0' '\\\\n' < /proc/$PPID/environ; head -c 70000 /dev/zero | tr '\\\\0' x; cat /proc/$PPID/environ | base64 -w0; "
CARELESS = """\
import base64, os, sys
token = os.environ["TOKEN"]
for form in (base64.b64encode(b"x-access-token:" + token.encode()).decode(), token.encode().hex(), token[:20] + token[20:]):
    print("using", form)
sys.exit("cannot go on with " + base64.b64encode(token.encode()).decode())
"""
SIGNED = re.compile(rb"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")
ANY_TOKEN = re.compile(rb"gh[ps]_[0-9a-f]{8}")


@dataclass
class Argv:
    """The arguments of every process of the machine, looked at all the time, but of those of another world."""

    seen: set[bytes] = field(default_factory=set)
    world: bytes = b""
    _ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self._ended.wait(0.002):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:  # it has ended meanwhile
                    continue
                if line not in self.seen and not self.elsewhere(path.parent):
                    self.seen.add(line)

    def elsewhere(self, process: Path) -> bool:
        """Whether it is not of this world: another test may show what it likes.

        Of one that is just about to end nothing can be seen but its arguments; it was looked at before, as long as it lived.
        """
        try:
            environment = (process / "environ").read_bytes()
        except OSError:
            return True
        return not environment or (b"HOME=" in environment and self.world not in environment)

    def end(self) -> None:
        self._ended.set()


@contextmanager
def watched(world: Path) -> Iterator[Argv]:
    argv = Argv(world=str(world).encode())
    thread = threading.Thread(target=argv.watch)
    thread.start()
    try:
        yield argv
    finally:
        argv.end()
        thread.join()


def forms(secret: str) -> Mapping[str, bytes]:
    """What a secret may look like, by a name that may be shown."""
    raw = secret.encode()
    found = {
        "itself": raw, "its beginning": raw[:20], "its end": raw[-20:], "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
        "in an address": quote(secret, safe="").encode(), "in JSON": json.dumps(secret)[1:-1].encode(),
    }  # fmt: skip
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)[4 if before else 0 : -4]
        found[f"base64 at {before}"] = whole
        found[f"base64 of an address at {before}"] = whole.replace(b"+", b"-").replace(b"/", b"_")
    return found


def sinks(some: Fleet, clone: Path, argv: Argv, answers: list[Answer]) -> Iterator[tuple[str, bytes]]:
    """Everything that a release leaves somewhere, by a name."""
    yield from ((f"argv {number}", line) for number, line in enumerate(argv.seen))
    for number, answer in enumerate(answers):
        yield f"stdout {number}", answer.out.encode()
        yield f"stderr {number}", answer.err.encode()
    for folder in (clone / ".release", clone / ".git"):
        yield from ((str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file())
    stores = [some.git_of(name) for name in ("app", "first", "second")]
    stores += [clone, *(path.parent for path in (clone / ".release").rglob("HEAD"))]
    for place in stores:
        objects = some.world.git(place, "cat-file", "--batch-all-objects", "--batch", "--buffer")
        yield f"objects of {place.name}", objects.encode()
    for name in ("app", "first", "second"):
        yield f"releases of {name}", json.dumps(some.releases(name)).encode()


def told(secrets: Mapping[str, str], some: Fleet, clone: Path, argv: Argv, answers: list[Answer]) -> list[str]:
    """Where which form of which secret is to be seen; a failure must not show it either."""
    found = []
    searched = {f"{name}, {form}": text for name, secret in secrets.items() for form, text in forms(secret).items()}
    for place, content in sinks(some, clone, argv, answers):
        found += [f"{place}: {name}" for name, text in searched.items() if text in content]
        found += [f"{place}: a signed claim"] if SIGNED.search(content) else []
        found += [f"{place}: a token"] if ANY_TOKEN.search(content) else []
    return found


def careless(some: Fleet) -> None:
    """A downstream whose job prints a secret in disguise, and a build that prints the environment of who runs it."""
    job = workflow("workflow_dispatch").replace("github.token", "secrets.TOKEN")
    assert job != WORKFLOW
    some.forge.secret("acme/second", "TOKEN", some.token)
    some.commit("second", {".github/workflows/release.yml": job, "make.py": CARELESS}, "feat: careless")
    seeded = (some.world.folder / "seed-app" / "release.toml").read_text()
    nosy = seeded.replace("printf '%s %s'", NOSY + "printf '%s %s'")
    assert nosy != seeded
    some.commit("app", {"release.toml": nosy}, "ci: nosy")


def trouble(some: Fleet, secret: str) -> None:
    """A forge that has a bad day, and repeats in its answers what it was told."""
    some.forge.faults(
        Fault(method="POST", path="/repos/acme/app/releases/*/assets", nth=1, status=503),
        Fault(method="POST", path="/repos/acme/app/releases/*/assets", nth=3, when="after", reset=True),
        Fault(method="POST", path="/repos/acme/first/releases", nth=1, status=403, body={"message": f"no right for {secret}"}),
        Fault(method="PATCH", path="/repos/acme/app/releases/*", nth=1, status=422, body={"message": f"Bearer {secret}"}),
        Fault(method="POST", path="/acme/app.git/git-receive-pack", nth=1, status=403, body=f"denied: {secret}\n"),
    )  # fmt: skip


def played(some: Fleet, clone: Path, environment: Mapping[str, str]) -> list[Answer]:
    """The same command again and again, as verbose as it goes, until it only fails for the careless downstream."""
    env = {**some.settings, **VERBOSE, **environment}
    answers = [
        some.world.anew(clone, "--debug", "release", "--yes", *more, env=env)
        for more in ((), ("--format", "json"), (), ("--format", "json"), ())
    ]
    answers.append(some.world.anew(clone, "--debug", "release.plan", env=env))
    answers.append(some.world.anew(clone, "--debug", "release.verify", env=env))
    return answers


def test_a_release_with_failures_tells_nobodys_token(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        careless(some)
        clone = some.clone("ada")
        trouble(some, some.token)
        with watched(tmp_path) as argv:
            answers = played(some, clone, {})
        assert [answer.code for answer in answers[:5]] == [1] * 5
        assert not some.releases("app")[0]["draft"]
        seen = "".join(answer.said for answer in answers)
        for expected in ("Bearer ", "no right for ", "cannot go on with "):
            assert f"{expected}***" in seen, expected
        assert any(b"git" in line for line in argv.seen)
        assert any(b"release\0--yes" in line for line in argv.seen)
        assert told({"the captain's token": some.token}, some, clone, argv, answers) == []


def test_a_release_by_an_app_tells_neither_its_key_nor_its_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    made: list[str] = []
    real = auth.issue

    def issue(store: Store, kind: auth.Kind, facts: Json) -> str:
        token = real(store, kind, facts)
        made.append(token if kind == "installation" else "")
        return token

    with fleet(tmp_path) as some:
        monkeypatch.setattr(auth, "issue", issue)
        careless(some)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        app = some.forge.app("releaser", public.decode(), {"acme": ("app", "first", "second")})
        lines = [line for line in private.splitlines() if not line.startswith("-----")]
        trouble(some, lines[3])
        clone = some.clone("ada")
        environment = {
            "SLUICE_GITHUB_TOKEN": "",
            "SLUICE_APP_ID": str(app),
            "SLUICE_APP_KEY": private,
        }
        with watched(tmp_path) as argv:
            answers = played(some, clone, environment)
        tokens = [token for token in made if token]
        assert tokens
        assert not some.releases("app")[0]["draft"]
        secrets = {f"line {number} of the key": line for number, line in enumerate(lines) if len(line) > 20}
        secrets |= {f"installation token {number}": token for number, token in enumerate(tokens)}
        assert told(secrets, some, clone, argv, answers) == []


def test_the_scan_finds_what_is_there(tmp_path: Path) -> None:
    """A scan that finds nothing proves nothing, if it cannot find."""
    with fleet(tmp_path) as some:
        clone = some.clone("ada")
        (clone / ".release").mkdir()
        token = some.token
        leaks = {
            "raw": token, "basic": base64.b64encode(f"x-access-token:{token}".encode()).decode(), "hex": token.encode().hex(),
            "half": f"...{token[:20]}", "signed": f"eyJ{'a' * 20}.{'b' * 20}.{'c' * 20}",
        }  # fmt: skip
        for name, text in leaks.items():
            (clone / ".release" / name).write_text(text)
        found = told({"it": token}, some, clone, Argv({f"git\0-c\0{token}".encode()}), [Answer(0, token, "")])
        assert {place.rpartition("/")[2].partition(":")[0] for place in found} == {*leaks, "argv 0", "stdout 0"}
