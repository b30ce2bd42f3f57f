"""What opens registries: Basic, tokens for everybody or for our login, and tokens for an identity token.

https://distribution.github.io/distribution/spec/auth/token/ and https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from threading import Lock
from urllib.parse import urlencode

import msgspec

from release.adapters.http import Ask, Http, origin
from release.adapters.registry.challenge import Challenge, challenge, related, token_form, token_url, usable
from release.adapters.registry.door import Door
from release.adapters.registry.logins import Login
from release.core.commits import plain
from release.redact import Redactor

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]+")


class _Token(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class Keys:
    """The Authorization that opened a door last, for each. Fit for many threads: one fetches, and the others wait for it."""

    def __init__(self, http: Http, login: Callable[[str], Login | None], hide: Redactor) -> None:
        self._http, self._login, self._hide = http, login, hide
        self._found: dict[object, str] = {}
        self._locks: dict[object, Lock] = {}
        self._lock = Lock()

    def known(self, door: Door) -> str:
        """What opened it last, "" for nothing."""
        return self._found.get(_key(door), "")

    def renewed(self, door: Door, header: str, used: str) -> str:
        """What opens it, by the `WWW-Authenticate` of a registry that did not take what was `used`; "" where we have nothing."""
        key = _key(door)
        with self._lock:
            mine = self._locks.setdefault(key, Lock())
        with mine:
            if self._found.get(key, "") == used:
                asked = challenge(header)
                self._found[key] = self._opening(door, asked) if asked is not None else ""
            return self._found[key]

    def _opening(self, door: Door, asked: Challenge) -> str:
        login = self._login(door.place.account)
        if login is not None and login.bearer:
            return f"Bearer {login.bearer}"
        if asked.scheme == "basic":
            return _basic(login) if login is not None and not login.identity else ""
        return self._token(door, asked, login)

    def _token(self, door: Door, asked: Challenge, login: Login | None) -> str:
        """A token with the rights of the door, by our login where its realm may have it, else for everybody."""
        if not usable(asked.realm, door.place.host):
            why = f"{door.place.registry} sends for a token to {plain(asked.realm, 200)!r}"
            raise door.error(why, "that is not safe: ask whoever runs the registry")
        login = login if related(asked.realm, door.place.host) else None
        answer = self._http.answer(_asking(door, asked, login))
        if not answer.good:
            raise door.no(answer)
        token = answer.value.token or answer.value.access_token
        if not _TOKEN.fullmatch(token):
            raise door.error(f"{origin(asked.realm)} gives no token", "try again later")
        self._hide.learn(token)
        return f"Bearer {token}"


def _key(door: Door) -> object:
    return door.place.base, door.scopes


def _asking(door: Door, asked: Challenge, login: Login | None) -> Ask:
    """The request for a token: a form with an identity token, else an address, with a password if there is one."""
    if login is not None and login.identity:
        form = token_form(asked, door.scopes, login.identity)
        return Ask(
            door.doing, asked.realm, frozenset({origin(asked.realm)}), "POST", body=urlencode(form).encode(),
            headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            shape=_Token, bare=True, harmless=True,
        )  # fmt: skip
    url = token_url(asked, door.scopes)
    return Ask(
        door.doing, url, frozenset({origin(url)}), headers={"Accept": "application/json"}, shape=_Token, bare=True,
        secret=lambda: {"Authorization": _basic(login)} if login is not None else {},
    )  # fmt: skip


def _basic(login: Login) -> str:
    return f"Basic {b64encode(f'{login.user}:{login.password}'.encode()).decode()}"
