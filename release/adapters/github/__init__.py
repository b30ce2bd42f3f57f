"""GitHub, and what speaks as it does: a repository of it is a `Forge`."""

from release.adapters.github.client import GitHub, Repository

__all__ = ["GitHub", "Repository"]
