"""A Chart.yaml: the version of the application, or of a chart that this one depends on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from release.core.finding import Conflict
from release.core.model import UpdateWish
from release.core.references import yaml_key
from release.core.references.keys import by_key
from release.core.references.leaf import Leaf, Unfit, in_quotes

_ONE = re.compile(r"=?\s*v?[0-9]+(?:\.[0-9]+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")

leaves = yaml_key.leaves
written = yaml_key.written


def chosen(wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
    """`appVersion`, or the version of the dependency with that name. A range of versions is no version."""
    key = f"dependencies[name={in_quotes(wish.key)}].version" if wish.key else "appVersion"
    leaf = by_key(key, found, dict.fromkeys(leaf.path[:1] for leaf in found))
    if wish.key and not _ONE.fullmatch(leaf.says):
        why = f"depends on {wish.key} {leaf.says!r:.80}, which is a range of versions"
        raise Unfit(Conflict("update-refused", why, "write one version there, or leave it to the range"))
    return leaf
