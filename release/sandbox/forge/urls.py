"""Where the forge answers, seen from a client's side: by the host that he asked."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

# A client that insists on GitHub's own host names reaches them with the forge as its proxy.
API_HOST = "api.github.localhost"
SERVER_HOST = "github.localhost"
UPLOADS_HOST = "uploads.github.localhost"


@dataclass(frozen=True)
class Urls:
    """`host` is what the client put into the Host header, `port` where the forge really listens."""

    host: str
    port: int = 0

    @property
    def aliased(self) -> bool:
        return self.host in (API_HOST, SERVER_HOST, UPLOADS_HOST)

    @property
    def server(self) -> str:
        return f"http://{SERVER_HOST}" if self.aliased else f"http://{self.host}"

    @property
    def api(self) -> str:
        return f"http://{API_HOST}" if self.aliased else f"http://{self.host}/api/v3"

    @property
    def uploads(self) -> str:
        return f"http://{UPLOADS_HOST}" if self.aliased else f"http://{self.host}/api/uploads"

    @property
    def storage(self) -> str:
        """Where downloads are redirected to: another host's name, so that credentials must not go along."""
        return f"http://localhost:{self.port}/_storage"

    def repository(self, full_name: str) -> str:
        return f"{self.api}/repos/{full_name}"

    def html(self, full_name: str, *parts: str | int) -> str:
        return "/".join(
            [f"{self.server}/{full_name}", *(quote(str(part), safe="/", errors="surrogateescape") for part in parts)]
        )
