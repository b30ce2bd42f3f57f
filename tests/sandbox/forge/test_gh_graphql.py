"""The GraphQL endpoint answers what `gh` may ask, and says what it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from release.sandbox.forge import Sandbox
from tests.forge import Client

PAGE = """
query ($owner: String!, $name: String!, $first: Int, $after: String) {
  repository(owner: $owner, name: $name) {
    releases(first: $first, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes { tagName isDraft isLatest releaseAssets(first: 5) { nodes { name size } } }
      totalCount
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
APP = {"owner": "acme", "name": "app"}


def ask(client: Client, query: str, **variables: Any) -> Any:
    return client.post("/graphql", query=query, variables=variables)


def test_releases_come_page_by_page_and_drafts_only_to_who_pushes(
    captain: Client, stranger: Client, work: Path
) -> None:
    for number in range(3):
        captain.post("/repos/acme/app/releases", tag_name=f"v1.{number}", draft=number == 2)
    made = captain.get("/repos/acme/app/releases/tags/v1.1")
    assert captain.upload(made, "a.txt", b"text").status_code == 201
    first = ask(captain, PAGE, **APP, first=2)["data"]["repository"]["releases"]
    assert [one["tagName"] for one in first["nodes"]] == ["v1.2", "v1.1"]
    assert first["nodes"][1]["releaseAssets"]["nodes"] == [{"name": "a.txt", "size": 4}]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    second = ask(captain, PAGE, **APP, first=2, after=first["pageInfo"]["endCursor"])["data"]["repository"]["releases"]
    assert [one["tagName"] for one in second["nodes"]] == ["v1.0"]
    assert second["pageInfo"]["hasNextPage"] is False
    seen = ask(stranger, PAGE, **APP, first=10)["data"]["repository"]["releases"]
    assert [one["tagName"] for one in seen["nodes"]] == ["v1.1", "v1.0"]


def test_what_is_not_there_or_not_for_the_caller_is_not_found(
    forge: Sandbox, captain: Client, stranger: Client
) -> None:
    forge.repository("acme/secret", push=("captain",), private=True)
    query = 'query ($name: String!) { repository(owner: "acme", name: $name) { nameWithOwner } }'
    assert ask(captain, query, name="secret")["data"]["repository"] == {"nameWithOwner": "acme/secret"}
    for client, name in ((stranger, "secret"), (captain, "nothing")):
        (error,) = ask(client, query, name=name)["errors"]
        assert (error["type"], error["path"]) == ("NOT_FOUND", ["repository"])
        assert error["message"] == f"Could not resolve to a Repository with the name 'acme/{name}'."


def test_a_wrong_query_is_told_and_nobody_asks_without_a_token(captain: Client, anybody: Client) -> None:
    assert "Syntax Error" in ask(captain, "query {")["errors"][0]["message"]
    assert "Cannot query field 'secrets'" in ask(captain, "{ viewer { secrets } }")["errors"][0]["message"]
    told = ask(captain, PAGE, **APP)
    assert "You must provide a `first` value" in told["errors"][0]["message"]
    assert ask(captain, "{ viewer { login } }") == {"data": {"viewer": {"login": "captain"}}}
    enterprise = captain("POST", f"{captain.forge.url}/api/graphql", {"query": "{ viewer { login } }"})
    assert enterprise.json()["data"]["viewer"]["login"] == "captain"
    assert anybody("POST", "/graphql", {"query": "{ viewer { login } }"}).status_code == 401
    assert captain("POST", "/graphql", {"query": "x" * 200_000}).status_code == 422
