"""Who calls, and what he may do: tokens, scopes, permissions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from release.sandbox.forge.answers import Problem, missing
from release.sandbox.serving.store import Json, Store

Kind = Literal["anonymous", "classic", "fine", "installation", "workflow", "app"]
PREFIXES: Mapping[str, str] = {"classic": "ghp_", "fine": "github_pat_", "installation": "ghs_", "workflow": "ghs_"}
LEVELS = ("", "read", "write", "admin")


@dataclass(frozen=True)
class Actor:
    """The caller. `repositories` None means every one that the user can reach, `permissions` None every right he has."""

    kind: Kind = "anonymous"
    login: str = ""
    token: int = 0
    scopes: tuple[str, ...] = ()
    repositories: tuple[str, ...] | None = None
    permissions: Mapping[str, str] | None = None
    app: int = 0
    run: int = 0

    @property
    def known(self) -> bool:
        return self.kind != "anonymous"

    @property
    def by_workflow(self) -> bool:
        return self.kind == "workflow"

    def sees(self, repository: Json) -> bool:
        """Whether the repository exists for him."""
        return self.may(repository, "metadata", "read")

    def may(self, repository: Json, permission: str, level: str) -> bool:
        """Whether he has a right (`contents`, `actions`, `checks`, ...) at a level (read, write) in a repository."""
        if level == "read" and not repository["private"]:
            return self.kind != "app"
        if self.kind == "classic":
            return _member(self.login, repository, level) and self._scoped(repository, permission)
        if self.kind == "fine":
            return _member(self.login, repository, level) and self._granted(repository, permission, level)
        return self.kind in ("installation", "workflow") and self._granted(repository, permission, level)

    def _scoped(self, repository: Json, permission: str) -> bool:
        if permission == "workflows":
            return "workflow" in self.scopes
        fitting = {"repo"} | {"statuses": {"repo:status"}, "deployments": {"repo_deployment"}}.get(permission, set())
        return bool(fitting & {*self.scopes}) or (not repository["private"] and "public_repo" in self.scopes)

    def _granted(self, repository: Json, permission: str, level: str) -> bool:
        if self.repositories is not None and repository["full_name"].lower() not in self.repositories:
            return False
        if self.permissions is None or permission == "metadata":
            return True
        return LEVELS.index(self.permissions.get(permission, "")) >= LEVELS.index(level)


def denied(actor: Actor, repository: Json, permission: str, level: str) -> Problem:
    """How GitHub says that a right is missing."""
    if not actor.known and not repository["private"]:
        return Problem(401, "Requires authentication")
    if actor.kind in ("anonymous", "classic", "app") or not actor.sees(repository):
        return missing()
    who = "personal access token" if actor.kind == "fine" else "integration"
    return Problem(
        403,
        f"Resource not accessible by {who}",
        headers={"X-Accepted-GitHub-Permissions": f"{permission}={level}"},
    )


def issue(store: Store, kind: Kind, facts: Json) -> str:
    """A new token. Only its hash is kept: the state's folder holds none."""
    token = PREFIXES[kind] + secrets.token_hex(20)
    store.add("token", {"kind": kind, **facts}, key=_hash(token))
    return token


def revoke(store: Store, token: str) -> None:
    if found := store.find("token", _hash(token)):
        store.remove(found["id"])


def authenticate(store: Store, header: str, clock: Callable[[], float] = time.time) -> Actor:
    """The caller that an Authorization header names; 401 if the token is unknown or over."""
    if not header:
        return Actor()
    token = _token_of(header)
    if token.count(".") == 2:
        return _app(store, token, clock)
    found = store.find("token", _hash(token))
    if found is None or clock() >= found.get("expires", clock() + 1):
        raise Problem(401, "Bad credentials")
    repositories = found.get("repositories")
    return Actor(
        kind=found["kind"],
        login=found["login"],
        token=found["id"],
        scopes=tuple(found.get("scopes", ())),
        repositories=None if repositories is None else tuple(name.lower() for name in repositories),
        permissions=found.get("permissions"),
        app=found.get("app", 0),
        run=found.get("run", 0),
    )


def _member(login: str, repository: Json, level: str) -> bool:
    pushers = {repository["owner"].lower(), *map(str.lower, repository["push"])}
    readers = pushers | {*map(str.lower, repository["read"])}
    return login.lower() in (readers if level == "read" else pushers)


def _token_of(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Problem(401, "Bad credentials") from error
    return password if password and password != "x-oauth-basic" else user


def _app(store: Store, token: str, clock: Callable[[], float]) -> Actor:
    """An App by its JWT: RS256, at most ten minutes long, not from the future."""
    import jwt  # late: it takes a tenth of a second, and most sandboxes know no App

    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
        app = store.get("app", int(issuer))
        if app is None:
            raise Problem(401, "Integration not found")
        claims = jwt.decode(
            token,
            app["public_key"],
            algorithms=["RS256"],
            options={"verify_iat": False, "verify_exp": False, "require": ["iat", "exp", "iss"]},
        )
        issued, expires = int(claims["iat"]), int(claims["exp"])
    except (jwt.PyJWTError, ValueError) as error:
        raise Problem(401, "A JSON web token could not be decoded") from error
    if expires <= clock():
        raise Problem(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
    if expires > clock() + 600:
        raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
    if issued > clock() + 60:
        raise Problem(
            401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
    return Actor(kind="app", login=f"{app['slug']}[bot]", app=app["id"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
