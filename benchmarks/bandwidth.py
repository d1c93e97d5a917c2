"""The elementwise rules' updates as GB/s on one flat array of float32 weights, beside a copy and PyTorch.

Each is measured as a program of ours, and inside PyTorch as a `torch.optim.Optimizer`.

The bytes counted are what the rule must move: weights and state read and written, the gradient read.
Two loops over as much memory stand beside it: one copies, one changes an array in place, as a rule does.
This is the second part of `python -m benchmarks optimizers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks import ceilings
from benchmarks.agreement import deviations
from benchmarks.contender import Contender, Pool
from benchmarks.methods import Method
from benchmarks.options import Options
from benchmarks.problems import LR
from benchmarks.table import Row, Target, data, markdown, number
from benchmarks.timing import Absent, Outcome, race
from spusk import optim

SIZE, LARGE = 1_000_000, 20_000_000
ON_LARGE = ("adam",)
"""The rules that are measured on LARGE weights too, and on two cores."""
REPEATS = 7
STEPS = 10
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
SHARE_OF_COPY = 0.9
VARIANTS = {"foreach": "torch foreach", "fused": "torch fused"}
NOT_FUSED = "torch has no fused version of it"


def bytes_moved(name: str, n: int) -> int:
    """What a step on n float32 weights must at least move."""
    return 4 * n * (3 + 2 * SLOTS[name])


def rule(name: str) -> optim.Optimizer:
    """The rule as torch has it."""
    return optim.CATALOGUE[name].like("torch", lr=LR)


def measure(name: str, n: int, cores: int, options: Options, pool: Pool, *, inside: bool = False) -> Row:
    """Race one rule's update against torch's and a copy within as much memory.

    Args:
        inside: whether ours is the one inside torch, `spusk.interop.torch.Optimizer`.
    """
    method = Method(name)
    work = {"shapes": {"w": (n,)}, "steps": STEPS}
    ours = Contender("ours", "benchmarks.ours.update:updates")
    ours = ours.given(**work, rule=rule(name), evidence={"w": rule(name)})
    if inside:
        adapter = Contender("ours", "benchmarks.peers.torch_update:adapter", ("torch",))
        ours = adapter.given(**work, rule=rule(name), threads=cores, label="w")
    contenders = [ours]
    peer = method.peers["torch"]
    given = {"path": peer.path, "method": name, "lr": LR, **peer.arguments}
    for variant, heading in VARIANTS.items():
        left_out = NOT_FUSED if variant == "fused" and not method.has_fused else ""
        torch = Contender(heading, "benchmarks.peers.torch_update:library", ("torch",), left_out=left_out)
        contenders.append(torch.given(**work, **given, variant=variant, threads=cores, label="w"))
    limits = [limit.given(size=4 * n * (2 + SLOTS[name])) for limit in (ceilings.COPY, ceilings.IN_PLACE)]
    found = race([*contenders, *limits], cores=cores, repeats=options.repeats_or(REPEATS), pool=pool)
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


def works(options: Options) -> Iterator[tuple[str, int, int]]:
    """Rule, weights and cores of each measurement."""
    for name in SLOTS:
        if not options.wants(name):
            continue
        large = name in ON_LARGE
        for n in (SIZE, LARGE) if large and not options.quick else (SIZE,):
            for cores in options.cores or ((1, 2) if large else (1,)):
                yield name, n, cores


def rows(options: Options, pool: Pool) -> Iterator[Row]:
    for name, n, cores in works(options):
        yield measure(name, n, cores, options, pool)
        yield measure(name, n, cores, options, pool, inside=True)


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


def run(options: Options, pool: Pool) -> tuple[str, dict[str, Any]]:
    """The tables, and the figures; nothing if none of these rules is wanted."""
    if not any(options.wants(name) for name in SLOTS):
        return "", {}
    copied = copies(options)
    found = list(rows(options, pool))
    told = ", ".join(f"{name} {number(speed)} GB/s" for name, speed in copied.items())
    text = f"{markdown(found)}\n\n{milliseconds(found)}\n\nOn one core: {told} (bytes read and written)."
    return text, {**data(found), "copies_gb_per_second": copied}
