"""Time and memory of the graph on chains of depth 10 … 100,000: do they grow in proportion to the depth?

A chain repeats y ← tanh(y·w + b) on arrays of 32 numbers; its depth is its number of operations. Five
things are measured: building it, differentiating it by (x, w, b), preparing the evaluation of value and
gradients, and evaluating the value alone and with all gradients. The slope is that of the straight line
fitted to log(cost) against log(depth): 1 means proportional. Time is processor time, which does not count
the turns of other processes.
"""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import numpy as np

import spusk as sp
import spusk.numpy as snp
from benchmarks.options import Options
from spusk.graph import Evaluator

DEPTHS = (10, 100, 1_000, 10_000, 100_000)
WIDTH = 32
REPEATABLE = ("value", "value and gradients")
PHASES = ("build", "differentiate", "prepare", "value", "value and gradients")
TIME_SLOPE, MEMORY_SLOPE = "1.00 ± 0.05", "≤ 1.05"  # fixed costs make short chains dear
BUILD_TARGET = 20.0  # µs a node, building plus differentiating
RATIO_TARGET = 3.0

Figures = dict[str, dict[int, float]]


def chain(depth: int, x: sp.Tensor, w: sp.Tensor, b: sp.Tensor) -> sp.Tensor:
    """So many operations, one after the other."""
    y = x
    for _ in range(depth // 3):
        y = snp.tanh(y * w + b)
    if depth % 3:
        y = y * w
    return y + b if depth % 3 == 2 else y


def phases(depth: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is measured, in order: a name, and the function whose cost counts."""
    x, w, b = (sp.input(label, (WIDTH,), "float32") for label in "xwb")
    rng = np.random.default_rng(0)
    values = [rng.uniform(0.5, 1.0, WIDTH).astype("float32") for _ in range(3)]
    kept: dict[str, Any] = {}

    def build() -> None:
        kept["y"] = chain(depth, x, w, b)

    def differentiate() -> None:
        kept["gradients"] = sp.backprop(kept["y"], [x, w, b], cotangent=np.ones(WIDTH, "float32"))

    def prepare() -> None:
        kept["both"] = Evaluator([kept["y"], *kept["gradients"]], [x, w, b])

    yield "build", build
    yield "differentiate", differentiate
    yield "prepare", prepare
    value = Evaluator([kept["y"]], [x, w, b])
    yield "value", lambda: value(*values)
    yield "value and gradients", lambda: kept["both"](*values)


def seconds(depth: int, repetitions: int) -> dict[str, float]:
    """The median processor time of each phase, every repetition with a fresh graph.

    An evaluation is timed the second time, as in a loop: ten nodes take less than cold caches add to them.
    """
    found: dict[str, list[float]] = {name: [] for name in PHASES}
    for _ in range(repetitions):
        for name, phase in phases(depth):
            if name in REPEATABLE:
                phase()
            start = process_time()
            phase()
            found[name].append(process_time() - start)
    return {name: statistics.median(times) for name, times in found.items()}


def peak_bytes(depth: int) -> dict[str, float]:
    """How far the memory in use rises in each phase, above what was in use before it."""
    found: dict[str, float] = {}
    tracemalloc.start()
    try:
        for name, phase in phases(depth):
            gc.collect()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            phase()
            found[name] = float(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return found


def measure(depths: tuple[int, ...], rounds: int) -> tuple[Figures, Figures]:
    """Times and peaks by phase and depth.

    Rounds go over all depths, and of the rounds' medians the best one counts: what else runs on the
    machine can only add to a time.
    """
    seconds(100, 5)  # warm up
    samples: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for depth in depths:
            gc.collect()
            for name, time in seconds(depth, max(1, 3000 // depth)).items():
                samples.setdefault((name, depth), []).append(time)
    times = {name: {d: min(samples[name, d]) for d in depths} for name in PHASES}
    peaks_by_depth = {d: peak_bytes(d) for d in depths}
    peaks = {name: {d: peaks_by_depth[d][name] for d in depths} for name in PHASES}
    return times, peaks


def slope(costs: dict[int, float]) -> float:
    """The slope of the least-squares line through (log depth, log cost)."""
    return float(np.polyfit(np.log(list(costs)), np.log(list(costs.values())), 1)[0])


def table(title: str, unit: str, figures: Figures, scale: float, target: str) -> str:
    depths = list(figures["build"])
    lines = [
        f"| {title}, {unit} a node | {' | '.join(PHASES)} |",
        f"|---{'|---:' * len(PHASES)}|",
        *(
            f"| depth {d:,} | {' | '.join(f'{scale * figures[p][d] / d:,.2f}' for p in PHASES)} |"
            for d in depths
        ),
        f"| slope (target {target}) | {' | '.join(f'{slope(figures[p]):.3f}' for p in PHASES)} |",
    ]
    return "\n".join(lines)


def run(options: Options) -> tuple[str, dict[str, Any]]:
    rounds = options.repeats or (1 if options.quick else 5)
    times, peaks = measure(DEPTHS[:-1] if options.quick else DEPTHS, rounds)
    deepest = max(times["build"])
    building = {d: 1e6 * (times["build"][d] + times["differentiate"][d]) / d for d in times["build"]}
    value = times["value"][deepest]
    ratio = (times["value and gradients"][deepest] - value) / value
    text = "\n\n".join(
        [
            table("processor time", "µs", times, 1e6, TIME_SLOPE),
            table("peak memory", "bytes", peaks, 1.0, MEMORY_SLOPE),
            f"Building plus differentiating: {max(building.values()):.1f} µs a node at worst "
            f"(target ≤ {BUILD_TARGET:.0f}).\n"
            f"Gradients beyond the value / value, at depth {deepest:,}: {ratio:.2f} "
            f"(target ≤ {RATIO_TARGET:.0f}).",
        ]
    )
    data = {
        "seconds": times,
        "peak_bytes": peaks,
        "slopes": {
            "seconds": {p: slope(times[p]) for p in PHASES},
            "peak_bytes": {p: slope(peaks[p]) for p in PHASES},
        },
        "build_and_differentiate_us_per_node": building,
        "gradients_over_value": ratio,
    }
    return text, data
