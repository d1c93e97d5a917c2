"""The main job from a cold start: `spusk compare digits` in a new process with an empty code cache.

With --full also a large study: 13 optimizers × 13 rates × 10 seeds × 20 epochs, 1,690 trainings.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.contender import environment
from benchmarks.options import Options
from benchmarks.table import Row, data, markdown
from benchmarks.timing import Absent, Times, say

REPEATS = 3
QUICK = ("--optimizers", "sgd,adam", "--seeds", "1", "--epochs", "2")
RATES = ",".join(f"{rate:.3g}" for rate in np.geomspace(1e-5, 10, 13))
FULL = ("--lrs", RATES, "--seeds", "10", "--epochs", "20")


def study(arguments: Sequence[str]) -> tuple[float, dict[str, Any]]:
    """Seconds from the start of the process to its end, and what it wrote.

    Raises:
        subprocess.CalledProcessError: if the command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "study.json")
        command = ["-m", "spusk", "compare", "digits", "--no-progress", "--json", str(written), *arguments]
        began = perf_counter()
        subprocess.run(
            [sys.executable, *command],
            env=environment(extra={"SPUSK_CACHE_DIR": folder}),
            check=True,
            capture_output=True,
        )
        return perf_counter() - began, json.loads(written.read_text(encoding="utf-8"))


def measure(work: str, arguments: Sequence[str], repeats: int) -> list[Row]:
    """The study's time, and what that makes in trainings and in steps a second."""
    seconds: list[float] = []
    runs: list[dict[str, Any]] = []
    for _ in range(repeats):
        say(work)
        try:
            taken, written = study(arguments)
        except subprocess.CalledProcessError as error:
            lines = error.stderr.decode(errors="replace").strip().splitlines()
            reason = f"the command ended with status {error.returncode}: {lines[-1] if lines else ''}"
            return [Row(work, "s", Absent(reason))]
        seconds.append(taken)
        runs = written["runs"]
    ours, steps = Times(tuple(seconds)), sum(run["steps"] for run in runs)
    return [
        Row(work, "s", ours, scale=1),
        Row(work, "trainings/s", ours, scale=1, rate=len(runs)),
        Row(work, "steps/s", ours, scale=1, rate=steps),
    ]


def run(options: Options) -> tuple[str, dict[str, Any]]:
    if options.quick:
        found = measure("compare digits, 2 optimizers, 1 seed, 2 epochs", QUICK, options.repeats_or(REPEATS))
    else:
        found = measure("compare digits, cold start", (), options.repeats_or(REPEATS))
    if options.full:
        found += measure("13 optimizers × 13 rates × 10 seeds × 20 epochs", FULL, options.repeats or 1)
    return markdown(found), data(found)
