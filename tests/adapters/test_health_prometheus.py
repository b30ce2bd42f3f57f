"""A real Prometheus that scrapes a fleet's upgrades: a bad version is told from a good one, and no data is not healthy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from release.adapters.commands import Commands
from release.adapters.health import Probes
from release.adapters.http import Http
from release.core.promotion import HealthWish, Reading
from release.redact import Redactor
from tests.adapters.test_health import COMMIT, RELEASE
from tests.monitoring import Upgrades, watching

GOOD, BAD, QUIET, UNKNOWN = "1.0.0", "1.1.0", "1.2.0", "9.9.9"
MADE = "upgrade_attempts_total"
SHARE = "sum(rate(upgrade_failures_total{V}[1m])) / sum(rate(upgrade_attempts_total{V}[1m]))"
Ask = Callable[..., Reading]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prometheus when it has seen enough of the fleet."""
    upgrades = Upgrades({GOOD: 0, BAD: 20})
    with watching(tmp_path_factory.mktemp("prometheus"), upgrades) as url:
        upgrades.scraped(4)
        yield url


@pytest.fixture
def ask(server: str, tmp_path: Path) -> Iterator[Ask]:
    http, hide = Http({}, Redactor()), Redactor()
    commands = Commands(tmp_path / "store.git", tmp_path / "logs", {}, hide)
    probes = Probes(http, commands, lambda name: None, {"PROMETHEUS_URL": server}, hide)

    def asked(query: str, **how: Any) -> Reading:
        wish = HealthWish(
            "upgrades", "prometheus", **{"url": server, "query": query, "below": 0.01, "deadline": 20, **how}
        )
        return probes.reading(wish, RELEASE, COMMIT, lambda line: None)

    yield asked
    http.close()


def of(version: str, query: str = SHARE) -> str:
    return query.replace("{V}", f'{{version="{version}"}}')


def test_a_bad_version_is_told_from_a_good_one(ask: Ask) -> None:
    assert ask(of(GOOD)) == Reading(True, "0 < 0.01")
    assert ask(of(BAD)) == Reading(False, "0.2 is not under 0.01")
    assert ask(of(BAD), below=0.3) == Reading(True, "0.2 < 0.3")
    assert ask(of(BAD), url="env:PROMETHEUS_URL").healthy is False


def test_enough_samples_are_told_and_too_few_are_not_believed(ask: Ask) -> None:
    samples = of(GOOD, f"sum(increase({MADE}{{V}}[1m]))")
    enough = ask(of(GOOD), samples=samples, at_least=100)
    assert enough.healthy is True
    assert enough.words.startswith("0 < 0.01, of ")
    for version in (GOOD, BAD):
        few = ask(of(version), samples=samples, at_least=1_000_000_000)
        assert few.healthy is None
        assert "1,000,000,000 are needed" in few.words


@pytest.mark.parametrize(
    ("query", "word"),
    [
        (of(UNKNOWN), "no data"),
        ("no_such_metric", "no data"),
        (f"{MADE} < 0", "no data"),
        (MADE, "2 series"),
        (f"{MADE}[1m]", "matrix"),
        ('"words"', "string"),
        ("0 / 0", "NaN"),
        ("1 / 0", "+Inf"),
        ("rate(", "refuses the query"),
        ("", "refuses the query"),
    ],
)
def test_what_is_not_one_number_is_not_healthy_and_not_unhealthy(ask: Ask, query: str, word: str) -> None:
    reading = ask(query)
    assert reading.healthy is None
    assert word in reading.words


def test_samples_of_nobody_are_not_enough(ask: Ask) -> None:
    reading = ask(of(GOOD), samples=of(UNKNOWN, f"sum(increase({MADE}{{V}}[1m]))"))
    assert reading.healthy is None
    assert "no data" in reading.words


def test_a_version_that_nobody_upgraded_to_since_is_not_healthy(tmp_path: Path) -> None:
    upgrades = Upgrades({QUIET: 0}, attempts=0)
    http, hide = Http({}, Redactor()), Redactor()
    probes = Probes(http, Commands(tmp_path / "store.git", tmp_path / "logs", {}, hide), lambda name: None, {}, hide)
    with watching(tmp_path / "prometheus", upgrades) as url:
        upgrades.scraped(3)
        wish = HealthWish("upgrades", "prometheus", url=url, query=of(QUIET), below=0.01, deadline=20)
        reading = probes.reading(wish, RELEASE, COMMIT, lambda line: None)
    http.close()
    assert reading == Reading(None, "the query gives NaN, which is no measurement")
