"""News leaves the machine: as a document, and as a text that Slack shows as it is, without mentions and without secrets."""

from __future__ import annotations

import json

from release.core.news import TEXT, TITLE, News, document, slack
from release.redact import Redactor

AT = "2026-01-02T03:04:05+00:00"
BAD = News("health", "stable", "1.2.3", "stable is held", "errors: 0.02 is not under 0.01", AT)
SECRET = "hunter2hunter2"


def hide(text: str) -> str:
    return text.replace(SECRET, "***")


def test_a_document_says_all_of_it() -> None:
    assert json.loads(document(BAD, hide)) == {
        "kind": "health", "channel": "stable", "version": "1.2.3", "title": "stable is held",
        "text": "errors: 0.02 is not under 0.01", "at": AT,
    }  # fmt: skip


def test_slack_gets_text_that_is_no_markup_and_mentions_nobody() -> None:
    hostile = News(
        "health", "stable", "1", "<!channel> & <@U012>", "see <https://evil.example|here> @here @channel", AT
    )
    told = json.loads(slack(hostile, hide))
    assert told["text"].split("\n") == [
        "&lt;!channel&gt; &amp; &lt;@\u200bU012&gt;",
        "see &lt;https://evil.example|here&gt; @\u200bhere @\u200bchannel",
    ]
    assert (told["mrkdwn"], told["link_names"]) == (False, False)


def test_what_is_escaped_already_is_shown_as_it_is() -> None:
    assert json.loads(slack(News("health", "c", "1", "&lt;", "", AT), hide))["text"] == "&amp;lt;"


def test_no_secret_is_told_and_lines_stay_lines() -> None:
    hostile = News("health", f"c{SECRET}", "1", f"a{SECRET}\nb\x1b[2J", f"c\u202e{SECRET}", AT)
    for made in (document(hostile, hide), slack(hostile, hide)):
        assert SECRET.encode() not in made
    assert json.loads(document(hostile, hide))["title"] == "a*** b[2J"
    assert json.loads(slack(hostile, hide))["text"] == "a*** b[2J\nc***"


def test_a_secret_that_the_end_would_cut_is_hidden_before() -> None:
    known = Redactor()
    known.learn(SECRET)
    long = News("health", "c", "1", "x" * (TITLE - 8) + SECRET, "y" * (TEXT - 8) + SECRET, AT)
    for made in (document(long, known.redacted), slack(long, known.redacted)):
        assert SECRET[:6].encode() not in made


def test_texts_are_bounded() -> None:
    huge = News("health", "c", "1", "x" * 10_000, "<" * 100_000, AT)
    told = json.loads(document(huge, hide))
    assert (len(told["title"]), len(told["text"])) == (TITLE, TEXT)
    assert len(json.loads(slack(huge, hide))["text"]) <= TITLE + 1 + TEXT * len("&lt;")
