"""Sluice: one release path for an upstream project and everything downstream of it."""

__version__ = "0.1.0"
