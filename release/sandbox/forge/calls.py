"""How an endpoint is written: a function of one `Call`, registered with `route`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.forge import shapes
from release.sandbox.forge.answers import Answer, Page, Problem, missing
from release.sandbox.forge.auth import Actor, denied
from release.sandbox.forge.events import Event
from release.sandbox.forge.git import Git
from release.sandbox.forge.limits import Meter
from release.sandbox.forge.urls import Urls
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json, Store

T = TypeVar("T")
Result: TypeAlias = Answer | Page | StreamResponse
Handler: TypeAlias = "Callable[[Call], Result | Awaitable[Result]]"
MOST = 100
NAMES = {str: "string", bool: "boolean", int: "integer", dict: "object", list: "array"}


@dataclass(frozen=True)
class Route:
    """An endpoint. `needs` is `permission:level` in the repository of its path, "" where there is none to ask for."""

    method: str
    path: str
    needs: str
    handler: Handler
    upload: bool = False
    reads_body: bool = True

    @property
    def waits(self) -> bool:
        """A coroutine runs in the event loop (to stream), all others in a thread, where they may block."""
        return inspect.iscoroutinefunction(self.handler)


ROUTES: list[Route] = []


def route(
    method: str, path: str, needs: str = "", upload: bool = False, reads_body: bool = True
) -> Callable[[Handler], Handler]:
    """Register an endpoint; `path` is without `/api/v3`, `{name}` one part of it, `{name:.+}` what may hold slashes."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, path, needs, handler, upload, reads_body))
        return handler

    return register


@dataclass
class Call:
    """One request, for its handler: who asks, for what, in which repository."""

    world: World
    request: web.Request
    urls: Urls
    actor: Actor
    meter: Meter
    params: Mapping[str, str]
    body: Json = field(default_factory=dict)
    repository: Json = field(default_factory=dict)
    _users: dict[str, Json] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.world.store

    @property
    def name(self) -> str:
        """`owner/name` of the repository."""
        full_name: str = self.repository["full_name"]
        return full_name

    @property
    def repo(self) -> int:
        """The repository's id: the `repo` of every document in it."""
        number: int = self.repository["id"]
        return number

    @property
    def git(self) -> Git:
        return self.world.git(self.name)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    def number(self, name: str) -> int:
        """A part of the path that is an id; 404 for anything else."""
        text = self.params[name]
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise missing()
        return int(text)

    def document(self, kind: str, name: str) -> Json:
        """The document of this repository whose id is in the path; 404 without."""
        found = self.store.get(kind, self.number(name), self.repo)
        if found is None:
            raise missing()
        return found

    def needs(self, permission: str, level: str) -> None:
        """Refuse the call as GitHub does unless the caller has this right here."""
        if not self.actor.may(self.repository, permission, level):
            raise denied(self.actor, self.repository, permission, level)

    def user(self, login: str) -> Json:
        """A user as the API shows him."""
        if login not in self._users:
            self._users[login] = shapes.user(self.urls, self.world, login)
        return self._users[login]

    def may(self, permission: str, level: str) -> bool:
        return self.actor.may(self.repository, permission, level)

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        """A member of the body, of this type; without a default it has to be there (422). null counts as left out."""
        value = self.body.get(name)
        if value is None:
            if default is None:
                raise Problem(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Problem(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not of type {NAMES[kind]}.")
        return value

    def given(self, name: str) -> bool:
        """Whether the body has this member, with a value."""
        return self.body.get(name) is not None

    def emit(self, name: str, ref: str, sha: str, payload: Json) -> None:
        """Tell the world's listeners; the common members of a payload are added."""
        common = {
            "repository": shapes.minimal_repository(self.urls, self.world, self.repository),
            "sender": shapes.user(self.urls, self.world, self.actor.login),
        }
        event = Event(self.name, name, ref, sha, self.actor.login, payload | common, self.actor.by_workflow)
        self.world.emit(event)


def paged(call: Call, page: Page, usual: int = 30) -> Answer:
    """The part of a list that was asked for, with the `Link` header that leads to the others."""
    per_page = min(_count(call.query.get("per_page"), usual), max(MOST, usual))
    number = _count(call.query.get("page"), 1)
    last = max(1, -(-len(page.items) // per_page))
    items: Sequence[Any] = page.items[(number - 1) * per_page : number * per_page]
    if page.shape:
        items = [page.shape(item) for item in items]
    if page.batch:
        items = page.batch(items)
    body: Any = {"total_count": len(page.items), **page.more, page.total: list(items)} if page.total else list(items)
    links = {"prev": number - 1, "first": 1} if number > 1 else {}
    links |= {"next": number + 1, "last": last} if number < last else {}
    link = ", ".join(f'<{_at(call, there)}>; rel="{name}"' for name, there in links.items())
    return Answer(body, headers={"Link": link} if link else {})


def parsed(body: bytes) -> Json:
    """A request's JSON object; 400 if it is none."""
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Problem(400, "Problems parsing JSON") from error
    if b"\\ud" in body.lower():  # half of a surrogate pair: JSON can say it, no text can hold it
        found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    if not isinstance(found, dict):
        raise Problem(400, "Body should be a JSON object")
    return found


def _count(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and 0 < len(text) < 9 and int(text) else otherwise


def _at(call: Call, number: int) -> str:
    path = call.request.path_qs.partition("?")[0].removeprefix("/api/v3")
    query = {**call.query, "page": str(number)}
    return f"{call.urls.api}{path}?{urlencode(query)}"
