"""GitHub Apps: where they are installed, and the tokens that they get for it; and everybody's rate limit."""

from __future__ import annotations

from datetime import UTC, datetime

from release.sandbox.forge import auth, shapes
from release.sandbox.forge.answers import Answer, Page, Problem, missing, refused
from release.sandbox.forge.auth import LEVELS
from release.sandbox.forge.calls import Call, route
from release.sandbox.serving.store import Json

LIFETIME = 3600  # seconds
NOT_THERE = "There is at least one repository that does not exist or is not accessible to the parent installation."
NOT_GRANTED = "The permissions requested are not granted to this installation."


@route("GET", "/app/installations")
def installations(call: Call) -> Page:
    app = _app(call)
    found = call.store.all("installation", app=app["id"])
    return Page(found, shape=lambda one: _with_enterprise(_installation(call, app, one)))


@route("GET", "/repos/{owner}/{repo}/installation", "")
def of_repository(call: Call) -> Answer:
    app = _app(call)
    for one in call.store.all("installation", app=app["id"]):
        if call.name.lower() in [name.lower() for name in one["repositories"]]:
            return Answer(_installation(call, app, one))
    raise missing()


@route("POST", "/app/installations/{installation_id}/access_tokens")
def token(call: Call) -> Answer:
    """A token for an hour: for all repositories and rights of the installation, or for less."""
    app = _app(call)
    found = call.store.get("installation", call.number("installation_id"))
    if found is None or found["app"] != app["id"]:
        raise missing()
    repositories, permissions = _chosen(call, found), _granted(call, found)
    expires = int(call.world.clock()) + LIFETIME
    facts = {
        "login": f"{app['slug']}[bot]",
        "app": app["id"],
        "installation": found["id"],
        "repositories": [one["full_name"] for one in repositories],
        "permissions": permissions,
        "expires": expires,
    }
    shown: Json = {
        "token": auth.issue(call.store, "installation", facts),
        "expires_at": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permissions": permissions,
        "repository_selection": "selected",
    }
    if call.given("repositories") or call.given("repository_ids"):
        shown["repositories"] = [_repository(call, one) for one in repositories]
    return Answer(shown, 201)


@route("GET", "/installation/repositories")
def repositories(call: Call) -> Page:
    if call.actor.kind not in ("installation", "workflow"):
        raise Problem(403, "Resource not accessible by personal access token")
    names = call.actor.repositories or ()
    found = [one for name in names if (one := call.store.find("repository", name))]
    more = {"repository_selection": "selected"}
    return Page(found, total="repositories", more=more, shape=lambda one: _repository(call, one))


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Answer:
    """Asking costs nothing."""
    core = call.meter.rate(call.actor)
    search = {"limit": 30, "remaining": 30, "reset": core["reset"], "used": 0}
    return Answer({"resources": {"core": core, "search": search}, "rate": core})


def _app(call: Call) -> Json:
    app = call.store.get("app", call.actor.app) if call.actor.kind == "app" else None
    if app is None:
        raise Problem(401, "A JSON web token could not be decoded")
    return app


def _chosen(call: Call, installation: Json) -> list[Json]:
    """The repositories that a token is for: by name (without owner) or id, else all of the installation."""
    found = [one for name in installation["repositories"] if (one := call.store.find("repository", name.lower()))]
    names = {str(name).lower() for name in call.take("repositories", list, [])}
    ids = {number for number in call.take("repository_ids", list, []) if isinstance(number, int)}
    if not (names or ids):
        return found
    chosen = [one for one in found if one["name"].lower() in names or one["id"] in ids]
    if len(chosen) < len(names | {one["name"].lower() for one in found if one["id"] in ids}) or ids - {
        one["id"] for one in found
    }:
        raise refused(NOT_THERE)
    return chosen


def _granted(call: Call, installation: Json) -> Json:
    """The rights that a token has; more than the installation has are refused."""
    granted: Json = installation["permissions"]
    asked = call.take("permissions", dict, {})
    for name, level in asked.items():
        if level not in LEVELS[1:] or LEVELS.index(granted.get(name, "")) < LEVELS.index(level):
            raise refused(NOT_GRANTED)
    return {"metadata": "read"} | asked if asked else granted


def _installation(call: Call, app: Json, found: Json) -> Json:
    me = f"{call.urls.api}/app/installations/{found['id']}"
    account = call.user(found["account"])
    return {
        "id": found["id"],
        "account": account,
        "repository_selection": "selected",
        "access_tokens_url": f"{me}/access_tokens",
        "repositories_url": f"{call.urls.api}/installation/repositories",
        "html_url": f"{call.urls.server}/organizations/{found['account']}/settings/installations/{found['id']}",
        "app_id": app["id"],
        "app_slug": app["slug"],
        "target_id": account["id"],
        "target_type": account["type"],
        "permissions": found["permissions"],
        "events": [],
        "created_at": found["created_at"],
        "updated_at": found["created_at"],
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }


def _with_enterprise(shown: Json) -> Json:
    """The description of this one list wants an account that is an enterprise as well."""
    login, since = shown["account"]["login"], shown["created_at"]
    more = {"name": login, "slug": login, "created_at": since, "updated_at": since}
    return shown | {"account": shown["account"] | more}


def _repository(call: Call, repository: Json) -> Json:
    rights = {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True}
    return shapes.whole_repository(call.urls, call.world, repository, rights)
