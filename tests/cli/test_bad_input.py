"""Whatever is typed, and wherever: one clear message with its remedy, the documented exit code, and nothing touched."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.world import TASKS, Answer, World, made

MAIN = "refs/heads/main"
PLAIN = '[project]\nname = "demo"\n'
BAD_NAMES = (
    "-x", "--upload-pack=touch${IFS}pwned", "v9.9.9-rc.1\u2028", "v1'2\"3", "$(touch${IFS}pwned)", "v1.0.0;touch${IFS}pwned",
    "`touch${IFS}pwned`", "|touch${IFS}pwned", "<b>", "${{github.token}}", "%0A%3A%3Aerror", "v" + "9" * 3000 + ".0.0", "é\u202etxt",
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


@pytest.fixture
def captain(world: World) -> Path:
    return world.clone("captain")


def everything(world: World, *clones: Path) -> Any:
    """Every ref of every remote, and of these clones their refs, checkouts and indexes."""
    here = {
        clone.name: [
            world.git(clone, "for-each-ref"),
            world.git(clone, "rev-parse", "--symbolic-full-name", "HEAD", check=False),
            world.git(clone, "status", "--porcelain=v2", "--branch"),
        ]
        for clone in clones
    }
    return world.every_ref(), here


@contextmanager
def untouched(world: World, *clones: Path) -> Iterator[None]:
    """Nothing changes on any remote nor in any of these clones."""
    before = everything(world, *clones)
    yield
    assert everything(world, *clones) == before
    assert not world.output.exists()


def refused(world: World, clone: Path, code: int, *said: str, command: str = "release --yes", **env: str) -> Answer:
    """A command that is refused, and touches nothing."""
    with untouched(world, clone):
        answer = world.invoke(clone, *command.split(), env=env).expect(code, *said)
    assert len(answer.err) < 2000
    return answer


def configured(clone: Path, text: str) -> None:
    (clone / "release.toml").write_text(text)


def harmless(answer: Answer) -> None:
    """Nothing that a terminal or a workflow would act on."""
    assert all(c.isprintable() or c in "\n" for c in answer.said), answer
    assert not [line for line in answer.said.split("\n") if line.startswith(("::", "##["))]


# Where it is typed


def test_outside_of_any_repository_it_says_where_to_go(tmp_path: Path) -> None:
    world = made(tmp_path / "w", downstreams=())
    place = tmp_path / "plain"
    place.mkdir()
    (place / "tasks.py").write_text(TASKS)
    for command in ("release --yes", "release.plan", "release.status", "fleet.status"):
        answer = world.invoke(place, *command.split()).expect(2)
        assert "is in no git repository" in answer.err
        assert "clone of your project" in answer.err
    assert [path.name for path in place.iterdir()] == ["tasks.py"]


def test_in_a_bare_repository_it_says_where_to_go(world: World) -> None:
    place = world.remote()
    (place / "tasks.py").write_text(TASKS)
    with untouched(world):
        answer = world.invoke(place, "release", "--yes").expect(2)
    assert "is a bare repository" in answer.err
    assert "clone with a work tree" in answer.err


def test_a_repository_without_a_commit_has_nothing_to_release(world: World, tmp_path: Path) -> None:
    place = tmp_path / "fresh"
    world.git(tmp_path, "init", "--quiet", "--initial-branch=main", str(place))
    world.git(place, "remote", "add", "origin", world.remote().as_uri())
    (place / "tasks.py").write_text(TASKS)
    configured(place, PLAIN)
    with untouched(world):
        world.invoke(place, "release", "--yes").expect(2, "no commit yet", "commit something")


def test_a_shallow_clone_is_told_how_to_become_whole(world: World) -> None:
    refused(world, world.clone("shallow", "upstream", "--depth=1"), 3, "shallow", "git fetch --unshallow")


def test_a_clone_without_a_remote_is_told_to_name_one(world: World, captain: Path) -> None:
    world.git(captain, "remote", "remove", "origin")
    refused(world, captain, 2, "no remote named origin", "git remote add origin", r"\[project\] repository")


def test_without_git_it_says_what_to_install(world: World, captain: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    answer = refused(world, captain, 1, "git is not installed", "install git", PATH=str(empty))
    assert len(answer.err.splitlines()) <= 3


def test_without_an_identity_it_says_what_to_set(world: World, captain: Path, tmp_path: Path) -> None:
    world.git(captain, "config", "--unset", "user.name")
    world.git(captain, "config", "--unset", "user.email")
    for home in (str(tmp_path), ""):
        refused(world, captain, 2, "who you are", "git config user.name", HOME=home)


def test_looking_needs_no_identity(world: World, captain: Path) -> None:
    world.git(captain, "config", "--unset", "user.name")
    world.git(captain, "config", "--unset", "user.email")
    with untouched(world, captain):
        for command in ("release.status", "fleet.status"):
            world.invoke(captain, command).expect(0)


# What the checkout is like


def test_an_unrelated_file_that_is_not_committed_is_remarked_and_left_alone(world: World, captain: Path) -> None:
    (captain / "notes.txt").write_text("mine\n")
    (captain / "app.txt").write_text("half done\n")
    head = world.git(captain, "rev-parse", "HEAD")
    world.invoke(captain, "release", "--yes").expect(0, "2 uncommitted changes", "no part of the release", "git pull")
    assert (captain / "app.txt").read_text() == "half done\n"
    assert world.git(captain, "rev-parse", "HEAD") == head
    assert world.git(world.remote(), "show", "v0.1.0:app.txt") == "app"


def test_a_file_that_the_release_writes_has_to_be_committed_first(world: World, captain: Path) -> None:
    (captain / "CHANGELOG.md").write_text("mine\n")
    refused(world, captain, 3, r"CHANGELOG\.md has changes that are not committed", "commit them or stash them")


def test_commits_that_are_not_pushed_are_not_released(world: World, captain: Path) -> None:
    world.commit(captain, {"new.txt": "new\n"}, "feat: new", push=False)
    refused(world, captain, 3, "main has commits that .* does not have", "push them first")


def test_a_clone_that_is_behind_releases_the_remotes_head_and_says_so(world: World, captain: Path) -> None:
    tip = world.commit(world.clone("other"), {"new.txt": "new\n"}, "feat: new")
    world.invoke(captain, "release", "--yes").expect(0, "your main is behind", tip[:10])
    assert world.git(world.remote(), "rev-parse", "v0.1.0^{commit}~1") == tip
    assert world.git(captain, "rev-parse", "HEAD") == world.refs()[MAIN]


def test_a_branch_that_is_not_on_the_remote_is_not_released(world: World, captain: Path) -> None:
    world.git(captain, "checkout", "--quiet", "-b", "mine")
    refused(world, captain, 3, "the branch mine is not on", "push it")


def test_a_branch_that_no_release_is_made_from_is_refused_with_those_that_are(world: World, captain: Path) -> None:
    world.git(captain, "checkout", "--quiet", "-b", "feature")
    world.git(captain, "push", "--quiet", "origin", "feature")
    refused(world, captain, 3, "no release is made from feature", "main, master, release-", r"\[version\] branches")


def test_a_detached_head_that_nothing_points_at_is_refused(world: World, captain: Path) -> None:
    config = (captain / "release.toml").read_text()
    world.git(captain, "checkout", "--quiet", "--detach", "main~1")
    (captain / "tasks.py").write_text(TASKS)
    configured(captain, config)
    refused(world, captain, 3, "HEAD is at .* no branch or tag", "check out the branch")


def test_a_detached_head_at_a_remote_branch_is_as_good_as_the_branch(world: World, captain: Path) -> None:
    world.git(captain, "checkout", "--quiet", "--detach", "origin/main")
    world.invoke(captain, "release", "--yes").expect(0)
    assert world.refs()["refs/tags/v0.1.0"] == world.refs()[MAIN]
    world.commit(world.clone("other"), {"new.txt": "new\n"}, "feat: new")
    world.git(captain, "checkout", "--quiet", "--detach", "v0.1.0")
    before = world.every_ref()
    world.invoke(captain, "release", "--yes").expect(0, "nothing to do", "v0.1.0")
    assert world.every_ref() == before


# What release.toml says


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[verson]\ntag = 'v{version}'\n", 'verson is not a known key; did you mean "version"'),
        ("[version]\ntga = 'v{version}'\n", r'version\.tga is not a known key; did you mean "tag"'),
        ("[[downstream]]\nname = 'a'\nrepository = '../a.git'\nafer = []\n", r'downstream\[0\]\.afer .*"after"'),
        ("[release]\nstart = 'comand'\n", r'release\.start must be "command" or "tag".*did you mean "command"'),
        ("[version]\ncandidates = 'rc'\n", r"version\.candidates must be a list of texts, not the text 'rc'"),
        ("[[gate]]\nname = 'tests'\nrun = 'nox'\n", r"gate\[0\]\.run must be a list of texts, not the text 'nox'"),
        ("[gate]\nname = 'tests'\nrun = ['nox']\n", r"write it as \[\[gate\]\]"),
        ("[version\n", "line 1, column"),
        ("x = '\x1b[2J'\n", "line 1"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_with_what_was_meant(
    text: str, said: str, world: World, captain: Path
) -> None:
    configured(captain, text)
    harmless(refused(world, captain, 2, r"release\.toml", said))


def test_downstreams_that_wait_for_each_other_are_drawn(world: World, captain: Path) -> None:
    ring = zip("abc", "cab", strict=True)
    tables = [f'[[downstream]]\nname = "{a}"\nrepository = "../{a}.git"\nafter = ["{b}"]\n' for a, b in ring]
    configured(captain, "\n".join(tables))
    refused(
        world,
        captain,
        2,
        "a -> c -> b -> a",
        "a after c, c after b, b after a",
        "take one `of` or `after` out of the ring",
    )


def test_every_mistake_is_told_at_once(world: World, captain: Path) -> None:
    configured(captain, "[verson]\n[release]\nstart = 1\n[[publish]]\nname = 'tests'\nexists = ['true']\n")
    told = refused(world, captain, 2, "3 problems:\n", "verson", r"release\.start", r"publish\[0\]\.run is missing")
    assert told.err.count("verson") == 1, "each once"
    configured(captain, "[verson]\n")
    assert refused(world, captain, 2, r"release\.toml: verson is not a known key").err.count("verson") == 1


def test_without_a_configuration_an_example_is_given(world: World, captain: Path) -> None:
    (captain / "release.toml").unlink()
    refused(world, captain, 2, r"there is no release\.toml", r'project\.name = "')


# What is typed


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("release --yes --format xml", ("--format 'xml' is not known", "text, json")),
        ("release.plan --format \x1b[2J", ("--format", "text, json")),
        ("release --yes --candidate=beta", ("--candidate 'beta' is not known", "there are: rc")),
        ("release", ("nobody is here to be asked", "say --yes")),
        ("release.abandon --yes", ("given up for a reason", "--reason")),
        ("release.downstream --yes", ("which releases are meant", "--version V, or --missing")),
        ("release.downstream --yes --missing --version 1.0.0", ("which releases are meant", "--version V, or --missing")),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_meant_is_refused_with_what_can(
    command: str, said: tuple[str, ...], world: World, captain: Path
) -> None:
    answer = refused(world, captain, 2, *said, command=command)
    harmless(answer)
    assert all(text in answer.err for text in said)


VERSIONS = (
    "1", "v1.2", "01.2.3", "1.2.3.4", "$(touch pwned)", "1.0.0;touch pwned", "\x1b[31m1.0.0", "1.0.0\u2028", "1.0.0\n",
    "../../1.0.0", "::error::1.0.0", "9" * 5000 + ".0.0", "latest", "refs/tags/v1.0.0",
)  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS, ids=[repr(version)[:30] for version in VERSIONS])
def test_a_version_that_is_none_is_refused_with_an_example(version: str, world: World, captain: Path) -> None:
    with untouched(world, captain):
        answer = world.invoke(captain, "release", "--yes", f"--version={version}")
    answer.expect(answer.code or 3, "is no version", r"v1\.2\.3")
    harmless(answer)
    assert len(answer.said) < 1000
    assert not list(world.folder.rglob("pwned"))


@pytest.mark.parametrize("command", ["release --yes", "release.plan", "release.verify", "release.downstream --yes"])
def test_a_version_that_is_none_is_bad_use(command: str, world: World, captain: Path) -> None:
    refused(world, captain, 2, "'latest' is no version", command=f"{command} --version latest")


def test_a_version_whose_tag_is_elsewhere_is_refused_with_the_way_on(world: World, captain: Path) -> None:
    world.git(captain, "push", "--quiet", "origin", "HEAD~1:refs/tags/v0.1.0")
    refused(world, captain, 3, "v0.1.0 exists on", "next version", command="release --yes --version 0.1.0")


def test_a_version_of_another_branchs_line_is_refused(world: World, captain: Path) -> None:
    world.git(captain, "checkout", "--quiet", "-b", "release-1.4")
    world.git(captain, "push", "--quiet", "origin", "release-1.4")
    refused(world, captain, 3, "1.5.0 is of line 1.5", "its own branch", command="release --yes --version 1.5.0")


def test_why_a_release_is_refused_is_read_on_stderr(world: World, captain: Path) -> None:
    (captain / "CHANGELOG.md").write_text("mine\n")
    answer = world.invoke(captain, "release", "--yes").expect(3)
    assert "commit them or stash them" in answer.err


# What the remotes are like


def test_a_remote_that_cannot_be_reached_is_said_and_not_taken_for_empty(world: World, captain: Path) -> None:
    world.git(captain, "remote", "set-url", "origin", (world.folder / "nowhere.git").as_uri())
    refused(world, captain, 1, r"cannot read .*nowhere\.git", "check the address")
    world.git(captain, "remote", "set-url", "origin", "http://user:secret@127.0.0.1:9/up.git")
    answer = refused(world, captain, 1, r"cannot read http://127\.0\.0\.1:9/up\.git", "check the address")
    assert "secret" not in answer.said


@contextmanager
def served(world: World, agent: list[str] | None = None) -> Iterator[str]:
    """The remotes over smart HTTP, by git's own backend; the address of their folder."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if agent is not None:
                agent.append(f"{self.command} {self.path}")
            environment = {
                **world.environment,
                "GIT_PROJECT_ROOT": str(world.folder / "remotes"),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_ADDR": "127.0.0.1",
            }
            done = subprocess.run(
                ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self.send_response(int(fields.pop("Status", "200").split(" ")[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def over_http(world: World, url: str, clone: Path, *writable: str) -> None:
    world.git(clone, "remote", "set-url", "origin", f"{url}/upstream.git")
    for name in writable:
        world.git(world.remote(name), "config", "http.receivepack", "true")


@pytest.mark.parametrize(("writable", "closed"), [(("first", "second"), "upstream"), (("upstream", "second"), "first")])
def test_a_right_to_push_that_is_missing_is_said_before_anything_is_written(
    writable: tuple[str, ...], closed: str, world: World, captain: Path
) -> None:
    asked: list[str] = []
    with served(world, asked) as url:
        over_http(world, url, captain, *writable)
        refused(world, captain, 3, r"\[push-right\]", closed, "would not take", "403", "ask for the right to push")
    assert not [line for line in asked if line.startswith("POST") and "receive-pack" in line]


def test_a_release_goes_over_http_as_over_anything_else(world: World, captain: Path) -> None:
    with served(world) as url:
        over_http(world, url, captain, "upstream", "first", "second")
        world.invoke(captain, "release", "--yes").expect(0)
    assert all("refs/tags/v0.1.0" in refs for refs in world.every_ref().values())


def hostile(world: World, name: str, folder: str) -> None:
    """Give a remote refs with names that git allows and nobody wants."""
    path = world.remote(name)
    commit = world.refs(name)[MAIN]
    refs = sorted([MAIN, *(f"refs/{folder}/{bad}" for bad in BAD_NAMES)], key=str.encode)
    lines = ["# pack-refs with: peeled fully-peeled sorted ", *(f"{commit} {ref}" for ref in refs), ""]
    (path / "packed-refs").write_bytes("\n".join(lines).encode())
    (path / MAIN).unlink()


def test_tags_with_hostile_names_hinder_nothing_and_run_nothing(world: World, captain: Path) -> None:
    hostile(world, "upstream", "tags")
    hostile(world, "first", "tags")
    world.invoke(captain, "release", "--yes").expect(0)
    for command in ("release.plan", "release.status", "release.verify", "fleet.status"):
        harmless(world.invoke(captain, command).expect(0))
    status = world.json(captain, "fleet.status")
    assert set(status["components"][0]["malformed"]) == set(BAD_NAMES)
    assert set(status["summary"]["first"]["malformed"]) == set(BAD_NAMES)
    assert not list(world.folder.rglob("pwned"))


def test_branches_with_hostile_names_hinder_nothing_and_run_nothing(world: World, captain: Path) -> None:
    hostile(world, "upstream", "heads")
    hostile(world, "second", "heads")
    harmless(world.invoke(captain, "release", "--yes").expect(0))
    harmless(world.invoke(captain, "release.verify").expect(0))
    assert not list(world.folder.rglob("pwned"))


@pytest.mark.parametrize("branch", ["-x", "$(touch${IFS}pwned)", "a;touch${IFS}pwned", "main\u2028"])
def test_a_checkout_on_a_branch_with_a_hostile_name_is_refused_by_name(
    branch: str, world: World, captain: Path
) -> None:
    for place in (world.remote(), captain):
        world.git(place, "update-ref", f"refs/heads/{branch}", "main")
    world.git(captain, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    harmless(refused(world, captain, 3, "no release is made from", r"\[version\] branches"))
    assert not list(world.folder.rglob("pwned"))


MESSAGES: dict[str, bytes] = {
    "escape sequences": b"feat: red \x1b[31mred\x1b[0m \x1b]0;owned\x07 \x08\x08\r\n\nbody \x9b31m\n",
    "workflow commands": b"::error::feat: no\n\n::set-output name=x::y\n##[error]no\n",
    "a feature called ::error": b"feat: ::error::owned\n\n::add-mask::a\n",
    "invalid UTF-8": b"feat: caf\xe9 \xff\xfe\n",
    "a line of a megabyte": b"feat: " + b"a" * (1 << 20) + b"\n",
    "a subject in markdown": b"feat: <script>alert(1)</script> [x](javascript:y) `z`\n",
    "a bidirectional override": "feat: \u202egnp.exe\u2028::error::x\n".encode(),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_hostile_commit_message_is_shown_harmlessly_and_released(
    message: bytes, world: World, captain: Path, tmp_path: Path
) -> None:
    (tmp_path / "message").write_bytes(message)
    made_up = world.git(captain, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-F", str(tmp_path / "message"))
    world.git(captain, "reset", "--quiet", "--hard", made_up)
    world.git(captain, "push", "--quiet", "origin", "HEAD")
    plan = world.invoke(captain, "release.plan").expect(0)
    harmless(plan)
    assert max(map(len, plan.out.splitlines())) < 1000
    harmless(world.invoke(captain, "release", "--yes").expect(0))
    changelog = world.git(world.remote(), "show", "v0.1.0:CHANGELOG.md")
    assert "0.1.0" in changelog
    assert all(c.isprintable() or c == "\n" for c in changelog)
    assert max(map(len, changelog.splitlines())) < 10_000


Spoil = Callable[[World, Path], object]
BLOCKED: dict[str, tuple[Spoil, int]] = {
    "configuration": (lambda world, clone: configured(clone, "[verson]\n"), 2),
    "identity": (lambda world, clone: world.git(clone, "config", "--unset", "user.name"), 2),
    "remote": (lambda world, clone: shutil.move(world.remote(), world.folder / "gone.git"), 1),
    "detached": (lambda world, clone: world.git(clone, "commit", "--quiet", "--allow-empty", "-m", "feat: x"), 3),
}


@pytest.mark.parametrize(("spoil", "code"), BLOCKED.values(), ids=BLOCKED)
def test_a_program_that_reads_json_reads_the_refusal_too(spoil: Spoil, code: int, world: World, captain: Path) -> None:
    spoil(world, captain)
    answer = world.invoke(captain, "release", "--yes", "--format", "json").expect(code)
    body = answer.value
    told = body["error"] if "error" in body else body["conflicts"][0]
    assert told["remedy"] or "did you mean" in told["message"]
