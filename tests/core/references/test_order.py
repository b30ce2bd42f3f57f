"""What a file says is read back to a version, so that an older release does not undo a newer one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import VersionRules
from release.core.references.order import version_in
from release.core.version import Scheme, render, scheme, template_values

PLAIN = scheme(VersionRules())
REVISED = scheme(VersionRules(scheme="semver+revision", revision="rke2r", candidates=("alpha", "rc")))
PYTHON = scheme(VersionRules(scheme="pep440", tag="{name}/v{version}"), "app")


@pytest.mark.parametrize(
    ("rules", "template", "says", "version"),
    [
        (PLAIN, "v{version}", "v1.2.3-rc.1", "1.2.3-rc.1"),
        (PLAIN, "acme/app:{image_tag}", "acme/app:v1.2.3", "1.2.3"),
        (PLAIN, "{line}", "1.2", "1.2.0"),
        (PLAIN, "{major}.{minor}", "1.2", "1.2.0"),
        (PLAIN, "({line}) {version}", "(1.2) 1.2.3", "1.2.3"),
        (PLAIN, "({line}) {version}", "(1.1) 1.2.3", None),
        (PLAIN, "{major}-{major}", "1-2", None),
        (PLAIN, "{version}", "latest", None),
        (PLAIN, "{version}", "1.2", None),
        (PLAIN, "{version}", "1" * 1000, None),
        (REVISED, "{image_tag}-build", "v1.33.1-rc2-rke2r12-build", "1.33.1-rc2+rke2r12"),
        (REVISED, "{tag}", "v1.33.1+rke2r1", "1.33.1+rke2r1"),
        (REVISED, "{core}", "1.33.1", "1.33.1+rke2r1"),
        (REVISED, "v{core}.{revision}", "v1.33.1.4", "1.33.1+rke2r4"),
        (PYTHON, "{image_tag}", "app-v1.2.3rc1", "1.2.3rc1"),
        (PYTHON, "{tag}", "app/v1.2.3.post1", "1.2.3.post1"),
    ],
)
def test_a_version_is_found_in_what_a_template_made(
    rules: Scheme, template: str, says: str, version: str | None
) -> None:
    found = version_in(rules, template, says)
    assert (found.text if found else None) == version


@given(
    core=st.tuples(*[st.integers(0, 99)] * 3),
    stage=st.sampled_from(["", "rc"]),
    rules=st.sampled_from([PLAIN, REVISED, PYTHON]),
    template=st.sampled_from(["v{version}", "{tag}", "x-{image_tag}.y", "{line}/{version}"]),
)
def test_what_was_filled_in_is_read_back(core: tuple[int, int, int], stage: str, rules: Scheme, template: str) -> None:
    made = rules.make(core, stage, 2, 1 if rules is REVISED else 0)
    says = render(template, template_values(made, rules.tag(made), rules))
    assert version_in(rules, template, says) == made
