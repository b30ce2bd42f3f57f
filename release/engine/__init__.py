"""How steps run. Knows nothing of git or HTTP, prints nothing: listeners hear events."""
