"""Channels: one verb a file."""
