"""What [sync] must not say."""

from __future__ import annotations

import pytest

from release.core.config import Config, Project, Sync
from release.core.sync_rules import sync_contradictions


@pytest.mark.parametrize(
    ("sync", "forge", "rules"),
    [
        (Sync(), "none", []),
        (Sync(upstream="../app.git"), "none", []),
        (Sync(upstream="acme/app", name="only", last=1), "github", []),
        (Sync(upstream="../app.git"), "github", ["bad-repository"]),
        (Sync(upstream="ext::sh -c id"), "none", ["bad-repository"]),
        (Sync(upstream="--upload-pack=id"), "none", ["bad-repository"]),
        (Sync(upstream="https://me:hunter2@example.org/app.git"), "none", ["secret-in-config"]),
        (Sync(name="only"), "none", ["sync-nobody"]),
        (Sync(upstream="../app.git", last=0), "none", ["bad-number"]),
        (Sync(upstream="../app.git", last=1001), "none", ["bad-number"]),
        (Sync(upstream="../app.git", config="../app.toml"), "none", ["bad-path"]),
        (Sync(upstream="../app.git", config="release.toml"), "none", ["sync-itself"]),
        (Sync(upstream="../app.git", config="app.toml", branch="main"), "none", ["sync-both"]),
        (Sync(upstream="../app.git", branch="a\x1bb"), "none", ["bad-branch"]),
    ],
)
def test_what_sync_says_means_one_upstream(sync: Sync, forge: str, rules: list[str]) -> None:
    config = Config(project=Project(forge=forge), sync=sync)  # type: ignore[arg-type]
    told = list(sync_contradictions(config))
    assert [one.rule for one in told] == rules
    assert "hunter2" not in str(told)
