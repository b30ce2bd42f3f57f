"""What a project's own command gets of our environment: all that is no secret, and the variables that its table names."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

from release.adapters.children import secret
from release.redact import Redactor


class Given:
    """`hide` learns the value of every variable that is named."""

    def __init__(self, environment: Mapping[str, str], hide: Redactor) -> None:
        self._whole, self._hide = environment, hide
        self._plain = {name: value for name, value in environment.items() if not secret(name)}

    def lacking(self, names: Sequence[str], *runs: Sequence[str]) -> str:
        """Why commands could not run, "" if nothing says so: a program that is not here, a variable that is not set."""
        for run in runs:
            if "/" not in run[0] and shutil.which(run[0], path=self._plain.get("PATH")) is None:
                return f"it runs {run[0]}, which is not on PATH"
        unset = [name for name in names if not self._whole.get(name)]
        return f"{', '.join(unset)} {'are' if unset[1:] else 'is'} not set" if unset else ""

    def to(self, names: Sequence[str]) -> dict[str, str]:
        """The environment of a command that names these variables, as far as they are set."""
        named = {name: self._whole[name] for name in names if name in self._whole}
        for value in named.values():
            self._hide.learn(value)
        return {**self._plain, **named}
