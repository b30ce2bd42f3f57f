"""What opens a registry: the logins that `docker login` keeps, in its file or with the program that the file names."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from release.adapters.decoding import decoded
from release.core.reference import DOCKER_HUB, registry
from release.errors import Unseen
from release.redact import Redactor

HUB_KEY = "https://index.docker.io/v1/"  # what Docker Hub is called in the file, and to programs
LARGEST = 1 << 20  # bytes of the file, and of a program's answer
PATIENCE = 30.0  # seconds for a program, which may have to open a keyring
NO_PASSWORD = "<token>"  # the user's name that programs give with an identity token
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Login:
    """User and password; or a `bearer` token that is sent as it is; or an `identity` token, for which tokens are to be had."""

    user: str
    password: str = field(repr=False)
    bearer: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)


class _Kept(msgspec.Struct, frozen=True):
    """One entry of `auths`."""

    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""
    registrytoken: str = ""


class _File(msgspec.Struct, frozen=True):
    auths: Mapping[str, _Kept] = {}
    credHelpers: Mapping[str, str] = {}  # the file's own word
    credsStore: str = ""


class _Answer(msgspec.Struct, frozen=True):
    """What a program says (docker-credential-helpers, `get`)."""

    username: str = msgspec.field(name="Username", default="")
    secret: str = msgspec.field(name="Secret", default="")


class Logins:
    """`environment` says where Docker's file is (DOCKER_CONFIG, else HOME), and is a credential program's own.

    Nothing is read before a login is asked for. What is found is known to `hide` before anybody has it.
    """

    def __init__(self, environment: Mapping[str, str], hide: Redactor) -> None:
        self._environment, self._hide = environment, hide

    @property
    def file(self) -> Path | None:
        """Docker's file, None where nobody has a home."""
        if folder := self._environment.get("DOCKER_CONFIG"):
            return Path(folder, "config.json")
        home = self._environment.get("HOME")
        return Path(home, ".docker", "config.json") if home else None

    def of(self, place: str) -> Login | None:
        """The login for a registry, None if there is none; Unseen where one is kept that cannot be read."""
        content = self._content()
        if content is None:
            return None
        program = next((one for key, one in content.credHelpers.items() if _names(key) == place), content.credsStore)
        told = self._told(program, HUB_KEY if place == DOCKER_HUB else place) if program else None
        if told is not None:
            return told
        return next(
            (self._login(place, one) for key, one in content.auths.items() if _names(key) == place and one != _Kept()),
            None,
        )

    def _content(self) -> _File | None:
        file = self.file
        if file is None:
            return None
        remedy = "mend it, or set DOCKER_CONFIG to the folder of another config.json"
        try:
            with file.open("rb") as opened:
                held = opened.read(LARGEST + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unseen(f"cannot read Docker's logins in {file}: {error.strerror}", remedy) from None
        try:
            return decoded(held, _File)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # its words may hold a secret
            raise Unseen(f"cannot read Docker's logins: {file} is not the JSON that Docker writes", remedy) from None

    def _login(self, place: str, kept: _Kept) -> Login:
        if kept.registrytoken:
            return self._known(Login("", "", kept.registrytoken))
        if kept.identitytoken:
            return self._known(Login("", "", identity=kept.identitytoken))
        user, password = kept.username, kept.password
        if kept.auth:
            try:
                user, _, password = b64decode(kept.auth, validate=True).decode().strip("\0").partition(":")
            except ValueError:
                raise Unseen(f"Docker's login for {place} is not in base64", f"run `docker login {place}`") from None
        return self._known(Login(user, password))

    def _told(self, program: str, server: str) -> Login | None:
        """What a credential program keeps for a server, None if it keeps nothing."""
        name = f"docker-credential-{program}"
        found = shutil.which(name, path=self._environment.get("PATH")) if _PROGRAM.fullmatch(program) else None
        if found is None:
            why = f"Docker's file {self.file} names the credential program {name[:100]!r}, which is not here"
            raise Unseen(why, "install it, or log in without it")
        try:
            ended = subprocess.run(
                [found, "get"], input=server.encode(), capture_output=True, timeout=PATIENCE, check=False,
                env=dict(self._environment), start_new_session=True,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            how = "did not answer in time" if isinstance(error, subprocess.TimeoutExpired) else "cannot be run"
            raise Unseen(f"the credential program {name} {how}", "mend it, or log in without it") from None
        if ended.returncode != 0:
            if b"credentials not found" in ended.stdout[:LARGEST]:
                return None
            why = f"the credential program {name} ended with exit code {ended.returncode}"
            raise Unseen(why, f"see what `echo {server} | {name} get` says")
        try:
            told = decoded(ended.stdout[:LARGEST], _Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Unseen(f"the credential program {name} did not answer in JSON", "mend it") from None
        if told.username == NO_PASSWORD and told.secret:
            return self._known(Login("", "", identity=told.secret))
        return self._known(Login(told.username, told.secret)) if told.secret else None

    def _known(self, login: Login) -> Login:
        for secret in (login.password, login.bearer, login.identity):
            if secret:
                self._hide.learn(secret)
        return login


def _names(key: str) -> str | None:
    """The registry that an entry of the file is for: a host, or an address that begins with one."""
    return registry(key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/")[0])
