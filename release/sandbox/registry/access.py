"""Who may do what: nobody is asked, Basic credentials, or tokens of a realm of the registry's own.

Tokens as in https://distribution.github.io/distribution/spec/auth/token/ and .../auth/oauth/: opaque, for scopes
`repository:<name>:<actions>`, with a short life.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from release.sandbox.registry.problems import Problem
from release.sandbox.serving.store import Json, Store

ALL = ("pull", "push", "delete")


@dataclass
class Access:
    """`users` is names and passwords (None: everybody may do everything), `readers` those of them who may only pull.

    `lifetime` is the seconds that a token lives.
    """

    store: Store
    clock: Callable[[], float]
    users: Mapping[str, str] | None = None
    readers: Collection[str] = ()
    tokens: bool = False
    lifetime: float = 300.0
    realm: str = "/token"

    def admit(self, request: web.Request, name: str, actions: Iterable[str]) -> None:
        """Problem 401 or 403 unless the request may do this in the repository (`name` "": only be there at all)."""
        wanted = list(actions)
        if self.tokens:
            self._by_token(request, name, wanted)
        elif self.users is not None:
            login = self._login(request.headers.get("Authorization", ""))
            if login is None:
                raise _unauthorized('Basic realm="registry"')
            if name and not set(wanted) <= set(self._rights(login)):
                raise Problem(403, "DENIED", "requested access to the resource is denied")

    def may(self, request: web.Request, name: str, action: str) -> bool:
        """Whether the request could do this as well."""
        try:
            self.admit(request, name, (action,))
        except Problem:
            return False
        return True

    def expire(self) -> None:
        """Every token that was given out so far is worth nothing from now on."""
        for token in self.store.all("token"):
            self.store.change(token["id"], until=0)

    def register(self, app: web.Application) -> None:
        if self.tokens:
            app.router.add_get(self.realm, self._asked)
            app.router.add_post(self.realm, self._posted)

    def _by_token(self, request: web.Request, name: str, actions: list[str]) -> None:
        scope = f',scope="repository:{name}:{",".join(actions)}"' if name else ""
        challenge = f'Bearer realm="http://{request.host}{self.realm}",service="{request.host}"{scope}'
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise _unauthorized(challenge)
        found = self.store.find("token", _hashed(token))
        if found is None or found["until"] <= self.clock():
            raise _unauthorized(f'{challenge},error="invalid_token"')
        if name and not set(actions) <= set(found["access"].get(name, ())):
            raise _unauthorized(f'{challenge},error="insufficient_scope"')

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        """The token specification: scopes in the query, credentials by Basic."""
        given = request.headers.get("Authorization", "")
        login = self._login(given) if given or self.users is not None else ""
        if login is None:
            raise _unauthorized('Basic realm="registry"')
        offline = request.query.get("offline_token") == "true"
        return self._issued(login, request.query.getall("scope", []), offline)

    async def _posted(self, request: web.Request) -> web.StreamResponse:
        """The OAuth 2 way: a form, with a password or a refresh token."""
        form = await request.post()
        said = {name: str(value) for name, value in form.items()}
        if said.get("grant_type") == "refresh_token":
            found = self.store.find("refresh", _hashed(said.get("refresh_token", "")))
            login = found["login"] if found else None
        elif said.get("grant_type") == "password":
            login = self._known(said.get("username", ""), said.get("password", ""))
        else:
            raise Problem(400, "UNSUPPORTED", "unsupported grant_type")
        if login is None:
            raise _unauthorized('Basic realm="registry"')
        offline = said.get("access_type") == "offline" or said["grant_type"] == "refresh_token"
        return self._issued(login, said.get("scope", "").split(" "), offline)

    def _issued(self, login: str, scopes: Iterable[str], offline: bool) -> web.Response:
        granted = self._granted(login, scopes)
        token = self._new("token", {"login": login, "access": granted, "until": self.clock() + self.lifetime})
        answer: dict[str, Any] = {
            "token": token,
            "access_token": token,
            "expires_in": max(1, int(self.lifetime)),
            "issued_at": datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "scope": " ".join(f"repository:{name}:{','.join(actions)}" for name, actions in granted.items()),
        }
        if offline and login:
            answer["refresh_token"] = self._new("refresh", {"login": login})
        return web.json_response(answer)

    def _granted(self, login: str, scopes: Iterable[str]) -> dict[str, list[str]]:
        """What of the scopes he has a right to; the rest is left out, as the specification says."""
        rights, granted = self._rights(login), dict[str, list[str]]()
        for scope in (one for line in scopes for one in line.split(" ")):
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            allowed = [one for one in actions.split(",") if one in rights]
            if kind == "repository" and allowed:
                granted[name] = sorted({*granted.get(name, []), *allowed})
        return granted

    def _rights(self, login: str) -> tuple[str, ...]:
        return ("pull",) if login in self.readers else ALL

    def _login(self, header: str) -> str | None:
        """Whose Basic credentials these are; None for nobody's."""
        kind, _, rest = header.partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            login, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        return self._known(login, password)

    def _known(self, login: str, password: str) -> str | None:
        known = (self.users or {}).get(login)
        good = known is not None and hmac.compare_digest(known.encode(), password.encode())
        return login if good else None

    def _new(self, kind: str, facts: Json) -> str:
        token = secrets.token_urlsafe(32)
        self.store.add(kind, facts, key=_hashed(token))
        return token


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _unauthorized(challenge: str) -> Problem:
    return Problem(401, "UNAUTHORIZED", "authentication required", headers={"WWW-Authenticate": challenge})
