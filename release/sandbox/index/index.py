"""The index itself: what it is made with, what answers, and the hands that a test puts into it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.index.answers import WORDS, Problem
from release.sandbox.index.files import Files, same
from release.sandbox.index.identities import PLACE, Identities
from release.sandbox.index.simple import Simple
from release.sandbox.index.trust import Trust
from release.sandbox.index.uploads import Uploads
from release.sandbox.serving.breakage import Next
from release.sandbox.serving.server import Server
from release.sandbox.serving.store import Json


class PackageIndex(Server):
    """An index in a folder, served inside `with`; a new one on the same folder goes on from there.

    With `users` (names and passwords) nobody else uploads, but for who has a minted token; reading is free. `publishers`
    says which repository (`owner/name`) is trusted to publish a project; without, every one is.
    """

    words = WORDS

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        users: Mapping[str, str] | None = None,
        publishers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(folder, port, clock)
        self._files = Files(self.folder, self.store)
        self._trust = Trust(self.store, clock, users, publishers)
        self._identities = Identities(self.store, clock)

    @property
    def simple(self) -> str:
        """What pip takes for `--index-url`."""
        return f"{self.url}/simple/"

    @property
    def legacy(self) -> str:
        """What twine takes for `--repository-url`."""
        return f"{self.url}/legacy/"

    def files(self, name: str) -> dict[str, str]:
        """The files of a project, yanked ones too: name -> SHA-256 (hex); empty where there is no such project."""
        return {one["filename"]: one["sha256"] for one in self._files.of(name)}

    def content(self, filename: str) -> bytes:
        """The bytes of a file; KeyError where there is none."""
        return self._files.path(self._find(filename)).read_bytes()

    def versions(self, name: str) -> frozenset[str]:
        return frozenset(one["version"] for one in self._files.of(name))

    def yank(self, name: str, version: str, reason: str = "") -> None:
        """Yank a version (PEP 592); KeyError where there is none."""
        if not self._files.yank(name, version, reason):
            raise KeyError(f"no version {version} of {name}")

    def yanked(self, name: str, version: str) -> bool:
        """Whether a version has files and all of them are yanked."""
        found = [one for one in self._files.of(name) if same(one["version"], version)]
        return bool(found) and all(one["yanked"] for one in found)

    def corrupt(self, filename: str) -> None:
        """Flip a bit in a file and go on saying its old digest; KeyError where there is none."""
        self._files.corrupt(self._find(filename))

    def drop(self, filename: str) -> None:
        """Lose a file; KeyError where there is none."""
        self._files.drop(self._find(filename))

    def identity(self, repository: str, workflow: str = "release.yml", environment: str = "") -> dict[str, str]:
        """The environment of a job that may ask who it is, as GitHub Actions sets it; served by the index itself."""
        return self._identities.environment(self.url, repository, workflow, environment)

    def register(self, app: web.Application) -> None:
        simple = Simple(self._files)
        app.router.add_get("/simple/", simple.root)
        app.router.add_get("/simple/{name}", simple.project)
        app.router.add_get("/simple/{name}/", simple.project)
        app.router.add_get("/files/{sha256}/{filename}", simple.file)
        app.router.add_post("/legacy/", Uploads(self._files, self._trust, self.clock).upload)
        app.router.add_get("/_/oidc/audience", self._trust.audience)
        app.router.add_post("/_/oidc/mint-token", self._trust.mint)
        app.router.add_get(PLACE, self._identities.asked)

    async def answered(self, request: web.Request, handler: Next) -> StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return problem.answer()

    def _find(self, filename: str) -> Json:
        found = self._files.find(filename)
        if found is None:
            raise KeyError(f"no file {filename}")
        return found
