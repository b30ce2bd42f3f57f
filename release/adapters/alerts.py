"""Tells those who want to know: webhooks with a JSON document, and Slack's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from release.adapters.addressed import Addressed, addressed, given
from release.adapters.http import Ask, Http, origin
from release.core.channel_config import Alert
from release.core.commits import plain
from release.core.news import News, document, slack
from release.errors import ReleaseError
from release.redact import Redactor

AT_ONCE = 4
SECONDS = 20.0  # for one receiver, all that it is asked again included
WORDS = 300  # characters
READ = 1 << 10  # bytes of what a receiver answers; nobody looks at them


@dataclass(frozen=True)
class Alerts:
    """`receivers` are the tables [[alert]]; `environment` has what `env:NAME` means, in their addresses and headers."""

    http: Http
    receivers: Sequence[Alert]
    environment: Mapping[str, str]
    hide: Redactor

    def send(self, news: News) -> tuple[str, ...]:
        """Tell everybody who wants news of that kind; in words what was not delivered. Who is busy may hear it twice."""
        wanted = [one for one in self.receivers if not one.on or news.kind in one.on]
        if not wanted:
            return ()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sluice-alerts") as pool:
            said = pool.map(lambda one: self._sent(one, news), wanted)
        return tuple(filter(None, said))

    def _sent(self, alert: Alert, news: News) -> str:
        """Why a receiver was not told, "" where it was."""
        try:
            place = addressed(alert.url, self.environment, self.hide)
        except ReleaseError as error:
            return self._words(alert, error.message)
        try:
            status = self.http.glimpse(self._ask(alert, place, news), READ, SECONDS).status
        except ReleaseError as error:
            return self._words(alert, place.told(error.message))
        return "" if 200 <= status < 300 else self._words(alert, f"{place.name} answers {status}")

    def _ask(self, alert: Alert, place: Addressed, news: News) -> Ask:
        headers = {name: given(text, self.environment, self.hide) for name, text in alert.headers.items()}
        told = (slack if alert.kind == "slack" else document)(news, self.hide.redacted)
        return Ask(
            f"tell {place.name}",
            place.url,
            frozenset({origin(place.url)}),
            "POST",
            {"Content-Type": "application/json"},
            lambda: {**place.headers, **headers},
            told,
            harmless=True,
        )

    def _words(self, alert: Alert, why: str) -> str:
        return plain(self.hide.redacted(f"{alert.kind}: {why}"), WORDS)
