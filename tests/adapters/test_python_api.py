"""What changed for the users of a Python package is read from two trees, and nothing of them is ever run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from release.adapters.python_api import differences
from release.core.facts import ApiChange
from release.errors import ReleaseError

Told = set[tuple[str, str, str]]


def a_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    root.mkdir()
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def changes(
    tmp_path: Path, old: Mapping[str, str | bytes], new: Mapping[str, str | bytes], *packages: str
) -> tuple[ApiChange, ...]:
    return differences(a_tree(tmp_path / "old", old), a_tree(tmp_path / "new", new), packages or ("foo",))


def told(tmp_path: Path, old: Mapping[str, str | bytes], new: Mapping[str, str | bytes], *packages: str) -> Told:
    return {(one.kind, one.name, one.what) for one in changes(tmp_path, old, new, *packages)}


@pytest.mark.parametrize(
    ("old", "new", "kind", "what"),
    [
        ("def f(a, b): ...", "def f(a): ...", "narrowed", "parameter b is gone"),
        ("def f(a): ...", "def f(a, b): ...", "narrowed", "new parameter b has to be given"),
        ("def f(a, b=1): ...", "def f(a, b): ...", "narrowed", "parameter b has to be given now"),
        (
            "def f(a): ...",
            "def f(*, a): ...",
            "narrowed",
            "parameter a was positional or keyword and is keyword-only",
        ),
        ("def f(a=1): ...", "def f(a=2): ...", "narrowed", "parameter a is 2 if left out, and was 1"),
        ("def f() -> int: ...", "def f(): ...", "narrowed", "returned int, and now does not say what"),
        ("def f(): ...", "f = 1", "narrowed", "was a function and is an attribute"),
        ("def f(): ...", "class f: ...", "narrowed", "was a function and is a class"),
        ("def f(): ...", "async def f(): ...", "narrowed", "was not async and is"),
        ("async def f(): ...", "def f(): ...", "narrowed", "was async and is not"),
        ("def f(): ...", "", "removed", "function is gone"),
        ("class f: ...", "", "removed", "class is gone"),
        ("f = 1", "", "removed", "attribute is gone"),
        ("class f(dict, list): ...", "class f(dict): ...", "narrowed", "does not inherit from list any more"),
        ("", "def f(): ...", "added", "new function"),
        ("", "class f:\n def m(self): ...", "added", "new class"),
        ("", "f: int = 1", "added", "new attribute"),
        ("def f(a): ...", "def f(a, b=1): ...", "added", "new optional parameter b"),
        ("def f(a): ...", "def f(a, *rest): ...", "added", "takes any further arguments rest"),
        ("def f(a): ...", "def f(a=1): ...", "added", "parameter a may be left out"),
    ],
)
def test_each_kind_of_difference_is_told_in_words(tmp_path: Path, old: str, new: str, kind: str, what: str) -> None:
    assert told(tmp_path, {"foo/__init__.py": old}, {"foo/__init__.py": new}) == {(kind, "foo.f", what)}


def test_parameters_that_changed_places_are_told(tmp_path: Path) -> None:
    found = told(tmp_path, {"foo.py": "def f(a, b): ..."}, {"foo.py": "def f(b, a): ..."})
    assert found == {("narrowed", "foo.f", f"parameter {name} stands at another position") for name in "ab"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def _f(): ...", ""),
        ("def f():\n    return 1", "def f():\n    return 2"),
        ("def f(a: int): ...", "def f(a: str): ..."),
        ("f = 1", "f = 2"),
        ("__version__ = '1.0.0'", "__version__ = '2.0.0'"),
        ("class C:\n    def _m(self): ...", "class C: ..."),
        ("__all__ = ['f']\ndef f(): ...\ndef g(): ...", "__all__ = ['f']\ndef f(): ...\ndef h(): ..."),
        ("from os import path", ""),
        ("__doc__ = 'x'\n__all__ = []\ndef __getattr__(name): ...", ""),
        ("", "__doc__ = 'x'\ndef __dir__(): ..."),
        ("", "import os"),
    ],
)
def test_what_users_cannot_or_do_not_rely_on_is_no_difference(tmp_path: Path, old: str, new: str) -> None:
    assert told(tmp_path, {"foo/__init__.py": old}, {"foo/__init__.py": new}) == set()


def test_methods_and_fields_are_told_by_their_class(tmp_path: Path) -> None:
    old = "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\n    def m(self, x): ...\n    def n(self): ...\n"
    new = "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\n    b: int = 0\n    def m(self): ...\n    def o(self): ...\n"
    assert told(tmp_path, {"foo.py": old}, {"foo.py": new}) == {
        ("narrowed", "foo.C.m", "parameter x is gone"),
        ("removed", "foo.C.n", "function is gone"),
        ("added", "foo.C.o", "new function"),
        ("added", "foo.C.b", "new attribute"),
        ("added", "foo.C.__init__", "new optional parameter b"),
    }


def test_a_private_base_class_counts_by_the_public_one_that_inherits_from_it(tmp_path: Path) -> None:
    old = "class _B:\n    def m(self, a): ...\n    def n(self): ...\nclass C(_B): ...\n"
    new = "class _B:\n    def m(self): ...\nclass C(_B): ...\n"
    assert told(tmp_path, {"foo.py": old}, {"foo.py": new}) == {
        ("narrowed", "foo.C.m", "parameter a is gone"),
        ("removed", "foo.C.n", "function is gone"),
    }


def test_what_a_package_offers_from_its_private_modules_is_told_by_the_public_name(tmp_path: Path) -> None:
    files = {"src/foo/__init__.py": "from foo._a import f, g\n__all__ = ['f', 'g']\n"}
    old = {**files, "src/foo/_a.py": "def f(a): ...\ndef g(): ...\ndef hidden(): ...\n"}
    new = {"src/foo/__init__.py": "from ._a import f\n__all__ = ['f']\n", "src/foo/_a.py": "def f(): ...\n"}
    found = changes(tmp_path, old, new, "src/foo")
    assert {(one.kind, one.name, one.what, one.path) for one in found} == {
        ("narrowed", "foo.f", "parameter a is gone", "src/foo/_a.py"),
        ("removed", "foo.g", "function is gone", "src/foo/__init__.py"),
    }


def test_a_name_that_leaves_or_joins_all_is_gone_or_there(tmp_path: Path) -> None:
    text = "__all__ = [{}]\ndef f(): ...\ndef g(): ...\n"
    assert told(tmp_path, {"foo.py": text.format("'f'")}, {"foo.py": text.format("'g'")}) == {
        ("removed", "foo.f", "function is no longer public"),
        ("added", "foo.g", "function is public now"),
    }


def test_what_is_imported_as_itself_is_public(tmp_path: Path) -> None:
    old = {
        "foo/__init__.py": "from ._a import f as f\nfrom ._a import g\n",
        "foo/_a.py": "def f(): ...\ndef g(): ...\n",
    }
    new = {"foo/__init__.py": "", "foo/_a.py": "def f(): ...\ndef g(): ...\n"}
    assert told(tmp_path, old, new) == {("removed", "foo.f", "function is gone")}


def test_modules_and_whole_packages_come_and_go(tmp_path: Path) -> None:
    old = {"foo/__init__.py": "", "foo/a.py": "x = 1", "foo/_p.py": "", "bar/__init__.py": "", "one.py": ""}
    new = {"foo/__init__.py": "", "foo/b/__init__.py": "y = 1", "lib/baz/__init__.py": "", "one.py": "z = 1"}
    assert told(tmp_path, old, new, "foo", "bar", "lib/baz", "one.py") == {
        ("removed", "foo.a", "module is gone"),
        ("added", "foo.b", "new module"),
        ("removed", "bar", "package is gone"),
        ("added", "baz", "package is new"),
        ("added", "one.z", "new attribute"),
    }


def test_a_package_without_an_init_is_one_too(tmp_path: Path) -> None:
    assert told(tmp_path, {"foo/a.py": "x = 1"}, {"foo/a.py": ""}) == {("removed", "foo.a.x", "attribute is gone")}


def test_a_stub_stands_for_its_module(tmp_path: Path) -> None:
    """As in packages that are written in C: nothing else says what their functions take."""
    source = "from ._core import f\n__all__ = ['f']\n"
    stub, core = "def f(a: int) -> int: ...\n", b"\x7fELF"
    old: dict[str, str | bytes] = {"foo/__init__.py": source, "foo/__init__.pyi": stub, "foo/_core.so": core}
    new = {**old, "foo/__init__.pyi": "def f() -> int: ...\n"}
    found = changes(tmp_path, old, new)
    assert [(one.name, one.what, one.path) for one in found] == [("foo.f", "parameter a is gone", "foo/__init__.pyi")]


def test_packages_may_offer_what_is_in_each_other(tmp_path: Path) -> None:
    offers = "from core import f\n__all__ = ['f']\n"
    old = {"src/foo/__init__.py": offers, "lib/core/__init__.py": "def f(a): ..."}
    new = {"src/foo/__init__.py": offers, "lib/core/__init__.py": "def f(): ..."}
    for packages in (("src/foo", "lib/core"), ("lib/core", "src/foo")):
        found = differences(
            a_tree(tmp_path / f"old-{packages[0][:3]}", old), a_tree(tmp_path / f"new-{packages[0][:3]}", new), packages
        )
        assert {one.what for one in found} == {"parameter a is gone"}
        assert {one.name for one in found} <= {"foo.f", "core.f"}


def test_a_package_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"the Python package foo is in neither commit; mend \[changes\] packages"):
        changes(tmp_path, {}, {})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"x = 1\ndef f(:\n", r"foo/a\.py:2"),
        (b"print 'hello'\n", r"foo/a\.py:1"),
        (b"x = 1\0", r"foo/a\.py"),
        (b"x = '\xff'\n", r"foo/a\.py"),
        (b"# coding: nonsense\n", r"foo/a\.py"),
        (b"x = " + b"(" * 10_000, r"foo/a\.py:1"),
    ],
)
@pytest.mark.parametrize("side", ["old", "new"])
def test_a_file_that_does_not_parse_is_told_and_not_passed_over(
    tmp_path: Path, text: bytes, place: str, side: str
) -> None:
    good: dict[str, str | bytes] = {"foo/__init__.py": "", "foo/a.py": ""}
    bad = {**good, "foo/a.py": text}
    when = "at the last release" if side == "old" else "at the commit to release"
    with pytest.raises(ReleaseError, match=f"^{place} {when} is not Python") as caught:
        changes(tmp_path, *((bad, good) if side == "old" else (good, bad)))
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in caught.value.message
    assert "newer Python" in caught.value.remedy


def test_other_encodings_marks_and_ends_of_lines_are_read(tmp_path: Path) -> None:
    old = {"foo/__init__.py": b"# coding: latin-1\nf = '\xe9'\n", "foo/a.py": b"\xef\xbb\xbfdef g(a): ...\r\n"}
    new = {"foo/__init__.py": b"", "foo/a.py": b"def g(): ...\n"}
    assert told(tmp_path, old, new) == {
        ("removed", "foo.f", "attribute is gone"),
        ("narrowed", "foo.a.g", "parameter a is gone"),
    }


def test_a_strange_escape_is_no_warning_of_ours(tmp_path: Path) -> None:
    assert told(tmp_path, {"foo.py": "f = '\\d'"}, {"foo.py": "f = '\\d'; g = 1 is 1"}) == {
        ("added", "foo.g", "new attribute")
    }


def test_nothing_is_imported_and_nothing_runs(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w')\nimport os\nos.mkdir({str(ran) + '2'!r})\nclass M(type): ...\nx = 1\n"
    before = set(sys.modules)
    path = list(sys.path)
    files = {
        "foo_never/__init__.py": code,
        "foo_never/sub.py": code,
        "evil.pth": f"import os; os.mkdir({str(ran)!r})\n",
    }
    assert told(tmp_path, files, {**files, "foo_never/sub.py": code + "y = 1\n"}, "foo_never") == {
        ("added", "foo_never.sub.y", "new attribute")
    }
    assert not ran.exists()
    assert not Path(f"{ran}2").exists()
    assert not {name for name in set(sys.modules) - before if name.startswith("foo_never")}
    assert sys.path == path


def test_links_do_not_lead_out_of_the_tree_or_around_in_it(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("password = 1")
    old = a_tree(tmp_path / "old", {"foo/__init__.py": "", "shared.py": "x = 1"})
    new = a_tree(tmp_path / "new", {"foo/__init__.py": "", "shared.py": "x = 1"})
    for name in ("a", "b", "c"):
        (new / "foo" / name).symlink_to(".")
    (new / "foo/outside.py").symlink_to(tmp_path / "secret.py")
    (new / "foo/broken.py").symlink_to("nowhere.py")
    (new / "foo/inside.py").symlink_to("../shared.py")
    os.mkfifo(new / "foo/pipe.py")
    (tmp_path / "away").mkdir()
    (new / "away").symlink_to(tmp_path / "away")
    assert [(one.kind, one.name) for one in differences(old, new, ["foo", "foo"])] == [("added", "foo.inside")]
    with pytest.raises(ReleaseError, match="away is in neither commit"):
        differences(old, new, ["away"])


def test_circles_of_imports_and_unknown_packages_are_no_obstacle(tmp_path: Path) -> None:
    old = {
        "foo/__init__.py": "from .a import *\nfrom .b import x as x\nfrom nowhere import y as y\nimport foo.a\n",
        "foo/a.py": "from foo import *\nfrom foo.b import x as x\nclass A(B): ...\nclass B(A): ...\ndef f(): ...\n",
        "foo/b.py": "from foo.a import x as x\n__all__ = ['x'] + [str(1)] + nowhere.__all__\n",
    }
    found = told(tmp_path, old, {**old, "foo/a.py": old["foo/a.py"].replace("def f(): ...", "")})
    assert ("removed", "foo.a.f", "function is gone") in found


def test_what_stands_beside_generated_code_of_great_depth_is_not_lost(tmp_path: Path) -> None:
    deep = "x = " + " + ".join(["1"] * 500) + "\n"
    old, new = (
        {"foo/__init__.py": "", "foo/deep.py": deep + "def f(): ...\n"},
        {"foo/__init__.py": "", "foo/deep.py": deep},
    )
    assert told(tmp_path, old, new) == {("removed", "foo.deep.f", "function is gone")}


def test_a_name_is_told_once_however_many_ways_lead_to_it(tmp_path: Path) -> None:
    offers = "from ._a import f\n__all__ = ['f']\n"
    old = {"foo/__init__.py": offers, "foo/b.py": offers, "foo/_a.py": "def f(a): ..."}
    new = {**old, "foo/_a.py": "def f(): ..."}
    assert told(tmp_path, old, new) == {("narrowed", "foo.f", "parameter a is gone")}
    assert len(differences(tmp_path / "old", tmp_path / "new", ["foo"])) == 1


def test_the_same_tree_twice_has_no_differences_and_this_package_can_be_read() -> None:
    here = Path(__file__).parents[2]
    assert differences(here, here, ["release"]) == ()
