"""Commands that share a folder share what a server takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from release.adapters.http.pace import Pace, Rates
from release.adapters.http.spent import LARGEST, Spent

RATES = Rates(points=20, made=5, hourly=8, gap=0.0)


class Time:
    """Seconds since 1970 and since some start, as two processes see them: it passes when it is told to."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


def command(file: Path, times: Time) -> Pace:
    """What a new process begins with."""
    return Pace(RATES, times, Spent(file, 3600.0, times))


def asked(pace: Pace, number: int, writes: bool = False) -> int:
    """How many of so many requests are let go at once."""
    done = 0
    for _ in range(number):
        if pace.begin(writes, False) > 0:
            break
        pace.end(writes)
        done += 1
    return done


def test_a_command_goes_on_where_the_one_before_left_off(tmp_path: Path) -> None:
    times, file = Time(), tmp_path / "spent" / "forge.json"
    first = command(file, times)
    assert asked(first, 15) == 15
    first.share()
    times.at += 30
    second = command(file, times)
    assert asked(second, 15) == 5
    second.share()
    times.at += 31.5
    assert asked(command(file, times), 30) == 15, "of the first a minute has passed, of the second not"


def test_what_was_written_counts_for_an_hour(tmp_path: Path) -> None:
    times, file = Time(), tmp_path / "forge.json"
    first = command(file, times)
    assert asked(first, 4, writes=True) == 4
    first.share()
    times.at += 120
    second = command(file, times)
    assert asked(second, 4, writes=True) == 4
    second.share()
    times.at += 120
    third = command(file, times)
    assert asked(third, 1, writes=True) == 0
    assert asked(third, 20) == 20, "reading is not held by it"


def test_two_at_the_same_time_hear_of_each_other_and_count_nothing_twice(tmp_path: Path) -> None:
    times, file = Time(), tmp_path / "forge.json"
    one, other = command(file, times), command(file, times)
    for _ in range(2):
        assert asked(one, 4) == 4
        assert asked(other, 4) == 4
        times.at += 6  # what ended in the last seconds is not told yet
    other.share()
    assert asked(one, 20) == 4
    one.share()
    times.at += 6
    assert asked(other, 1) == 0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[[1,2]]", b'[["a",1,1,"b"]]', b"[" * 5000, b"\xff\xfe", b" " * (LARGEST + 1)]
)
def test_a_file_that_is_broken_is_told_anew(content: bytes, tmp_path: Path) -> None:
    times, file = Time(), tmp_path / "forge.json"
    file.write_bytes(content)
    first = command(file, times)
    assert asked(first, 15) == 15
    first.share()
    assert asked(command(file, times), 15) == 5
    assert len(json.loads(file.read_bytes())) == 1


def test_what_is_said_of_another_day_is_forgotten_and_a_link_is_not_followed(tmp_path: Path) -> None:
    times, file = Time(), tmp_path / "forge.json"
    file.write_text(json.dumps([[times.at - 4000, 20, 8, "past-1"], [times.at + 86_400, 20, 8, "clock-1"]]))
    assert asked(command(file, times), 20) == 20
    target = tmp_path / "mine"
    target.write_text("kept")
    file.unlink()
    file.symlink_to(target)
    pace = command(file, times)
    assert asked(pace, 20) == 20
    pace.share()
    assert target.read_text() == "kept"


def test_where_nothing_can_be_written_each_counts_for_itself(tmp_path: Path) -> None:
    times = Time()
    (tmp_path / "file").touch()
    pace = command(tmp_path / "file" / "forge.json", times)
    assert asked(pace, 30) == 20


def test_a_process_tells_at_its_end_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "forge.json"
    script = (
        "from pathlib import Path\nfrom release.adapters.http import Http, Spent\nfrom release.redact import Redactor\n"
        f"http = Http({{}}, Redactor(), spent=Spent(Path({str(file)!r}), 3600.0))\n"
        "assert http._pace.begin(True, False) == 0\nhttp._pace.end(True)\n"
    )
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONPATH": str(root)})
    ((_, reads, writes, _),) = json.loads(file.read_bytes())
    assert (reads, writes, file.stat().st_mode & 0o777) == (0, 1, 0o600)
