"""Container registries, by the OCI distribution spec, read only: what a tag names, with the logins that Docker keeps."""

from release.adapters.registry.client import Registries

__all__ = ["Registries"]
