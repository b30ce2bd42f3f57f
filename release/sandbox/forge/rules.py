"""The rules of protected branches and tags, and the attestations of what was built."""

from __future__ import annotations

import base64
import json

from release.sandbox.forge.answers import Answer, Page, missing
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.protection import matches
from release.sandbox.forge.shapes import node
from release.sandbox.serving.store import Json

KINDS: tuple[Json, ...] = (
    {"type": "update", "parameters": {"update_allows_fetch_and_merge": False}},
    {"type": "deletion"},
    {"type": "non_fast_forward"},
)


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch:.+}", "metadata:read")
def of_branch(call: Call) -> Page:
    """Every rule that holds for a branch, whoever may bypass it."""
    found = [rule for rule in _rules(call, "branch") if matches(call.params["branch"], rule["pattern"])]
    source = {"ruleset_source_type": "Repository", "ruleset_source": call.name}
    return Page([kind | source | {"ruleset_id": rule["id"]} for rule in found for kind in KINDS])


@route("GET", "/repos/{owner}/{repo}/rulesets", "metadata:read")
def rulesets(call: Call) -> Page:
    wanted = call.query.get("targets", "branch,tag").split(",")
    found = [rule for rule in _rules(call) if rule["target"] in wanted]
    return Page(found, shape=lambda rule: _ruleset(call, rule))


@route("POST", "/repos/{owner}/{repo}/attestations", "attestations:write")
def attest(call: Call) -> Answer:
    bundle = call.take("bundle", dict)
    facts = {"bundle": bundle, "digests": _subjects(bundle), "initiator": call.actor.login}
    return Answer({"id": call.store.add("attestation", facts, call.repo)["id"]}, 201)


@route("GET", "/repos/{owner}/{repo}/attestations/{subject_digest}", "attestations:read")
def attestations(call: Call) -> Answer:
    found = [one for one in call.store.all("attestation", call.repo) if call.params["subject_digest"] in one["digests"]]
    if not found:
        raise missing()
    shown = [{"bundle": one["bundle"], "repository_id": call.repo, "initiator": one["initiator"]} for one in found]
    return Answer({"attestations": shown})


def _rules(call: Call, target: str = "") -> list[Json]:
    return [rule for rule in call.store.all("rule", call.repo) if target in ("", rule["target"])]


def _ruleset(call: Call, rule: Json) -> Json:
    me = f"{call.urls.repository(call.name)}/rulesets/{rule['id']}"
    return {
        "id": rule["id"],
        "name": f"{rule['target']} {rule['pattern']}",
        "target": rule["target"],
        "source_type": "Repository",
        "source": call.name,
        "enforcement": "active",
        "current_user_can_bypass": "always" if call.actor.login in rule["allow"] else "never",
        "node_id": node("RepositoryRuleset", rule["id"]),
        "_links": {"self": {"href": me}, "html": {"href": call.urls.html(call.name, "rules", rule["id"])}},
        "created_at": rule["created_at"],
        "updated_at": rule["created_at"],
    }


def _subjects(bundle: Json) -> list[str]:
    """The digests that an in-toto statement in a bundle speaks of."""
    try:
        statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        return [f"{kind}:{value}" for one in statement["subject"] for kind, value in one["digest"].items()]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []
