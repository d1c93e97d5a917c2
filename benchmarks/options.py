"""What the command line says about a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How thorough a run is.

    Args:
        quick: smaller sizes and few repeats: shows that all works, its times mean little.
        repeats: repeats of each measurement; default: what the benchmark finds enough.
        full: also the parts that take long.
        only: the methods that are measured; default: all.
        cores: numbers of processors; default: what the benchmark finds enough.
    """

    quick: bool = False
    repeats: int | None = None
    full: bool = False
    only: tuple[str, ...] = ()
    cores: tuple[int, ...] = ()

    def wants(self, method: str) -> bool:
        """Whether this method is to be measured."""
        return not self.only or method in self.only

    def repeats_or(self, usual: int) -> int:
        """The number asked for; else 2 when quick, else the usual number."""
        return self.repeats or (2 if self.quick else usual)
