"""The step law for questions about health: they look alone, and whatever they find stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release.adapters.commands import Commands
from release.adapters.health import Probes
from release.adapters.http import Http
from release.core.finding import Blocked, Done, Failed
from release.core.promotion import HealthWish
from release.engine.step import Known
from release.errors import Refused
from release.redact import Redactor
from release.steps.health import HealthCheck
from tests.serving import Reply, Server
from tests.steps.test_health import COMMIT, RELEASE

LAW = {"HealthCheck"}


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http({}, Redactor(), backoff=0.001, tries=2)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(200, b"fine"), Done), (Reply(500, b"no"), Blocked), (Reply(429, b""), Failed), (Reply(reset=True), Failed)],
)
def test_it_looks_alone_and_finds_the_same_again(tmp_path: Path, http: Http, reply: Reply, kind: type[Any]) -> None:
    hide = Redactor()
    with Server(lambda seen: reply) as server:
        probes = Probes(http, Commands(tmp_path / "store", tmp_path / "logs", {}, hide), lambda name: None, {}, hide)
        step = HealthCheck(
            "health site", RELEASE, HealthWish("site", "http", url=server.url, deadline=5), COMMIT, probes
        )
        known = Known(step, {})
        assert type(step).__name__ in LAW
        assert step.preflight() == ()
        first = step.inspect(known)
        assert isinstance(first, kind), first
        if kind is Done:
            step.apply(known, lambda line: None)
        else:
            with pytest.raises(Refused):
                step.apply(known, lambda line: None)
        assert step.inspect(known) == first
        assert {seen.method for seen in server.seen} == {"GET"}, "looking wrote something"
    assert list(tmp_path.iterdir()) == []
