"""The composition root: reads the environment, opens the doors, starts engines. Nobody else does any of it."""

from release.app.environment import FOREIGN, cleared
from release.app.opening import checked, interactive, looking, opened_at, session, surveying
from release.app.session import Session

__all__ = ["FOREIGN", "Session", "checked", "cleared", "interactive", "looking", "opened_at", "session", "surveying"]
