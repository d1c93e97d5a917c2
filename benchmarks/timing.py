"""The race: contenders take turns, repeat after repeat, and medians are compared."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contender import Contender, Failure, Pool, Worker
from benchmarks.trial import Evidence

AT_LEAST = 0.05
"""Seconds that one repeat fills, so that the clock and the request do not matter."""


@dataclass(frozen=True)
class Times:
    """What was measured of one contender.

    Args:
        seconds: a unit, one number for each repeat.
        first: seconds from the call of the factory to the end of the first work: preparation and compilation.
        evidence: what it computed, by name.
        note: what the reader should know.
    """

    seconds: tuple[float, ...]
    first: float = 0.0
    evidence: Evidence = field(default_factory=dict[str, Any])
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """From the fastest to the slowest repeat, as a share of the median."""
        return (max(self.seconds) - min(self.seconds)) / self.median


@dataclass(frozen=True)
class Absent:
    """A contender without figures, and why."""

    reason: str


Outcome = Times | Absent


def ratio(theirs: Outcome, ours: Outcome) -> float | None:
    """Their time over ours: above 1, we are faster. None if either has no figures."""
    if isinstance(theirs, Absent) or isinstance(ours, Absent):
        return None
    return theirs.median / ours.median


def race(
    contenders: Sequence[Contender],
    *,
    cores: int,
    repeats: int,
    at_least: float = AT_LEAST,
    evidence: bool = True,
    pool: Pool | None = None,
) -> dict[str, Outcome]:
    """Time the contenders on the same work, in turns: A B C A B C …

    Args:
        contenders: their names must differ.
        cores: how many processors each may use.
        repeats: turns of each.
        at_least: seconds that each turn fills.
        evidence: whether to ask what they computed.
        pool: workers to use again; default: each contender gets a new process.

    Returns:
        Name -> `Times`, or `Absent` with the reason, in the order of `contenders`.
    """
    found: dict[str, Outcome] = {}
    with ExitStack() as stack:
        running: dict[str, _Runner] = {}
        for contender in contenders:
            reason = contender.absence()
            if reason is None:
                runner = _Runner(
                    stack.enter_context(Worker(cores)) if pool is None else pool.worker(contender, cores)
                )
                reason = runner.prepare(contender, evidence)
                running[contender.name] = runner
            if reason is not None:
                running.pop(contender.name, None)
                found[contender.name] = Absent(reason)
        for _ in range(repeats):
            for name, runner in list(running.items()):
                if (reason := runner.turn(at_least)) is not None:
                    found[name] = Absent(reason)
                    del running[name]
        found |= {name: runner.times() for name, runner in running.items()}
    return {contender.name: found[contender.name] for contender in contenders}


class _Runner:
    """A contender under way. Its methods return the reason when it cannot go on."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._seconds: list[float] = []
        self._first, self._note = 0.0, ""
        self._evidence: Evidence = {}

    def prepare(self, contender: Contender, evidence: bool) -> str | None:
        """Make the trial, do its work once, and take its evidence."""
        say(f"preparing {contender.name}")
        try:
            made = self._worker.make(contender)
            self._first, self._note = made["make"] + self._worker.ask("once"), made["note"]
            if evidence:
                self._evidence = self._worker.ask("evidence")
            self._worker.ask("once")  # the second time is the first that is warm, and sizes a turn
        except Failure as failure:
            return str(failure)
        return None

    def turn(self, at_least: float) -> str | None:
        try:
            self._seconds.append(self._worker.ask("repeat", at_least=at_least))
        except Failure as failure:
            return str(failure)
        return None

    def times(self) -> Times:
        return Times(tuple(self._seconds), self._first, self._evidence, self._note)


def say(text: str) -> None:
    """Progress, for a person who waits; on standard error, which is not part of the report."""
    if sys.stderr.isatty():
        print(f"  {text} …", file=sys.stderr, flush=True)
