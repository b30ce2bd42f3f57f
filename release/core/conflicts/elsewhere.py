"""Conflicts that are met where there is no version to judge yet, or where a step looks at the world: named and told here.

None of them can be set or set aside: either they keep what is public from being changed, or there is nothing to go on with.
"""

from __future__ import annotations

from release.core.conflicts.rule import Rule


def _met(where: str, *told: tuple[str, str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(name, summary, remedy, safety=True, where=where) for name, summary, remedy in told)


IN_THE_CONFIGURATION = _met(
    "the configuration",
    ("cycle", "downstreams, components and the project come after each other, or need each other, in a ring",
     "take one `of`, `after` or `requires` out of the ring that is shown"),
    ("same-tag", "two downstreams have the same tag in the same repository", "give each a tag of its own"),
    ("image-claimed-twice", "two that one release selects claim the same tag of an image", "give each its own"),
    ("package-claimed-twice", "two that one release selects claim the same version of a package", "give each its own"),
    ("requires-disjoint", "no version is in all the ranges in which one component is needed", "widen one of them"),
)  # fmt: skip

BEFORE_A_VERSION = _met(
    "the choice of a version",
    ("incomplete-clone", "the clone is shallow or partial: tags and history that decide are missing",
     "git fetch --unshallow --tags"),
    ("detached", "HEAD is on a commit that no branch or tag of the remote points at", "check out a branch"),
    ("branch-unpublished", "the branch of the checkout is not on the remote", "push it"),
    ("unpushed", "the checkout has commits that the remote's branch lacks", "push them, or drop them"),
    ("several-begun", "several releases have begun here and are not finished", "say which: --version V"),
    ("other-line", "--line was given, that line has no branch of its own, and the branch it might be on is at another one",
     "make a branch for it, or say the other line"),
    ("same-branch", "two lines of one command would both make a commit on the same branch", "release one after the other"),
    ("version", "what was asked for, or tagged, is no version of the scheme", "write it as the scheme does"),
    ("tag-gone", "the run was started for a tag that is not there any more", "push it again, or run without it"),
    ("line-ahead", "a tag has no record, and its line has gone on already",
     "release its downstreams: invoke release.downstream --version V"),
    ("bump-of-file", "--bump was given, and a file says what X.Y.Z is", "change the file, leave --bump out"),
    ("version-taken", "the version that the file says was released or given up", "set a higher one there"),
    ("version-unwritable", "the next number is longer than any that is read", "say --version V"),
    ("no-revision", "a revision was asked for that cannot be", "release a patch"),
    ("revision-of-file", "a revision was asked for, and the file says another X.Y.Z", "leave --revision out"),
    ("stage-unknown", "a candidate of a stage was asked for that the project does not have",
     "choose one of [version] candidates"),
    ("not-a-file", "a link or a folder stands where a release writes a file", "mend release.toml or the repository"),
    ("proposal-differs", "what was merged lacks what the release writes, or has other changes besides",
     "give the number up: invoke release.abandon --version V"),
)  # fmt: skip

OF_A_RECORD = _met(
    "a release that has begun",
    ("record-differs", "the record does not say what the configuration makes at its commit",
     "look at it with `git show`, or give it up: invoke release.abandon"),
    ("base-gone", "the commit that a release was begun at is in no branch any more", "give it up: invoke release.abandon"),
    ("abandoned", "the release was given up meanwhile", "release the next version"),
    ("begun-elsewhere", "another release was begun on the line meanwhile", "run the same command again"),
    ("no-record", "a version to be withdrawn has no record", "see it out first: invoke release --version V"),
    ("public", "a release to be given up is public already", "finish it: invoke release --version V"),
    ("not-begun", "there is no unfinished release to give up", "invoke release.status shows what is"),
    ("not-released", "a version is asked about that is not released", "release it first: invoke release --version V"),
    ("unmet-need", "a downstream is asked for whose upstream, or what it comes after, is not out", "release that first"),
)  # fmt: skip

AT_A_STEP = _met(
    "a step of the release",
    ("unseen", "some part of the world could not be looked at", "run the same command again when it answers"),
    ("push-right", "the remote would not take our push", "ask for the right to push there"),
    ("forge-right", "the token of the forge is not enough", "give it the rights that are named"),
    ("branch-moved", "the branch has moved on since the release was decided on", "run the same command again"),
    ("no-branch", "a downstream lacks the branch to be tagged", "make it, or mend downstream.branch"),
    ("no-workflow", "a workflow is named that is not there", "add it, or mend the configuration"),
    ("no-environment", "an approval's environment is not there", "make it in the forge's settings"),
    ("tool-missing", "a command's program is not installed", "install it"),
    ("bad-images", "the list of a gate of kind images names none, or what is no image", "mend it at the base commit"),
    ("needs-emulation", "a Dockerfile has a RUN for a machine whose programs cannot be run here",
     "build its shard on such a machine, or install qemu-user-static"),
    ("image-unbuildable", "a Dockerfile has a line that its builder cannot build, or cannot be read",
     "mend the line, or choose the builder that is named"),
    ("builder-cannot", "the embedded builder does not know a line of a Dockerfile",
     "choose the builder that is named"),
    ("builder-missing", "no builder that could build an image is on this machine",
     "install the one that is named"),
    ("secret-missing", "an image needs a secret whose variable is not set",
     "set the variable"),
    ("registry-right", "a registry would not take our push",
     "docker login, as somebody who may push there"),
    ("image-differs", "an image's version tag names another image than the one that was made",
     "find out who made it; release the next version"),
    ("package-login", "an index would not take our files",
     "set what the message names"),
    ("package-differs", "an index has a file of that name with other bytes",
     "release the next version"),
    ("publish-lacks", "a publishing command lacks its program or a variable",
     "install it, or set it"),
    ("publish-taken", "what a command would publish is there, and this release did not publish it",
     "find out who did; release the next version"),
    ("signing-key-missing", "the provenance is to be signed with a key that is not here",
     "set the variable, or mend attest.key"),
    ("signing-key-differs", "the public key in the repository does not belong to the signing key",
     "commit the one that does"),
    ("signing-identity-missing", "the provenance is to be signed with an identity, and this run has none",
     "run it in CI with id-token: write"),
    ("shard-missing", "a piece that the release needs lies in no folder of --shards",
     "build it: invoke release.build --shard NAME"),
    ("shard-foreign", "a shard is of another release, another commit, or of no piece",
     "leave its folder out"),
    ("shard-differs", "a shard has other bytes than it says, or than the release has",
     "fetch it again, or build it again"),
    ("output", "the directory for the artifacts cannot take them", "make it writable"),
    ("output-differs", "a file of the release is in the directory, with other bytes", "find out who wrote it, move it away"),
    ("output-foreign", "the directory of the release holds files of others", "move them away"),
    ("asset-missing", "a published release lacks one of its files", "release the next version"),
    ("asset-differs", "a published release has a file with other bytes", "release the next version"),
    ("draft-foreign", "somebody else's draft is there for the tag", "delete it, or publish it and adopt it"),
    ("release-elsewhere", "a release is out for the tag that is not ours", "find out who made it"),
    ("no-configuration", "a component that is to release itself has no release.toml on its branch",
     "write one there, or choose another trigger"),
    ("component-decides", "a component's own release ended with exit code 3", "decide it there: its own words are told"),
    ("update-missing", "a component lacks the file, or the place in it, that is to name the version",
     "mend downstream.update, or write it there by hand first"),
    ("update-ambiguous", "a place that is to name the version is there more than once", "name one of them"),
    ("update-unreadable", "a file that is to name the version is not what it is said to be", "mend it, or name another kind"),
    ("update-refused", "a place that is to name the version cannot be written without touching anything else",
     "write it otherwise, or take kind = \"regex\" for it"),
    ("update-overlap", "two updates write different things in one place", "leave one out"),
    ("proposal-foreign", "a pull request comes from our branch, and its description lacks our mark", "close it, or merge it"),
    ("proposal-touched", "the branch of our pull request has others' commits, and has to be replaced",
     "take them elsewhere, and delete the branch"),
)  # fmt: skip

OF_A_PROOF = _met(
    "the choice of a version, a move of a channel",
    ("unproved", "a version is tagged, and not all of its release is seen to be out", "finish it: --version V"),
)  # fmt: skip

OF_A_POINTER = _met(
    "a pointer of a channel",
    ("no-image", "the image's tag that a channel's is to be moved to is not there", "push that image"),
    ("pointer-missing", "the file, or the place in it, that says a channel's version is not there",
     "write it there by hand first, or mend channel.point"),
    ("pointer-lacks", "a command that moves or shows a pointer lacks its program or a variable", "install it, or set it"),
)  # fmt: skip

OF_A_MOVE = _met(
    "a move of a channel",
    ("not-out", "a component that a version needs does not have its release of it",
     "release it there: invoke release.downstream --version V"),
    ("channel-changed", "somebody moved the channel since the move was decided on", "run the same command again"),
    ("pointer-moved", "a pointer says neither the version of the move nor what it said before",
     "find out who moved it, and put it back; or go over it: --waive pointer-moved"),
    ("pointer-astray", "the pointers of a channel say a version that is not out, above the one in its record",
     "put them back by hand"),
)  # fmt: skip

OF_WAIVERS = _met(
    "--waive",
    ("unknown-rule", "there is no rule of that name", "invoke release.rules lists them"),
    ("fixed-rule", "the rule cannot be set or set aside", "do what it asks for"),
    ("no-reason", "a rule is waived without a reason", "say why: --reason TEXT"),
)

OF_A_WINDOW = _met(
    "fleet.status, fleet.sync",
    ("since-unknown", "[project] since names a tag that the upstream lacks", "name one that it has"),
)

OF_FLEET_STATUS = _met(
    "fleet.status",
    ("bad-date", "--since or --until is no date", "write it as YYYY-MM-DD"),
    ("empty-window", "--since is after --until", "exchange them"),
)  # fmt: skip

OF_ADOPTION = _met(
    "release.adopt",
    ("baseline-unwritable", "[project] since cannot be put into release.toml without touching the rest of it",
     "write it by hand"),
)  # fmt: skip

OF_FLEET_SYNC = _met(
    "fleet.sync",
    ("sync-unknown", "the upstream's configuration does not tell which of its downstreams this is", "say it: sync.name"),
    ("sync-channel", "this component is released by promotions alone", "promote it"),
    ("sync-none", "this component releases nothing, and has only updates", "do without fleet.sync"),
)  # fmt: skip

OF_HEALTH = _met(
    "a question about health",
    ("unhealthy", "a release does not do well, as a question about it was answered",
     "wait until it does, or release and promote what mends it"),
    ("health-lacks", "a question cannot be asked: its program is not here, or a variable is not set", "install it, or set it"),
)  # fmt: skip

OF_A_CHANNEL = _met(
    "a move of a channel",
    ("channel-held", "a channel is held, or the one that it follows is held for this very version",
     "when that is over: invoke channel.resume NAME"),
    ("channel-moving", "a move of the channel has begun and has not ended",
     "finish it, or take it back: invoke channel.rollback NAME"),
    ("channel-accepts", "a candidate is to get into a channel that accepts finals", "release the final"),
    ("channel-gone", "a move has begun to a release that is not out any more",
     "see that it is out again, or take the move back: invoke channel.rollback NAME"),
    ("channel-unreadable", "what a channel has by its record is no version of [version]",
     "mend [version], so that it reads what was released"),
    ("backward-move", "the version is not above the one that the channel has",
     "release and promote what comes after that one"),
    ("minor-skip", "the channel would skip a minor", "promote one of the minor between first; or --waive it"),
    ("new-minor", "the version would be the channel's first of its minor, and is below new_minor_from_patch",
     "wait for that patch; or --waive it"),
    ("not-followed", "the version was not in the channel that this one follows", "promote it there first"),
    ("rolled-back", "the version is marked bad in a channel",
     "promote the version that mends it"),
    ("withdrawn-version", "the version is withdrawn", "promote the version that takes its place"),
    ("shrunken-list", "the list of releases is empty, shorter than it was, or lacks what a channel has",
     "look at the releases of the forge; or --waive it"),
)  # fmt: skip

OF_A_ROLLBACK = _met(
    "channel.rollback",
    ("rollback-nothing", "the channel has no version, or none before it that is out and fit",
     "go forward: release and promote the next version"),
    ("rollback-downgrade", "what users follow would go back, and nobody asked for that",
     "go forward, finish the move that has begun, or say --allow-downgrade"),
    ("rollback-minor", "the version is of another minor than the one that the channel has",
     "go forward: release and promote the next version"),
    ("rollback-forward", "the version is not below the one that the channel has",
     "promote it: invoke channel.promote --to NAME --version V"),
    ("rollback-unknown", "the version was never in the channel by its record", "choose one that was"),
)  # fmt: skip

ELSEWHERE: tuple[Rule, ...] = (
    *IN_THE_CONFIGURATION,
    *BEFORE_A_VERSION,
    *OF_A_RECORD,
    *AT_A_STEP,
    *OF_A_PROOF,
    *OF_A_POINTER,
    *OF_A_MOVE,
    *OF_WAIVERS,
    *OF_FLEET_SYNC,
    *OF_A_WINDOW,
    *OF_FLEET_STATUS,
    *OF_ADOPTION,
    *OF_A_CHANNEL,
    *OF_A_ROLLBACK,
    *OF_HEALTH,
)
