"""HTTP, through `requests`: what was certainly not done, what is uncertain, and what could not be seen are told apart."""

from release.adapters.http.address import origin
from release.adapters.http.answers import Answers
from release.adapters.http.client import Http
from release.adapters.http.exchange import Answer, Ask, Glimpse
from release.adapters.http.pace import GITHUB, Rates
from release.adapters.http.spent import Spent

__all__ = ["GITHUB", "Answer", "Answers", "Ask", "Glimpse", "Http", "Rates", "Spent", "origin"]
