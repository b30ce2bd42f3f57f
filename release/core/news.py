"""What a person should know, and how it is told to machines and in a chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from release.core.commits import plain

TITLE, TEXT = 200, 2000  # characters
NO_MENTION = "@\u200b"
"""Chats make a mention of `@channel`, some of them in texts from webhooks as well; with a space of no width in it they do not."""


class News(msgspec.Struct, frozen=True):
    """`kind` is what `[[alert]] on` chooses by, `at` ISO 8601 UTC. The texts may come from strangers."""

    kind: Literal["health"]
    channel: str
    version: str
    title: str
    text: str
    at: str


def document(news: News, hide: Callable[[str], str]) -> bytes:
    """News for a program: a JSON object of texts, each in one printable line, without secrets."""
    texts = {name: plain(hide(text), TEXT) for name, text in msgspec.to_builtins(news).items()}
    return msgspec.json.encode({**texts, "title": plain(hide(news.title), TITLE)})


def slack(news: News, hide: Callable[[str], str]) -> bytes:
    """News as Slack's incoming webhooks take it: text that is no markup, and that mentions nobody.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    lines = (plain(hide(news.title), TITLE), plain(hide(news.text), TEXT))
    text = "\n".join(_literal(line) for line in lines if line)
    told = {"text": text, "mrkdwn": False, "link_names": False, "unfurl_links": False, "unfurl_media": False}
    return msgspec.json.encode(told)


def _literal(line: str) -> str:
    """`&` goes first, for the others bring it."""
    for character, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", NO_MENTION)):
        line = line.replace(character, escaped)
    return line
