"""Addresses as a configuration gives them: written there, or in a variable of ours; what opens them is told to nobody."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from release.adapters.http import origin
from release.adapters.http.address import shown
from release.errors import ConfigError
from release.redact import Redactor

VARIABLE = "env:"
TELLING = 16  # characters: a piece of a path that is as long may be what opens the address


@dataclass(frozen=True)
class Addressed:
    """`url` without user and password, which are in `headers`; `name` is how it is told to people."""

    url: str = field(repr=False)
    name: str
    headers: Mapping[str, str] = field(repr=False)

    def told(self, words: str) -> str:
        """Words about it, by its name."""
        return words.replace(shown(self.url), self.name)


def addressed(text: str, environment: Mapping[str, str], hide: Redactor) -> Addressed:
    """An address to ask; `hide` learns what opens it. ConfigError where there is none."""
    url, variable = given(text, environment, hide), text.startswith(VARIABLE)
    if not url.startswith(("https://", "http://")) or not origin(url).partition("://")[2]:
        raise ConfigError(f"{text!r:.60} is no address", "write one that begins with https:// or http://")
    name = f"${text.removeprefix(VARIABLE)}" if variable else shown(url)
    parts = urlsplit(url)
    if variable:
        _learn(parts.path, parts.query, hide)
    place = parts.netloc.rpartition("@")[2]
    bare = parts._replace(netloc=place, fragment="").geturl()
    return Addressed(bare, name, _login(parts.username, parts.password, hide))


def given(text: str, environment: Mapping[str, str], hide: Redactor) -> str:
    """A text, or what is in the variable that it names as `env:NAME`, which `hide` learns; ConfigError where that is not set."""
    if not text.startswith(VARIABLE):
        return text
    name = text.removeprefix(VARIABLE)
    if not environment.get(name):
        raise ConfigError(f"{name} is not set", f"set {name}")
    hide.learn(environment[name])
    return environment[name].strip()


def unset(text: str, environment: Mapping[str, str]) -> str:
    """The variable that a text names as `env:NAME` and that is not set; "" for none."""
    name = text.removeprefix(VARIABLE) if text.startswith(VARIABLE) else ""
    return name if name and not environment.get(name) else ""


def _learn(path: str, query: str, hide: Redactor) -> None:
    """What may open an address that is kept in a variable: a webhook's is all in its path."""
    for piece in (path, *path.split("/")):
        if len(piece) >= TELLING:
            hide.learn(piece)
    for pair in query.split("&"):
        hide.learn(unquote(pair.partition("=")[2]))


def _login(user: str | None, password: str | None, hide: Redactor) -> Mapping[str, str]:
    if not user and not password:
        return {}
    known = [unquote(one or "") for one in (user, password)]
    if known[1]:
        hide.learn(known[1])
    told = b64encode(":".join(known).encode()).decode()
    hide.learn(told)
    return {"Authorization": f"Basic {told}"}
