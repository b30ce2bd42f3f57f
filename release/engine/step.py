"""What a step is, and what it may know when it looks or acts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from release.core.finding import Conflict, Done, Finding

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Step(ABC, Generic[T_co]):
    """Makes one thing true of the world, and knows how to see whether it is.

    `public`: others can see it once it is Done. `means`: made only while something that needs it is not Done.
    `settle` is how many seconds the world may lag behind an `apply`; `pace` the longest pause between two looks at what
    is under way, in seconds: who is asked often may have a limit.
    """

    name: str

    public: ClassVar[bool] = False
    means: ClassVar[bool] = False
    settle: ClassVar[float] = 10.0
    pace: ClassVar[float] = 1.0

    @property
    def deadline(self) -> float:
        """How many seconds to wait for somebody else's turn."""
        return 600.0

    @cached_property
    def needs(self) -> tuple[Step[Any], ...]:
        """The steps it holds: what it holds, it needs."""
        held = (getattr(self, field.name) for field in fields(self))
        flat = (one for some in held for one in (some if isinstance(some, tuple) else (some,)))
        return tuple(one for one in flat if isinstance(one, Step))

    def preflight(self) -> tuple[Conflict, ...]:
        """What would refuse us: tools, rights, names. Asked only of what is Pending; writes nothing."""
        return ()

    @abstractmethod
    def inspect(self, known: Known) -> Finding[T_co]:
        """Look; write nothing. A need may not be Done yet: `known.get` then gives None."""

    @abstractmethod
    def apply(self, known: Known, say: Say) -> None:
        """Act; called only when all needs are Done and the finding is Pending or Failed."""


class Known:
    """What a step may read: the values of the steps it holds."""

    def __init__(self, reader: Step[Any], found: Mapping[Step[Any], Finding[Any]]) -> None:
        self._found = {need: found.get(need) for need in reader.needs}

    def get(self, step: Step[T]) -> T | None:
        finding = self._found[step]
        return finding.value if isinstance(finding, Done) else None

    def __getitem__(self, step: Step[T]) -> T:
        finding = self._found[step]
        assert isinstance(finding, Done), f"{step.name} is not done"
        value: T = finding.value
        return value
