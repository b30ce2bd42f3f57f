"""A repository's refs over HTTP by one request: `ls-refs` of Git's protocol, version 2 (gitprotocol-v2(5)).

Asked with prefixes, as version 0 would tell the refs of every pull request as well. The server is a stranger: what is not
to the letter what the protocol says is no list, and a list that does not end as it has to is none either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from release.errors import Unseen

MOST = 64 << 20  # bytes of a list
HEADERS = {
    "Content-Type": "application/x-git-upload-pack-request",
    "Accept": "application/x-git-upload-pack-result",
    "Git-Protocol": "version=2",
}
PATH = "git-upload-pack"
FLUSH, DELIMITER = b"0000", b"0001"
_LENGTH = re.compile(rb"[0-9a-f]{4}")
_REF = re.compile(rb"(?P<id>[0-9a-f]{40}) (?P<name>refs/[^ \x00-\x1f\x7f]+)(?: peeled:(?P<peeled>[0-9a-f]{40}))?\n?")


def question(prefixes: Collection[str]) -> bytes:
    """The body of a request for all refs that begin with one of these, tags with what they point at in the end."""
    wanted = b"".join(_line(f"ref-prefix {prefix}") for prefix in prefixes)
    return _line("command=ls-refs") + DELIMITER + _line("peel") + wanted + FLUSH


def refs(pieces: Iterable[bytes]) -> dict[str, str]:
    """Full name -> commit, peeled, of an answer as it comes; Unseen where it is none.

    A name that is not UTF-8 is shown with backslashes, which git allows in no name: nothing else is called that.
    """
    found: dict[str, str] = {}
    for line in _lines(pieces):
        seen = _REF.fullmatch(line)
        if seen is None:
            said = line[4:] if line.startswith(b"ERR ") else b""
            raise _broken(f"it says {_shown(said)!r}" if said else f"it has a line {_shown(line)!r}")
        found[seen["name"].decode("utf-8", "backslashreplace")] = (seen["peeled"] or seen["id"]).decode()
    return found


def _line(text: str) -> bytes:
    """A text in git's form of a line: its length in four hexadecimal digits, themselves counted, comes first."""
    content = f"{text}\n".encode()
    return b"%04x" % (len(content) + 4) + content


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines up to the flush, after which nothing may come. What was read is let go of."""
    rest, size, ended = bytearray(), 0, False
    for piece in pieces:
        rest += piece
        size += len(piece)
        if size > MOST:
            raise _broken(f"it is longer than {MOST >> 20} MiB")
        at = 0
        while len(rest) - at >= 4:
            if ended:
                raise _broken("it goes on after its end")
            head = bytes(rest[at : at + 4])
            length = int(head, 16) if _LENGTH.fullmatch(head) else -1
            if head == FLUSH:
                ended, at = True, at + 4
                continue
            if length < 5:
                raise _broken(f"it has {_shown(head)!r} where a length has to be")
            if len(rest) - at < length:
                break
            yield bytes(rest[at + 4 : at + length])
            at += length
        del rest[:at]
    if not ended or rest:
        raise _broken("it goes on after its end" if ended else "it broke off")


def _shown(said: bytes) -> str:
    return "".join(c for c in said[:200].decode("utf-8", "replace") if c.isprintable())


def _broken(why: str) -> Unseen:
    return Unseen(
        f"that is no list of refs: {why}", "see whether that is a git server, then run the same command again"
    )
