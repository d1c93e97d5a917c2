"""Every optimizer's update alone, ours and in PyTorch, beside torch.optim, optax and pytorch_optimizer.

A row is a method: ns a step for each parameter of a network 784-512-256-10, or of a small one for the methods
that decompose matrices; the wrappers are around Adam (CyclicalLR and SAM around momentum). Methods that ask
more of the loss than a gradient are measured in a training of the digits network, µs a step with all that
they ask. The columns:

    ours               the method in Spusk's compiled step
    in torch           the same as a torch optimizer, spusk.interop.torch.Optimizer, by native code
    in torch compiled  the same, its `step` called in a function that torch.compile compiles
    in torch, Inductor the same with backend="torch", compile=True: PyTorch's operations, fused
    torch foreach, torch fused, torch compiled, optax, pytorch_optimizer
                       the same method of these libraries, where they have it (else the cell is empty);
                       compiled is torch's foreach version in a function that torch.compile compiles; optax
                       is compiled by JAX, all steps in one loop

A second table tells the elementwise rules' GB/s on 1 million weights, and Adam's on 20 million, beside loops
over as much memory: one copies, one changes an array in place, as a rule does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks import bandwidth, problems
from benchmarks.agreement import deviations
from benchmarks.contender import Contender, Pool
from benchmarks.methods import CLOSURE, METHODS, NOT_IN_TORCH, RANDOM, Method
from benchmarks.options import Options
from benchmarks.table import Row, Target, data, markdown
from benchmarks.timing import Absent, Outcome, race, say

REPEATS = 5
STEPS = 10
"""In one turn; SOAP computes its bases once in so many."""
AT_LEAST, AT_LEAST_QUICK = 0.03, 0.005
CORES = (1,)
INSIDE, COMPILED, INDUCTOR = "in torch", "in torch compiled", "in torch, Inductor"
FOREACH, FUSED, THEIRS_COMPILED = "torch foreach", "torch fused", "torch compiled"
TOLERANCES = {"muon": 1e-2, "soap": 1e-2}
"""Torch multiplies Muon's matrices in bfloat16. SOAP begins with pytorch_optimizer's bases only where the
first gradient has the columns of I as its eigenvectors, which this one has not."""
TOO_LONG = ("shampoo", "soap", "psgdkron")
"""Methods whose loops of matrix products are unrolled: torch.compile took half a minute for PSGD on the small
network, and was not done with SOAP after three."""


def contenders(method: Method, cores: int, options: Options) -> list[Contender]:
    """Ours, ours inside torch, and the peers that have the method."""
    return _in_training(method, cores, options) if method.name in CLOSURE else _alone(method, cores, options)


def _alone(method: Method, cores: int, options: Options) -> list[Contender]:
    work = {"shapes": problems.shapes_of(method.widths), "steps": STEPS}
    rule, torch = method.timed, {"threads": cores}
    evidence = {"ours": rule, **method.presets}
    ours = Contender("ours", "benchmarks.ours.update:updates")
    inside = Contender(INSIDE, "benchmarks.peers.torch_update:adapter", ("torch",))
    inside = inside.given(**work, **torch, rule=rule, label="ours")
    found = [ours.given(**work, rule=rule, evidence=evidence)]
    if method.name not in NOT_IN_TORCH:
        found += [inside, _named(COMPILED, inside).given(compiled=True), _inductor(inside, method, options)]
    for library, peer in method.peers.items():
        given = {**work, "path": peer.path, "method": method.name, "label": library, **peer.arguments}
        if library == "optax":
            found.append(
                Contender(library, "benchmarks.peers.optax_update:updates", ("jax", "optax")).given(**given)
            )
            continue
        needs = ("torch",) if library == "torch" else ("torch", library)
        theirs = Contender(library, "benchmarks.peers.torch_update:library", needs).given(**given, **torch)
        found += _variants(theirs, method, options) if library == "torch" else [theirs]
    return found


def _variants(theirs: Contender, method: Method, options: Options) -> list[Contender]:
    """Torch's versions of a method."""
    found = [_named(FOREACH, theirs).given(variant="foreach")]
    found += [_named(FUSED, theirs).given(variant="fused")] if method.has_fused else []
    compiled = _named(THEIRS_COMPILED, theirs, _left_out(method, options))
    return [*found, compiled.given(variant="foreach", compiled=True)]


def _inductor(inside: Contender, method: Method, options: Options) -> Contender:
    return _named(INDUCTOR, inside, _left_out(method, options)).given(inductor=True)


def _left_out(method: Method, options: Options) -> str:
    if options.quick and not options.only:
        return "left out by --quick, unless --only names the method"
    return "torch.compile takes too long for it" if method.name in TOO_LONG else ""


def _named(name: str, like: Contender, left_out: str = "") -> Contender:
    return replace(like, name=name, left_out=left_out)


def _in_training(method: Method, cores: int, options: Options) -> list[Contender]:
    work = {"problem": problems.digits(epochs=1)}
    rule, torch = method.timed, {"threads": cores}
    presets = {} if method.name in RANDOM else {"ours": rule, **method.presets}
    ours = Contender("ours", "benchmarks.ours.closure:steps").given(**work, rule=rule, evidence=presets)
    inside = Contender(INSIDE, "benchmarks.peers.torch_closure:adapter", ("torch",))
    inside = inside.given(**work, **torch, rule=rule, label="ours" if presets else "")
    found = [ours, inside, _inductor(inside, method, options)]
    for library, peer in method.peers.items():
        given = {**work, "method": method.name, "label": library if presets else "", **peer.arguments}
        if method.name == "sam":
            given["rho"] = getattr(method.rule(library), "rho")  # noqa: B009
        if library == "optax":
            needs = ("jax", "optax")
            found.append(Contender(library, "benchmarks.peers.optax_closure:steps", needs).given(**given))
        else:
            theirs = Contender(library, "benchmarks.peers.torch_closure:library", ("torch", library))
            found.append(theirs.given(**given, **torch, path=peer.path))
    return found


def measure(method: Method, cores: int, options: Options, pool: Pool) -> Row:
    """Race one method's step."""
    say(f"{method.name}")
    found = race(
        contenders(method, cores, options),
        cores=cores,
        repeats=options.repeats_or(REPEATS),
        at_least=AT_LEAST_QUICK if options.quick else AT_LEAST,
        evidence=not options.quick,
        pool=pool,
    )
    ours = found.pop("ours")
    told = f"{cores} core{'s' * (cores > 1)}"
    on = "-".join(map(str, method.widths))
    if method.name in CLOSURE:
        work, unit, scale = f"{method.name} with its gradients, digits MLP, {told}", "µs/step", 1e6
    else:
        size = problems.count(problems.shapes_of(method.widths))
        work, unit, scale = f"{method.name}, {on}, {told}", "ns/parameter", 1e9 / size
    return Row(
        work=work,
        unit=unit,
        ours=ours,
        peers=found,
        target=target(found),
        scale=scale,
        deviations=deviations(ours, found),
        tolerance=TOLERANCES.get(method.name, 1e-4),
    )


def target(found: dict[str, Outcome]) -> Target:
    """Ours no slower than torch's versions; inside torch no slower than its foreach, whoever compiles it, and
    faster than that one compiled."""
    measured = [name for name, outcome in found.items() if not isinstance(outcome, Absent)]
    present = [name for name in (FOREACH, FUSED) if name in measured]
    inside = {INSIDE: FOREACH, COMPILED: THEIRS_COMPILED, INDUCTOR: FOREACH}
    pairs = {(one, other): 1.0 for one, other in inside.items() if {one, other} <= set(measured)}
    return Target(ratios=dict.fromkeys(present, 1.0), between=pairs)


def rows(options: Options, pool: Pool) -> Iterator[Row]:
    for cores in options.cores or CORES:
        for method in METHODS:
            if options.wants(method.name):
                yield measure(method, cores, options, pool)


def run(options: Options) -> tuple[str, dict[str, Any]]:
    with Pool() as pool:
        found = list(rows(options, pool))
        text, more = bandwidth.run(options, pool)
    return f"{markdown(found)}\n\n{text}".strip(), {**data(found), "bandwidth": more}
