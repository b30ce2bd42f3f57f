"""Asks registries which image a tag names (https://github.com/opencontainers/distribution-spec, "Pulling manifests").

The manifest is read with GET, not with HEAD: the usual answer here is "there is none", and only a body tells a registry's
404 from that of something on the way to it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any

import msgspec

from release.adapters.http import Answer, Ask, Http, origin
from release.adapters.registry.challenge import Challenge, challenge, related, token_url, usable
from release.adapters.registry.logins import Login, Logins
from release.core.commits import plain
from release.core.reference import DOCKER_HUB, Reference, host_of, is_loopback, reference
from release.errors import ReleaseError, Unseen
from release.redact import Redactor

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
HUB = "registry-1.docker.io"  # where Docker Hub's images are
LARGEST = 32 << 20  # bytes of a manifest; registries take 4 MiB
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]+")


class _Manifest(msgspec.Struct, frozen=True):
    schema: int = msgspec.field(name="schemaVersion")


class _Token(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class Registries:
    """Every registry that is named, each with its own login. Fit for many threads."""

    def __init__(self, http: Http, login: Callable[[str], Login | None], hide: Redactor) -> None:
        self._http, self._login, self._hide = http, login, hide
        self._open: dict[tuple[str, str], str] = {}  # registry and name -> the Authorization that opened it last
        self._known: set[str] = set()  # registries that showed to be some

    @classmethod
    def at(cls, environment: Mapping[str, str], hide: Redactor, http: Http) -> Registries:
        """With Docker's logins: `environment` says where they are (DOCKER_CONFIG, HOME), and PATH for its programs."""
        return cls(http, Logins(environment, hide).of, hide)

    def digest(self, reference_: str) -> str:
        """The digest of what a tag names, "" where the registry says that there is nothing; Unseen where it does not say."""
        image = reference(reference_)
        if image is None:
            raise Unseen(f"{plain(reference_, 200)!r} is no image with a tag", "write HOST/owner/name:tag")
        answer = self._opened(image)
        if answer.good:
            told = answer.headers.get("docker-content-digest", "")
            return told if _DIGEST.fullmatch(told) else self._computed(image)
        if answer.status == 404 and self._is_registry(image, answer):
            return ""
        raise _unseen(image, answer)

    def _opened(self, image: Reference) -> Answer:
        """A registry's answer with what opens it: what it did before, else what it asks for now."""
        key = image.registry, image.name
        answer = self._http.answer(self._manifest(image, self._open.get(key, "")))
        if answer.status != 401:
            return answer
        asked = challenge(answer.headers.get("www-authenticate", ""))
        if asked is None:
            raise _unseen(image, answer)
        self._open[key] = opening = self._opening(image, asked)
        return self._http.answer(self._manifest(image, opening)) if opening else answer

    def _manifest(self, image: Reference, opening: str, shape: Any = _Manifest) -> Ask:
        return _ask(image, f"{_base(image)}{image.name}/manifests/{image.tag}", opening, ", ".join(MANIFESTS), shape)

    def _opening(self, image: Reference, asked: Challenge) -> str:
        """The Authorization that a registry asks for, "" where we have none."""
        login = self._login(image.registry)
        if login is not None and login.bearer:
            return f"Bearer {login.bearer}"
        if asked.scheme == "basic":
            return _basic(login) if login is not None else ""
        return self._token(image, asked, login)

    def _token(self, image: Reference, asked: Challenge, login: Login | None) -> str:
        """A token for reading, with our login where its realm may have it, else for everybody."""
        home = _host(image)
        if not usable(asked.realm, home):
            why = f"cannot look at {image}: {image.registry} sends for a token to {plain(asked.realm, 200)!r}"
            raise Unseen(why, "that is not safe: ask whoever runs the registry")
        url = token_url(asked, image.name)
        opening = _basic(login) if login is not None and related(asked.realm, home) else ""
        answer = self._http.answer(_ask(image, url, opening, "application/json", _Token))
        if not answer.good:
            raise _unseen(image, answer)
        token = answer.value.token or answer.value.access_token
        if not _TOKEN.fullmatch(token):
            raise Unseen(f"cannot look at {image}: {origin(url)} gives no token", "try again later")
        self._hide.learn(token)
        return f"Bearer {token}"

    def _computed(self, image: Reference) -> str:
        """The digest of a manifest whose registry does not tell it: SHA-256 of its bytes, as the spec has it."""

        def wrong(answer: Answer) -> ReleaseError:
            return _unseen(image, answer)

        told, size = sha256(), 0
        ask = self._manifest(image, self._open.get((image.registry, image.name), ""), None)
        with closing(self._http.pieces(ask, wrong)) as pieces:  # type: ignore[type-var]  # it is a generator
            for piece in pieces:
                told.update(piece)
                size += len(piece)
                if size > LARGEST:
                    raise Unseen(f"cannot look at {image}: its manifest is longer than {LARGEST >> 20} MiB", "")
        return f"sha256:{told.hexdigest()}"

    def _is_registry(self, image: Reference, answer: Answer) -> bool:
        """Whether a 404 is a registry's word: in its form, and from a place that answers as one at `/v2/`."""
        if not answer.words:
            return False
        if image.registry not in self._known:
            root = self._http.answer(_ask(image, _base(image), "", "application/json", None))
            if root.status not in (200, 401):
                return False
            self._known.add(image.registry)
        return True


def _ask(image: Reference, url: str, opening: str, accept: str, shape: Any) -> Ask:
    return Ask(
        f"look at {image}", url, frozenset({origin(url)}), headers={"Accept": accept},
        secret=lambda: {"Authorization": opening} if opening else {}, shape=shape, bare=True,
    )  # fmt: skip


def _host(image: Reference) -> str:
    return HUB if image.registry == DOCKER_HUB else image.registry


def _base(image: Reference) -> str:
    """The API's root. This machine's registries speak plain HTTP, as Docker has it; no other may."""
    host = _host(image)
    return f"{'http' if is_loopback(host_of(host)) else 'https'}://{host}/v2/"


def _basic(login: Login) -> str:
    return f"Basic {b64encode(f'{login.user}:{login.password}'.encode()).decode()}"


def _unseen(image: Reference, answer: Answer) -> Unseen:
    """No is not absent: whoever may not look is told the same of what is there and of what is not."""
    words = f": {plain(answer.words, 300)}" if answer.words else ""
    if answer.status in (401, 403):
        why = f"cannot look at {image}: {image.registry} does not let us ({answer.status}{words})"
        remedy = (
            f"run `docker login {image.registry}` as somebody who may; an image's first repository may have to be made"
        )
        return Unseen(why, remedy)
    why = f"cannot look at {image}: {image.registry} answered {answer.status}{words}"
    return Unseen(why, "see whether that is a registry, then run the same command again")
