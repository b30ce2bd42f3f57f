"""The forge's state in a folder, and what a test sets up or looks at in it; usable while nothing is served, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from release.sandbox.forge import auth, record
from release.sandbox.forge.answers import NAME
from release.sandbox.forge.events import Event, Events
from release.sandbox.forge.git import Git
from release.sandbox.forge.urls import Urls
from release.sandbox.serving.faults import Fault, forget, plan
from release.sandbox.serving.store import Json, Store

# What a workflow's token may do unless it is told otherwise; changing workflows is never part of it.
WRITE_ALL = dict.fromkeys(
    ("actions", "checks", "contents", "deployments", "issues", "pull_requests", "statuses", "attestations"), "write"
)


class World:
    """Users, tokens, repositories and what is in them. `clock` is seconds since the epoch."""

    def __init__(self, folder: Path | str, clock: Callable[[], float] = time.time) -> None:
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._clock, self._ahead = clock, 0.0
        self.store = Store(self.folder / "forge.sqlite3")
        self.events = Events()
        self.record = record.Record(self.folder / "exchanges.jsonl")
        self.urls = Urls("127.0.0.1:0")
        self.machine: dict[str, str] = {}  # what jobs find in the environment of the machine that runs them

    def close(self) -> None:
        self.store.close()
        self.record.close()

    def clock(self) -> float:
        """Seconds since the epoch, as this world counts them."""
        return self._clock() + self._ahead

    def later(self, seconds: float) -> None:
        """Let time pass at once: it is so many seconds later for everybody who asks this world."""
        self._ahead += seconds

    def now(self) -> str:
        """This moment as the API writes it."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def urls_of(self, host: str) -> Urls:
        """Where the forge is for a client that asked this host."""
        return Urls(host, self.urls.port)

    # What there is

    def user(self, login: str, kind: str = "User") -> Json:
        """A user, made if he is new; `kind` is User, Organization or Bot."""
        with self.store.transaction():
            found = self.store.find("user", login.lower())
            return found or self.store.add(
                "user", {"login": login, "type": kind, "created_at": self.now()}, key=login.lower()
            )

    def token(
        self,
        login: str,
        scopes: Iterable[str] = ("repo", "workflow"),
        repositories: Iterable[str] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> str:
        """A token of a user: classic with `scopes`, fine-grained if `repositories` or `permissions` are given."""
        self.user(login)
        if repositories is None and permissions is None:
            return auth.issue(self.store, "classic", {"login": login, "scopes": [*scopes]})
        names = None if repositories is None else [*repositories]
        rights = None if permissions is None else dict(permissions)
        return auth.issue(self.store, "fine", {"login": login, "repositories": names, "permissions": rights})

    def workflow_token(self, repository: str, permissions: Mapping[str, str] | None, run: int) -> str:
        """A workflow's own GITHUB_TOKEN: for one repository, and what is done with it starts no workflow."""
        self.user("github-actions[bot]", "Bot")
        rights = WRITE_ALL if permissions is None else dict(permissions)
        facts = {"login": "github-actions[bot]", "repositories": [repository], "permissions": rights, "run": run}
        return auth.issue(self.store, "workflow", facts)

    def revoke(self, token: str) -> None:
        auth.revoke(self.store, token)

    def app(
        self,
        name: str,
        public_key: str,
        installed: Mapping[str, Iterable[str]],
        permissions: Mapping[str, str] | None = None,
    ) -> int:
        """A GitHub App with its public key (PEM), installed for the repositories (names) of each owner; its id."""
        self.user(f"{name}[bot]", "Bot")
        rights = WRITE_ALL | {"metadata": "read", "workflows": "write"} if permissions is None else dict(permissions)
        facts = {"slug": name, "public_key": public_key, "permissions": rights, "created_at": self.now()}
        app: int = self.store.add("app", facts, key=name)["id"]
        for owner, names in installed.items():
            self.user(owner, "Organization")
            chosen = {"app": app, "account": owner, "repositories": [f"{owner}/{one}" for one in names]}
            self.store.add("installation", chosen | {"permissions": rights, "created_at": self.now()})
        return app

    def repository(
        self,
        full_name: str,
        default_branch: str = "master",
        immutable_releases: bool = False,
        push: Iterable[str] = (),
        read: Iterable[str] = (),
        source: Path | str | None = None,
        private: bool = False,
        custom_refs: bool = True,
        digests: bool = True,
    ) -> Json:
        """A repository, made or changed. `source` is a bare repository to start from; `push` who may write.

        `custom_refs` False refuses refs outside of branches and tags, `digests` False leaves assets without a digest.
        """
        owner, _, name = full_name.partition("/")
        if not all(NAME.fullmatch(part) and part.strip(".") for part in (owner, name)):
            raise ValueError(f"{full_name!r} is no owner/name")
        self.user(owner, "Organization")
        for login in (*push, *read):
            self.user(login)
        facts = {
            "owner": owner,
            "name": name,
            "full_name": full_name,
            "default_branch": default_branch,
            "private": private,
            "push": [*push],
            "read": [*read],
            "immutable_releases": immutable_releases,
            "custom_refs": custom_refs,
            "digests": digests,
        }
        self.git(full_name).create(default_branch, Path(source) if source else None)
        with self.store.transaction():
            found = self.store.find("repository", full_name.lower())
            since = found["created_at"] if found else self.now()
            return self.store.put("repository", full_name.lower(), facts | {"created_at": since})

    def find(self, full_name: str) -> Json:
        """A repository's document; KeyError if there is none."""
        found = self.store.find("repository", full_name.lower())
        if found is None:
            raise KeyError(f"no repository {full_name}")
        return found

    def git(self, full_name: str) -> Git:
        """The bare repository."""
        return Git(self.folder / "git" / f"{full_name.lower()}.git")

    def protect(
        self,
        full_name: str,
        branches: Iterable[str] = (),
        tags: Iterable[str] = (),
        allow: Iterable[str] = (),
    ) -> None:
        """Let nobody but `allow` (logins) write refs that fit these globs, and nobody delete or rewrite them."""
        repo = self.find(full_name)["id"]
        for target, patterns in (("branch", branches), ("tag", tags)):
            for pattern in patterns:
                facts = {"target": target, "pattern": pattern, "allow": [*allow], "created_at": self.now()}
                self.store.put("rule", f"{target}:{pattern}", facts, repo)

    def environment(self, full_name: str, name: str, reviewers: Iterable[str] = ()) -> Json:
        """An environment, made or changed; with reviewers a job for it waits for one of them."""
        for login in reviewers:
            self.user(login)
        repo = self.find(full_name)["id"]
        facts = {"name": name, "reviewers": [*reviewers], "created_at": self.now()}
        return self.store.put("environment", name.lower(), facts, repo)

    def secret(self, full_name: str, name: str, value: str) -> None:
        """A secret of the repository's workflows."""
        self.store.put("secret", name.upper(), {"name": name.upper(), "value": value}, self.find(full_name)["id"])

    def variable(self, full_name: str, name: str, value: str) -> None:
        """A variable of the repository's workflows (`vars`)."""
        self.store.put("variable", name.upper(), {"name": name.upper(), "value": value}, self.find(full_name)["id"])

    # What goes wrong, and what happened

    def faults(self, *faults: Fault) -> None:
        """Add to the plan; calls are counted from now on, across restarts."""
        plan(self.store, faults)

    def no_faults(self) -> None:
        forget(self.store)

    def exchanges(self) -> Iterator[record.Exchange]:
        """Every request of the API so far with its answer, in the order of the answers."""
        return self.record.read()

    def releases(self, full_name: str) -> list[Json]:
        """The releases as they are stored, drafts included, oldest first, each with its `assets`."""
        repo = self.find(full_name)["id"]
        assets = self.store.all("asset", repo)
        return [
            release | {"assets": [asset for asset in assets if asset["release"] == release["id"]]}
            for release in self.store.all("release", repo)
        ]

    def emit(self, event: Event) -> None:
        self.events.emit(event)
