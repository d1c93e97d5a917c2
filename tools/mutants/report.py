"""What is printed: progress on a terminal, the mutants that live, and the score."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from tools.mutants.equivalent import Key, key
from tools.mutants.mutant import Mutant
from tools.mutants.runner import Outcome


class Progress:
    """Tells how far it is: in one line on a terminal, elsewhere unexplained survivors and finished files."""

    def __init__(self, mutants: Sequence[Mutant], explained: Mapping[Key, str]) -> None:
        self.outcomes: list[Outcome] = []
        self.alive = 0
        self._left, self._explained = Counter(m.file for m in mutants), explained
        self._total = len(mutants)
        self._shows = sys.stderr.isatty()

    def __call__(self, outcome: Outcome) -> None:
        file = outcome.mutant.file
        self.outcomes.append(outcome)
        self._left[file] -= 1
        lives = outcome.alive and key(outcome.mutant) not in self._explained
        self.alive += lives
        if self._shows:
            at = f"{len(self.outcomes)} of {self._total} mutants, {self.alive} alive, {file}"
            print(f"\r\x1b[K{at}", end="", file=sys.__stderr__, flush=True)
            return
        if lives:
            print(f"alive: {outcome.mutant}", file=sys.__stderr__, flush=True)
        if not self._left[file]:
            counts = _counts([o for o in self.outcomes if o.mutant.file == file], self._explained)
            said = "{} mutants, {} killed, {} explained, {} alive".format(*counts)
            print(f"{file}: {said}", file=sys.__stderr__, flush=True)


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
