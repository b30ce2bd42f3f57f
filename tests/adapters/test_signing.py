"""Signatures hold for whoever has the public key, by the rules of DSSE; keys and tokens are shown to nobody."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.adapters.signing import Signatures
from release.core.model import AttestWish
from release.errors import Refused
from release.redact import Redactor

SAID = b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"x","subject":[]}'
KEYED = AttestWish(provenance="p.jsonl", sign="key", key="env:KEY", public="k.pub")
KEYLESS = AttestWish(provenance="p.jsonl", sign="sigstore", identity="https://x/y", issuer="https://issuer.example")
PLAIN = AttestWish(provenance="p.jsonl", sign="none")
AUTO = AttestWish(provenance="p.jsonl", sign="auto", key="env:KEY", public="k.pub", identity="x", issuer="https://x")


def openssl(*args: str) -> str:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    return subprocess.run(["openssl", *args], capture_output=True, text=True, check=True).stdout


@dataclass(frozen=True)
class Pair:
    private: Path
    public: str


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A key as a person makes one."""
    private = tmp_path_factory.mktemp("keys") / "k.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", str(private))
    return Pair(private, openssl("pkey", "-in", str(private), "-pubout"))


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine that runs these tests gives them an identity."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


def signatures(environment: Mapping[str, str], root: Path = Path("/"), hide: Redactor | None = None) -> Signatures:
    return Signatures(environment, root, hide or Redactor())


def keyed(pair: Pair) -> Signatures:
    return signatures({"KEY": str(pair.private)})


def test_a_line_is_an_envelope_whose_signature_openssl_verifies(pair: Pair, tmp_path: Path) -> None:
    """DSSE signs PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body."""
    line = keyed(pair).signed(KEYED, SAID)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    envelope = json.loads(line)
    assert (envelope["payloadType"], base64.b64decode(envelope["payload"])) == ("application/vnd.in-toto+json", SAID)
    (signature,) = envelope["signatures"]
    (tmp_path / "pae").write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(SAID), SAID))
    (tmp_path / "sig").write_bytes(base64.b64decode(signature["sig"]))
    (tmp_path / "pub").write_text(pair.public)
    said = openssl("pkeyutl", "-verify", "-pubin", "-inkey", str(tmp_path / "pub"), "-rawin", "-in", str(tmp_path / "pae"), "-sigfile", str(tmp_path / "sig"))  # fmt: skip
    assert "Verified Successfully" in said


def test_what_is_signed_is_the_same_twice_and_gives_back_what_was_said(pair: Pair) -> None:
    line = keyed(pair).signed(KEYED, SAID)
    assert keyed(pair).signed(KEYED, SAID) == line
    assert signatures({}).verified(KEYED, line, pair.public) == SAID


@pytest.mark.parametrize("way", ["path", "pem", "file", "relative"])
def test_a_key_is_in_a_variable_or_in_a_file(pair: Pair, way: str) -> None:
    environment, key = {
        "path": ({"KEY": str(pair.private)}, "env:KEY"), "pem": ({"KEY": pair.private.read_text()}, "env:KEY"),
        "file": ({}, str(pair.private)), "relative": ({}, pair.private.name),
    }[way]  # fmt: skip
    wish = AttestWish(provenance="p", sign="key", key=key, public="k.pub")
    some = signatures(environment, pair.private.parent)
    assert some.lacking(wish, pair.public) == ()
    assert some.verified(wish, some.signed(wish, SAID), pair.public) == SAID


def test_nobody_sees_the_key(pair: Pair) -> None:
    hide = Redactor()
    signatures({"KEY": str(pair.private)}, hide=hide).signed(KEYED, SAID)
    secret = pair.private.read_text().splitlines()[1]
    assert secret not in hide.redacted(f"the key is {secret}")


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_one_bit_that_differs_never_gives_another_statement(pair: Pair, at: int, bit: int) -> None:
    line = bytearray(keyed(pair).signed(KEYED, SAID).strip())
    line[at % len(line)] ^= 1 << bit
    found = signatures({}).verified(KEYED, bytes(line), pair.public)
    assert found == SAID or isinstance(found, str)


@pytest.mark.parametrize(("change", "words"), [
    ({"payload": base64.b64encode(SAID + b" ").decode()}, "no signature in it is of the key that is in the repository"),
    ({"payloadType": "text/plain"}, "its payload is no in-toto Statement"), ({"signatures": []}, "no signature in it is of the key that is in the repository"),
    ({"signatures": 3}, "it is no DSSE envelope"), ({"payload": None}, "it is no DSSE envelope"),
    ({"signatures": [{"sig": "AA==", "keyid": "x"}]}, "no signature in it is of the key that is in the repository"),
])  # fmt: skip
def test_an_envelope_that_says_something_else_is_told_in_words(
    pair: Pair, change: dict[str, object], words: str
) -> None:
    envelope = json.loads(keyed(pair).signed(KEYED, SAID))
    assert signatures({}).verified(KEYED, json.dumps({**envelope, **change}).encode(), pair.public) == words


def test_a_key_of_somebody_else_verifies_nothing(pair: Pair, tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", "ed25519", "-out", str(tmp_path / "other"))
    other = openssl("pkey", "-in", str(tmp_path / "other"), "-pubout")
    line = keyed(pair).signed(KEYED, SAID)
    assert signatures({}).verified(KEYED, line, other) == "no signature in it is of the key that is in the repository"
    assert signatures({}).verified(KEYED, line, "") == "the public key that would verify it is not in the repository"
    assert signatures({}).verified(KEYED, line, "no key") == "the public key is no ed25519 key (PEM)"
    (conflict,) = keyed(pair).lacking(KEYED, other)
    assert (conflict.rule, "is not the public half" in conflict.why) == ("signing-key-differs", True)
    (conflict,) = keyed(pair).lacking(KEYED, "")
    assert (conflict.rule, "holds no ed25519 key" in conflict.why) == ("signing-key-differs", True)


@pytest.mark.parametrize("wrong", ["nothing", "nowhere", "folder", "text", "rsa", "encrypted"])
def test_a_key_that_cannot_sign_is_named_before_anything_is_made_and_not_quoted(
    pair: Pair, tmp_path: Path, wrong: str
) -> None:
    place = tmp_path / "key"
    if wrong == "folder":
        place.mkdir()
    elif wrong == "text":
        place.write_text("hunter22")
    elif wrong == "rsa":
        openssl("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024", "-out", str(place))
    elif wrong == "encrypted":
        openssl("pkey", "-in", str(pair.private), "-aes256", "-passout", "pass:hunter22", "-out", str(place))
    some = signatures({} if wrong == "nothing" else {"KEY": str(place)})
    (conflict,) = some.lacking(KEYED, pair.public)
    assert conflict.rule == "signing-key-missing"
    assert "hunter22" not in str(conflict)
    said = {
        "nothing": "the variable KEY has no signing key", "nowhere": "No such file", "folder": "Is a directory",
        "text": "is no private key", "rsa": "is not of ed25519", "encrypted": "is encrypted",
    }  # fmt: skip
    assert said[wrong] in conflict.why
    with pytest.raises(Refused, match=said[wrong]):
        some.signed(KEYED, SAID)


def test_without_a_signature_the_line_is_the_statement() -> None:
    some = signatures({})
    assert some.lacking(PLAIN, "") == ()
    assert some.signed(PLAIN, SAID) == SAID + b"\n"
    assert some.verified(PLAIN, SAID, "") == SAID
    assert str(some.verified(PLAIN, b"hello", "")).startswith("it is no Statement: ")


def test_without_an_identity_nothing_is_signed_keylessly(pair: Pair) -> None:
    (conflict,) = signatures({}).lacking(KEYLESS, "")
    assert conflict.rule == "signing-identity-missing"
    assert "id-token: write" in conflict.remedy
    with pytest.raises(Refused, match="no OIDC identity"):
        signatures({}).signed(KEYLESS, SAID)


def test_auto_takes_the_key_where_there_is_no_identity(pair: Pair) -> None:
    some = keyed(pair)
    assert some.lacking(AUTO, pair.public) == ()
    assert some.verified(AUTO, some.signed(AUTO, SAID), pair.public) == SAID


def test_a_job_that_may_not_have_an_identity_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (conflict,) = signatures(os.environ).lacking(KEYLESS, "")
    assert conflict.why.startswith("this run gets no OIDC identity: ")


def test_a_keyless_line_has_to_be_a_bundle_and_a_keyed_one_an_envelope(pair: Pair) -> None:
    line = keyed(pair).signed(KEYED, SAID)
    assert signatures({}).verified(KEYLESS, line, "") == "it is no sigstore bundle"
    bundle = json.dumps({"verificationMaterial": {}, "dsseEnvelope": json.loads(line)}).encode()
    assert signatures({}).verified(KEYLESS, bundle, "") == "it is no sigstore bundle"
    assert signatures({}).verified(KEYED, bundle, pair.public) == "it is signed without the key"
