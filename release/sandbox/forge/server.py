"""The web application: takes a request through faults, token, limits and its handler, and records the exchange."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from importlib import import_module
from typing import ParamSpec, TypeAlias, TypeVar

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.forge import calls, complaints, record
from release.sandbox.forge.answers import Answer, Page, Problem, missing
from release.sandbox.forge.auth import Actor, authenticate, denied
from release.sandbox.forge.calls import Call, Result, Route
from release.sandbox.forge.limits import Meter
from release.sandbox.forge.urls import API_HOST, SERVER_HOST, UPLOADS_HOST
from release.sandbox.forge.world import World
from release.sandbox.serving import breakage

P = ParamSpec("P")
T = TypeVar("T")
Next: TypeAlias = Callable[[web.Request], Awaitable[StreamResponse]]
API, UPLOADS, GRAPHQL = "/api/v3", "/api/uploads", "/graphql"
LONGEST = 64 << 20
VERSIONS = ("2022-11-28", "2026-03-10")
# Each of these modules registers its endpoints when it is imported.
ROOMS = (
    "actions",
    "graphql",
    "repositories",
    "releases",
    "assets",
    "refs",
    "objects",
    "checks",
    "pulls",
    "commits",
    "deployments",
    "issues",
    "contents",
    "apps",
    "rules",
)


@dataclass(frozen=True)
class Site:
    """What serving needs besides the world."""

    world: World
    meter: Meter
    pool: Executor

    def app(self) -> web.Application:
        """Every endpoint: below /api/v3, and below the host names that stand for GitHub's own."""
        for room in ROOMS:
            import_module(f"release.sandbox.forge.{room}")
        from release.sandbox.forge import assets, git_http, storage

        app = web.Application(middlewares=[self._guard], client_max_size=LONGEST)
        api, uploads, server = (web.Application(client_max_size=LONGEST) for _ in range(3))
        for route in calls.ROUTES:
            self._register(uploads if route.upload else api, "", route)
            self._register(app, UPLOADS if route.upload else API, route)
            if route.path == GRAPHQL:
                self._register(app, "/api", route)  # where an Enterprise server has it
        for one in (server, app):
            storage.register(one, self.world)
            git_http.register(one, self.world)
            assets.register(one, self.world)
        for host, part in ((API_HOST, api), (UPLOADS_HOST, uploads), (SERVER_HOST, server)):
            app.add_domain(host, part)
        return app

    def _register(self, app: web.Application, prefix: str, route: Route) -> None:
        async def handle(request: web.Request) -> StreamResponse:
            return await self._api(request, route)

        resource = app.router.add_resource(prefix + route.path)
        resource.add_route(route.method, handle)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Next) -> StreamResponse:
        """Faults come around everything else."""
        path = "/" + request.path.removeprefix(API).removeprefix(UPLOADS).lstrip("/")
        plan = breakage.planned(self.world.store, request.method, path)
        return await breakage.through(plan, request, handler, self._answered, complaints.WORDS)

    async def _answered(self, request: web.Request, handler: Next) -> StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as problem:
            if problem.status in (404, 405):
                return self._plain(missing().answer())
            raise

    async def _api(self, request: web.Request, route: Route) -> StreamResponse:
        """One request of the API."""
        actor, body = Actor(), None
        try:
            actor = authenticate(self.world.store, request.headers.get("Authorization", ""), self.world.clock)
            self.meter.begin(
                actor, "GET" if route.path == GRAPHQL else request.method
            )  # no question there changes anything
        except Problem as problem:
            answer: Answer | StreamResponse = problem.answer()
        else:
            free = True
            try:
                if route.reads_body and request.can_read_body:
                    body = await request.read()
                answer = self._unchanged(request, await self._handled(request, route, actor, body))
                free = route.path == "/rate_limit" or (isinstance(answer, Answer) and answer.status == 304)
            finally:
                self.meter.end(actor, free)
        response = answer if isinstance(answer, StreamResponse) else self._response(answer, actor, request)
        self._remember(request, route, body, response)
        return response

    async def _handled(
        self, request: web.Request, route: Route, actor: Actor, body: bytes | None
    ) -> Answer | StreamResponse:
        """What the endpoint answers; a handler that blocks runs in a thread, with all that it needs."""
        urls = self.world.urls_of(request.host)
        call = Call(self.world, request, urls, actor, self.meter, dict(request.match_info))
        try:
            version = request.headers.get("X-GitHub-Api-Version", VERSIONS[0])
            if version not in VERSIONS:
                raise Problem(400, f"{version} is not a valid version of the GitHub REST API.")
            if body is not None:
                call.body = calls.parsed(body)
            if route.waits:
                await self._run(_admit, call, route)
                answer: Answer | StreamResponse = await route.handler(call)  # type: ignore[misc]
            else:
                answer = await self._run(_answer, call, route)
        except Problem as problem:
            answer = problem.answer()
        return answer if isinstance(answer, StreamResponse) else _scoped(answer, actor)

    async def _run(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.pool, partial(function, *arguments, **named))

    def _unchanged(self, request: web.Request, answer: Answer | StreamResponse) -> Answer | StreamResponse:
        """The answer with its ETag, or 304 where the client has it already."""
        if isinstance(answer, StreamResponse) or request.method != "GET" or answer.status != 200:
            return answer
        seen = hashlib.sha256(json.dumps([answer.body, *answer.headers.items()]).encode()).hexdigest()
        etag = f'W/"{seen}"'
        known = [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]
        if etag in known or etag.removeprefix("W/") in known:
            return Answer(None, 304, {"ETag": etag})
        return replace(
            answer, headers={**answer.headers, "ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60"}
        )

    def _response(self, answer: Answer, actor: Actor, request: web.Request) -> web.Response:
        headers = {**self.meter.headers(actor), **answer.headers}
        version = request.headers.get("X-GitHub-Api-Version", VERSIONS[0])
        headers["X-GitHub-Api-Version-Selected"] = version if version in VERSIONS else VERSIONS[0]
        return self._plain(replace(answer, headers=headers))

    def _plain(self, answer: Answer) -> web.Response:
        headers = {"X-GitHub-Media-Type": "github.v3; format=json", **answer.headers}
        headers.setdefault("Date", format_datetime(datetime.fromtimestamp(self.world.clock(), UTC), usegmt=True))
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        text = json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False)
        return web.Response(
            status=answer.status,
            headers=headers,
            body=text.encode("utf-8", "replace"),
            content_type="application/json",
            charset="utf-8",
        )

    def _remember(
        self,
        request: web.Request,
        route: Route,
        body: bytes | None,
        response: StreamResponse,
    ) -> None:
        sent = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else None
        path = request.path_qs.partition("?")[0].removeprefix(API).removeprefix(UPLOADS)
        self.world.record.add(
            record.Exchange(
                method=request.method,
                template=_template(route.path),
                path=path,
                query=request.rel_url.raw_query_string,
                request_headers=record.shown(request.headers),
                request_body=record.text(body),
                status=response.status,
                headers=record.shown(response.headers),
                body=record.text(sent),
                upload=route.upload,
            )
        )


def _answer(call: Call, route: Route) -> Answer | StreamResponse:
    """A whole request in one go; what a page shows is made here, too."""
    _admit(call, route)
    result: Result = route.handler(call)  # type: ignore[assignment]
    return calls.paged(call, result) if isinstance(result, Page) else result


def _admit(call: Call, route: Route) -> None:
    """The repository in the path, if the caller may know of it and has the right that the endpoint asks for."""
    if "repo" not in call.params:
        return
    found = call.store.find("repository", f"{call.params['owner']}/{call.params['repo']}".lower())
    if found is None or not (call.actor.sees(found) or call.actor.kind == "app"):
        raise missing()
    permission, _, level = route.needs.partition(":")
    if permission and not call.actor.may(found, permission, level):
        raise denied(call.actor, found, permission, level)
    call.repository = found


def _scoped(answer: Answer, actor: Actor) -> Answer:
    """Classic tokens are told their scopes with every answer."""
    if actor.kind != "classic":
        return answer
    return replace(answer, headers={**answer.headers, "X-OAuth-Scopes": ", ".join(actor.scopes)})


def _template(path: str) -> str:
    return path.replace(":.+}", "}").replace(":.*}", "}")
