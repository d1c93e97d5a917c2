"""Time to import spusk in a fresh process, and how much of it NumPy takes.

Wall time is what a user waits; processor time is what is left of it when the machine does nothing else. Of
each, the shortest of several processes counts: what else runs on the machine can only add to it. A process
before them compiles the modules to bytecode, which an installed package has, whatever
PYTHONDONTWRITEBYTECODE says.
"""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.options import Options

TARGET = 0.4  # seconds
CODE = (
    "from time import perf_counter, process_time; wall, cpu = perf_counter(), process_time(); import {}; "
    "print(perf_counter() - wall, process_time() - cpu)"
)


def seconds(module: str, bytecode: str) -> tuple[float, float]:
    """Wall and processor time of importing a module in a process of its own, with this folder's bytecode."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-c", CODE.format(module)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


def run(options: Options) -> tuple[str, dict[str, Any]]:
    data: dict[str, Any] = {}
    with TemporaryDirectory() as bytecode:
        for module in ("numpy", "spusk"):
            seconds(module, bytecode)
            times = [seconds(module, bytecode) for _ in range(options.repeats_or(20))]
            walls, cpus = zip(*times, strict=True)
            data[module] = {"wall_seconds": min(walls), "cpu_seconds": min(cpus)}
    rows = [f"| {m} | {data[m]['wall_seconds']:.3f} | {data[m]['cpu_seconds']:.3f} |" for m in data]
    head = ["| import | wall, s | processor, s |", "|---|---:|---:|"]
    return "\n".join([*head, *rows, f"\nTarget for spusk: ≤ {TARGET} s."]), data
