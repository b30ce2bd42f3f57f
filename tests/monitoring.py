"""A real Prometheus, and a program whose numbers it scrapes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.serving import Reply, Seen, Server

PROGRAM = "prometheus"
FETCHED = Path(__file__).parents[1] / ".nox" / "prometheus" / "usr" / "bin" / PROGRAM
LONGEST = 60.0  # seconds that a test waits for scrapes


@dataclass
class Upgrades:
    """Says how upgrades go, as a fleet's agents would count them. Between two scrapes `attempts` more were made of each version,
    of which `failing` of a hundred failed.
    """

    failing: Mapping[str, int]
    attempts: int = 100
    _made: dict[str, int] = field(default_factory=dict)
    _failed: dict[str, int] = field(default_factory=dict)
    _scrapes: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, seen: Seen) -> Reply:
        with self._changed:
            for version, share in self.failing.items():
                self._made[version] = self._made.get(version, 0) + self.attempts
                self._failed[version] = self._failed.get(version, 0) + self.attempts * share // 100
            self._scrapes += 1
            self._changed.notify_all()
            content = "".join(
                (_lines("upgrade_attempts_total", self._made), _lines("upgrade_failures_total", self._failed))
            )
        return Reply(200, content.encode(), {"Content-Type": "text/plain; version=0.0.4"})

    def scraped(self, times: int) -> None:
        """Wait until so many more scrapes are in the store: one begins when the one before is written."""
        with self._changed:
            upto = self._scrapes + times + 1
            assert self._changed.wait_for(lambda: self._scrapes >= upto, LONGEST), "nobody scrapes"


def _lines(name: str, counts: Mapping[str, int]) -> str:
    rows = "".join(f'{name}{{version="{version}"}} {count}\n' for version, count in counts.items())
    return f"# TYPE {name} counter\n{rows}"


def program() -> str:
    """Prometheus's program; skips the test where there is none."""
    found = shutil.which(PROGRAM) or (str(FETCHED) if FETCHED.exists() else None)
    if found is None:
        pytest.skip(f"{PROGRAM} is not here; scripts/prometheus fetches it")
    return found


@contextmanager
def watching(folder: Path, upgrades: Upgrades) -> Iterator[str]:
    """Prometheus at the address that is given, which looks at the upgrades five times a second and keeps all in `folder`."""
    with Server(upgrades) as exporter, prometheus(folder, f"127.0.0.1:{exporter.port}") as url:
        yield url


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """Run Prometheus, on a port that it chooses."""
    folder.mkdir(parents=True, exist_ok=True)
    job = {"job_name": "fleet", "static_configs": [{"targets": [target]}]}
    settings = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(json.dumps(settings))  # JSON is YAML
    command = [
        program(),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={}, text=True
    )
    listening: threading.Thread | None = None
    try:
        assert process.stderr is not None
        said, address, ready = [], "", False
        for line in process.stderr:
            said.append(line)
            if found := re.search(r'msg="Listening on" address=(127\.0\.0\.1:[0-9]+)', line):
                address = found[1]
            ready = ready or "ready to receive web requests" in line
            if address and ready:  # they come in any order
                break
        else:
            raise AssertionError("".join(said))
        # It talks on, and would wait for somebody to listen once the pipe is full.
        listening = threading.Thread(target=process.stderr.read)
        listening.start()
        yield f"http://{address}"
    finally:
        process.kill()
        if listening is not None:
            listening.join()
        process.communicate()
