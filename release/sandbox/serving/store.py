"""Keeps everything a server knows, in one SQLite file: documents of a kind, each a JSON object with an id of its own.

Ids come from one counter and are never used twice, as on GitHub. What was written survives a killed process.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, repo INTEGER NOT NULL, key TEXT, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_kind ON documents (kind, repo, id);
CREATE UNIQUE INDEX IF NOT EXISTS by_key ON documents (kind, repo, key) WHERE key IS NOT NULL;
"""
FIELD = re.compile(r"[a-z_]+")


class Duplicate(Exception):
    """There is a document of that kind, repository and key already."""


class Store:
    """Documents by kind and repository (0 where a kind belongs to none); safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing, and power does not fail here
        self._base.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._base.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody in between; may be nested (the outermost commits)."""
        with self._lock:
            if not self._depth:
                self._base.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if not self._depth:
                    self._base.execute("ROLLBACK")
                raise
            self._depth -= 1
            if not self._depth:
                self._base.execute("COMMIT")

    def add(self, kind: str, body: Json, repo: int = 0, key: str | None = None) -> Json:
        """A new document, with its `id` and `repo` in it; Duplicate where `key` is taken."""
        with self.transaction():
            try:
                cursor = self._base.execute(
                    "INSERT INTO documents (kind, repo, key, body) VALUES (?, ?, ?, ?)", (kind, repo, key, _text(body))
                )
            except sqlite3.IntegrityError as error:
                raise Duplicate(f"{kind} {key!r} exists") from error
        return {**body, "id": cursor.lastrowid, "repo": repo}

    def get(self, kind: str, number: int, repo: int | None = None) -> Json | None:
        """The document with this id, if it is of that kind (and repository)."""
        return self._one("id = ? AND kind = ? AND (? IS NULL OR repo = ?)", (number, kind, repo, repo))

    def find(self, kind: str, key: str, repo: int = 0) -> Json | None:
        """The document with this key."""
        return self._one("kind = ? AND repo = ? AND key = ?", (kind, repo, key))

    def all(self, kind: str, repo: int | None = None, **fields: Any) -> list[Json]:
        """Every document of a kind, oldest first; `fields` are top-level members that must be equal."""
        where = "kind = ?"
        values: list[Any] = [kind]
        if repo is not None:
            where, values = where + " AND repo = ?", [*values, repo]
        for name, value in fields.items():
            if not FIELD.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a field")
            where, values = where + f" AND json_extract(body, '$.{name}') = ?", [*values, value]
        with self._lock:
            rows = self._base.execute(f"SELECT id, repo, body FROM documents WHERE {where} ORDER BY id", values)
            return [_document(*row) for row in rows]

    def change(self, number: int, **fields: Any) -> Json:
        """The document after these members were set; KeyError if it is gone."""
        with self.transaction():
            found = self._one("id = ?", (number,))
            if found is None:
                raise KeyError(number)
            changed = found | fields
            body = {name: value for name, value in changed.items() if name not in ("id", "repo")}
            self._base.execute("UPDATE documents SET body = ? WHERE id = ?", (_text(body), number))
        return changed

    def rename(self, number: int, key: str | None) -> None:
        """Give a document another key; Duplicate where it is taken."""
        with self.transaction():
            try:
                self._base.execute("UPDATE documents SET key = ? WHERE id = ?", (key, number))
            except sqlite3.IntegrityError as error:
                raise Duplicate(f"{key!r} exists") from error

    def put(self, kind: str, key: str, body: Json, repo: int = 0) -> Json:
        """The document of this key, made or replaced; it keeps its id."""
        with self.transaction():
            found = self.find(kind, key, repo)
            if found is None:
                return self.add(kind, body, repo, key)
            self._base.execute("UPDATE documents SET body = ? WHERE id = ?", (_text(body), found["id"]))
        return {**body, "id": found["id"], "repo": repo}

    def remove(self, number: int) -> None:
        with self.transaction():
            self._base.execute("DELETE FROM documents WHERE id = ?", (number,))

    def _one(self, where: str, values: tuple[Any, ...]) -> Json | None:
        with self._lock:
            row = self._base.execute(f"SELECT id, repo, body FROM documents WHERE {where}", values).fetchone()
        return _document(*row) if row else None


def _document(number: int, repo: int, body: str) -> Json:
    found: Json = json.loads(body)
    return found | {"id": number, "repo": repo}


def _text(body: Json) -> str:
    return json.dumps(body, separators=(",", ":"))
