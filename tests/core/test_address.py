"""Where a downstream lies, seen from its upstream; and how an address is shown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.address import holds_secret, located, without_secret


@pytest.mark.parametrize(
    ("repository", "upstream", "expected"),
    [
        ("../two.git", "https://example.org/group/one.git", "https://example.org/group/two.git"),
        ("../two.git", "https://user@example.org:8443/one.git", "https://user@example.org:8443/two.git"),
        ("../../other/two.git", "https://example.org/group/one.git", "https://example.org/other/two.git"),
        ("../two.git", "git@example.org:group/one.git", "git@example.org:group/two.git"),
        ("../two.git", "ssh://git@example.org/group/one.git", "ssh://git@example.org/group/two.git"),
        ("../two.git", "/srv/git/one.git", "/srv/git/two.git"),
        ("../two.git", "file:///srv/git/one.git", "file:///srv/git/two.git"),
        ("./nested.git", "/srv/git", "/srv/git/nested.git"),
        ("https://example.org/two.git", "/srv/git/one.git", "https://example.org/two.git"),
        ("/elsewhere/two.git", "https://example.org/one.git", "/elsewhere/two.git"),
        ("git@example.org:two.git", "https://example.org/one.git", "git@example.org:two.git"),
    ],
)
def test_a_relative_address_is_relative_to_the_upstreams_own(repository: str, upstream: str, expected: str) -> None:
    assert located(repository, upstream) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bob:s3cret@example.org/x", "https://example.org/x"),
        ("https://bob:s3@cret@example.org/x", "https://example.org/x"),
        ("https://s3cret@example.org", "https://example.org"),
        ("https://:s3cret@example.org/x", "https://example.org/x"),
        ("a https://b:s3cret@c/x, d ssh://git:s3cret@h/y.", "a https://c/x, d ssh://h/y."),
        ("https://h/x?token=s3cret", "https://h/x?token=***"),
        ("https://h/x?a=1&private_token=s3cret&b=2#c", "https://h/x?a=1&private_token=***&b=2#c"),
        ("'https://h/x?API_KEY=s3cret' is gone", "'https://h/x?API_KEY=***' is gone"),
        ("?x-amz-signature=s3cret;Password=s3cret", "?x-amz-signature=***"),
        ("?client_secret=s3cret&auth=s3cret&sig=s3cret", "?client_secret=***&auth=***&sig=***"),
        ("https://example.org/x@2?a=b&design=c", "https://example.org/x@2?a=b&design=c"),
        ("git@example.org:x/y.git", "git@example.org:x/y.git"),
        ("/a/folder/with@sign", "/a/folder/with@sign"),
        ("mail bob@example.org, see https://example.org", "mail bob@example.org, see https://example.org"),
    ],
)
def test_an_address_is_shown_without_what_opens_it(text: str, shown: str) -> None:
    assert without_secret(text) == shown
    assert without_secret(shown) == shown


@given(st.text("ab:@%?&=./ ", max_size=40))
def test_what_is_shown_holds_no_secret_any_more(rest: str) -> None:
    shown = without_secret(f"https://user:s3cret@{rest}/x?token=s3cret")
    assert "s3cret" not in shown
    assert without_secret(shown) == shown or not holds_secret(shown)


def test_a_hostile_text_costs_little() -> None:
    begun = time.perf_counter()
    for text in ("?" + "token" * 100_000, "?token=" * 100_000, "://" * 200_000, "https://" + "a:" * 300_000):
        without_secret(text)
        holds_secret(text)
    assert time.perf_counter() - begun < 2
