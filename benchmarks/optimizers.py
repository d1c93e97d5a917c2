"""Each elementwise rule's update alone, on 1 and 20 million float32 weights: GB/s beside copy and PyTorch.

Each is measured as a program of ours, and inside PyTorch as a `torch.optim.Optimizer`.

The bytes counted are what the rule must move: weights and state read and written, the gradient read.
Two loops over as much memory stand beside it: one copies, one changes an array in place, as a rule does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks import ceilings
from benchmarks.agreement import deviations
from benchmarks.contender import Contender
from benchmarks.options import Options
from benchmarks.table import Row, Target, data, markdown, number
from benchmarks.timing import Absent, Outcome, race

SIZES = (1_000_000, 20_000_000)
REPEATS = 7
STEPS = 40
"""In one run of the program, whose arrays go in and out once: that takes about as long as two steps."""
SLOTS = {
    "sgd": 0,
    "momentum": 1,
    "nesterov": 1,
    "adagrad": 1,
    "rmsprop": 1,
    "adadelta": 2,
    "adam": 2,
    "adamax": 2,
    "nadam": 2,
    "radam": 2,
}
"""The elementwise rules, and how many numbers each keeps for a weight."""
ON_TWO_CORES = ("adam",)
SHARE_OF_COPY = 0.9
VARIANTS = {"foreach": "torch foreach", "fused": "torch fused"}
FUSED = ("sgd", "momentum", "nesterov", "adagrad", "adam")
NOT_FUSED = "torch has no fused version of it"


def bytes_moved(name: str, n: int) -> int:
    """What a step on n float32 weights must at least move."""
    return 4 * n * (3 + 2 * SLOTS[name])


def measure(name: str, n: int, cores: int, options: Options, *, inside: bool = False) -> Row:
    """Race one rule's update against torch's and a copy within as much memory.

    Args:
        inside: whether ours is the one inside torch, `spusk.interop.torch.Optimizer`.
    """
    steps = 10 if options.quick else STEPS
    work = {"name": name, "n": n, "steps": steps}
    contenders = [Contender("ours", "benchmarks.ours.update:updates").given(**work)]
    if inside:
        adapter = Contender("ours", "benchmarks.ours.torch_update:updates", ("torch",))
        contenders = [adapter.given(**work, threads=cores)]
    for variant, heading in VARIANTS.items():
        left_out = NOT_FUSED if variant == "fused" and name not in FUSED else ""
        torch = Contender(heading, "benchmarks.peers.torch_update:updates", ("torch",), left_out=left_out)
        contenders.append(torch.given(**work, variant=variant, threads=cores))
    limits = [limit.given(size=4 * n * (2 + SLOTS[name])) for limit in (ceilings.COPY, ceilings.IN_PLACE)]
    found = race([*contenders, *limits], cores=cores, repeats=options.repeats_or(REPEATS))
    ours, copied, in_place = (found.pop(key) for key in ("ours", "copy", "in place"))
    moved = bytes_moved(name, n)
    speed = gigabytes(copied)
    reach = None if speed is None else float(f"{SHARE_OF_COPY * speed:.3g}")
    fastest = {heading: 1.0 for heading, peer in found.items() if not isinstance(peer, Absent)}
    return Row(
        work=f"{name}{' inside torch' * inside}, {n // 1_000_000} M weights, {cores} core{'s' * (cores > 1)}",
        unit="GB/s",
        ours=ours,
        peers=found,
        target=Target(at_least=reach, ratios=fastest),
        scale=1e-9,
        rate=moved,
        ceiling=f"copy {number(gigabytes(copied))}, in place {number(gigabytes(in_place))}",
        deviations=deviations(ours, found),
        tolerance=1e-4,
    )


def rows(options: Options) -> Iterator[Row]:
    for n in SIZES[:1] if options.quick else SIZES:
        for name in SLOTS:
            for cores in (1, 2) if name in ON_TWO_CORES else (1,):
                yield measure(name, n, cores, options)
                yield measure(name, n, cores, options, inside=True)


def milliseconds(found: list[Row]) -> str:
    """The same measurements as times of a step."""
    lines = ["| ms a step | ours | torch foreach | torch fused |", "|---|---:|---:|---:|"]
    for row in found:
        outcomes = (row.ours, *(row.peers[heading] for heading in VARIANTS.values()))
        cells = [number(None if isinstance(o, Absent) else 1e3 * o.median) for o in outcomes]
        lines.append(f"| {row.work} | {' | '.join(cells)} |")
    return "\n".join(lines)


def gigabytes(limit: Outcome) -> float | None:
    """GB/s of a ceiling whose unit is a byte."""
    return None if isinstance(limit, Absent) else 1e-9 / limit.median


def copies(options: Options) -> dict[str, float | None]:
    """GB/s of loops within half a second-level cache and within 256 MiB, on one core."""
    sizes = {"L2": ceilings.l2_bytes() // 2, "memory": 1 << 28}
    limits = [
        replace(limit, name=f"{limit.name} in {where}").given(size=size)
        for where, size in sizes.items()
        for limit in (ceilings.COPY, ceilings.IN_PLACE)
    ]
    found = race(limits, cores=1, repeats=options.repeats_or(REPEATS), evidence=False)
    return {name: gigabytes(limit) for name, limit in found.items()}


def run(options: Options) -> tuple[str, dict[str, Any]]:
    copied = copies(options)
    found = list(rows(options))
    told = ", ".join(f"{name} {number(speed)} GB/s" for name, speed in copied.items())
    text = f"{markdown(found)}\n\n{milliseconds(found)}\n\nOn one core: {told} (bytes read and written)."
    return text, {**data(found), "copies_gb_per_second": copied}
