"""The registry itself: what it is made with, what answers, and the hands that a test puts into it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.registry import api
from release.sandbox.registry.access import Access
from release.sandbox.registry.api import NAME, Call, Handler
from release.sandbox.registry.holdings import Holdings
from release.sandbox.registry.problems import WORDS, Problem
from release.sandbox.registry.uploads import Uploads
from release.sandbox.serving.breakage import Next
from release.sandbox.serving.server import Server

PULL, PUSH, DELETE = ("pull",), ("pull", "push"), ("delete",)


class SandboxRegistry(Server):
    """A registry in a folder, served inside `with`; a new one on the same folder goes on from there.

    With `users` (names and passwords) nobody else is let in, by Basic authentication, or with `tokens` by tokens of the
    registry's own realm, which live `lifetime` seconds; `readers` are users who may only pull. Without `referrers`
    that part of the API is not there.
    """

    words = WORDS

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        users: Mapping[str, str] | None = None,
        tokens: bool = False,
        referrers: bool = True,
        readers: Collection[str] = (),
        lifetime: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(folder, port, clock)
        self._holdings = Holdings(self.folder, self.store)
        self._access = Access(self.store, clock, users, readers, tokens, lifetime)
        self._uploads = Uploads()
        self._referrers = referrers

    # What is there, and what others do to it

    def repositories(self) -> list[str]:
        """The names of all repositories."""
        return self._holdings.repositories()

    def tags(self, name: str) -> dict[str, str]:
        """The tags of a repository and the digests that they name; none where there is no such repository."""
        repo = self._holdings.repository(name)
        return {} if repo is None else self._holdings.tags(repo)

    def manifest(self, name: str, reference: str) -> bytes:
        """A manifest's bytes by tag or digest; KeyError where there is none."""
        repo = self._repo(name)
        digest = self._holdings.digest(repo, reference)
        if not digest:
            raise KeyError(f"no manifest {reference} in {name}")
        return self._holdings.path(repo, digest).read_bytes()

    def held(self, name: str, digest: str) -> bytes:
        """The bytes of a blob or manifest; KeyError or FileNotFoundError where it is not there."""
        return self._holdings.path(self._repo(name), digest).read_bytes()

    def manifests(self, name: str) -> frozenset[str]:
        """The digests of the manifests and indexes in a repository."""
        return frozenset(one["digest"] for one in self.store.all("manifest", self._repo(name)))

    def blobs(self, name: str) -> frozenset[str]:
        """The digests of the blobs in a repository."""
        return frozenset(one["digest"] for one in self.store.all("blob", self._repo(name)))

    def uploads(self, name: str) -> int:
        """How many uploads to a repository have begun and not ended."""
        return len(self.store.all("upload", self._repo(name)))

    def tag(self, name: str, tag: str, digest: str) -> None:
        """Move a tag behind everybody's back; KeyError where the manifest is not there."""
        repo = self._repo(name)
        if self._holdings.manifest(repo, digest) is None:
            raise KeyError(f"no manifest {digest} in {name}")
        self._holdings.tag(repo, tag, digest)

    def past(self, name: str, tags: Iterable[str]) -> None:
        """Tags that were there before anybody looked, each on an index of no image."""
        content = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
        digest = f"sha256:{sha256(content).hexdigest()}"
        repo = self._holdings.made(name)
        media = "application/vnd.oci.image.index.v1+json"
        facts = {"media_type": media, "subject": "", "artifact_type": "", "annotations": {}}
        self._holdings.keep_manifest(repo, digest, content, facts, "")
        with self.store.transaction():
            for tag in tags:
                self._holdings.tag(repo, tag, digest)

    def untag(self, name: str, tag: str) -> None:
        """Remove a tag; KeyError where there is none."""
        if not self._holdings.untag(self._repo(name), tag):
            raise KeyError(f"no tag {tag} in {name}")

    def drop_blob(self, name: str, digest: str) -> None:
        """Lose a blob; what refers to it stays. KeyError where there is none."""
        if not self._holdings.drop("blob", self._repo(name), digest):
            raise KeyError(f"no blob {digest} in {name}")

    def drop_manifest(self, name: str, digest: str) -> None:
        """Lose a manifest and the tags on it; what refers to it stays. KeyError where there is none."""
        if not self._holdings.drop("manifest", self._repo(name), digest):
            raise KeyError(f"no manifest {digest} in {name}")

    def corrupt_blob(self, name: str, digest: str) -> None:
        """Flip a bit in the bytes of a blob or manifest, in this repository alone; FileNotFoundError where it is not."""
        self._holdings.corrupt(self._repo(name), digest)

    def expire_tokens(self) -> None:
        """Let every token that was given out be worth nothing."""
        self._access.expire()

    def _repo(self, name: str) -> int:
        found = self._holdings.repository(name)
        if found is None:
            raise KeyError(f"no repository {name}")
        return found

    # What answers

    def register(self, app: web.Application) -> None:
        self._access.register(app)
        app.router.add_get("/v2/", self._here)
        base, uploads = "/v2/{name:.+}", self._uploads
        one = base + "/blobs/uploads/{upload}"
        for method, path, actions, handler in (
            ("GET", base + "/manifests/{reference}", PULL, api.manifest),
            ("PUT", base + "/manifests/{reference}", PUSH, api.put_manifest),
            ("DELETE", base + "/manifests/{reference}", DELETE, api.delete_manifest),
            ("GET", base + "/tags/list", PULL, api.tags),
            ("GET", base + "/referrers/{digest}", PULL, api.referrers),
            ("POST", base + "/blobs/uploads/", PUSH, uploads.begin),
            ("POST", base + "/blobs/uploads", PUSH, uploads.begin),
            ("GET", one, PUSH, uploads.status),
            ("PATCH", one, PUSH, uploads.append),
            ("PUT", one, PUSH, uploads.finish),
            ("DELETE", one, PUSH, uploads.cancel),
            ("GET", base + "/blobs/{digest}", PULL, api.blob),
            ("DELETE", base + "/blobs/{digest}", DELETE, api.delete_blob),
        ):
            self._route(app, method, path, actions, handler)

    def _route(self, app: web.Application, method: str, path: str, actions: Iterable[str], handler: Handler) -> None:
        async def handle(request: web.Request) -> StreamResponse:
            name = request.match_info["name"]
            if not NAME.fullmatch(name) or len(name) > 255:
                raise Problem(400, "NAME_INVALID", "invalid repository name", {"name": name})
            self._access.admit(request, name, actions)
            return await handler(Call(request, self._holdings, self._access, name, self._referrers))

        for verb in (method, "HEAD") if method == "GET" else (method,):
            app.router.add_route(verb, path, handle)

    async def _here(self, request: web.Request) -> StreamResponse:
        self._access.admit(request, "", ())
        return web.json_response({})

    async def answered(self, request: web.Request, handler: Next) -> StreamResponse:
        try:
            answer = await handler(request)
        except Problem as problem:
            answer = problem.answer()
        answer.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return answer
