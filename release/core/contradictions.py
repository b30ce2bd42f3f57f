"""What can say no: a configuration that contradicts itself, seen before the first look at the world."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from release.core.address import holds_secret, is_remote, without_secret
from release.core.artifact_rules import artifact_contradictions
from release.core.change_rules import change_contradictions
from release.core.channel_rules import channel_contradictions
from release.core.claim_rules import claim_contradictions
from release.core.config import Config, Downstream, Gate, seconds
from release.core.finding import Conflict
from release.core.fleet_rules import fleet_contradictions
from release.core.forge_rules import forge_contradictions
from release.core.graph_rules import graph_contradictions
from release.core.image_rules import image_contradictions
from release.core.naming import OF_A_PROMOTION
from release.core.notation import (
    OF_A_PLATFORM,
    VALUES,
    bad_lines,
    bad_path,
    bad_pattern,
    bad_platforms,
    bad_run,
    is_ref,
    meet,
    quoted,
    repeated,
    same_names,
    unknown_names,
)
from release.core.notes import TEMPLATES
from release.core.publish_rules import publish_contradictions
from release.core.sync_rules import sync_contradictions
from release.core.update_rules import update_contradictions
from release.core.version import PEP440_WORDS, names_in, render, scheme

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
ADDRESS = re.compile(r"https?://[^\s()<>\[\]\"'`\\]+")  # what needs no escape between the brackets of a link


def contradictions(config: Config) -> tuple[Conflict, ...]:
    """All that keeps `config` from meaning one thing, in the order of the file; empty if it may be used."""
    return (
        *_project(config),
        *_version(config),
        *_version_files(config),
        *_written(config),
        *_told(config),
        *change_contradictions(config),
        *_gates(config.gate),
        *artifact_contradictions(config),
        *image_contradictions(config),
        *publish_contradictions(config),
        *_downstreams(config.downstream),
        *_same_tags(config),
        *update_contradictions(config),
        *claim_contradictions(config),
        *graph_contradictions(config.downstream),
        *fleet_contradictions(config),
        *forge_contradictions(config),
        *sync_contradictions(config),
        *channel_contradictions(config),
    )


def _project(config: Config) -> Iterator[Conflict]:
    project = config.project
    if project.name and not _is_name(project.name):
        yield _bad_name("project.name", project.name)
    yield from _secret("project.repository", project.repository)
    if project.since and _rules_hold(config) and scheme(config.version, project.name).of_tag(project.since) is None:
        why = f"project.since is {quoted(project.since)}, which is not a tag of the scheme {config.version.scheme}"
        yield Conflict("since-malformed", why, f"write a whole tag, as {config.version.tag} makes it")
    if config.release.output and not config.release.output.isprintable():
        yield Conflict("bad-path", "release.output holds control characters", "write a plain path")
    if seconds(config.release.deadline) is None:
        why = f"release.deadline is {quoted(config.release.deadline)}, which is no duration"
        yield Conflict("bad-duration", why, 'write it like "90s", "45m" or "2h"')
    yield from unknown_names("release.output", config.release.output, VALUES)


def _rules_hold(config: Config) -> bool:
    """Whether a scheme can be made of the rules at all; if not, that is a conflict of its own."""
    return not any(True for _ in _version(config))


def _version(config: Config) -> Iterator[Conflict]:
    rules = config.version
    if rules.scheme == "semver+revision" and not rules.revision:
        remedy = 'name the word before its number, as in revision = "rke2r" for 1.33.1+rke2r1'
        yield Conflict("revision-missing", "version.scheme is semver+revision, and version.revision is empty", remedy)
    if rules.scheme == "semver" and rules.revision:
        why = f"version.revision is {quoted(rules.revision)}, and in the scheme semver there is no revision"
        yield Conflict("revision-unused", why, 'set scheme = "semver+revision" or leave revision out')
    if rules.scheme == "pep440" and rules.revision:
        why = f"version.revision is {quoted(rules.revision)}, and in the scheme pep440 a revision is a post release"
        yield Conflict("revision-unused", why, "leave revision out: a post release is always written .postN")
    if rules.revision and not re.fullmatch(r"[A-Za-z0-9-]*[A-Za-z-]", rules.revision):
        why = f"version.revision is {quoted(rules.revision)}"
        yield Conflict("bad-revision", why, "use letters, digits and -, and end on no digit: a number follows")
    yield from unknown_names("version.tag", rules.tag, ("version", "name") if config.project.name else ("version",))
    if rules.tag.count("{version}") != 1 or not is_ref(rules.tag):
        why = f"version.tag is {quoted(rules.tag)}"
        yield Conflict("bad-tag", why, 'write {version} exactly once, with plain text around it, as in "v{version}"')
    yield from _candidates(config)
    for template in rules.branches:
        if template.count("{line}") > 1 or set(names_in(template)) - {"line"} or not is_ref(template) or not template:
            why = f"version.branches has {quoted(template)}"
            yield Conflict("bad-branch", why, "write a branch's name, with {line} at most once and no other name in it")


def _candidates(config: Config) -> Iterator[Conflict]:
    names = config.version.candidates
    if config.version.final_from_candidate and not names:
        why = "version.final_from_candidate is set, and version.candidates is empty: there is nothing to be final from"
        yield Conflict("no-candidates", why, 'name a stage, as in candidates = ["rc"], or unset it')
    for name in repeated(names):
        yield Conflict("duplicate-name", f"version.candidates has {quoted(name)} twice", "leave one out")
    yield from _pep440_words(names) if config.version.scheme == "pep440" else _candidate_words(names)


def _candidate_words(names: Iterable[str]) -> Iterator[Conflict]:
    for name in names:
        if not re.fullmatch(r"[A-Za-z]{1,20}", name):
            yield Conflict("bad-candidate", f"version.candidates has {quoted(name)}", 'use letters only, as in "rc"')


def _pep440_words(names: Iterable[str]) -> Iterator[Conflict]:
    """PEP 440 has three kinds of pre-release and no others; a project may call two of them by either name."""
    known = dict.fromkeys(name for name in names if name in PEP440_WORDS)
    for name in names:
        if name not in known:
            why = f"version.candidates has {quoted(name)}, which is no pre-release of PEP 440"
            yield Conflict("bad-candidate", why, "use alpha (or a), beta (or b) and rc")
    for word in repeated(PEP440_WORDS[name] for name in known):
        why = f"version.candidates has two names for what PEP 440 writes as {word}"
        yield Conflict("duplicate-name", why, "leave one out")


def _version_files(config: Config) -> Iterator[Conflict]:
    for number, file in enumerate(config.version.file):
        place = f"version.file[{number}]"
        yield from bad_path(f"{place}.path", file.path)
        yield from bad_pattern(f"{place}.pattern", file.pattern)
        yield from unknown_names(f"{place}.value", file.value, VALUES)


def _written(config: Config) -> Iterator[Conflict]:
    """A release that writes files needs a commit to write them in."""
    rules = config.version
    if rules.source == "file" and not rules.file:
        why = 'version.source is "file", and there is no [[version.file]] to read the version from'
        yield Conflict("no-version-file", why, 'add one, or set source = "changes"')
    if config.changelog.file:
        yield from bad_path("changelog.file", config.changelog.file)
    written = _writes(config)
    if config.commit.mode == "pull-request" and config.project.forge == "none":
        why = 'commit.mode is "pull-request", and project.forge is "none": there is nowhere to open one'
        yield Conflict("no-forge", why, 'set project.forge = "github", or commit.mode = "push"')
    if written and rules.final_from_candidate and config.commit.mode != "none":
        why = f"version.final_from_candidate makes a final its candidate's commit, and {written} needs one of its own"
        yield Conflict("final-writes", why, "unset final_from_candidate, or let nothing be written")
    if written and config.commit.mode == "none":
        why = f'commit.mode is "none", and {written} cannot be written without a commit'
        yield Conflict("nothing-to-write-in", why, 'set commit.mode = "push", or let nothing be written')


def _writes(config: Config) -> str:
    files = [file.path for file in config.version.file] if config.version.source == "changes" else []
    changelog = [config.changelog.file] if config.changelog.file else []
    removes = config.commit.mode != "none" and "fragments" in config.changes.sources
    return " and ".join(dict.fromkeys([*changelog, *files, *([config.changes.fragments] if removes else [])]))


def _told(config: Config) -> Iterator[Conflict]:
    """A template that there is, or can be, and addresses that are whole once their names are filled in."""
    rules = config.changelog
    if rules.template.endswith(".j2"):
        yield from bad_path("changelog.template", rules.template)
    elif rules.template not in TEMPLATES:
        why = f"changelog.template is {quoted(rules.template)}"
        yield Conflict("unknown-template", why, f"use one of {', '.join(TEMPLATES)}, or a file that ends in .j2")
    for key, address, names in (("issues", rules.issues, ["n"]), ("compare", rules.compare, ["previous", "tag"])):
        yield from unknown_names(f"changelog.{key}", address, names)
        whole = ADDRESS.fullmatch(address) and set(names) <= set(names_in(address))
        if address and not whole:
            why = f"changelog.{key} is {quoted(address)}"
            inside = " and ".join(f"{{{name}}}" for name in names)
            yield Conflict(
                "bad-address", why, f"write an http(s) address with {inside} in it, and no spaces or brackets"
            )


def _gates(gates: Sequence[Gate]) -> Iterator[Conflict]:
    for number, gate in enumerate(gates):
        yield from _component(f"gate[{number}]", gate)
        if gate.kind == "command":
            yield from bad_run(f"gate[{number}].run", gate.run)
    yield from same_names("gate", [(gate.name, gate) for gate in gates])


def _downstreams(downstreams: Sequence[Downstream]) -> Iterator[Conflict]:
    for number, downstream in enumerate(downstreams):
        place = f"downstream[{number}]"
        yield from _component(place, downstream)
        yield from _downstream_tag(f"{place}.tag", downstream)
        yield from unknown_names(f"{place}.branch", downstream.branch, VALUES)
        yield from _downstream_texts(place, downstream)
        if not is_ref(downstream.branch) or not downstream.branch:
            yield Conflict("bad-branch", f"{place}.branch is {quoted(downstream.branch)}", "write a branch's name")
        if not is_remote(downstream.repository):
            why = f"{place}.repository is {quoted(without_secret(downstream.repository))}"
            yield Conflict("bad-repository", why, "write a URL or a path")
        yield from _secret(f"{place}.repository", downstream.repository)
    for name in repeated(downstream.name for downstream in downstreams):
        yield Conflict("duplicate-name", f"two downstreams are named {quoted(name)}", "rename one")


def _downstream_texts(place: str, one: Downstream) -> Iterator[Conflict]:
    said = (*VALUES, *(OF_A_PROMOTION if one.per == "channel" else ()))
    for name, text in one.inputs.items():
        yield from unknown_names(f"{place}.inputs.{name}", text, said)
    known = (*said, *OF_A_PLATFORM) if one.platforms else said
    for text in (*one.after_assets, *one.assets):
        yield from unknown_names(f"{place}.assets", text, known)
    yield from bad_platforms(f"{place}.platforms", one.platforms)


def _secret(place: str, repository: str) -> Iterator[Conflict]:
    """The file is for everybody who may read the repository: what opens another one has no place in it."""
    if holds_secret(repository):
        why = f"{place} has a password or a token in it, for everybody to read"
        remedy = "take it out and have it changed; a credential helper gives it to git (git help credentials)"
        yield Conflict("secret-in-config", why, remedy)


def _same_tags(config: Config) -> Iterator[Conflict]:
    """Of two downstreams with the same tag in the same repository, the second would be done by the first's."""
    upstream = render(config.version.tag, {"name": config.project.name})
    seen: dict[tuple[str, str], list[Downstream]] = {}
    for one in config.downstream:
        if one.trigger == "none":  # it makes no tag
            continue
        repository = one.repository.lower() if config.project.forge != "none" else posixpath.normpath(one.repository)
        place = repository, one.tag.replace("{tag}", upstream)
        others = (other for other in seen.get(place, ()) if other.name != one.name and meet(one, other))
        if (other := next(others, None)) is not None:
            why = f"downstreams {quoted(other.name)} and {quoted(one.name)} have the same tag in the same repository"
            remedy = "give each a tag of its own, leave one out, or let no release select both"
            yield Conflict("same-tag", why, remedy)
        seen.setdefault(place, []).append(one)


def _downstream_tag(place: str, downstream: Downstream) -> Iterator[Conflict]:
    template = downstream.tag
    promoted = tuple(OF_A_PROMOTION) if downstream.per == "channel" else ()
    yield from unknown_names(place, template, (*VALUES, *promoted))
    identifying = template.count("{version}") + template.count("{tag}")
    if identifying != 1 or "}{" in template or not is_ref(template):
        why = f"{place} is {quoted(template)}"
        remedy = "write {tag} or {version} exactly once, and plain text around it and between names: a tag is read back"
        yield Conflict("bad-tag", why, remedy)
    if promoted and not set(promoted) <= set(names_in(template)):
        why = f'{place} is {quoted(template)}, and per is "channel": two promotions would make the same tag'
        yield Conflict("tag-repeats", why, 'put {channel} and {n} in it, as in "{tag}.{channel}.{n}"')


def _component(place: str, one: Gate | Downstream) -> Iterator[Conflict]:
    if not _is_name(one.name):
        yield _bad_name(f"{place}.name", one.name)
    yield from bad_lines(f"{place}.lines", one.lines)


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and ".." not in name


def _bad_name(place: str, name: str) -> Conflict:
    remedy = "use up to 100 letters, digits and ._/-, begin with a letter or digit, and have no .. in it"
    return Conflict("bad-name", f"{place} is {quoted(name)}", remedy)
