"""Whatever tools make of a secret, it is not to be read in what is shown."""

from __future__ import annotations

import base64
import json
import threading
import time
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from release.redact import Redactor

SECRET = 'ghp_a+b/c=d?e&f"g\\h%i~jü 0123456789'


def knowing(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
    ],
)
def test_every_form_of_a_secret_is_hidden(form: str) -> None:
    assert knowing(SECRET).redacted(f"before {form} after {form}.") == "before *** after ***."


@pytest.mark.parametrize("before", ["", "x-access-token:", "USER:", "a", "ab", "abc", '{"auth": "', "ü"])
@pytest.mark.parametrize("after", ["", "\n", "ab", "abc"])
def test_base64_of_any_text_that_holds_a_secret_tells_nothing_of_it(before: str, after: str) -> None:
    secret = "ghs_0123456789abcdefghijABCDEFGHIJ012345"
    redactor = knowing(secret)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(f"{before}{secret}{after}".encode()).decode()
        shown = redactor.redacted(f"AUTHORIZATION: basic {encoded}")
        head, _, tail = shown.removeprefix("AUTHORIZATION: basic ").partition("***")
        assert "***" in shown
        assert len(head) <= len(b64(before)) + 1, "characters of the secret are left before"
        assert len(tail) <= len(b64(after)) + 3, "characters of the secret are left behind"


def test_a_key_is_hidden_line_by_line_in_every_form() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    redactor = knowing(pem)
    lines = [line for line in pem.splitlines() if not line.startswith("-----")]
    for text in (
        pem,
        json.dumps(pem),
        pem.replace("\n", "\r\n"),
        lines[5],
        quote(pem),
        b64(pem),
        b64(json.dumps(pem)),
        pem.encode().hex(),
    ):
        shown = redactor.redacted(text)
        assert "***" in shown
        assert not any(line in shown or line[10:40] in shown or b64(line)[5:40] in shown for line in lines)
        assert len(shown) < len(text) / 4
    assert redactor.redacted("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


def test_what_is_no_secret_stays() -> None:
    redactor = knowing("hunter2hunter2")
    for text in ("", "hunter2", "a ghp_ token", "hunter2hunter", "🦀" * 10):
        assert redactor.redacted(text) == text
    assert Redactor().redacted("anything") == "anything"


@pytest.mark.parametrize("short", ["", "a", "12345", "\n\n", " 1234 "])
def test_what_is_too_short_is_not_learnt(short: str) -> None:
    assert knowing(short).redacted("a 12345 1234 b") == "a 12345 1234 b"
    assert knowing("123456").redacted("a 123456 b") == "a *** b"


def test_secrets_that_hold_or_overlap_each_other_leave_nothing() -> None:
    redactor = knowing("abcdefgh", "abcdefghijkl", "efghijklmnop", "cdefgh")
    assert redactor.redacted("x abcdefghijkl y") == "x *** y"
    assert redactor.redacted("x abcdefgh y") == "x *** y"
    assert redactor.redacted("x abcdefghijklmnop y") == "x *** y"
    assert redactor.redacted("abcdefghabcdefgh") == "******"


def test_surroundings_that_are_learnt_with_a_secret_do_not_keep_it_from_being_found() -> None:
    assert knowing("  hunter2hunter2\n").redacted("=hunter2hunter2;") == "=***;"


def test_a_redactor_does_not_tell_what_it_knows() -> None:
    redactor = knowing("hunter2hunter2")
    assert "hunter2" not in repr(redactor)


@given(st.lists(st.text(min_size=6), min_size=1, max_size=6), st.text(), st.text())
def test_no_learnt_text_survives(secrets: list[str], before: str, after: str) -> None:
    redactor = knowing(*secrets)
    for secret in secrets:
        kept = secret.strip()
        if len(kept) >= 6 and "***" not in kept:
            assert kept not in redactor.redacted(f"{before}{secret}{after}").replace("***", "\0")


def test_a_long_text_with_many_secrets_is_quick() -> None:
    redactor = knowing(*(f"ghs_{n:036d}" for n in range(40)))
    text = "the quick brown fox jumps over the lazy dog 0123456789 ghs_\n" * 20_000
    began = time.perf_counter()
    assert redactor.redacted(text) == text
    assert time.perf_counter() - began < 3, "for 1.2 MB"


def test_threads_learn_and_redact_at_once() -> None:
    redactor = Redactor()
    secrets = [f"secret-{n:04d}" for n in range(80)]
    leaks: list[str] = []

    def learn(some: list[str]) -> None:
        for secret in some:
            redactor.learn(secret)
            if secret in redactor.redacted(f"a {secret} b"):
                leaks.append(secret)

    threads = [threading.Thread(target=learn, args=(secrets[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert leaks == []
    assert redactor.redacted(" ".join(secrets)) == " ".join(["***"] * 80)
