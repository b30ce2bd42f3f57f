"""The simple API: PEP 691 in JSON and PEP 503 in HTML, as the client asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from aiohttp import web
from packaging.utils import canonicalize_name
from packaging.version import Version

from release.sandbox.index.answers import Problem
from release.sandbox.index.files import Files, shown

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
META = {"api-version": "1.1"}


class Simple:
    """Pages and files, read only."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def root(self, request: web.Request) -> web.StreamResponse:
        projects = self._files.projects()
        document = {"meta": META, "projects": [{"name": name} for name in projects]}
        return _negotiated(request, document, "Simple index", (_link(f"/simple/{name}/", name) for name in projects))

    async def project(self, request: web.Request) -> web.StreamResponse:
        """A project's page; by another spelling of its name, or without the slash, where it really is."""
        name = request.match_info["name"]
        place = f"/simple/{canonicalize_name(name)}/"
        if request.path != place:
            return web.Response(status=301, headers={"Location": place})
        found = self._files.of(name)
        if not found:
            raise Problem(404, "Not Found")
        files = [shown(one, f"http://{request.host}") for one in found]
        versions = sorted({one["version"] for one in found}, key=Version)
        document = {"meta": META, "name": canonicalize_name(name), "versions": versions, "files": files}
        return _negotiated(request, document, f"Links for {canonicalize_name(name)}", map(_file, files))

    async def file(self, request: web.Request) -> web.StreamResponse:
        found = self._files.find(request.match_info["filename"])
        if found is None or found["sha256"] != request.match_info["sha256"]:
            raise Problem(404, "Not Found")
        return web.FileResponse(self._files.path(found), headers={"Content-Type": "application/octet-stream"})


def _negotiated(
    request: web.Request, document: Mapping[str, Any], title: str, links: Iterable[str]
) -> web.StreamResponse:
    kind = _wanted(request.headers.get("Accept", "*/*"))
    if kind == JSON:
        return web.Response(body=json.dumps(document).encode(), headers={"Content-Type": kind, "Vary": "Accept"})
    head = f'<head><meta name="pypi:repository-version" content="1.1"><title>{escape(title)}</title></head>'
    text = f"<!DOCTYPE html>\n<html>\n{head}\n<body>\n<h1>{escape(title)}</h1>\n{''.join(links)}</body>\n</html>\n"
    headers = {"Content-Type": f"{kind}; charset=UTF-8", "Vary": "Accept"}
    return web.Response(body=text.encode(), headers=headers)


def _wanted(accept: str) -> str:
    """The form that a client likes best; 406 where it likes none."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (one.strip().lower() for one in part.split(";"))
        quality = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        weights[kind] = float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    forms = {
        "text/html": weights.get("text/html", weights.get("text/*", weights.get("*/*", 0.0))),
        JSON: weights.get(JSON, 0.0),
        HTML: weights.get(HTML, 0.0),
    }
    best = max(forms, key=lambda kind: forms[kind])
    if not forms[best]:
        raise Problem(406, "Not Acceptable")
    return best


def _file(file: Mapping[str, Any]) -> str:
    yanked = file["yanked"]
    more = f' data-yanked="{escape(yanked if isinstance(yanked, str) else "")}"' if yanked else ""
    if needs := file.get("requires-python"):
        more += f' data-requires-python="{escape(needs)}"'
    return _link(f"{file['url']}#sha256={file['hashes']['sha256']}", file["filename"], more)


def _link(address: str, text: str, more: str = "") -> str:
    return f'<a href="{escape(address)}"{more}>{escape(text)}</a><br>\n'
