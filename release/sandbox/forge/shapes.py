"""How the API shows what everything refers to: users, repositories, commits."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from release.sandbox.forge.git import Commit
from release.sandbox.forge.urls import Urls
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

# The members of a repository that are its own URL with something behind it.
LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
NOTHING = dict.fromkeys(
    (
        "forks_count",
        "stargazers_count",
        "watchers_count",
        "size",
        "open_issues_count",
        "forks",
        "open_issues",
        "watchers",
    ),
    0,
)


def node(kind: str, number: int | str) -> str:
    """A global id, as GraphQL uses it."""
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode()


def user(urls: Urls, world: World, login: str) -> Json:
    found = world.store.find("user", login.lower()) or {"login": login or "ghost", "id": 1, "type": "User"}
    me = f"{urls.api}/users/{quote(found['login'])}"  # a bot's brackets are escaped, as on GitHub
    page, bot, _ = found["login"].partition("[bot]")
    return {
        "login": found["login"],
        "id": found["id"],
        "node_id": node("User", found["id"]),
        "avatar_url": f"{urls.server}/_avatars/{found['id']}",
        "gravatar_id": "",
        "url": me,
        "html_url": f"{urls.server}/apps/{page}" if bot else f"{urls.server}/{page}",
        **{name: me + path for name, path in USER_LINKS.items()},
        "type": found["type"],
        "site_admin": False,
    }


def minimal_repository(urls: Urls, world: World, repository: Json) -> Json:
    """What other things show of their repository."""
    full_name, me = repository["full_name"], urls.repository(repository["full_name"])
    return {
        "id": repository["id"],
        "node_id": node("Repository", repository["id"]),
        "name": repository["name"],
        "full_name": full_name,
        "owner": user(urls, world, repository["owner"]),
        "private": repository["private"],
        "html_url": urls.html(full_name),
        "description": None,
        "fork": False,
        "url": me,
        **{name: me + path for name, path in LINKS.items()},
        "default_branch": repository["default_branch"],
    }


def whole_repository(urls: Urls, world: World, repository: Json, rights: Json) -> Json:
    """A repository by itself; `rights` is what the caller may do there."""
    full_name, server = repository["full_name"], urls.server
    public = "private" if repository["private"] else "public"
    return minimal_repository(urls, world, repository) | {
        "git_url": f"git://{urls.host}/{full_name}.git",
        "ssh_url": f"git@{urls.host}:{full_name}.git",
        "clone_url": f"{server}/{full_name}.git",
        "svn_url": f"{server}/{full_name}",
        "mirror_url": None,
        "homepage": None,
        "language": None,
        **NOTHING,
        "subscribers_count": 0,
        "network_count": 0,
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "visibility": public,
        "pushed_at": repository["created_at"],
        "created_at": repository["created_at"],
        "updated_at": repository["created_at"],
        "license": None,
        "permissions": rights,
    }


def quoted(path: str) -> str:
    """A path in an address; bytes that are no text stay what they are."""
    return quote(path, safe="/", errors="surrogateescape")


def person(who: Any) -> Json:
    """An author or committer as git knows him."""
    return {"name": who.name, "email": who.email, "date": who.date}


def verification() -> Json:
    return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def commit(urls: Urls, full_name: str, found: Commit) -> Json:
    """A commit as the repository's history shows it. Nobody's e-mail is known here: the users are empty objects."""
    me, page = urls.repository(full_name), urls.html(full_name, "commit")
    return {
        "sha": found.sha,
        "node_id": node("Commit", found.sha),
        "commit": {
            "author": person(found.author),
            "committer": person(found.committer),
            "message": found.message,
            "tree": {"sha": found.tree, "url": f"{me}/git/trees/{found.tree}"},
            "url": f"{me}/git/commits/{found.sha}",
            "comment_count": 0,
            "verification": verification(),
        },
        "url": f"{me}/commits/{found.sha}",
        "html_url": f"{page}/{found.sha}",
        "comments_url": f"{me}/commits/{found.sha}/comments",
        "author": {},
        "committer": {},
        "parents": [
            {"sha": parent, "url": f"{me}/commits/{parent}", "html_url": f"{page}/{parent}"} for parent in found.parents
        ],
    }
