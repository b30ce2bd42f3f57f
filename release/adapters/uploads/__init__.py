"""Uploads to Python package indexes: twine sends, a login or the identity of a CI run opens."""

from release.adapters.uploads.client import Uploads, needed

__all__ = ["Uploads", "needed"]
