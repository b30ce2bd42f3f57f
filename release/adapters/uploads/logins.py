"""What opens an index for uploads, where twine looks for it: the environment, `~/.pypirc`, the keyring."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from configparser import Error as BadFile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from release.adapters.decoding import decoded
from release.core.making import UPLOADS
from release.errors import Unseen
from release.redact import Redactor

PATIENCE = 30.0  # seconds that a keyring may take to answer, or a CI system
TOKEN = "__token__"  # the user of an API token (https://pypi.org/help/#apitoken)


@dataclass(frozen=True)
class Login:
    """A user and a password, or an API token; `certificate` and `client` are files of CA and client certificates."""

    user: str
    password: str = field(repr=False)
    certificate: str = ""
    client: str = ""


class _Kept(msgspec.Struct, frozen=True):
    """What `keyring get --mode creds --output json` prints."""

    username: str | None = None
    password: str | None = None


class Logins:
    """`environment` has TWINE_USERNAME and TWINE_PASSWORD, HOME for `.pypirc`, and what a keyring needs.

    What is found is known to `hide` before anybody has it.
    """

    def __init__(self, environment: Mapping[str, str], hide: Redactor) -> None:
        self._environment, self._hide = environment, hide
        hide.learn(environment.get("TWINE_PASSWORD", ""))

    def of(self, upload: str) -> Login | None:
        """The login for the address that takes files, None if there is none; Unseen where one is kept that cannot be read.

        The order is twine's: the environment, the section of `.pypirc` with that address, the keyring.
        """
        kept = self._section(upload)
        user = self._environment.get("TWINE_USERNAME") or kept.get("username") or ""
        user = user or (TOKEN if upload in UPLOADS.values() else "")
        password = self._environment.get("TWINE_PASSWORD") or kept.get("password") or ""
        if not (user and password):
            user, password = self._ringed(upload, user)
        if not password:
            return None
        self._hide.learn(password)
        return Login(user, password, kept.get("ca_cert") or "", kept.get("client_cert") or "")

    def _section(self, upload: str) -> Mapping[str, Any]:
        """What `.pypirc` says of an address."""
        from twine.exceptions import TwineException
        from twine.utils import get_config

        home = self._environment.get("HOME")
        if not home:
            return {}
        file = Path(home, ".pypirc")
        try:
            sections = get_config(str(file)).values()
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, BadFile, TwineException):  # its words may hold a secret
            raise Unseen(
                f"cannot read the logins in {file}", "mend it, or set TWINE_USERNAME and TWINE_PASSWORD"
            ) from None
        return next((one for one in sections if (one.get("repository") or "").rstrip("/") == upload.rstrip("/")), {})

    def _ringed(self, upload: str, user: str) -> tuple[str, str]:
        """The user and the password that a keyring keeps for an address, "" if none does; no keyring is an empty one."""
        words = ["keyring", "--mode", "creds", "--output", "json", "get", upload, *([user] if user else [])]
        try:
            kept = decoded(said(words, self._environment) or b"{}", _Kept)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return "", ""
        return kept.username or user, kept.password or ""


def said(module: Sequence[str], environment: Mapping[str, str]) -> bytes | None:
    """What a Python module of somebody else prints when it is run with these arguments; None where it does not end well.

    Run in a process of its own, as it reads its environment itself; `-P`: not what lies about in the current folder.
    """
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", *module], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False, env=dict(environment), start_new_session=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None
