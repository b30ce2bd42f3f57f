"""An index that anybody may upload to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release.sandbox.index import PackageIndex


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    with PackageIndex(tmp_path / "index") as served:
        yield served
