"""What a configuration must not say of [[channel.health]] and [[alert]]: questions without an answer, news for nobody."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from release.core.channel_config import Alert, Health
from release.core.config import Config
from release.core.finding import Conflict
from release.core.forge_rules import WORKFLOW, is_repository
from release.core.kind_rules import bad_address, bad_duration, bad_names, bad_variables, of_a_kind
from release.core.notation import VALUES, bad_run, filled, quoted, unknown_names

SAID = (*VALUES, "channel")
LONGEST_TEXT = 2000
NEEDED = {
    "command": ("run",),
    "http": ("url",),
    "prometheus": ("url", "query"),
    "workflow": ("workflow",),
    "issues": ("label",),
}
USABLE = {
    "command": ("run", "env"),
    "http": ("url", "status", "contains"),
    "prometheus": ("url", "query", "above", "below", "samples", "at_least"),
    "workflow": ("workflow", "repository"),
    "issues": ("label", "repository", "most"),
}
TEXTS = ("url", "contains", "query", "samples", "workflow", "repository", "label")
OF_A_FORGE = ("workflow", "issues")

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # a token of RFC 9110, 5.6.2
_SECRET = re.compile(r"auth|cookie|token|key|secret|passw|signature", re.IGNORECASE)
_SLACK = re.compile(r"https?://hooks\.slack\.com(?:[:/]|$)", re.IGNORECASE)


def health_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps questions about health from having an answer."""
    for number, channel in enumerate(config.channel):
        for index, one in enumerate(channel.health):
            yield from _health(config, f"channel[{number}].health[{index}]", one)
        yield from bad_names(f"channel[{number}].health", [one.name or one.kind for one in channel.health])


def alert_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps news from getting to anybody, or from being told without a secret in the file."""
    for number, alert in enumerate(config.alert):
        yield from _alert(f"alert[{number}]", alert)


def _health(config: Config, place: str, one: Health) -> Iterator[Conflict]:
    yield from of_a_kind(place, one, NEEDED, USABLE)
    yield from bad_duration(f"{place}.deadline", one.deadline)
    for key in TEXTS:
        text = getattr(one, key)
        if key != "url":
            yield from unknown_names(f"{place}.{key}", text, SAID)
        if not text.replace("\n", " ").isprintable() or len(text) > LONGEST_TEXT:
            why = f"{place}.{key} is {quoted(text)}"
            yield Conflict("bad-value", why, f"write up to {LONGEST_TEXT} printable characters")
    if one.url and one.kind in ("http", "prometheus"):
        yield from bad_address(f"{place}.url", one.url, SAID)
    if one.kind in OF_A_FORGE:
        yield from _on_the_forge(config, place, one)
    elif one.kind == "command":
        yield from _command(place, one)
    elif one.kind == "prometheus":
        yield from _thresholds(place, one)
    elif not 100 <= one.status <= 599:
        yield Conflict("bad-status", f"{place}.status is {one.status}", "write a status of HTTP, as in 200")


def _command(place: str, one: Health) -> Iterator[Conflict]:
    if one.run:
        yield from bad_run(f"{place}.run", one.run)
    for word in one.run:
        yield from unknown_names(f"{place}.run", word, SAID)
    yield from bad_variables(f"{place}.env", one.env)


def _thresholds(place: str, one: Health) -> Iterator[Conflict]:
    if math.isinf(one.above) and math.isinf(one.below):
        why = f"{place} has neither above nor below: whatever its query answers is healthy"
        yield Conflict("no-threshold", why, "say what it has to be over or under, as in below = 0.01")
    elif not one.above < one.below:
        why = (
            f"{place} has above = {one.above:g} and below = {one.below:g}: nothing is over the one and under the other"
        )
        yield Conflict("no-threshold", why, "mend them")
    if not 0 < one.at_least < math.inf:
        why = f"{place}.at_least is {one.at_least:g}"
        yield Conflict("bad-number", why, "write a number above 0: of what nobody measured nothing is known")


def _on_the_forge(config: Config, place: str, one: Health) -> Iterator[Conflict]:
    if config.project.forge == "none":
        remedy = 'set project.forge = "github", or leave it out'
        yield Conflict("no-forge", f"{place} is of kind {one.kind}, and project.forge is none", remedy)
    if one.repository and not is_repository(filled(one.repository)):
        yield Conflict("bad-repository", f"{place}.repository is {quoted(one.repository)}", "write owner/name")
    if one.workflow and not WORKFLOW.fullmatch(filled(one.workflow)):
        why = f"{place}.workflow is {quoted(one.workflow)}"
        yield Conflict("bad-workflow", why, "write the file's name in .github/workflows, as in soak.yml")
    if one.most < 0:
        yield Conflict("bad-number", f"{place}.most is {one.most}", "write 0 or more")


def _alert(place: str, alert: Alert) -> Iterator[Conflict]:
    if _SLACK.match(alert.url):
        why = f"{place}.url is an address that lets everybody post who can read it"
        yield Conflict("secret-in-config", why, "have it changed, put it into a variable and name that: env:NAME")
    else:
        yield from bad_address(f"{place}.url", alert.url)
    for name, value in alert.headers.items():
        plain = value.isprintable() and value == value.strip() and len(value) <= LONGEST_TEXT
        if not _HEADER.fullmatch(name) or not plain or not value.isascii():
            yield Conflict("bad-header", f"{place}.headers has {quoted(name)}", "write a header of HTTP on one line")
        elif value.startswith("env:"):
            yield from bad_variables(f"{place}.headers.{name}", [value.removeprefix("env:")])
        elif _SECRET.search(name):
            why = f"{place}.headers.{name} opens something, for everybody to read"
            yield Conflict("secret-in-config", why, "have it changed, put it into a variable and name that: env:NAME")
