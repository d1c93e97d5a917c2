"""What is printed: progress on a terminal, the mutants that live, and the score."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from tools.mutants.equivalent import Key, key
from tools.mutants.mutant import Mutant
from tools.mutants.results import Outcome

EVERY = 60
"""Seconds between two lines of progress where there is no terminal."""


class Progress:
    """Tells how far it is and how long it will take: on a terminal in one line; elsewhere in a line a minute,
    with a line for each unexplained survivor and for each finished file.
    """

    def __init__(
        self, mutants: Sequence[Mutant], explained: Mapping[Key, str], known: Sequence[Outcome] = ()
    ) -> None:
        self.outcomes = list(known)
        self.alive = sum(self._lives(o, explained) for o in known)
        self._left, self._explained = Counter(m.file for m in mutants), explained
        self._left.subtract(o.mutant.file for o in known)
        self._total, self._known = len(mutants), len(known)
        self._shows = sys.stderr.isatty()
        self._began = self._told = time.monotonic()

    def __call__(self, outcome: Outcome) -> None:
        file = outcome.mutant.file
        self.outcomes.append(outcome)
        self._left[file] -= 1
        lives = self._lives(outcome, self._explained)
        self.alive += lives
        if self._shows:
            print(f"\r\x1b[K{self._line()}, {file}", end="", file=sys.__stderr__, flush=True)
            return
        if lives:
            print(f"alive: {outcome.mutant}", file=sys.__stderr__, flush=True)
        if not self._left[file]:
            counts = _counts([o for o in self.outcomes if o.mutant.file == file], self._explained)
            said = "{} mutants, {} killed, {} explained, {} alive".format(*counts)
            print(f"{file}: {said}", file=sys.__stderr__, flush=True)
        if time.monotonic() - self._told > EVERY:
            self._told = time.monotonic()
            print(self._line(), file=sys.__stderr__, flush=True)

    def _line(self) -> str:
        done = len(self.outcomes)
        each = (time.monotonic() - self._began) / (done - self._known)
        left = f"{each * (self._total - done) / 60:.0f} min left ({each:.2f} s each)"
        return f"{done:,} of {self._total:,} mutants, {self.alive} alive, {left}"

    @staticmethod
    def _lives(outcome: Outcome, explained: Mapping[Key, str]) -> bool:
        return outcome.alive and key(outcome.mutant) not in explained


def alive(outcomes: Sequence[Outcome], explained: Mapping[Key, str], verbose: bool) -> str:
    """The mutants that live; with `verbose` also those that are explained, and why."""
    lines: list[str] = []
    for outcome in outcomes:
        mutant = outcome.mutant
        if outcome.alive:
            reason = explained.get(key(mutant))
            if reason is None:
                lines.append(f"alive: {mutant}")
            elif verbose:
                lines.append(f"explained: {mutant}\n    {reason}")
    return "\n".join([*lines, ""])


def table(outcomes: Sequence[Outcome], explained: Mapping[Key, str]) -> str:
    """By file: mutants, killed, explained, alive; and the score, killed of those that change something."""
    files = sorted({o.mutant.file for o in outcomes})
    rows = [(file, *_counts([o for o in outcomes if o.mutant.file == file], explained)) for file in files]
    total = tuple(sum(row[i] for row in rows) for i in range(1, 5))
    width = max(len(file) for file in [*files, "all"])
    head = f"{'file':{width}}  mutants  killed  explained  alive"
    lines = [f"{f:{width}}  {n:7,}  {k:6,}  {e:9,}  {a:5,}" for f, n, k, e, a in [*rows, ("all", *total)]]
    n, k, e, _ = total
    score = 100 * k / (n - e) if n > e else 100.0
    rule = "  ".join("-" * n for n in (width, 7, 6, 9, 5))
    return "\n".join(
        [
            head,
            rule,
            *lines,
            f"score: {score:.1f} % of the {n - e:,} mutants that change something are killed",
        ]
    )


def _counts(outcomes: Sequence[Outcome], explained: Mapping[Key, str]) -> tuple[int, int, int, int]:
    killed = sum(not o.alive for o in outcomes)
    known = sum(o.alive and key(o.mutant) in explained for o in outcomes)
    return len(outcomes), killed, known, len(outcomes) - killed - known
