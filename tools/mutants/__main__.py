"""The command `python -m tools.mutants`."""

from __future__ import annotations

import argparse
import datetime
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

for _library in ("OMP", "OPENBLAS", "MKL"):  # one thread each: a forked process would lose the others
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from tools.mutants import equivalent, runner  # noqa: E402 (NumPy reads the environment when imported)
from tools.mutants.mutant import ROOT, SOURCE, Mutant, mutants  # noqa: E402
from tools.mutants.operators import OPERATORS  # noqa: E402
from tools.mutants.report import Progress, alive, table  # noqa: E402
from tools.mutants.results import KEPT, Outcome, Results  # noqa: E402

PICTURES = ("plot",)
"""Modules without a formula: what they draw is looked at."""

ROOMS = (SOURCE / "spusk" / "optim", SOURCE / "spusk" / "init")
SAMPLE = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the mutants, list or run them, print the score; 1 if one lives that is not explained."""
    options = _parser().parse_args(arguments)
    files = dict.fromkeys(f.resolve() for path in options.only or ROOMS for f in _files(path))
    present = [m for f in files for m in mutants(f) if options.operator in (None, m.operator)]
    every = _sample(present, options.sample) if options.sample else present
    if options.list:
        print(*every, f"{len(every)} mutants in {len({m.file for m in every})} files", sep="\n")
        return 0

    if options.anew:
        options.kept.unlink(missing_ok=True)
    results, explained = Results(options.kept), equivalent.read()
    known = [outcome for m in every if (outcome := results.get(m))]
    progress = Progress(every, explained, known)

    def done(outcome: Outcome) -> None:
        results.put(outcome)
        progress(outcome)

    told = {o.mutant.digest for o in known}
    left: dict[Path, list[Mutant]] = {}
    for mutant in every:
        if mutant.digest not in told:
            left.setdefault(ROOT / mutant.file, []).append(mutant)
    try:
        runner.run(list(left.items()), options.jobs, done)
    except KeyboardInterrupt:
        print(f"\ninterrupted: {len(progress.outcomes)} of {len(every)} are known; the same command goes on")
        return 130
    print(alive(progress.outcomes, explained, options.verbose))
    print(table(progress.outcomes, explained))
    looked_at = {m.file for m in present} if options.operator is None else set[str]()
    stale = equivalent.unmatched(explained, present, looked_at)
    for found in stale:
        print(f"equivalent.toml explains a mutant that is not there: {' | '.join(found)}")
    refuted = [o.mutant for o in progress.outcomes if not o.alive and equivalent.key(o.mutant) in explained]
    for mutant in refuted:
        print(f"equivalent.toml explains a mutant that a test kills: {mutant}")
    return 1 if stale or refuted or progress.alive else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tools.mutants", description="Do the tests of update rules and initialisers see a fault?"
    )
    add = parser.add_argument
    add("--only", nargs="+", type=Path, metavar="PATH", help="files or folders; default: optim and init")
    add("--operator", choices=sorted(OPERATORS), metavar="NAME", help="one change: " + ", ".join(OPERATORS))
    add(
        "--sample", nargs="?", type=int, const=SAMPLE, metavar="N",
        help=f"so many of them, {SAMPLE} if no number is given; others every day",
    )  # fmt: skip
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes; default: cores")
    add("--anew", action="store_true", help="forget what earlier runs have found")
    add("--kept", type=Path, default=KEPT, metavar="FILE", help=f"what runs have found; default: {KEPT.name}")
    add("--list", action="store_true", help="print the mutants and run nothing")
    add("--verbose", action="store_true", help="say why those that live change nothing")
    return parser


def _sample(mutants: Sequence[Mutant], count: int) -> list[Mutant]:
    """So many, in the order of the text, drawn anew every day."""
    day = datetime.date.today().toordinal()
    chosen = random.Random(day).sample(range(len(mutants)), min(count, len(mutants)))
    return [mutants[i] for i in sorted(chosen)]


def _files(path: Path) -> list[Path]:
    if not path.exists():
        sys.exit(f"{path} is neither a file nor a folder")
    return [f for f in sorted(path.rglob("*.py")) if f.stem not in PICTURES] if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main())
