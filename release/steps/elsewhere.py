"""What a release publishes in other places than the forge: packages on indexes, and what the project's own commands publish."""

from __future__ import annotations

from release.core.model import PackageWish, Release
from release.core.publishing import package_step, publish_step
from release.steps.begin import Begin
from release.steps.build import Making
from release.steps.doors import Doors
from release.steps.land import Land
from release.steps.made import supply_of
from release.steps.package import CheckPackage, PublishPackage
from release.steps.publisher import RunPublisher
from release.steps.verify_package import VerifyPackage


def checks_of(doors: Doors, release: Release, builds: tuple[Making, ...]) -> tuple[CheckPackage, ...]:
    """Each package read before the tag is out."""
    supply, mine = supply_of(doors, release), doors.mine(release.start)
    return tuple(
        CheckPackage(
            f"check {package_step(wish)}", wish, _makers(wish, builds), supply, doors.shelf, doors.uploads, mine
        )
        for wish in release.packages
    )


def packages_of(
    doors: Doors, release: Release, begin: Begin, land: Land, checks: tuple[CheckPackage, ...]
) -> tuple[PublishPackage, ...]:
    """Each package on its index, after the tag in git."""
    return tuple(
        PublishPackage(
            package_step(check.wish), release, check.wish, begin, land, check, doors.ledger,
            check.supply, doors.index, doors.uploads, check.mine,
        )
        for check in checks
    )  # fmt: skip


def publishers_of(
    doors: Doors, release: Release, begin: Begin, land: Land, builds: tuple[Making, ...]
) -> tuple[RunPublisher, ...]:
    """Each command that publishes, after the tag in git."""
    return tuple(
        RunPublisher(
            publish_step(wish), release, wish, begin, land, builds, doors.ledger,
            supply_of(doors, release), doors.publishers, doors.mine(release.start),
        )
        for wish in release.publishers
    )  # fmt: skip


def verify_packages(doors: Doors, release: Release) -> list[VerifyPackage]:
    """Each package on its index, to be fetched and compared."""
    record = doors.ledger.latest(release)
    return [
        VerifyPackage(f"files of {package_step(wish)}", release, wish, record, doors.forge, doors.index)
        for wish in release.packages
    ]


def _makers(wish: PackageWish, builds: tuple[Making, ...]) -> tuple[Making, ...]:
    return tuple(build for build in builds if set(build.makes) & set(wish.files))
