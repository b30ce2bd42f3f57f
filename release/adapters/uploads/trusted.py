"""Trusted publishing: a CI run shows an index who it is, and gets a token for a few minutes; nobody keeps a secret.

The exchange is PyPI's (https://docs.pypi.org/trusted-publishers/internals/); an index that has it has it at these paths.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from release.adapters.http import Ask, Http, origin
from release.adapters.uploads.logins import TOKEN, Login, said
from release.core.commits import plain
from release.errors import Refused, ReleaseError, Unseen
from release.redact import Redactor

AUDIENCE, MINT = "/_/oidc/audience", "/_/oidc/mint-token"
RUNNERS = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE")
"""The variables that say that this is a CI run which may have an identity."""


class _Audience(msgspec.Struct, frozen=True):
    audience: str


class _Minted(msgspec.Struct, frozen=True):
    token: str


class Trusted:
    """`environment` is what a CI system gives a run that may have an identity. Tokens are known to `hide` at once."""

    def __init__(self, http: Http, environment: Mapping[str, str], hide: Redactor) -> None:
        self._http, self._environment, self._hide = http, environment, hide

    def lacks(self, upload: str) -> str:
        """Why an upload to this address could not be opened so, "" if nothing says so.

        No token is asked for yet: for a project that is to be, PyPI makes it with the first one.
        """
        if not any(self._environment.get(name) for name in RUNNERS):
            return "this is no CI run that could have an identity"
        try:
            audience = self._audience(upload)
            return "" if audience and self._identity(audience) else f"{origin(upload)} knows no trusted publishing"
        except Refused as refused:
            return str(refused)

    def login(self, upload: str) -> Login:
        """A token for this run, good for some minutes; Refused where the index does not give one."""
        audience = self._audience(upload)
        if not audience:
            raise Refused(f"{origin(upload)} knows no trusted publishing", "set TWINE_USERNAME and TWINE_PASSWORD")
        return Login(TOKEN, self._minted(upload, self._identity(audience)))

    def _audience(self, upload: str) -> str:
        """Whom the identity has to be for, "" where the index does not know of such things."""
        what = f"ask {origin(upload)} about trusted publishing"
        url = origin(upload) + AUDIENCE
        answer = self._http.answer(Ask(what, url, frozenset({origin(url)}), shape=_Audience, bare=True))
        if answer.good:
            told: _Audience = answer.value
            return told.audience
        if answer.status in (403, 404, 405):
            return ""
        raise Unseen(f"cannot {what}: it answered {answer.status}", "run the same command again")

    def _identity(self, audience: str) -> str:
        """The OIDC token of this run, by the library that knows the CI systems."""
        token = (said(["id", audience], self._environment) or b"").decode("ascii", "replace").strip()
        if token.count(".") != 2:
            why = f"this CI run gets no identity token for {plain(audience, 100)!r}"
            raise Refused(why, "let it: on GitHub `permissions: id-token: write`, on GitLab `id_tokens`")
        self._hide.learn(token)
        return token

    def _minted(self, upload: str, identity: str) -> str:
        what, url = f"get a token of {origin(upload)} for this run", origin(upload) + MINT
        body = json.dumps({"token": identity}).encode()
        headers = {"Content-Type": "application/json"}
        ask = Ask(
            what, url, frozenset({origin(url)}), "POST", headers, body=body, shape=_Minted, harmless=True, bare=True
        )
        try:
            answer = self._http.answer(ask)
        except ReleaseError as lost:
            raise Refused(lost.message, lost.remedy, after=lost.after) from None
        if not answer.good:
            words = f": {plain(answer.words, 300)}" if answer.words else ""
            raise Refused(
                f"cannot {what}: it answered {answer.status}{words}",
                "on the index, make this repository, workflow and environment a trusted publisher of the project",
            )
        told: _Minted = answer.value
        self._hide.learn(told.token)
        return told.token
