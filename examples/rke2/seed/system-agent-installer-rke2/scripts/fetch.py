"""Fetches rke2's binary of one platform from its release, and compares it with the sum that lies beside it there.

What is not the very file that was released goes into no image.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

TAG, SERVER = os.environ["SLUICE_TAG"], os.environ["GITHUB_SERVER_URL"]
ARCH = os.environ["SLUICE_PLATFORM"].partition("/")[2]
UPSTREAM = "rancher/rke2"


def main() -> None:
    """Fetch, compare, keep."""
    binary = f"rke2.linux-{ARCH}"
    content = fetched(binary)
    sums = dict(reversed(line.split()) for line in fetched(f"sha256sum-{ARCH}.txt").decode().splitlines())
    found = hashlib.sha256(content).hexdigest()
    if sums.get(binary) != found:
        sys.exit(f"{binary} of {TAG} has sha256 {found}, and {sums.get(binary)} was released")
    Path(os.environ["SLUICE_OUTPUT"], binary).write_bytes(content)


def fetched(name: str) -> bytes:
    """A file of the upstream's release."""
    url = f"{SERVER}/{UPSTREAM}/releases/download/{quote(TAG, safe='')}/{name}"
    try:
        with urlopen(url, timeout=60) as answer:
            return answer.read()
    except HTTPError as error:
        sys.exit(f"cannot fetch {name} of {UPSTREAM} {TAG}: {error.code} {error.reason}")


if __name__ == "__main__":
    main()
