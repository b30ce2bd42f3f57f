"""GitHub's own description of its API, and whether recorded exchanges keep to it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.testing import MockRequest, MockResponse

from release.sandbox.forge.record import Exchange

PACKAGE = "@octokit/openapi@23.0.2"
BESIDE = Path(__file__).parents[2] / "shared" / "data" / "github" / "openapi.json"
SHOWN = 1500  # characters of a problem
HOSTS = {False: "https://api.github.com", True: "https://uploads.github.com"}
# Endpoints of GitHub's that the description at hand may leave out; nothing else may be missing from it.
BEYOND = (
    "/graphql",
    "/repos/{owner}/{repo}/git/blobs/{file_sha}",
    "/repos/{owner}/{repo}/actions/jobs/{job_id}",
    "/repos/{owner}/{repo}/actions/workflows/{workflow_id}",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/logs",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments",
    "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations",
    "/repos/{owner}/{repo}/releases/{release_id}/assets/{name}",
    "/repos/{owner}/{repo}/pulls/{pull_number}/merge",
)


def check(exchanges: Iterable[Exchange]) -> int:
    """How many exchanges were looked at; AssertionError names every one that GitHub's description does not allow."""
    problems: list[str] = []
    count = 0
    for exchange in exchanges:
        count += 1
        if problem := wrong(exchange):
            problems.append(f"{exchange.method} {exchange.path}?{exchange.query} -> {exchange.status}: {problem}")
    shown = [
        problem if len(problem) < SHOWN else f"{problem[: SHOWN // 2]} ... {problem[-SHOWN // 2 :]}"
        for problem in problems
    ]
    assert not problems, "\n".join([f"{len(problems)} of {count} exchanges are wrong", *shown[:10]])
    return count


def wrong(exchange: Exchange) -> str:
    """What the description does not allow about an exchange; "" if it is right.

    A request that was answered with an error may be wrong on purpose: then only the answer is looked at.
    """
    if exchange.template in BEYOND:
        return ""
    operation = described()["paths"].get(exchange.template, {}).get(exchange.method.lower())
    if operation is None:
        return "no such operation"
    request = _request(exchange)
    try:
        if exchange.status < 400:
            _api().validate_request(request)
        if exchange.status == 304 and exchange.method == "GET":  # any GET with an ETag may be answered so; few say it
            return ""
        if exchange.body is None and "json" in exchange.headers.get("content-type", ""):  # too long to be kept
            return ""
        if exchange.status < 400 or str(exchange.status) in operation["responses"]:
            _api().validate_response(request, _response(exchange))
    except ResponseNotFound as error:
        return f"no such answer: {error}"
    except OpenAPIError as error:
        return _told(error)
    return ""


@cache
def described() -> Any:
    """The description itself, read once a process."""
    return json.loads(_description().read_text("utf-8"), object_hook=_mended)


def _mended(found: dict[str, Any]) -> dict[str, Any]:
    """The description where its words say more than they mean.

    `nullable` beside an `enum` means that null is one of them. `oneOf` is said of shapes that overlap (two kinds of
    errors with the same members) and means any of them. A `discriminator` cannot tell a list from an object.
    """
    if found.get("nullable") and "enum" in found:
        found = found | {"enum": [*found["enum"], None]}
    return {"anyOf" if name == "oneOf" else name: value for name, value in found.items() if name != "discriminator"}


@cache
def _api() -> OpenAPI:
    return OpenAPI.from_dict(
        described(), config=Config(spec_validator_cls=None, extra_format_validators={"uri": _is_address})
    )


def _is_address(value: object) -> bool:
    """GitHub leaves an address empty where there is none: those of a deployment's status."""
    return value == "" or (isinstance(value, str) and bool(urlsplit(value).scheme))


def _description() -> Path:
    """Beside the checkout, else from the npm package, fetched once into the user's cache."""
    if BESIDE.exists():
        return BESIDE
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "openapi.json"
    if not cached.exists():
        if not shutil.which("npm"):
            raise RuntimeError(f"GitHub's description is not at {BESIDE}; install npm, which can fetch it")
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True)
            (packed,) = Path(folder).glob("*.tgz")
            with tarfile.open(packed) as archive:
                archive.extract("package/generated/api.github.com.json", folder, filter="data")
            (Path(folder) / "package" / "generated" / "api.github.com.json").rename(cached)
    return cached


def _request(exchange: Exchange) -> MockRequest:
    """Each variable of the path as one part: the description knows no slashes in them."""
    pattern = re.sub(r"\\\{[^}]+\\\}", "(.+)", re.escape(exchange.template))
    pattern = "[^/]+".join(pattern.rsplit(".+", 0)) if "(.+)" not in pattern else pattern.replace("(.+)", "([^/]+)", 2)
    found = re.fullmatch(pattern, exchange.path)
    values = iter(found.groups() if found else ())
    path = re.sub(r"\{[^}]+\}", lambda _: quote(unquote(next(values, "")), safe=""), exchange.template)
    kind = exchange.request_headers.get("content-type", "application/json")
    return MockRequest(
        HOSTS[exchange.upload],
        exchange.method,
        path,
        args=dict(parse_qsl(exchange.query, keep_blank_values=True)),
        headers=dict(exchange.request_headers),
        data=b"file" if exchange.upload else (exchange.request_body or "").encode(),
        content_type="application/octet-stream" if exchange.upload else kind,
    )


def _response(exchange: Exchange) -> MockResponse:
    headers = dict(exchange.headers)
    kind = headers.get("content-type", "application/json")
    return MockResponse(_without_starter(exchange.body or ""), exchange.status, headers, kind)


def _without_starter(body: str) -> bytes:
    """An asset's state `starter` is real, and GitHub's description does not know it: that much is let through."""
    if '"starter"' not in body:
        return body.encode()

    def let(found: dict[str, Any]) -> dict[str, Any]:
        asset = "browser_download_url" in found and found.get("state") == "starter"
        return found | {"state": "open"} if asset else found

    return json.dumps(json.loads(body, object_hook=let)).encode()


def _told(error: BaseException) -> str:
    """The error with what lies beneath it: where in the body, and why."""
    said, cause = [str(error)], error.__cause__
    for one in getattr(cause, "schema_errors", ()):
        said.append(f"  at {'/'.join(map(str, one.absolute_path))}: {one.message[:300]}")
        said += [
            f"    {'/'.join(map(str, part.absolute_path))}: {part.message[:200]}" for part in (one.context or ())[:6]
        ]
    return "\n".join([*said, *([str(cause)] if cause is not None and len(said) == 1 else [])])
