"""Components whose files name the version: before one is released, and instead, as one types it."""

from __future__ import annotations

from pathlib import Path

from release.sandbox.forge import merge
from tests.forge import serving
from tests.forged import CAPTAIN, Fleet, empty, seed
from tests.world import TASKS

CONFIG = """\
[project]
name = "app"
repository = "acme/app"
forge = "github"

[release]
deadline = "0s"

[[downstream]]
name = "chart"
repository = "acme/chart"
trigger = "release"

[[downstream.update]]
path = "values.yaml"
kind = "yaml"
key = "image.tag"
value = "{tag}"

[[downstream]]
name = "site"
repository = "acme/site"
trigger = "none"
after = ["chart"]

[[downstream.update]]
path = "index.md"
pattern = "^Newest: (?P<value>.*)$"
"""
VALUES, INDEX = "image:\n  tag: v0.0.1 # kept\n", "# App\n\nNewest: 0.0.1\n"


def test_a_release_waits_for_the_merge_of_what_its_components_are_to_name(tmp_path: Path) -> None:
    world = empty(tmp_path)
    with serving(tmp_path / "forge") as forge:
        seed(world, forge, "app", {"release.toml": CONFIG, "tasks.py": TASKS, "app.txt": "app\n", ".gitignore": ""})
        seed(world, forge, "chart", {"values.yaml": "image: {}\n"})
        seed(world, forge, "site", {"index.md": INDEX})
        some = Fleet(world, forge, forge.token(CAPTAIN))
        clone = some.clone("captain")

        def pulls() -> list[str]:
            return [one["title"] for one in forge.store.all("pull")]

        some.invoke(clone, "release.plan").expect(
            3, r"update chart", r"values\.yaml has no image", r"\[update-missing\]", r"downstream site"
        )
        some.commit("chart", {"values.yaml": VALUES}, "fix: name the app")

        some.invoke(clone, "release", "--yes").expect(4, r"update chart.*waits for the merge of #1")
        assert pulls() == ["chore(deps): app v0.1.0"]
        assert f"({forge.url}/acme/app/releases/tag/v0.1.0)" in forge.store.all("pull")[0]["body"]
        assert "refs/tags/v0.1.0" in some.refs("app")
        assert "refs/tags/v0.1.0" not in some.refs("chart")

        merged = merge(forge, "acme/chart", 1, CAPTAIN, "squash")
        some.invoke(clone, "release.downstream", "--version", "0.1.0", "--yes").expect(4, r"downstream site.*waits for")
        assert some.refs("chart")["refs/tags/v0.1.0"] == merged
        assert (
            world.git(some.git_of("chart"), "show", f"{merged}:values.yaml") == VALUES.replace("0.0.1", "0.1.0").strip()
        )

        merge(forge, "acme/site", 1, CAPTAIN)
        some.invoke(clone, "release", "--yes").expect(0)
        assert "Newest: 0.1.0" in world.git(some.git_of("site"), "show", "main:index.md")
        some.commit("site", {"index.md": INDEX}, "revert: not on our site")
        some.commit("chart", {"values.yaml": VALUES}, "revert: not in our chart")
        some.invoke(clone, "release", "--version", "0.1.0", "--yes").expect(0)
        assert len(pulls()) == 2
