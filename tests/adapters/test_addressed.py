"""Addresses that are written, or in a variable: they are asked as they are, and told by a name that opens nothing."""

from __future__ import annotations

from base64 import b64encode

import pytest

from release.adapters.addressed import addressed, given, unset
from release.errors import ConfigError
from release.redact import Redactor

HOOK = "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx"


def test_an_address_that_is_written_is_told_as_it_is_without_its_query() -> None:
    place = addressed("https://app.example/healthz?deep=1", {}, Redactor())
    assert (place.url, place.name, place.headers) == (
        "https://app.example/healthz?deep=1", "https://app.example/healthz", {},
    )  # fmt: skip
    assert place.told("cannot look: https://app.example/healthz: no") == "cannot look: https://app.example/healthz: no"


def test_user_and_password_go_into_a_header_and_nowhere_else() -> None:
    hide = Redactor()
    place = addressed("https://reader:hunter2%40home@app.example:8443/x#y", {}, hide)
    assert (place.url, place.name) == ("https://app.example:8443/x", "https://app.example:8443/x")
    assert place.headers == {"Authorization": f"Basic {b64encode(b'reader:hunter2@home').decode()}"}
    for form in ("hunter2@home", "hunter2%40home", place.headers["Authorization"]):
        assert "***" in hide.redacted(form)
    assert "hunter2" not in repr(place)


def test_an_address_in_a_variable_is_told_by_the_variables_name() -> None:
    hide = Redactor()
    place = addressed("env:SLACK_URL", {"SLACK_URL": f"{HOOK}?key=opens-the-door\n"}, hide)
    assert (place.url, place.name) == (f"{HOOK}?key=opens-the-door", "$SLACK_URL")
    assert place.told(f"cannot tell {HOOK}: nothing listens there") == "cannot tell $SLACK_URL: nothing listens there"
    for secret in (HOOK, HOOK.partition("com")[2], "abcdefghijklmnopqrstuvwx", "opens-the-door"):
        assert hide.redacted(f"it is {secret}!") != f"it is {secret}!"
    assert "abcdefghijklmnopqrstuvwx" not in repr(place)


def test_short_pieces_of_a_path_are_innocent_words() -> None:
    hide = Redactor()
    addressed("env:PROMETHEUS", {"PROMETHEUS": "https://monitoring.example/metrics"}, hide)
    assert hide.redacted("the metrics of the example") == "the metrics of the example"


@pytest.mark.parametrize(
    "text",
    ["", "app.example/healthz", "ftp://app.example", "file:///etc/passwd", "https://", "http://[::1", "http://h:x/"],
)
def test_what_is_no_address_is_not_asked(text: str) -> None:
    with pytest.raises(ConfigError, match="no address"):
        addressed(text, {}, Redactor())
    with pytest.raises(ConfigError, match=r"'env:URL' is no address|URL is not set"):
        addressed("env:URL", {"URL": text}, Redactor())


def test_a_variable_that_is_not_set_is_named() -> None:
    assert [unset(text, {"SET": "x", "EMPTY": ""}) for text in ("x", "env:SET", "env:EMPTY", "env:GONE")] == [
        "", "", "EMPTY", "GONE",
    ]  # fmt: skip
    for name in ("EMPTY", "GONE"):
        with pytest.raises(ConfigError, match=f"{name} is not set"):
            given(f"env:{name}", {"SET": "x", "EMPTY": ""}, Redactor())
    assert given("plain words", {}, Redactor()) == "plain words"
