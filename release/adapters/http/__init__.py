"""HTTP, through `requests`: what was certainly not done, what is uncertain, and what could not be seen are told apart."""

from release.adapters.http.client import Answer, Ask, Http, origin

__all__ = ["Answer", "Ask", "Http", "origin"]
