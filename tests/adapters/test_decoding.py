"""JSON is read from any thread."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from release.adapters.decoding import decoded

ROOT = Path(__file__).parents[2]
# Types that nobody has met are met by four threads at once; without a lock the process dies within a few of them.
AT_ONCE = """
import sys, threading, msgspec
from release.adapters.decoding import decoded

sys.setswitchinterval(1e-6)
said = b"{" + b",".join(b'"a%d": {"f1": {"x": [1]}, "f29": null}' % n for n in range(20)) + b"}"
for number in range(100):
    fields = [(f"f{n}", dict[str, tuple[int | None, ...]] | None, None) for n in range(30)]
    inner = [(f"a{n}", msgspec.defstruct(f"Inner{number}_{n}", fields) | None, None) for n in range(20)]
    outer = msgspec.defstruct(f"Outer{number}", inner)
    together = threading.Barrier(4)

    def read():
        together.wait()
        assert decoded(said, outer).a3.f1 == {"x": (1,)}

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("alive")
"""


class Known(msgspec.Struct):
    name: str


def test_what_is_not_in_the_form_that_was_asked_for_is_refused() -> None:
    assert decoded('{"name": "a"}', Known) == Known("a")
    with pytest.raises(msgspec.ValidationError):
        decoded(b'{"name": 1}', Known)


def test_threads_that_meet_a_type_at_the_same_time_all_read_it() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done
