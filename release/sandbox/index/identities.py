"""Gives a workflow's run the identity that GitHub's own service gives it: a JWT on request, in exchange for a token."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import jwt
from aiohttp import web

from release.sandbox.index.answers import Problem
from release.sandbox.serving.store import Store

LIFETIME = 300
ISSUER = "https://token.actions.githubusercontent.com"
PLACE = "/_github/identity"


@dataclass
class Identities:
    """Signs with a key that nobody looks at."""

    store: Store
    clock: Callable[[], float]
    key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    def environment(self, url: str, repository: str, workflow: str, environment: str) -> dict[str, str]:
        """The variables that a job with `permissions: id-token: write` has."""
        token = secrets.token_urlsafe(32)
        facts = {"repository": repository, "workflow": workflow, "environment": environment, "token": token}
        number = self.store.add("identity", facts)["id"]
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}{PLACE}?run={number}",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token,
        }

    async def asked(self, request: web.Request) -> web.StreamResponse:
        run = request.query.get("run", "")
        found = self.store.get("identity", int(run)) if run.isascii() and run.isdigit() and len(run) < 19 else None
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        if found is None or not hmac.compare_digest(found["token"].encode(), token.encode()):
            raise Problem(401, "Unauthorized")
        now, repository = int(self.clock()), found["repository"]
        claims = {
            "iss": ISSUER,
            "aud": request.query.get("audience", f"https://github.com/{repository.partition('/')[0]}"),
            "sub": f"repo:{repository}:ref:refs/heads/main",
            "repository": repository,
            "job_workflow_ref": f"{repository}/.github/workflows/{found['workflow']}@refs/heads/main",
            **({"environment": found["environment"]} if found["environment"] else {}),
            **{"iat": now, "nbf": now, "exp": now + LIFETIME, "jti": secrets.token_hex(16)},
        }
        return web.json_response({"value": jwt.encode(claims, self.key, algorithm="HS256")})
