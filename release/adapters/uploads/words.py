"""What an index says when it refuses, in one line: indexes answer uploads with pages."""

from __future__ import annotations

from html.parser import HTMLParser

from release.core.commits import plain

HIDDEN = ("head", "script", "style", "title")


def words(answer: str) -> str:
    """The text of an answer, without its markup and its title; printable, at most 300 characters."""
    if "<" not in answer:
        return plain(answer, 300)
    page = _Text()
    page.feed(answer)
    page.close()
    return plain(" ".join(page.parts), 300)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember where text is none for readers."""
        if tag in HIDDEN:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Forget the innermost of its kind."""
        if tag in self._inside:
            del self._inside[self._inside.index(tag) :]

    def handle_data(self, data: str) -> None:
        """Keep what is read."""
        if not self._inside and data.strip():
            self.parts.append(data.strip())
