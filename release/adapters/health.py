"""Asks whether a release does well: the project's own commands, addresses, Prometheus, workflows and issues."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import msgspec

from release.adapters.addressed import Addressed, addressed, unset
from release.adapters.decoding import decoded
from release.adapters.http import Ask, Glimpse, Http, origin
from release.core import health
from release.core.commits import plain
from release.core.finding import Conflict
from release.core.model import Release
from release.core.promotion import HealthWish, Reading
from release.errors import ReleaseError, Unseen
from release.ports import Commands, Forge
from release.redact import Redactor

PAGE = 64 << 10  # bytes of a page that are looked into
LARGEST = 1 << 20  # bytes of what Prometheus answers; one number needs few
QUERY = "/api/v1/query"
LISTED = 5  # issues at least, so that some can be named

Say = Callable[[str], None]


@dataclass(frozen=True)
class Probes:
    """A `Healths`. `forge_of` finds a repository ("" for the upstream) on the forge, None without one.

    An answer is believed, whatever its status: users get it, too. Silence is not: whether the service is down or our own way
    there is, nobody can tell from here, and going back for that could harm. `environment` has what `env:NAME` means, `hide`
    learns it. A forge has limits of its own, and is waited for as everywhere; the rest keeps to the wish's deadline.
    """

    http: Http
    commands: Commands
    forge_of: Callable[[str], Forge | None]
    environment: Mapping[str, str]
    hide: Redactor

    def lacking(self, wish: HealthWish) -> tuple[Conflict, ...]:
        """A program that is not here, a variable that is not set."""
        if wish.kind == "command":
            why = self.commands.missing(wish.run, wish.env)
        else:
            name = unset(wish.url, self.environment)
            why = f"{name} is not set" if name else ""
        if not why:
            return ()
        return (Conflict("health-lacks", f"health {wish.name}: {why}", "install it, or set it"),)

    def reading(self, wish: HealthWish, release: Release, commit: str, say: Say) -> Reading:
        """The answer; one that nobody can tell says why."""
        kinds: dict[str, Callable[[], Reading]] = {
            "command": partial(self._command, wish, release, commit, say),
            "http": partial(self._page, wish),
            "prometheus": partial(self._prometheus, wish),
            "workflow": partial(self._workflow, wish, release, commit),
            "issues": partial(self._issues, wish),
        }
        try:
            found = kinds[wish.kind]()
        except ReleaseError as error:
            found = Reading(None, error.message)
        return Reading(found.healthy, plain(self.hide.redacted(found.words), health.WORDS))

    def _command(self, wish: HealthWish, release: Release, commit: str, say: Say) -> Reading:
        told = {"SLUICE_VERSION": release.version, "SLUICE_TAG": release.tag, "SLUICE_COMMIT": commit}
        name = f"health {wish.name}"
        return health.exited(self.commands.ran(name, wish.run, commit, told, wish.env, wish.deadline, say))

    def _page(self, wish: HealthWish) -> Reading:
        place = addressed(wish.url, self.environment, self.hide)
        seen = self._seen(place, wish, place.url, PAGE, wish.deadline)
        return health.answered(wish, seen.status, seen.body, seen.relayed)

    def _prometheus(self, wish: HealthWish) -> Reading:
        place, ends = addressed(wish.url, self.environment, self.hide), time.monotonic() + wish.deadline
        samples = self._number(place, wish, wish.samples, ends) if wish.samples else None
        return health.measured(wish, self._number(place, wish, wish.query, ends), samples)

    def _number(self, place: Addressed, wish: HealthWish, query: str, ends: float) -> float | str:
        """What Prometheus says in answer to a query; what refuses one is JSON as well, with a status of 4xx or 5xx."""
        asked = urlencode({"query": query, "timeout": f"{wish.deadline}s"})
        base, _, more = place.url.partition("?")
        url = f"{base.rstrip('/')}{QUERY}?{more + '&' if more else ''}{asked}"
        seen = self._seen(place, wish, url, LARGEST, ends - time.monotonic())
        try:
            return health.number(decoded(seen.body, health.Told))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return f"{place.name} answers {seen.status}, and not as Prometheus does"

    def _seen(self, place: Addressed, wish: HealthWish, url: str, most: int, seconds: float) -> Glimpse:
        """What an address answers; where a redirect is wanted, that is the answer."""
        what, stays = f"look at health {wish.name}", 300 <= wish.status < 400
        ask = Ask(what, url, frozenset({origin(url)}), secret=lambda: place.headers, stays=stays)
        try:
            return self.http.glimpse(ask, most, seconds)
        except ReleaseError as error:
            why = place.told(error.message)
        raise Unseen(why)

    def _workflow(self, wish: HealthWish, release: Release, commit: str) -> Reading:
        """Of the upstream by the commit, for there it is the one that was released; of others by the tag, for they have not that commit."""
        forge, upstream = self._forge(wish), self.forge_of("")
        if upstream is not None and forge.name.lower() == upstream.name.lower():
            runs, where = forge.runs(wish.workflow, commit=commit), commit[:10]
        else:
            runs, where = forge.runs(wish.workflow, branch=release.tag), plain(release.tag, 60)
        return health.ran_green(wish, runs[0] if runs else None, where)

    def _issues(self, wish: HealthWish) -> Reading:
        forge = self._forge(wish)
        return health.open_issues(wish, forge.issues(wish.label, max(wish.most + 1, LISTED)))

    def _forge(self, wish: HealthWish) -> Forge:
        forge = self.forge_of(wish.repository)
        if forge is None:
            raise Unseen("there is no forge to ask", "set [project] forge")
        return forge
