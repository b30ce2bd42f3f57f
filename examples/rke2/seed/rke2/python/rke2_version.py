"""Which release of rke2 this came with."""

from importlib.metadata import version

__all__ = ["RELEASE"]

RELEASE = version("rke2-version")
