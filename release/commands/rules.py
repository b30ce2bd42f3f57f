"""Rules: what can say no to a release here, and what this project makes of it."""

from __future__ import annotations

from release.core.config import Config
from release.core.conflicts import ALL, severity
from release.core.plan import Rulebook, RuleStatus


def rules(config: Config) -> Rulebook:
    """Every rule with its severity by [rules]; nothing is looked at."""
    return Rulebook(
        tuple(
            RuleStatus(rule.name, severity(rule, config), rule.safety, rule.where, rule.summary, rule.remedy)
            for rule in ALL
        )
    )
