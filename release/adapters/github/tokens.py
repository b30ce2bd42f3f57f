"""What opens a forge: a token from the environment, or a GitHub App's, made for this release and renewed in time."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Protocol, cast

import jwt
import msgspec

from release.adapters.github.places import Places
from release.adapters.github.shapes import Granted, Installation
from release.adapters.http import Answer, Ask, Http
from release.errors import ConfigError, Refused, Unseen
from release.redact import Redactor

ACCEPT = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
NAMES = ("SLUICE_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
ENTERPRISE = ("SLUICE_GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")
RENEWED = timedelta(minutes=5)  # before it ends
READING = {
    "metadata": "read",
    "contents": "read",
    "actions": "read",
    "checks": "read",
    "statuses": "read",
    "deployments": "read",
    "pull_requests": "read",
    "issues": "read",
}
RIGHTS = {
    "push": {"contents": "write"},
    "dispatch": {"actions": "write"},
    "deploy": {"deployments": "write"},
    "propose": {"pull_requests": "write"},
}


class Tokens(Protocol):
    """What a repository is opened with."""

    @property
    def source(self) -> str:
        """The variable that it comes from, "" for nothing."""
        ...

    def token(self, repository: str) -> str:
        """The token for a repository, "" for none."""
        ...

    def headers(self, repository: str) -> Mapping[str, str]: ...

    def granted(self, repository: str) -> Mapping[str, str] | None:
        """The rights of the token, None where only the forge knows them."""
        ...


@dataclass(frozen=True)
class Fixed:
    """One token for everything, from the environment, or none."""

    source: str
    _token: str = field(repr=False)

    def token(self, repository: str) -> str:
        return self._token

    def headers(self, repository: str) -> Mapping[str, str]:
        return bearer(self._token) if self._token else {}

    def granted(self, repository: str) -> Mapping[str, str] | None:
        return None


class App:
    """A GitHub App: for every owner one token, for just the repositories and rights of this release.

    `rights` are those of `Forge.lacks`, by repository. https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
    """

    source = "SLUICE_APP_KEY"

    def __init__(
        self, app: str, key: str, http: Http, places: Places, hide: Redactor, rights: Mapping[str, Collection[str]]
    ) -> None:
        self._app, self._key = app, key
        self._http, self._places, self._hide = http, places, hide
        self._rights = rights
        self._held: dict[str, Granted] = {}
        self._locks: dict[str, Lock] = {}
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"App({self._app!r})"

    def token(self, repository: str) -> str:
        return self._current(repository).token

    def headers(self, repository: str) -> Mapping[str, str]:
        return bearer(self.token(repository))

    def granted(self, repository: str) -> Mapping[str, str] | None:
        return self._current(repository).permissions

    def _current(self, repository: str) -> Granted:
        """The token of the repository's owner, made anew when it ends soon; one thread makes it, the others wait."""
        owner = repository.partition("/")[0].lower()
        with self._lock:
            lock = self._locks.setdefault(owner, Lock())
        with lock:
            held = self._held.get(owner)
            if held is None or self._now() > datetime.fromisoformat(held.expires_at) - RENEWED:
                held = self._held[owner] = self._made(repository, owner)
                self._hide.learn(held.token)
            return held

    def _made(self, repository: str, owner: str) -> Granted:
        ours = sorted({repository, *(name for name in self._rights if name.partition("/")[0].lower() == owner)})
        installed = self._installed(repository)
        wanted = permissions(right for name in ours for right in self._rights.get(name, ()))
        asked = {
            kind: level if installed.permissions[kind] != "read" else "read"
            for kind, level in wanted.items()
            if kind in installed.permissions
        }
        body = {"repositories": [name.partition("/")[2] for name in ours], "permissions": asked}
        ask = self._ask(
            f"get a token of App {self._app} for {', '.join(ours)}",
            f"/app/installations/{installed.id}/access_tokens", Granted, msgspec.json.encode(body),
        )  # fmt: skip
        answer = self._http.answer(ask)
        if answer.good:
            return cast(Granted, answer.value)
        if answer.status == 422:
            for name in ours:
                self._installed(name)  # says which one it is
        raise self._wrong(ask, answer)

    def _installed(self, repository: str) -> Installation:
        ask = self._ask(f"look where App {self._app} is installed", f"/repos/{repository}/installation", Installation)
        answer = self._http.answer(ask)
        if answer.status == 404:
            raise Refused(f"App {self._app} is not installed on {repository}", "install it there")
        if not answer.good:
            raise self._wrong(ask, answer)
        found = cast(Installation, answer.value)
        if found.suspended_at:
            raise Refused(f"App {self._app} is suspended for {repository}", "let its owner unsuspend it")
        return found

    def _wrong(self, ask: Ask, answer: Answer) -> Refused | Unseen:
        words = f" ({answer.words})" if answer.words else ""
        remedy = "mend SLUICE_APP_ID and its key" if answer.status == 401 else ""
        return (Unseen if ask.reads else Refused)(
            f"cannot {ask.what}: the forge answered {answer.status}{words}", remedy
        )

    def _ask(self, what: str, path: str, shape: object, body: bytes | None = None) -> Ask:
        kind = {"Content-Type": "application/json"} if body else {}
        return Ask(
            what, self._places.api + path, self._places.origins, "POST" if body else "GET",
            {**ACCEPT, **kind}, lambda: bearer(self._signed()), body, shape, harmless=True,
        )  # fmt: skip

    def _signed(self) -> str:
        """Who we are, signed, for a few minutes; a minute back, for clocks that differ."""
        now = self._now()
        claims = {"iat": now - timedelta(minutes=1), "exp": now + timedelta(minutes=8), "iss": self._app}
        signed = jwt.encode(claims, self._key, algorithm="RS256")
        self._hide.learn(signed)
        return signed

    def _now(self) -> datetime:
        """The forge's time; ours may be a day off."""
        known = self._http.now(self._places.api)
        if known is None:
            about = Ask(
                "ask the forge for its time", f"{self._places.api}/rate_limit", self._places.origins, headers=ACCEPT
            )
            self._http.answer(about)
            known = self._http.now(self._places.api)
        return known or datetime.now(UTC)


def tokens(
    environment: Mapping[str, str], http: Http, places: Places, hide: Redactor, rights: Mapping[str, Collection[str]]
) -> Tokens:
    """What the environment has: a token first, then an App's key, else nothing. Secrets are hidden from now on."""
    found = [(name, environment[name].strip()) for name in (*NAMES, *ENTERPRISE) if environment.get(name, "").strip()]
    for _, secret in found:
        hide.learn(secret)
    app = environment.get("SLUICE_APP_ID", "").strip()
    named = dict(found)
    if app and "SLUICE_GITHUB_TOKEN" not in named:
        return App(app, _key(environment, hide), http, places, hide, rights)
    name = next((name for name in (NAMES if places.public else ENTERPRISE) if name in named), "")
    if name and not (named[name].isascii() and named[name].isprintable() and " " not in named[name]):
        raise ConfigError(f"{name} holds something that is no token", "put just the token there")
    return Fixed(name, named.get(name, ""))


def permissions(rights: object) -> dict[str, str]:
    """GitHub's names for what the rights of a release need; reading goes without saying."""
    wanted = dict(READING)
    for right in cast("Collection[str]", rights):
        wanted.update(RIGHTS[right])
    return wanted


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(token: str) -> str:
    """The header with which git opens a repository over HTTP."""
    return f"AUTHORIZATION: basic {b64encode(f'x-access-token:{token}'.encode()).decode()}"


def _key(environment: Mapping[str, str], hide: Redactor) -> str:
    """The App's private key, from SLUICE_APP_KEY or the file that SLUICE_APP_KEY_FILE names."""
    text, path = environment.get("SLUICE_APP_KEY", ""), environment.get("SLUICE_APP_KEY_FILE", "")
    if not text and not path:
        raise ConfigError("SLUICE_APP_ID is set without a key", "put it into SLUICE_APP_KEY or SLUICE_APP_KEY_FILE")
    if not text:
        try:
            text = Path(path).read_text()
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"cannot read {path}", "mend SLUICE_APP_KEY_FILE") from None
    text = text.replace("\\n", "\n").strip() + "\n"  # as some stores of secrets hand it out
    hide.learn(text)
    try:
        jwt.encode({}, text, algorithm="RS256")
    except Exception:
        name = "SLUICE_APP_KEY" if environment.get("SLUICE_APP_KEY") else "SLUICE_APP_KEY_FILE"
        raise ConfigError(
            f"{name} holds no RSA private key", "put the App's PEM key there, as GitHub gave it"
        ) from None
    return text
