"""Time to a first result: imports, and compiling training steps, in fresh processes with and without a cache.

Compiling is making the training and doing it for the first time, less the time of doing it again: two steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks import problems
from benchmarks.contender import Contender
from benchmarks.depth import slope
from benchmarks.fresh import Starts, imports, starts
from benchmarks.options import Options
from benchmarks.steps import OURS, QUICK
from benchmarks.table import Row, Target, data, markdown
from benchmarks.timing import Absent, Outcome

CORES = 1
REPEATS = 5
STEPS = 2
LAYERS = (100, 1000)
IMPORTS = {"ours": "spusk", "torch": "torch", "jax": "jax, optax"}


def peers(left_out: str = "") -> list[Contender]:
    """Those that compile. `left_out` is why `torch.compile` is not run, if it is not."""
    given = {"threads": CORES}
    torch = ("torch",)
    return [
        Contender("torch.compile", "benchmarks.peers.torch_mlp:compiled", torch, given, left_out),
        Contender("jax", "benchmarks.peers.jax_mlp:training", ("jax", "optax")),
    ]


def import_row(options: Options) -> Row:
    found = imports(IMPORTS, options.repeats_or(REPEATS))
    return Row("import, fresh process", "s", found.pop("ours"), found, Target(at_most=0.4), scale=1)


def digits_rows(options: Options) -> Iterator[Row]:
    """The digits step: compiled cold, compiled from the cache, and all that precedes a first result."""
    problem = problems.digits(epochs=1, steps=STEPS)
    contenders = [c.given(problem=problem) for c in (OURS, *peers())]
    found = starts(contenders, CORES, options.repeats_or(REPEATS))
    yield _row("digits MLP + Adam: compile, empty cache", found, Target(at_most=0.5))
    yield _row("digits MLP + Adam: compile, cached", found, Target(at_most=0.05), cached=True)
    yield _row("digits MLP + Adam: import and compile, empty cache", found, Target(), imports=True)
    yield _row("digits MLP + Adam: import and compile, cached", found, Target(), cached=True, imports=True)


def deep_rows(options: Options) -> Iterator[Row]:
    """Deep networks: ours at all sizes, the peers at the first."""
    for i, layers in enumerate(layers_of(options)):
        problem = problems.deep(layers, steps=STEPS)
        sides = [OURS, *(peers(QUICK if options.quick else "") if i == 0 else [])]
        repeats = options.repeats or 1
        found = starts([c.given(problem=problem) for c in sides], CORES, repeats)
        yield _row(f"{layers:,}-layer MLP: compile, empty cache", found, Target())


def layers_of(options: Options) -> tuple[int, ...]:
    return (10, 100) if options.quick else LAYERS


def _row(
    work: str,
    found: dict[str, Starts | Absent],
    target: Target,
    *,
    cached: bool = False,
    imports: bool = False,
) -> Row:
    outcomes: dict[str, Outcome] = {
        name: side if isinstance(side, Absent) else side.times(cached=cached, imports=imports)
        for name, side in found.items()
    }
    return Row(work, "s", outcomes.pop("ours"), outcomes, target, scale=1)


def run(options: Options) -> tuple[str, dict[str, Any]]:
    deep = list(deep_rows(options))
    found = [import_row(options), *digits_rows(options), *deep]
    costs = {
        layers: row.ours.median
        for layers, row in zip(layers_of(options), deep, strict=True)
        if not isinstance(row.ours, Absent)
    }
    growth = slope(costs) if len(costs) > 1 else None
    told = "unknown" if growth is None else f"{growth:.2f}"
    sizes = " and ".join(f"{layers:,}" for layers in layers_of(options))
    text = f"{markdown(found)}\n\nLog-log slope of our compile time over {sizes} layers: {told}."
    return text, {**data(found), "slope": growth}
