"""GitHub as a whole, and one repository of it as a `Forge`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock

from release import __version__
from release.adapters.github.actions import Actions
from release.adapters.github.contents import Contents
from release.adapters.github.door import ACTIONS, CONTENTS, DEPLOYMENTS, Door
from release.adapters.github.gates import Gates
from release.adapters.github.issues import Issues
from release.adapters.github.listing import Listing
from release.adapters.github.places import NAME, places
from release.adapters.github.proposals import WRITE_PULLS, Proposals
from release.adapters.github.pulls import Pulls
from release.adapters.github.refs import Refs
from release.adapters.github.releases import Releases
from release.adapters.github.tokens import Tokens, basic, tokens
from release.adapters.http import GITHUB, Answers, Http, Rates, Spent, origin
from release.errors import ConfigError, Unseen
from release.redact import Redactor

RIGHTS = {"push": (CONTENTS,), "dispatch": (ACTIONS,), "deploy": (DEPLOYMENTS,), "propose": (WRITE_PULLS,)}


class GitHub:
    """One forge; one a process. Nothing is asked, nor a key read, before a repository is."""

    def __init__(
        self, environment: Mapping[str, str], http: Http, hide: Redactor, rights: Mapping[str, Collection[str]]
    ) -> None:
        self._environment, self._http, self._hide, self._rights = environment, http, hide, rights
        self._places = places(environment)
        self._forges: dict[str, Repository] = {}
        self._lock = Lock()

    @classmethod
    def at(
        cls,
        environment: Mapping[str, str],
        hide: Redactor | None = None,
        rights: Mapping[str, Collection[str]] | None = None,
        cache: Path | None = None,
        rates: Rates | None = None,
    ) -> GitHub:
        """The forge that an environment means. `hide` learns its secrets.

        `rights` says what this release needs (as in `Forge.lacks`) of which repository: an App's token is for
        no more than that. `cache` is a folder where later processes find answers, and what was asked lately. `rates` are what the forge takes,
        else what GitHub documents; the second between two writes is asked for by github.com only.
        """
        hide = hide or Redactor()
        there = places(environment)
        http = Http(
            environment,
            hide,
            f"sluice/{__version__}",
            paced=there.limited,
            rates=rates or (GITHUB if there.public else replace(GITHUB, gap=0.0)),
            answers=Answers(cache / "answers") if cache is not None else None,
            spent=Spent(cache / "spent" / f"{sha256(there.api.encode()).hexdigest()[:16]}.json", GITHUB.hour)
            if cache
            else None,
        )
        return cls(environment, http, hide, rights or {})

    @property
    def server(self) -> str:
        """Where its pages and repositories are, `https://github.com`."""
        return self._places.server

    @property
    def source(self) -> str:
        """The variable that the token comes from, "" for none."""
        return self._tokens.source

    def address(self, name: str) -> str:
        """Where git finds a repository."""
        return f"{self.server}/{name}.git"

    def serves(self, url: str) -> bool:
        """Whether a git address lies on this forge."""
        return self._places.serves(url)

    def named(self, url: str) -> str:
        """`owner/name` of a git address on this forge, "" for one that lies elsewhere."""
        return self._places.repository(url)

    def forge(self, name: str) -> Repository:
        """One repository, `owner/name`; the same one for the same name."""
        if not NAME.fullmatch(name):
            raise ConfigError(f"{name!r} is no repository of a forge", "write it as owner/name")
        with self._lock:
            if name not in self._forges:
                self._forges[name] = Repository(Door(self._http, self._places, self._tokens, name), self._hide)
            return self._forges[name]

    def lists(self, name: str) -> Listing:
        """What is listed of a repository."""
        return Listing(self.forge(name).door)

    def stop(self) -> None:
        """End everything that is being asked, now; nothing is asked any more."""
        self._http.stop()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    @cached_property
    def _tokens(self) -> Tokens:
        return tokens(self._environment, self._http, self._places, self._hide, self._rights)

    def git_settings(self, url: str) -> tuple[tuple[str, str], ...]:
        """Git's settings that open a repository of this forge over HTTP; none for one elsewhere, or over SSH.

        The empty value comes first: what others have set there, such as a checkout in Actions, is cleared. Git would
        take our header along to wherever it is sent, so it follows nothing.
        """
        name = self.named(url)
        token = self._tokens.token(name) if name and origin(url) == origin(self._places.server) else ""
        if not token:
            return ()
        key = f"http.{origin(self._places.server)}/.extraheader"
        return ((key, ""), (key, basic(token)), ("http.followRedirects", "false"))


class Repository(Releases, Refs, Contents, Pulls, Proposals, Actions, Gates, Issues):
    """One repository on GitHub: a `Forge`."""

    def __init__(self, door: Door, hide: Redactor) -> None:
        Releases.__init__(self, door)
        Actions.__init__(self, door, hide)

    @property
    def name(self) -> str:
        """`owner/name`."""
        return self._door.name

    @property
    def door(self) -> Door:
        """What asks for it."""
        return self._door

    def now(self) -> str:
        """The forge's own clock, ISO 8601 UTC, whole seconds."""
        api = self._door.places.api
        if self._door.http.now(api) is None:
            self._door.about()
        now = self._door.http.now(api)
        if now is None:
            raise Unseen(f"{origin(api)} does not tell the time", "")
        return now.astimezone(UTC).isoformat(timespec="seconds")

    def lacks(self, *rights: str) -> str:
        """Why the token is not enough here, "" if nothing says so."""
        reasons = (self._door.lacks(needed) for right in rights for needed in RIGHTS[right])
        return next(filter(None, reasons), "")
