"""GitHub's GraphQL schema, as far as its own command line `gh` asks for it: repositories, their releases, the viewer."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema, graphql_sync

from release.sandbox.forge import releases
from release.sandbox.forge.calls import Call
from release.sandbox.forge.published import newest
from release.sandbox.forge.shapes import node
from release.sandbox.serving.store import Json

Info: TypeAlias = "GraphQLResolveInfo[Call]"
MOST = 100

SCHEMA = """
scalar DateTime
scalar URI

type Query {
  viewer: User!
  repository(owner: String!, name: String!, followRenames: Boolean): Repository
  repositoryOwner(login: String!): RepositoryOwner
}

interface RepositoryOwner { id: ID! login: String! }
type User implements RepositoryOwner { id: ID! login: String! databaseId: Int name: String email: String! }
type Organization implements RepositoryOwner { id: ID! login: String! databaseId: Int name: String }

enum RepositoryPermission { ADMIN MAINTAIN READ TRIAGE WRITE }
enum OrderDirection { ASC DESC }
enum ReleaseOrderField { CREATED_AT NAME }
input ReleaseOrder { field: ReleaseOrderField! direction: OrderDirection! }

type Repository {
  id: ID!
  databaseId: Int
  name: String!
  nameWithOwner: String!
  owner: RepositoryOwner!
  description: String
  url: URI!
  sshUrl: String!
  isPrivate: Boolean!
  isFork: Boolean!
  isArchived: Boolean!
  hasIssuesEnabled: Boolean!
  hasWikiEnabled: Boolean!
  hasProjectsEnabled: Boolean!
  hasDiscussionsEnabled: Boolean!
  mergeCommitAllowed: Boolean!
  rebaseMergeAllowed: Boolean!
  squashMergeAllowed: Boolean!
  deleteBranchOnMerge: Boolean!
  viewerPermission: RepositoryPermission
  viewerCanAdminister: Boolean!
  defaultBranchRef: Ref
  ref(qualifiedName: String!): Ref
  parent: Repository
  release(tagName: String!): Release
  latestRelease: Release
  releases(first: Int, after: String, last: Int, before: String, orderBy: ReleaseOrder): ReleaseConnection!
}

type Ref { id: ID! name: String! prefix: String! target: GitObject }
interface GitObject { id: ID! oid: String! }
type Commit implements GitObject { id: ID! oid: String! }

type Release {
  id: ID!
  databaseId: Int
  name: String
  tagName: String!
  description: String
  isDraft: Boolean!
  isLatest: Boolean!
  isPrerelease: Boolean!
  immutable: Boolean!
  createdAt: DateTime!
  publishedAt: DateTime
  url: URI!
  author: User
  releaseAssets(first: Int, after: String, name: String): ReleaseAssetConnection!
}

type ReleaseAsset {
  id: ID! name: String! size: Int! downloadCount: Int! contentType: String! url: URI! downloadUrl: URI!
  createdAt: DateTime! updatedAt: DateTime!
}

type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type ReleaseConnection { nodes: [Release] totalCount: Int! pageInfo: PageInfo! }
type ReleaseAssetConnection { nodes: [ReleaseAsset] totalCount: Int! pageInfo: PageInfo! }
"""


def answered(call: Call, query: str, variables: Json) -> Json:
    """The answer to a query, as JSON."""
    done = graphql_sync(_schema(), query, {}, call, variables, call.body.get("operationName"))
    told: Json = {}
    if done.data is not None or not done.errors:
        told["data"] = done.data
    if done.errors:
        told["errors"] = [_problem(error) for error in done.errors]
    return told


class NotFound(GraphQLError):
    """GitHub's word for what is not there, or not for this caller."""


def _problem(error: GraphQLError) -> Json:
    told: Json = {"message": error.message}
    if isinstance(error.original_error or error, NotFound):
        told["type"] = "NOT_FOUND"
    if error.path:
        told["path"] = error.path
    return told | (
        {"locations": [{"line": one.line, "column": one.column} for one in error.locations]} if error.locations else {}
    )


@cache
def _schema() -> GraphQLSchema:
    schema = build_schema(SCHEMA)
    for kind, name, resolve in (
        ("Query", "viewer", _viewer),
        ("Query", "repository", _repository),
        ("Query", "repositoryOwner", _owner),
        ("Repository", "ref", _ref),
        ("Repository", "release", _release),
        ("Repository", "latestRelease", _latest),
        ("Repository", "releases", _releases),
        ("Release", "releaseAssets", _assets),
    ):
        found: Any = schema.type_map[kind]
        found.fields[name].resolve = resolve
    return schema


def _viewer(_: Any, info: Info) -> Json:
    return _user(info.context, info.context.actor.login)


def _user(call: Call, login: str) -> Json:
    found = call.store.find("user", login.lower()) or {"login": login, "id": 1, "type": "User"}
    kind = "Organization" if found["type"] == "Organization" else "User"
    return {
        "__typename": kind, "id": node(kind, found["id"]), "login": found["login"], "databaseId": found["id"],
        "name": found["login"], "email": "",
    }  # fmt: skip


def _owner(_: Any, info: Info, login: str) -> Json | None:
    return _user(info.context, login) if info.context.store.find("user", login.lower()) else None


def _repository(_: Any, info: Info, owner: str, name: str, **__: Any) -> Json:
    call: Call = info.context
    found = call.store.find("repository", f"{owner}/{name}".lower())
    if found is None or not call.actor.sees(found):
        raise NotFound(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    call.repository = found
    writes = call.may("contents", "write")
    return {
        "id": node("Repository", found["id"]), "databaseId": found["id"], "name": found["name"],
        "nameWithOwner": found["full_name"], "owner": _user(call, found["owner"]), "description": None,
        "url": call.urls.html(found["full_name"]), "sshUrl": f"git@{call.urls.host}:{found['full_name']}.git",
        "isPrivate": found["private"], "isFork": False, "isArchived": False, "hasIssuesEnabled": True,
        "hasWikiEnabled": False, "hasProjectsEnabled": False, "hasDiscussionsEnabled": False,
        "mergeCommitAllowed": True, "rebaseMergeAllowed": False, "squashMergeAllowed": False,
        "deleteBranchOnMerge": False, "viewerPermission": "WRITE" if writes else "READ",
        "viewerCanAdminister": False, "parent": None,
        "defaultBranchRef": _named(call, f"refs/heads/{found['default_branch']}"),
    }  # fmt: skip


def _named(call: Call, name: str) -> Json | None:
    commit = call.git.commit_of(name)
    if not commit:
        return None
    prefix, _, short = name.removeprefix("refs/").partition("/")
    target = {"__typename": "Commit", "id": node("Commit", commit), "oid": commit}
    return {"id": node("Ref", name), "name": short, "prefix": f"refs/{prefix}/", "target": target}


def _ref(_: Any, info: Info, qualifiedName: str) -> Json | None:
    return _named(info.context, qualifiedName) if qualifiedName.startswith("refs/") else None


def _release(_: Any, info: Info, tagName: str) -> Json | None:
    """By its tag; a draft too, for who may push, which REST does not give."""
    call: Call = info.context
    fitting = [one for one in _visible(call) if one["tag_name"] == tagName]
    return _shown(call, min(fitting, key=lambda one: one["draft"]), newest(_visible(call))) if fitting else None


def _latest(_: Any, info: Info) -> Json | None:
    found = newest(_visible(info.context))
    return _shown(info.context, found, found) if found else None


def _releases(
    _: Any, info: Info, first: int | None = None, after: str | None = None,
    orderBy: Json | None = None, **__: Any,
) -> Json:  # fmt: skip
    call: Call = info.context
    order = orderBy or {"field": "CREATED_AT", "direction": "ASC"}
    found = sorted(
        _visible(call),
        key=lambda one: (one["name"] if order["field"] == "NAME" else one["created_at"], one["id"]),
        reverse=order["direction"] == "DESC",
    )
    latest = newest(found)
    return _page(found, lambda one: _shown(call, one, latest), first, after)


def _assets(of: Json, info: Info, first: int | None = None, after: str | None = None, name: str = "") -> Json:
    kept = [one for one in of["_assets"] if not name or one["name"] == name]
    return _page(kept, _asset, first, after)


def _visible(call: Call) -> list[Json]:
    writes = call.may("contents", "write")
    return [one for one in call.store.all("release", call.repo) if writes or not one["draft"]]


def _shown(call: Call, found: Json, latest: Json | None) -> Json:
    """A release, as the REST endpoint shows it, in GraphQL's words."""
    shown = releases.shown(call, found)
    return {
        "id": shown["node_id"], "databaseId": shown["id"], "name": shown["name"], "tagName": shown["tag_name"],
        "description": shown["body"], "isDraft": shown["draft"], "isPrerelease": shown["prerelease"],
        "isLatest": latest is not None and latest["id"] == found["id"],
        "immutable": found["immutable"], "createdAt": shown["created_at"], "publishedAt": shown["published_at"],
        "url": shown["html_url"], "author": _user(call, found["author"]), "_assets": shown["assets"],
    }  # fmt: skip


def _asset(shown: Json) -> Json:
    return {
        "id": shown["node_id"], "name": shown["name"], "size": shown["size"], "downloadCount": shown["download_count"],
        "contentType": shown["content_type"], "url": shown["browser_download_url"],
        "downloadUrl": shown["browser_download_url"], "createdAt": shown["created_at"], "updatedAt": shown["updated_at"],
    }  # fmt: skip


def _page(found: list[Json], shape: Any, first: int | None, after: str | None) -> Json:
    """A part of a list; a cursor is the place in it."""
    if first is None or not 1 <= first <= MOST:
        raise GraphQLError("You must provide a `first` value between 1 and 100 to properly paginate the connection.")
    start = int(after) if after and after.isascii() and after.isdecimal() and len(after) < 9 else 0
    part = found[start : start + first]
    info = {"hasNextPage": start + first < len(found), "hasPreviousPage": start > 0}
    cursors = {"startCursor": str(start + 1) if part else None, "endCursor": str(start + len(part)) if part else None}
    return {"nodes": [shape(one) for one in part], "totalCount": len(found), "pageInfo": info | cursors}
