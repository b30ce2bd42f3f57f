"""Which of two references is newer: what a file says is read back to the version that it was made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from release.core.version import Scheme, Version, names_in, render, template_values

FORMS: Mapping[str, str] = {
    "version": r"[0-9][0-9A-Za-z.+-]*",
    "tag": r"\S+",
    "image_tag": r"[A-Za-z0-9_][A-Za-z0-9._-]*",
    "core": r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}",
    "line": r"[0-9]{1,9}\.[0-9]{1,9}",
    **dict.fromkeys(("major", "minor", "patch", "revision"), r"[0-9]{1,9}"),
}
"""What stands where a template has each of its names."""
LONGEST = 300


def version_in(rules: Scheme, template: str, says: str) -> Version | None:
    """The version that a template was filled in with: the first one of which it makes that very text.

    Of a template that has less of a version than the whole, it is the lowest such final.
    """
    seen = _pattern(template).fullmatch(says) if len(says) <= LONGEST else None
    if seen is None:
        return None
    for version in _versions(rules, seen.groupdict()):
        if render(template, template_values(version, rules.tag(version), rules)) == says:
            return version
    return None


def _pattern(template: str) -> re.Pattern[str]:
    known = [name for name in names_in(template) if name in FORMS]
    pattern = re.escape(template)
    for name in known:
        hole = re.escape(f"{{{name}}}")
        pattern = pattern.replace(hole, f"(?P<{name}>{FORMS[name]})", 1).replace(hole, f"(?P={name})")
    return re.compile(pattern)


def _versions(rules: Scheme, told: Mapping[str, str]) -> Iterator[Version]:
    found = [rules.of_tag(told.get("tag", "")), rules.parse(told.get("version", ""))]
    found += [rules.parse(text) for text in _of_image_tag(rules, told.get("image_tag", ""))]
    found += [_of_numbers(rules, told)]
    yield from (version for version in found if version is not None)


def _of_image_tag(rules: Scheme, text: str) -> Iterator[str]:
    """What an image tag may have been before it was made to fit: a + is a - there."""
    before, after = (re.sub(r"[^A-Za-z0-9._-]", "-", part) for part in (rules.before, rules.after))
    inner = text.removeprefix(before.lstrip(".-")).removesuffix(after)
    yield inner
    for seen in re.finditer("-", inner):
        yield f"{inner[: seen.start()]}+{inner[seen.end() :]}"


def _of_numbers(rules: Scheme, told: Mapping[str, str]) -> Version | None:
    line = f"{told.get('major', '0')}.{told.get('minor', '0')}"
    text = told.get("core") or f"{told.get('line', line)}.{told.get('patch', '0')}"
    major, minor, patch = map(int, text.split("."))
    revision = int(told.get("revision", "1" if rules.revisions == "always" else "0"))
    try:
        return rules.make((major, minor, patch), revision=revision)
    except ValueError:
        return None
