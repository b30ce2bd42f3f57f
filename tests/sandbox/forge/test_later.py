"""The clock of the embedded world can be moved on."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

from release.sandbox.forge import Sandbox

DAY = 86_400


def test_a_day_later_every_answer_is_a_day_later(tmp_path: Path) -> None:
    with Sandbox(tmp_path, clock=lambda: 1_700_000_000.0) as forge:
        first = parsedate_to_datetime(requests.get(forge.api_url, timeout=10).headers["Date"])
        forge.later(DAY)
        second = parsedate_to_datetime(requests.get(forge.api_url, timeout=10).headers["Date"])
        assert (second - first).total_seconds() == DAY
        assert forge.now() == "2023-11-15T22:13:20Z"
