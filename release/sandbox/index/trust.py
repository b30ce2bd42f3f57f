"""Who may upload: Basic credentials, and tokens that are minted for the identity of a workflow's run.

The exchange is the one of https://docs.pypi.org/trusted-publishers/internals/. Whose key signed an identity is not
looked at here; what it says of itself is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import web
from packaging.utils import canonicalize_name

from release.sandbox.index.answers import Problem
from release.sandbox.serving.store import Store

AUDIENCE = "pypi"
LIFETIME = 900
USER = "__token__"
INVALID = (
    "Invalid or non-existent authentication information. See https://pypi.org/help/#invalid-auth for more information."
)


@dataclass
class Trust:
    """`users` is names and passwords (None: anybody), `publishers` which repository may publish a project (None: any)."""

    store: Store
    clock: Callable[[], float]
    users: Mapping[str, str] | None = None
    publishers: Mapping[str, str] | None = None

    def admit(self, request: web.Request) -> frozenset[str] | None:
        """The projects that the request may upload to, None for all; 403 for one without good credentials."""
        login, password = _credentials(request.headers.get("Authorization", ""))
        if login == USER:
            found = self.store.find("token", _hashed(password))
            if found and found["until"] > self.clock():
                return None if found["projects"] is None else frozenset(found["projects"])
        if self.users is None:
            return None
        known = self.users.get(login)
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            raise Problem(403, INVALID)
        return None

    async def audience(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"audience": AUDIENCE})

    async def mint(self, request: web.Request) -> web.StreamResponse:
        """A token for some minutes, for an identity that is meant for us, now, from a publisher."""
        try:
            said = await request.json()
        except ValueError:
            return _refused("invalid-payload", "payload is not valid JSON")
        identity = said.get("token") if isinstance(said, dict) else None
        if not isinstance(identity, str):
            return _refused("invalid-payload", "token: Input should be a valid string")
        claims = self._claims(identity)
        if claims is None:
            return _refused("invalid-token", "malformed or invalid token")
        projects = self._projects(str(claims["repository"]))
        if projects is not None and not projects:
            return _refused("invalid-publisher", "valid token, but no corresponding publisher")
        token, until = f"pypi-{secrets.token_urlsafe(48)}", int(self.clock()) + LIFETIME
        self.store.add("token", {"projects": projects, "until": until}, key=_hashed(token))
        return web.json_response({"success": True, "token": token, "expires": until})

    def _claims(self, identity: str) -> Mapping[str, Any] | None:
        """What an identity says of itself; None if it is not for us, not for now, or of nobody."""
        try:
            claims: Mapping[str, Any] = jwt.decode(identity, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return None
        if not all(isinstance(claims.get(name), str) for name in ("iss", "sub", "repository")):
            return None
        begins, ends = claims.get("nbf", 0), claims.get("exp")
        timely = isinstance(begins, int) and isinstance(ends, int) and begins <= self.clock() < ends
        return claims if claims.get("aud") == AUDIENCE and timely else None

    def _projects(self, repository: str) -> list[str] | None:
        if self.publishers is None:
            return None
        return [str(canonicalize_name(name)) for name, one in self.publishers.items() if one == repository]


def _credentials(header: str) -> tuple[str, str]:
    """Login and password, empty where there are none."""
    kind, _, rest = header.partition(" ")
    try:
        login, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (login, password) if kind.lower() == "basic" else ("", "")


def _refused(code: str, description: str) -> web.Response:
    errors = [{"code": code, "description": description}]
    return web.json_response({"message": "Token request failed", "errors": errors}, status=422)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
