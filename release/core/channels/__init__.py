"""What a channel takes, and when: the rules of promotion and of going back. Pure: facts in, verdicts out.

`refusals.REFUSALS` is the table of contents: a rule a function. `judgement` asks them all and chooses the next release,
`back` judges the way back, `doubts` the list of releases, and `violations` what somebody did without asking.
"""

from __future__ import annotations

from release.core.channel_facts import Offer, Seen, Verdict, Wait
from release.core.channels.back import default_back, judged_back
from release.core.channels.doubts import doubts
from release.core.channels.judgement import WAIVABLE, chosen, judged, unfit, unwaivable
from release.core.channels.places import current, followed, key_of, lines_of, ordered, recorded, takes
from release.core.channels.refusals import astray
from release.core.channels.violations import violations

__all__ = [
    "WAIVABLE",
    "Offer",
    "Seen",
    "Verdict",
    "Wait",
    "astray",
    "chosen",
    "current",
    "default_back",
    "doubts",
    "followed",
    "judged",
    "judged_back",
    "key_of",
    "lines_of",
    "ordered",
    "recorded",
    "takes",
    "unfit",
    "unwaivable",
    "violations",
]
