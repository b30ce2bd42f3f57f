"""What files of dependencies ask for: requirements.txt, pyproject.toml, go.mod, Dockerfile. Texts in, values out.

The texts are anybody's. Each reader goes over one once, and what it cannot read is Unreadable, never another error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from release.core.address import without_secret
from release.core.commits import plain
from release.core.needs import Asked, Need, Number, Role

LONGEST_MANIFEST = 1_000_000
"""A file of more characters is not read; the longest go.mod of a large project has about 30,000."""
LONGEST_REQUIREMENT = 2_000
LONGEST_IMAGE = 500


class Unreadable(ValueError):
    """A file that is not what its name says; the text names the line, or the key."""


def asked(path: str, text: str) -> Asked:
    """All that a file asks for, or why it cannot be told."""
    try:
        return Asked(needs(path, text))
    except Unreadable as error:
        return Asked(unreadable=str(error))


def needs(path: str, text: str) -> tuple[Need, ...]:
    """All that a file asks for, by its name's reader; Unreadable if it cannot be read."""
    if len(text) > LONGEST_MANIFEST:
        raise Unreadable(f"it has more than {LONGEST_MANIFEST:,} characters")
    reader = _reader(path.rpartition("/")[2])
    if reader is None:
        raise Unreadable("it is no requirements file, pyproject.toml, go.mod or Dockerfile by its name")
    found = tuple(reader(text))
    if not all(one.name for one in found):
        raise Unreadable("it asks for something that has no name")
    return found


def _reader(name: str) -> Callable[[str], Iterator[Need]] | None:
    if name == "go.mod":
        return _go_mod
    if name.endswith(".toml"):
        return _pyproject
    if name.endswith((".txt", ".in")):
        return _requirements
    lowered = name.lower()
    containers = ("dockerfile", "containerfile")
    return _dockerfile if lowered.split(".")[0] in containers or lowered.rpartition(".")[2] in containers else None


# Python.


def _requirements(text: str) -> Iterator[Need]:
    """pip's format: https://pip.pypa.io/en/stable/reference/requirements-file-format/. Files that it names are files of their own."""
    for number, line in _joined(text):
        wish = _COMMENT.sub("", line).strip()
        if seen := _EDITABLE.match(wish):
            yield _address(wish[seen.end() :].strip())
        elif wish and not wish.startswith("-"):
            try:
                yield _requirement(_OPTION.split(wish, maxsplit=1)[0].strip())
            except Unreadable as error:
                raise Unreadable(f"line {number}: {error}") from error


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines, one that ends in a backslash joined with the next, with the number of the first, from 1; a comment ends one."""
    parts: list[str] = []
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole.rstrip()
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\") or line.lstrip().startswith("#"):
            yield number - len(parts) + 1, "".join(parts)
            parts = []
    yield number - len(parts) + 1, "".join(parts)


_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s|=)")
_OPTION = re.compile(r"\s--?[a-z]")
_ADDRESS = re.compile(r"[./~\\]|[A-Za-z][A-Za-z0-9+.-]*:|[^\s@=<>]+\.(?:whl|zip|tar\.gz)(?:\s|$)")


def _requirement(text: str, place: str = "") -> Need:
    """One requirement by the rules of PEP 508, or the address of a file or repository, which pip takes as well."""
    if len(text) > LONGEST_REQUIREMENT:
        raise Unreadable(f"a requirement of {len(text)} characters")
    if _ADDRESS.match(text):
        return _address(text, place)
    try:
        wish = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        raise Unreadable(f"{_quoted(without_secret(text))} is no requirement") from error
    extras = f"[{','.join(sorted(wish.extras))}]" if wish.extras else ""
    version = f"@ {without_secret(wish.url)}" if wish.url else str(wish.specifier)
    marker = f"; {wish.marker}" if wish.marker else ""
    return Need(_canonical(wish.name), f"{extras}{version}{marker}", _lowest(wish.specifier), place=place)


def _address(text: str, place: str = "") -> Need:
    return Need(plain(without_secret(text[:LONGEST_REQUIREMENT]), 200), "", place=place)


def _canonical(name: str) -> str:
    """PEP 503: names that are the same to an index are the same here."""
    return plain(re.sub(r"[-_.]+", "-", name).lower(), 200)


def _lowest(range_: SpecifierSet) -> Number:
    """The lowest release that a range lets in, by its clauses, () if only its top is bound."""
    from_below = [one.version for one in range_ if one.operator in ("==", "===", "~=", ">=", ">")]
    return max((number_in(version) for version in from_below), default=())


def _pyproject(text: str) -> Iterator[Need]:
    """What [project] (PEP 621) and Poetry ask for to be installed. Groups are for those who develop: nobody installs them."""
    if _LONG_KEY.search(text):
        raise Unreadable("a key has too many parts")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no TOML: {plain(str(error), 200)}") from error
    project, poetry = _table(data, "project"), _table(_table(data, "tool"), "poetry")
    if "requires-python" in project:
        wants = _string(project["requires-python"], "project.requires-python")
        yield Need("python", wants, _first_number(wants), "language")
    yield from _listed(project.get("dependencies", []), "project.dependencies")
    for extra, listed in _table(project, "optional-dependencies").items():
        yield from _listed(listed, "project.optional-dependencies", f"extra {plain(extra, 100)}")
    for name, wish in _table(poetry, "dependencies").items():
        yield from _poetry(name, wish)


_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:"[^"\n]*+"|'[^'\n]*+'|[\w-]++)[ \t]*+\.[ \t]*+){16}"""
)  # the parser's time grows with the square of a key's parts


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key, {})
    if not isinstance(found, dict):
        raise Unreadable(f"{key} is no table")
    return found


def _string(found: object, key: str) -> str:
    if not isinstance(found, str):
        raise Unreadable(f"{key} holds something that is no text")
    return found


def _listed(found: object, key: str, place: str = "") -> Iterator[Need]:
    if not isinstance(found, list):
        raise Unreadable(f"{key} is no list")
    for one in found:
        yield _requirement(_string(one, key).strip(), place)


def _poetry(name: str, wish: object) -> Iterator[Need]:
    """Poetry's table: a version, a table with one or with an address, or several of these for different platforms."""
    for one in wish if isinstance(wish, list) else [wish]:
        version = one.get("version", "") if isinstance(one, dict) else one
        wants = _string(version, f"tool.poetry.dependencies.{plain(name, 100)}")
        aside = [f"{key}={plain(str(one[key]), 100)}" for key in _POETRY if key in one] if isinstance(one, dict) else []
        role: Role = "language" if name == "python" else "dependency"
        text = " ".join(without_secret(part) for part in (plain(wants), *aside) if part)
        yield Need(_canonical(name), text, _first_number(wants), role)


_POETRY = ("git", "url", "path", "rev", "tag", "branch", "python", "markers", "platform")


def _first_number(range_: str) -> Number:
    """The lowest version of the first clause that has one: `^1.2`, `~1.2`, `>=1.2,<2`, `1.2.*`."""
    clauses = (_FROM_BELOW.match(clause) for clause in re.split(r"[,|]", range_))
    return next((number_in(clause[1]) for clause in clauses if clause), ())


_FROM_BELOW = re.compile(r"\s*(?:\^|~=?|={1,3}|>=?)?\s*([v0-9].*)", re.DOTALL)


# Go.


def _go_mod(text: str) -> Iterator[Need]:
    """Go's format: https://go.dev/ref/mod#go-mod-file. What stands behind `=>` is what is really built."""
    verb = ""
    for number, line in enumerate(text.split("\n"), 1):
        code, _, comment = line.partition("//")
        words = [word.strip('"`') for word in code.replace("(", " ( ").replace(")", " ) ").split()]
        if not words:
            continue
        if verb and words == [")"]:
            verb = ""
        elif not verb and len(words) == 2 and words[1] == "(" and words[0] in _GO:
            verb = words[0]
        elif verb or words[0] in _GO:
            arguments = words if verb else words[1:]
            try:
                yield from _GO[verb or words[0]](arguments, comment.strip().startswith("indirect"))
            except ValueError as error:
                raise Unreadable(f"line {number}: {_quoted(line.strip())} is not read") from error
        else:
            raise Unreadable(f"line {number}: {_quoted(words[0])} is no directive of go.mod")
    if verb:
        raise Unreadable(f"the brackets of {verb} are not closed")


def _go_require(words: list[str], indirect: bool) -> Iterator[Need]:
    module, version = words
    yield Need(_family(module), version, number_in(version), "indirect" if indirect else "dependency")


def _go_replace(words: list[str], indirect: bool) -> Iterator[Need]:
    arrow = words.index("=>")
    (module, *_), (other, *version) = words[:arrow], words[arrow + 1 :]
    yield Need(_family(module), " ".join(["=>", other, *version]), number_in("".join(version[:1])), place="replaced")


def _go_language(words: list[str], indirect: bool) -> Iterator[Need]:
    (version,) = words
    yield Need("go", version, number_in(version), "language")


def _go_other(words: list[str], indirect: bool) -> Iterator[Need]:
    """What says nothing of what is built in."""
    yield from ()


_GO: Mapping[str, Callable[[list[str], bool], Iterator[Need]]] = {
    "require": _go_require,
    "replace": _go_replace,
    "go": _go_language,
    **dict.fromkeys(("module", "toolchain", "exclude", "retract", "tool", "godebug", "ignore"), _go_other),
}


def _family(module: str) -> str:
    """A module's path without its major version, which Go puts at the end: `example.com/m/v2`, `gopkg.in/m.v2`."""
    major = r"\.v[0-9]{1,9}$" if module.startswith("gopkg.in/") else r"/v[1-9][0-9]{0,8}$"
    return plain(re.sub(major, "", module), 200)


# Images.


def _dockerfile(text: str) -> Iterator[Need]:
    """The images of `FROM` and `COPY --from`: https://docs.docker.com/reference/dockerfile/. Stages and scratch are none."""
    values: dict[str, str] = {}
    stages: set[str] = set()
    found = False
    for number, line in _instructions(text):
        word, *words = line.split()
        name = word.upper()
        if name == "ARG" and not found:
            for pair in words:
                key, _, default = pair.partition("=")
                values[key] = _filled(default.strip("\"'"), values)
        elif name == "FROM":
            found = True
            image, stage = _from([one for one in words if not one.startswith("--")], number)
            yield from _image(_filled(image.strip("\"'"), values), stages)
            stages.add(stage.lower())
        elif name == "COPY":
            origin = next((one.partition("=")[2] for one in words if one.startswith("--from=")), "")
            if origin and not origin.isdigit() and "$" not in origin:
                yield from _image(origin, stages)
    if not found:
        raise Unreadable("it has no FROM")


def _from(words: list[str], number: int) -> tuple[str, str]:
    if len(words) == 3 and words[1].upper() == "AS":
        return words[0], words[2]
    if len(words) != 1:
        raise Unreadable(f"line {number}: FROM has to have an image, and AS with a name or nothing")
    return words[0], ""


def _image(text: str, stages: set[str]) -> Iterator[Need]:
    if not text or text.lower() in stages or text == "scratch":
        return
    address, at, digest = text.partition("@")
    folder, slash, last = address.rpartition("/")
    name, _, tag = last.partition(":")
    whole = re.sub(r"^(?:index\.)?docker\.io/(?:library/)?", "", f"{folder}{slash}{name}")
    wants = (tag or ("" if digest else "latest")) + at + digest
    yield Need(plain(without_secret(whole), 200), plain(wants, 200), number_in(tag), "image")


def _filled(text: str, values: Mapping[str, str]) -> str:
    """With the defaults of ARG for `$NAME`, `${NAME}`, `${NAME:-other}`, `${NAME:+other}`; an unknown name stays as it is.

    What is longer than any image is cut, before and after: names that use names twice would double it line by line.
    """

    def value(seen: re.Match[str]) -> str:
        known = values.get(seen["plain"] or seen["name"], "")
        if seen["sign"] == "-":
            return known or seen["other"]
        if seen["sign"] == "+":
            return seen["other"] if known else ""
        return known or seen[0]

    return _VARIABLE.sub(value, text[:LONGEST_IMAGE])[:LONGEST_IMAGE]


_VARIABLE = re.compile(r"\$(?:(?P<plain>\w++)|\{(?P<name>\w++)(?::(?P<sign>[-+])(?P<other>[^{}$]*+))?\})")


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Each instruction on one line, with the number of its first; comments and here-documents are passed over."""
    escape = "`" if (seen := _ESCAPE.match(text)) and seen[1] == "`" else "\\"
    parts: list[str] = []
    documents: list[str] = []
    start = 1
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole.strip()
        if documents:
            documents = documents[1:] if line == documents[0] else documents
            continue
        if not line or line.startswith("#"):
            continue
        start = start if parts else number
        parts.append(line.removesuffix(escape))
        if not line.endswith(escape):
            instruction, parts = " ".join(parts), []
            yield start, instruction
            documents = _HERE.findall(instruction) if instruction[:4].upper() in ("RUN ", "COPY", "ADD ") else []
    if any(parts):
        yield start, " ".join(parts)


_ESCAPE = re.compile(r"(?:#[ \t]*\w+[ \t]*=[^\n]*\n)*?#[ \t]*escape[ \t]*=[ \t]*([\\`])", re.IGNORECASE)
_HERE = re.compile(r"<<-?[\"']?([A-Za-z_]\w*+)")


# Versions.


def number_in(version: str) -> Number:
    """The numbers that a version or tag begins with: (1, 2) of `v1.2-slim`; () for a word, or for a digest that begins so."""
    seen = _NUMBER.match(version)
    return tuple(int(part) for part in seen[1].split(".")) if seen else ()


_NUMBER = re.compile(
    r"\s*+v?([0-9]{1,9}+(?:\.[0-9]{1,9}+){0,5}+)(?=$|[\s.,;|_+-]|rc|alpha|beta|[ab][0-9]{1,3}(?![0-9A-Za-z]))"
)


def _quoted(text: str) -> str:
    return f'"{plain(text, 80)}"'
