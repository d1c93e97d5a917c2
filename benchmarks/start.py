"""Time to import spusk in a fresh process, and how much of it NumPy takes.

Wall time is what a user waits; processor time is what is left of it when the machine does nothing else. Of
each, the shortest of several processes counts: what else runs on the machine can only add to it.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from benchmarks.options import Options

TARGET = 0.4  # seconds
CODE = (
    "from time import perf_counter, process_time; wall, cpu = perf_counter(), process_time(); import {}; "
    "print(perf_counter() - wall, process_time() - cpu)"
)


def seconds(module: str) -> tuple[float, float]:
    """Wall and processor time of importing a module in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(module)], capture_output=True, text=True, check=True
    )
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


def run(options: Options) -> tuple[str, dict[str, Any]]:
    data: dict[str, Any] = {}
    for module in ("numpy", "spusk"):
        walls, cpus = zip(*(seconds(module) for _ in range(options.repeats_or(20))), strict=True)
        data[module] = {"wall_seconds": min(walls), "cpu_seconds": min(cpus)}
    rows = [f"| {m} | {data[m]['wall_seconds']:.3f} | {data[m]['cpu_seconds']:.3f} |" for m in data]
    head = ["| import | wall, s | processor, s |", "|---|---:|---:|"]
    return "\n".join([*head, *rows, f"\nTarget for spusk: ≤ {TARGET} s."]), data
