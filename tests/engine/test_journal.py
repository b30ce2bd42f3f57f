"""The journal keeps every event, whoever else writes to it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from release.engine.journal import Journal
from release.engine.walk import Event
from release.errors import ReleaseError


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def test_every_event_is_a_line_with_its_time_and_its_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal.jsonl", lambda: "2026-01-02T03:04:05+00:00", "run1")
    journal(Event("tag", "intent", "push v1"))
    journal(Event("tag", "found", "v1 on abc", "done"))
    assert lines(tmp_path / "deep" / "journal.jsonl") == [
        {"at": "2026-01-02T03:04:05+00:00", "run": "run1", "step": "tag", "kind": "intent", "detail": "push v1"},
        {"at": "2026-01-02T03:04:05+00:00", "run": "run1", "step": "tag", "kind": "found", "detail": "v1 on abc", "state": "done"},
    ]  # fmt: skip
    journal.close()


def test_what_a_command_prints_is_not_repeated_in_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", lambda: "now", "run")
    journal(Event("build", "progress", "compiling"))
    journal.close()
    assert not (tmp_path / "journal.jsonl").exists()


def test_runs_at_the_same_time_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    journals = [Journal(tmp_path / "journal.jsonl", lambda: "now", str(number)) for number in range(4)]

    def write(journal: Journal) -> None:
        for number in range(50):
            journal(Event("step", "waits", f"{number} " + "x" * 300))

    threads = [threading.Thread(target=write, args=(journal,)) for journal in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path / "journal.jsonl")) == 200
    for journal in journals:
        journal.close()


def test_a_hostile_message_stays_one_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", lambda: "now", "run")
    journal(Event("step", "waits", 'a\nb\u2028c\x1b[31m"'))
    journal.close()
    (line,) = lines(tmp_path / "journal.jsonl")
    assert line["detail"] == 'a\nb\u2028c\x1b[31m"'


def test_a_disk_that_is_full_is_told_before_anything_is_done(tmp_path: Path) -> None:
    journal = Journal(Path("/dev/full"), lambda: "now", "run")
    with pytest.raises(ReleaseError, match="No space left"):
        journal(Event("step", "intent"))
    journal.close()
