"""Container registries, by the OCI distribution spec: read and written, with the logins that Docker keeps."""

from release.adapters.registry.client import Registries

__all__ = ["Registries"]
