from release.tasks import namespace as ns

__all__ = ["ns"]
