"""Puts files onto a package index, one after the other, and tells refused from uncertain."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.adapters.children import Children, ended
from release.adapters.http import Http
from release.adapters.uploads.logins import Login, Logins
from release.adapters.uploads.trusted import Trusted
from release.adapters.uploads.words import words
from release.core.address import without_secret
from release.core.commits import plain
from release.core.model import PackageWish
from release.errors import Refused, Uncertain
from release.redact import Redactor

PROGRAM = Path(__file__).with_name("program.py")
SLOWEST = 16 << 10  # bytes a second
FIRST = 120  # seconds that an index may take besides
AGAIN = "run the same command again"
LOG_IN = "set TWINE_USERNAME and TWINE_PASSWORD, or keep them in ~/.pypirc or a keyring, as twine has it"
SENDING = (
    "PATH", "HOME", "LANG", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy",
    "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "TWINE_CERT",
)  # fmt: skip
ASKING = (
    *SENDING, "TWINE_USERNAME", "TWINE_PASSWORD", "PYTHONPATH", "PYTHON_KEYRING_BACKEND", "KEYRING_PROPERTY_KEYCHAIN",
    "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
    "GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GITLAB_CI", "BUILDKITE", "BUILDKITE_AGENT_ACCESS_TOKEN", "BUILDKITE_AGENT_ENDPOINT", "BUILDKITE_JOB_ID",
)  # fmt: skip


def needed(name: str) -> bool:
    """Whether an environment variable has to do with uploads: what opens an index, and what leads there."""
    return name in ASKING or name.endswith("_ID_TOKEN")


class Uploads:
    """Every index that is named. `environment` is what `needed` picks; `places` says of an upload address where that really is."""

    def __init__(
        self, http: Http, environment: Mapping[str, str], hide: Redactor, places: Mapping[str, str] | None = None
    ) -> None:
        self._environment = {name: environment[name] for name in SENDING if name in environment}
        self._places = {place.rstrip("/"): real for place, real in (places or {}).items()}
        self._logins, self._trusted = Logins(environment, hide), Trusted(http, environment, hide)
        self._children = Children()

    def lacks(self, wish: PackageWish) -> str:
        """Why nothing could be uploaded, "" if nothing says so. Whether a login is right, only an upload tells."""
        if self._logins.of(wish.upload) is not None:
            return ""
        why = self._trusted.lacks(self._real(wish.upload))
        return f"there is no login for {_shown(wish.upload)}, and {why}" if why else ""

    def wrong(self, wish: PackageWish, files: Mapping[str, Path]) -> str:
        """Why an index would not take these files, "" if nothing says so: they cannot be read, or are of something else."""
        return "; ".join(why for name, path in files.items() if (why := self._unfit(wish, name, path)))

    def upload(self, wish: PackageWish, files: Mapping[str, Path], say: Callable[[str], None]) -> None:
        """Send the files under their names, until one is not taken."""
        login = self._logins.of(wish.upload) or self._trusted.login(self._real(wish.upload))
        for name, path in files.items():
            self._sent(wish, login, name, path)
            say(f"{name} is on {_shown(wish.upload)}")

    def stop(self) -> None:
        """End what is being sent."""
        self._children.stop()

    def _unfit(self, wish: PackageWish, name: str, path: Path) -> str:
        _, verdict = self._told(f"read {name}", "", name, path, self._environment)
        if verdict is None or verdict["status"] == 0:
            return f"{name} cannot be read: {plain(verdict['words'], 300) if verdict else 'it takes too long'}"
        there = (str(verdict["name"]), str(verdict["version"]))
        if canonicalize_name(there[0]) == canonicalize_name(wish.name) and _same(there[1], wish.version):
            return ""
        return f"{name} says that it is {plain(' '.join(there), 100)}, not {wish.name} {wish.version}"

    def _sent(self, wish: PackageWish, login: Login, name: str, path: Path) -> None:
        """One file: twine reads what it is from its name and from what is in it."""
        what = f"upload {name} to {_shown(wish.upload)}"
        code, verdict = self._told(what, self._real(wish.upload), name, path, self._opened(login))
        if verdict is None:
            how = "it took too long" if code == -14 else f"what sends it ended with {ended(code)}"
            raise Uncertain(f"{what}: the answer was lost ({how})", AGAIN)
        _judge(what, verdict)

    def _told(
        self, what: str, url: str, name: str, path: Path, environment: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any] | None]:
        """Run the program on a file under its name; its exit code, and what it says of how it ended, None for nothing."""
        told = list[bytes]()
        with tempfile.TemporaryDirectory(prefix="sluice-upload-") as folder:
            file = Path(folder, name)
            file.symlink_to(path.absolute())
            seconds = FIRST + path.stat().st_size // SLOWEST
            argv = [sys.executable, "-P", str(PROGRAM), url, str(file), str(seconds)]
            code = self._children.run(what, argv, Path(folder), environment, told.append)
        return code, _verdict(told)

    def _opened(self, login: Login) -> Mapping[str, str]:
        """What the program is given besides addresses: the login, where no list of processes shows it."""
        certificate = login.certificate or self._environment.get("TWINE_CERT", "")
        given = {
            "TWINE_USERNAME": login.user, "TWINE_PASSWORD": login.password,
            "TWINE_CERT": certificate, "TWINE_CLIENT_CERT": login.client,
        }  # fmt: skip
        return {**self._environment, **{name: value for name, value in given.items() if value}}

    def _real(self, upload: str) -> str:
        return self._places.get(upload.rstrip("/"), upload)


def _verdict(told: list[bytes]) -> Mapping[str, Any] | None:
    """What the program said of how it ended: its last line."""
    try:
        verdict = json.loads(told[-1]) if told else None
    except ValueError:
        return None
    return verdict if isinstance(verdict, dict) and "status" in verdict else None


def _judge(what: str, verdict: Mapping[str, Any]) -> None:
    """Refused or Uncertain for what was not taken. A server that broke may have kept the file all the same."""
    status, said = verdict["status"], words(verdict["words"])
    if 200 <= status < 300:
        return
    if status == 0 and not verdict["sent"]:
        raise Refused(f"cannot {what}: {said}", f"mend that, then {AGAIN}")
    if status == 0:
        raise Uncertain(f"{what}: it was sent, but the answer was lost ({said})", AGAIN)
    if status >= 500:
        raise Uncertain(f"{what}: the index answered {status} ({said})", AGAIN)
    if status in (401, 403):
        raise Refused(f"cannot {what}: the index answered {status} ({said})", f"look to the login: {LOG_IN}")
    if 300 <= status < 400:
        raise Refused(
            f"cannot {what}: the index sends to {said}", "mend [[package]] upload, if that is where it belongs"
        )
    raise Refused(f"cannot {what}: the index answered {status} ({said})", "mend what it names")


def _same(one: str, other: str) -> bool:
    """Whether two versions are one, as PEP 440 has it."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False


def _shown(upload: str) -> str:
    return without_secret(upload)
