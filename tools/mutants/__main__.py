"""The command `python -m tools.mutants`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

for _library in ("OMP", "OPENBLAS", "MKL"):  # one thread each: a forked process would lose the others
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from tools.mutants import equivalent, runner  # noqa: E402 (NumPy reads the environment when imported)
from tools.mutants.mutant import SOURCE, mutants  # noqa: E402
from tools.mutants.operators import OPERATORS  # noqa: E402
from tools.mutants.report import Progress, alive, table  # noqa: E402

PICTURES = ("plot",)
"""Modules without a formula: what they draw is looked at."""

ROOMS = (SOURCE / "spusk" / "optim", SOURCE / "spusk" / "init")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the mutants, list or run them, print the score; 1 if one lives that is not explained."""
    options = _parser().parse_args(arguments)
    files = [f for path in options.paths or ROOMS for f in _files(path)]
    work = [(f, [m for m in mutants(f) if options.only in (None, m.operator)]) for f in files]
    work = [(f, ms) for f, ms in work if ms]
    every = [m for _, ms in work for m in ms]
    if options.list:
        print(*every, f"{len(every)} mutants in {len(work)} files", sep="\n")
        return 0

    explained = equivalent.read()
    progress = Progress(every, explained)
    runner.run(work, options.jobs, progress)
    print(alive(progress.outcomes, explained, options.verbose))
    print(table(progress.outcomes, explained))
    stale = equivalent.unmatched(explained, every, {m.file for m in every}) if options.only is None else []
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
    add("paths", nargs="*", type=Path, metavar="PATH", help="files or folders; default: optim and init")
    add("--list", action="store_true", help="print the mutants and run nothing")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes; default: cores")
    add("--only", choices=sorted(OPERATORS), metavar="NAME", help="one operator: " + ", ".join(OPERATORS))
    add("--verbose", action="store_true", help="say why those that live change nothing")
    return parser


def _files(path: Path) -> list[Path]:
    if not path.exists():
        sys.exit(f"{path} is neither a file nor a folder")
    return [f for f in sorted(path.rglob("*.py")) if f.stem not in PICTURES] if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main())
