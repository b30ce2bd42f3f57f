"""What the environment tells: the only place that knows its variables by name."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from release.core.config import Config
from release.errors import ConfigError

# What makes git look at another repository than the one we name; `git rev-parse --local-env-vars` lists them.
FOREIGN = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG", "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_INTERNAL_SUPER_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_CONFIG_COUNT",
)  # fmt: skip

# What says for which event, and at which ref, a workflow runs us: a component that is released from there has its own.
OF_THE_EVENT = (
    "GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_TYPE", "GITHUB_SHA", "GITHUB_HEAD_REF", "GITHUB_BASE_REF",
    "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH",
)  # fmt: skip

# What registries and indexes are asked with: the forge's tokens are none of their business, nor of a credential helper's.
OF_REGISTRIES = (
    "PATH", "HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME", "PASSWORD_STORE_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


def places_of(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Where registries and indexes really are, by their names: a mirror, or a rehearsal. ConfigError where it cannot be read.

    SLUICE_PLACES holds pairs with blanks between them: `docker.io=http://127.0.0.1:5000`. Registries are named by their
    hosts, indexes by their addresses: `https://pypi.org/simple=http://127.0.0.1:8080/simple`.
    """
    pairs = [pair.partition("=") for pair in environment.get("SLUICE_PLACES", "").split()]
    for name, _, real in pairs:
        if not name or not real.startswith(("https://", "http://")):
            raise ConfigError(f"SLUICE_PLACES has {name!r:.60}, and no address for it", "write NAME=https://ADDRESS")
    return {name: real for name, _, real in pairs}


def run_of(environment: Mapping[str, str], repository: str) -> int:
    """The workflow run of the upstream that this process is part of, 0 for none."""
    number = environment.get("GITHUB_RUN_ID", "")
    here = environment.get("GITHUB_REPOSITORY", "").lower() == repository.lower() != ""
    return int(number) if here and number.isascii() and number.isdigit() and len(number) < 20 else 0


def of_builds(environment: Mapping[str, str], config: Config) -> Mapping[str, str]:
    """What gates and builds may be told of the environment: not the key that signs, whatever its variable is named."""
    kind, _, name = config.attest.key.partition(":")
    return {key: value for key, value in environment.items() if kind != "env" or key != name}


def as_a_person(environment: Mapping[str, str]) -> Mapping[str, str]:
    """What a component's own release is run with: all that is here, as if somebody typed it in a clone."""
    return {name: value for name, value in environment.items() if name not in OF_THE_EVENT}


def builder_of(environment: Mapping[str, str]) -> str:
    """The workflow that runs us, by GitHub's variables, as its certificates name it; "" for none."""
    server, workflow = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_WORKFLOW_REF", "")
    return f"{server}/{workflow}" if server and workflow else ""


def invocation_of(environment: Mapping[str, str]) -> str:
    """The workflow run that this process is part of, "" for none."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name, "") for name in names)
    attempt = environment.get("GITHUB_RUN_ATTEMPT", "1")
    return f"{server}/{repository}/actions/runs/{run}/attempts/{attempt}" if server and repository and run else ""


def tag_of(environment: Mapping[str, str]) -> str:
    """The tag that a workflow was started for, by GitHub's variables; "" for none."""
    ref = environment.get("GITHUB_REF", "")
    return ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else ""


def cleared(environment: os._Environ[str]) -> Mapping[str, str]:
    """This process's environment without what would lead git astray."""
    for name in (*FOREIGN, *(name for name in environment if name.startswith("GIT_TRACE"))):
        environment.pop(name, None)
    beside = str(Path(sys.executable).parent)  # what is installed with us is found, in a venv that is not activated too
    return {**environment, "PATH": os.pathsep.join((environment.get("PATH", os.defpath), beside))}
