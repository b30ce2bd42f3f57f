"""Where a downstream lies, seen from its upstream."""

from __future__ import annotations

import pytest

from release.core.assembly import located


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
