"""Makes this repository's release for a tag of rke2, where it is not there yet: so the job can be run again."""

from __future__ import annotations

import json
import os
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

TAG, TOKEN = os.environ["TAG"], os.environ["GITHUB_TOKEN"]
RELEASES = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/releases"


def main() -> None:
    """Look, and make what is not there."""
    try:
        asked(f"{RELEASES}/tags/{quote(TAG, safe='')}")
    except HTTPError as error:
        if error.code != 404:
            raise
        body = {
            "tag_name": TAG,
            "prerelease": "-rc" in TAG,
            "make_latest": "false",
            "target_commitish": os.environ["GITHUB_SHA"],
        }
        asked(RELEASES, json.dumps(body).encode())


def asked(url: str, body: bytes | None = None) -> None:
    """One request of the API."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/vnd.github+json"}
    with urlopen(Request(url, body, headers), timeout=60):
        pass


if __name__ == "__main__":
    main()
