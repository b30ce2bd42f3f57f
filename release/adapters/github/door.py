"""Asks one repository's part of the API, and says what a refusal means for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from release.adapters.github.places import Places
from release.adapters.github.shapes import About, Installed
from release.adapters.github.tokens import ACCEPT, Tokens
from release.adapters.http import Answer, Ask, Http
from release.errors import ConfigError, Refused, ReleaseError, Unseen

T = TypeVar("T")

READ, CONTENTS, ACTIONS, DEPLOYMENTS = "contents: read", "contents: write", "actions: write", "deployments: write"
PAGES = 1000


@dataclass
class Door:
    """One repository, `owner/name`. Paths are given in pieces; what is in a piece stays in it."""

    http: Http
    places: Places
    tokens: Tokens
    name: str
    _about: Answer | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def get(self, what: str, path: str, shape: type[T], right: str = READ, **query: str) -> T:
        """Something that has to be there."""
        answer = self.http.answer(ask := self._ask(what, self.url(path, query), shape=shape))
        if not answer.good:
            raise self.wrong(ask, answer, right)
        return cast(T, answer.value)

    def find(self, what: str, path: str, shape: type[T], right: str = READ, **query: str) -> T | None:
        """Something that may not be there; None is said only of a repository that can be seen."""
        answer = self.http.answer(ask := self._ask(what, self.url(path, query), shape=shape))
        if answer.status == 404 or unknown(answer):
            self.seen()
            return None
        if not answer.good:
            raise self.wrong(ask, answer, right)
        return cast(T, answer.value)

    def pages(self, what: str, path: str, shape: type[T], right: str = READ, **query: str) -> Iterator[T]:
        """A list, page by page as the forge links them."""
        url = self.url(path, {"per_page": "100", **query})
        for _ in range(PAGES):
            answer = self.http.answer(ask := self._ask(what, url, shape=shape))
            if not answer.good:
                raise self.wrong(ask, answer, right)
            yield cast(T, answer.value)
            if not answer.next:
                return
            url = answer.next
        raise Unseen(f"cannot {what}: the list does not end", "")

    def write(
        self, what: str, method: str, path: str, body: Mapping[str, Any] | None, right: str, shape: Any = None
    ) -> Answer:
        """Change something; Refused in the forge's own words where it does not want to."""
        kind = {} if body is None else {"Content-Type": "application/json"}
        ask = self._ask(what, self.url(path), method, shape=shape, headers=kind)
        return self._sent(ask, None if body is None else msgspec.json.encode(body), right)

    def upload(self, what: str, url: str, source: Path | bytes, shape: Any) -> Answer:
        """Send a file to where the forge says that its uploads go, if that is where its API says they go."""
        kind = {"Content-Type": "application/octet-stream"}
        return self._sent(self._ask(what, url, "POST", shape=shape, headers=kind), source, CONTENTS)

    def pieces(self, what: str, path: str, accept: str, right: str = READ) -> Iterator[bytes]:
        """A body of any length; where it lies elsewhere, that place does not get our token."""
        ask = self._ask(what, self.url(path), headers={"Accept": accept})
        return self.http.pieces(ask, partial(self.wrong, ask, right=right))

    def about(self, anew: bool = False) -> Answer:
        """The repository itself, asked once, or `anew`."""
        with self._lock:
            if anew or self._about is None or not self._about.good:
                self._about = self.http.answer(self._ask(f"look at {self.name}", self.url(""), shape=About))
            return self._about

    def seen(self) -> About:
        """The repository, which has to be visible; else nothing that is not found in it is known to be absent."""
        answer = self.about()
        if not answer.good:
            raise self.wrong(self._ask(f"look at {self.name}", self.url(""), shape=About), answer, READ)
        return cast(About, answer.value)

    def lacks(self, right: str) -> str:
        """Why the token is not enough for a right here, as far as the forge tells."""
        answer = self.about()
        if answer.status in (401, 403, 404):
            return str(self.wrong(self._ask(f"look at {self.name}", self.url("")), answer, right))
        about = self.seen()
        if about.archived:
            return f"{self.name} is archived, and takes nothing; unarchive it"
        if not self.tokens.source:
            return f"there is no token for {self.name}; {ABSENT}"
        granted = self.tokens.granted(self.name)
        kind, _, level = right.partition(": ")
        scopes = answer.headers.get("x-oauth-scopes")
        if granted is not None:
            enough = granted.get(kind) in (level, "write", "admin")
        elif scopes is not None and "repo_deployment" in scopes and kind == "deployments":
            return ""  # enough for just that, whatever else it may not
        elif scopes is not None and not enough_scope(scopes, about.private):
            return f"{self._token} cannot write to {self.name}: give it the scope repo"
        else:
            enough = about.permissions is None or about.permissions.push or self._installed()
        return "" if enough else f"{self._token} cannot write to {self.name}: give it {right} there"

    def url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        asked = {key: value for key, value in (query or {}).items() if value}
        tail = f"?{urlencode(asked, quote_via=quote)}" if asked else ""
        return f"{self.places.api}/repos/{self.name}{'/' + path if path else ''}{tail}"

    def wrong(self, ask: Ask, answer: Answer, right: str) -> ReleaseError:
        """A refusal in words for a person: what is so, then what to do."""
        kind = Unseen if ask.reads else Refused
        words = f" ({answer.words})" if answer.words else ""
        if answer.status == 401:
            why, remedy = f"the forge does not take {self._token}{words}", RENEW
            return kind(f"cannot {ask.what}: {why}", remedy if self.tokens.source else ABSENT)
        if answer.status == 403 and "url=" in (sso := answer.headers.get("x-github-sso", "")):
            return kind(
                f"cannot {ask.what}: {self._token} is not authorized for single sign-on", sso.partition("url=")[2]
            )
        if answer.status in (403, 404) and self._barred(answer, right):
            right = accepted(answer) or right
            more = " (and workflows: write, where what is released changes workflows)" if right == CONTENTS else ""
            remedy = f"give it {right} there{more}" if self.tokens.source else ABSENT
            return kind(f"cannot {ask.what}: {self._token} cannot reach {self.name}{words}", remedy)
        remedy = self._lookup(accepted(answer) or right) if ask.reads and answer.status == 404 else ""
        return kind(f"cannot {ask.what}: the forge answered {answer.status}{words}", remedy)

    def _lookup(self, right: str) -> str:
        """What to look at where something has to be there and is not, although the repository can be seen."""
        allowed = f"that {self._token} has {right} there" if self.tokens.source else ABSENT
        return f"check that {self.name} is the repository that is meant, and {allowed}"

    @property
    def _token(self) -> str:
        return f"the token of {self.tokens.source}" if self.tokens.source else "a request without a token"

    def _barred(self, answer: Answer, right: str) -> bool:
        """Whether a refusal is for lack of a right: GitHub says 404 for that, too."""
        if answer.status == 403:
            return "archived" not in answer.words
        try:
            about = self.about(anew=True)  # a right may have been taken since
        except ReleaseError as error:
            if error.after:
                raise
            return False
        if not about.good:
            return True
        rights = cast(About, about.value).permissions
        return right.endswith("write") and rights is not None and not rights.push

    def _installed(self) -> bool:
        """Whether the token is an App installation's for this repository, such as a workflow's own: GitHub never says of one that it may push."""
        what, url = f"look at what {self._token} is for", f"{self.places.api}/installation/repositories?per_page=100"
        for _ in range(PAGES):
            answer = self.http.answer(self._ask(what, url, shape=Installed))
            if not answer.good:
                return False
            found = cast(Installed, answer.value).repositories
            if any(one.full_name.lower() == self.name.lower() for one in found):
                return True
            if not (url := answer.next):
                return False
        return False

    def _sent(self, ask: Ask, body: bytes | Path | None, right: str) -> Answer:
        answer = self.http.answer(replace(ask, body=body, creates=ask.method != "DELETE"))
        if not answer.good:
            raise self.wrong(ask, answer, right)
        return answer

    def _ask(
        self, what: str, url: str, method: str = "GET", *, shape: Any = None, headers: Mapping[str, str] | None = None
    ) -> Ask:
        asked = {**ACCEPT, **(headers or {})}
        return Ask(
            what, url, self.places.origins, method, asked, partial(self._opens, what, method == "GET"), shape=shape
        )

    def _opens(self, what: str, reads: bool) -> Mapping[str, str]:
        """What opens the repository. Without it nothing is asked: that is unseen, or certainly not done."""
        try:
            return self.tokens.headers(self.name)
        except ConfigError:
            raise
        except ReleaseError as error:
            no = (Unseen if reads else Refused)(f"cannot {what}: {error.message}", error.remedy, after=error.after)
        raise no


@contextmanager
def beforehand() -> Iterator[None]:
    """What a write has to look at first: if that cannot be seen, the write is certainly not done."""
    try:
        yield
    except Unseen as unseen:
        no = Refused(unseen.message, unseen.remedy, after=unseen.after)
    else:
        return
    raise no


ABSENT = "put a token into SLUICE_GITHUB_TOKEN"
RENEW = "it is mistyped, expired or revoked: put a valid one there"


def segment(text: str, whole: bool = True) -> str:
    """A name as a piece of a path; with `whole=False` its slashes stay, as the names of refs have them."""
    if any(part in ("", ".", "..") for part in text.split("/")):
        raise Unseen(f"{text!r} is no name that a forge could have", "")
    return quote(text, safe="" if whole else "/")


def unknown(answer: Answer) -> bool:
    """Whether a forge says that it does not have a commit: of one that is given by its id GitHub says 422, not 404."""
    return answer.status == 422 and answer.words.startswith("No commit found for SHA")


def enough_scope(scopes: str, private: bool) -> bool:
    """Whether a classic token's scopes let it write."""
    held = {scope.strip() for scope in scopes.split(",")}
    return "repo" in held or (not private and "public_repo" in held)


def accepted(answer: Answer) -> str:
    """The rights that would have been enough, where the forge says so; of alternatives the first."""
    told = answer.headers.get("x-accepted-github-permissions", "").partition(";")[0]
    pairs = [part.strip().partition("=") for part in told.split(",")]
    return " and ".join(f"{name}: {level}" for name, _, level in pairs if name.isidentifier() and level.isalpha())
