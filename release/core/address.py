"""Where a repository lies: addresses, relative ones resolved, and shown without what opens them."""

from __future__ import annotations

import posixpath
import re

_BEFORE_THE_HOST = re.compile(r"(?<=://)[^/\s]+@")
_OPENS = r"token|key|secret|passw|pwd|auth|credential|signature|(?<![A-Za-z])sig(?![A-Za-z])"
_QUERY = re.compile(rf"([?&;][^=?&;\s]{{0,60}}(?:{_OPENS})[^=?&;\s]{{0,60}}=)[^&#\s'\"]+", re.IGNORECASE)
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/:]*:[^/]*@")
_TOKEN = re.compile(r"https?://[^/]*@", re.IGNORECASE)


def located(repository: str, upstream: str) -> str:
    """The address of a downstream: `./` and `../` are relative to the upstream's own, as with git's submodules."""
    if not repository.startswith(("./", "../")):
        return repository
    scheme, mark, rest = upstream.partition("://")
    host, colon, path = ("", "", rest) if mark else upstream.rpartition(":")
    if not mark:
        return host + colon + posixpath.normpath(posixpath.join(path, repository))
    authority, slash, place = path.partition("/")
    return f"{scheme}://{authority}{posixpath.normpath(posixpath.join(slash + place, repository))}"


def repository_of(address: str) -> str:
    """The `owner/name` that a URL or `host:path` ends with, "" where it ends with none."""
    path = address.partition("://")[2].partition("/")[2] if "://" in address else address.rpartition(":")[2]
    owner, _, name = path.rstrip("/").removesuffix(".git").rpartition("/")
    owner = owner.rpartition("/")[2]
    return f"{owner}/{name}" if owner and name else ""


def without_secret(text: str) -> str:
    """An address, or a text with addresses, as it may be shown: no user, no password, no token of a query."""
    return _QUERY.sub(r"\1***", _BEFORE_THE_HOST.sub("", text))


def holds_secret(address: str) -> bool:
    """Whether an address opens what it names: with a password, a token as the user of HTTP, or one in its query."""
    return bool(_PASSWORD.match(address) or _TOKEN.match(address) or _QUERY.search(address))


def is_remote(repository: str) -> bool:
    """Whether an address may be given to git: no option, and no transport that is a program (`ext::`)."""
    plain = repository.isprintable() and not repository.startswith("-")
    return bool(repository.strip()) and plain and not re.match(r"[A-Za-z0-9+.-]+::", repository)


def is_local(repository: str) -> bool:
    """Whether an address names a folder of this machine by itself: neither a URL or `host:path`, nor relative to another."""
    if "://" in repository:
        return repository.lower().startswith("file://")
    return not repository.startswith(("./", "../")) and ("/" in repository.partition(":")[0] or ":" not in repository)


def in_address(text: str) -> str:
    """A text as a part of an address (RFC 3986, 2.3): what is reserved is written by its bytes, slashes stay."""
    return re.sub(r"[^A-Za-z0-9_.~/-]", lambda seen: "".join(f"%{byte:02X}" for byte in seen[0].encode()), text)
