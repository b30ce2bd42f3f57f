"""Doors to the world, one third-party library each. Foreign exceptions end here."""
