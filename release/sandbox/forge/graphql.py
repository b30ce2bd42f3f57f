"""The GraphQL endpoint."""

from __future__ import annotations

from release.sandbox.forge.answers import Answer, Problem
from release.sandbox.forge.calls import Call, route

LONGEST = 100_000  # characters of a query


@route("POST", "/graphql")
def answer(call: Call) -> Answer:
    """Answers a query; a part that cannot be had is null, with an error that says why."""
    from release.sandbox.forge import schema  # a large library that few ask for: it does not hold the start up

    if not call.actor.known:
        raise Problem(401, "This endpoint requires you to be authenticated.")
    query, variables = call.take("query", str), call.take("variables", dict, {})
    if len(query) > LONGEST:
        raise Problem(422, "the query is too long")
    return Answer(schema.answered(call, query, variables))
