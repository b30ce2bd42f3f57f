"""Which forge the environment means, and which git addresses lie there."""

from __future__ import annotations

import pytest

from release.adapters.github import GitHub
from release.adapters.github.places import Places, places
from release.errors import ConfigError


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, Places("https://api.github.com", "https://github.com", "https://uploads.github.com")),
        ({"GITHUB_API_URL": ""}, Places("https://api.github.com", "https://github.com", "https://uploads.github.com")),
        ({"GITHUB_API_URL": "https://api.github.com/"}, Places("https://api.github.com", "https://github.com", "https://uploads.github.com")),
        ({"GITHUB_API_URL": "https://git.example.org/api/v3"}, Places("https://git.example.org/api/v3", "https://git.example.org", "https://git.example.org")),
        ({"GITHUB_API_URL": "https://api.acme.ghe.com"}, Places("https://api.acme.ghe.com", "https://acme.ghe.com", "https://uploads.acme.ghe.com")),
        ({"GITHUB_API_URL": "http://127.0.0.1:99/api/v3", "GITHUB_SERVER_URL": "http://localhost:99/"}, Places("http://127.0.0.1:99/api/v3", "http://localhost:99", "http://127.0.0.1:99")),
    ],
)  # fmt: skip
def test_where_a_forge_lies(environment: dict[str, str], found: Places) -> None:
    assert places(environment) == found


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://git.example.org/api/v3", "is not https"),
        ("http://127.0.0.1.evil.example.org/", "is not https"),
        ("https://me:hunter2@git.example.org/api/v3", "holds more than an address"),
        ("https://git.example.org/api/v3?token=hunter2", "holds more than an address"),
        ("git.example.org/api/v3", "is not the address of a forge"),
        ("file:///etc", "is not the address of a forge"),
        ("https://", "is not the address of a forge"),
        ("https://h:x/", "is not the address of a forge"),
    ],
)
@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_SERVER_URL"])
def test_an_address_that_a_token_must_not_be_sent_to_is_refused(url: str, why: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} {why}") as refused:
        places({name: url})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/o/r.git", "o/r"),
        ("https://github.com/o/r", "o/r"),
        ("https://user:pass@GitHub.com/o/r.git/", "o/r"),
        ("https://github.com:443/o/r", "o/r"),
        ("git@github.com:o/r.git", "o/r"),
        ("github.com:o/r", "o/r"),
        ("ssh://git@github.com/o/r.git", "o/r"),
        ("ssh://git@github.com:22/o/r.git", "o/r"),
        ("https://github.com/o/r.js", "o/r.js"),
        ("https://github.com:8443/o/r", ""),
        ("http://github.com/o/r", ""),
        ("https://github.com.evil.org/o/r", ""),
        ("https://evil.org/github.com/o/r", ""),
        ("git@evil.org:o/r", ""),
        ("https://github.com/o", ""),
        ("https://github.com/o/r/x", ""),
        ("https://github.com/o/..", ""),
        ("https://github.com/o/%2e%2e", ""),
        ("https://github.com/../r", ""),
        ("/srv/git/o/r.git", ""),
        ("../r", ""),
        ("file:///o/r", ""),
        ("git://github.com/o/r", ""),
        ("", ""),
    ],
)
def test_the_repository_that_a_git_address_means(url: str, name: str) -> None:
    assert GitHub.at({}).named(url) == name


@pytest.mark.parametrize(
    "name", ["", "o", "o/", "/r", "o/r/x", "../r", "o/..", "o/.", "o/r?x", "o/r#", "ö/r", "o r/x", "o/r\n"]
)
def test_what_is_no_repository_of_a_forge_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"is no repository of a forge; write it as owner/name"):
        GitHub.at({}).forge(name)


def test_a_repository_is_the_same_one_for_the_same_name() -> None:
    github = GitHub.at({})
    assert github.forge("o/r") is github.forge("o/r")
    assert (github.server, github.address("o/r")) == ("https://github.com", "https://github.com/o/r.git")
    assert github.serves("git@github.com:o/r/x")
    assert not github.serves("https://gitlab.com/o/r")


@pytest.mark.parametrize(
    ("api", "counted", "free"),
    [
        ("https://api.github.com", ["https://api.github.com/repos/a/b", "https://uploads.github.com/repos/a/b"],
         ["https://github.com/a/b.git/info/refs", "https://objects.githubusercontent.com/x"]),
        ("https://ghe.example.org/api/v3", ["https://ghe.example.org/api/v3/repos/a/b", "https://ghe.example.org/api/uploads/x"],
         ["https://ghe.example.org/a/b.git/git-upload-pack", "https://ghe.example.org/apiary/b"]),
    ],
)  # fmt: skip
def test_what_the_limits_of_the_api_count_and_what_they_do_not(api: str, counted: list[str], free: list[str]) -> None:
    limited = places({"GITHUB_API_URL": api}).limited
    assert [url for url in (*counted, *free) if url.startswith(limited)] == counted
