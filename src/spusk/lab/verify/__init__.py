"""Published training curves and exact results, reproduced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from spusk.compile import Backend
from spusk.errors import InputError, closest
from spusk.lab.pool import outcomes
from spusk.lab.verify import descent, signals
from spusk.lab.verify.curves import curve, initial_losses
from spusk.lab.verify.finding import Finding
from spusk.lab.verify.published import CURVES
from spusk.lab.verify.report import findings_text
from spusk.train.progress import progress_bar

Check = Callable[[Backend], Iterable[Finding]]


def _initial(backend: Backend) -> Iterable[Finding]:
    return initial_losses()


CHECKS: Mapping[str, Check] = {
    "initial": _initial,
    **{row.name: partial(curve, row) for row in CURVES},
    "gradient-descent": descent.gradient_descent,
    "heavy-ball": descent.heavy_ball,
    "counterexample": descent.counterexample,
    "deep-linear": descent.deep_linear,
    "he-vgg": signals.small_weights,
    "he-relu": signals.variance_per_layer,
}
"""What can be verified, by name: the curves on quadratic_deep, then the exact results."""


def verify(
    only: Iterable[str] | None = None,
    *,
    jobs: int | None = None,
    backend: Backend = "native",
    progress: bool | None = None,
) -> list[Finding]:
    """Run what is published or known exactly, and put our numbers beside it.

    Args:
        only: names from `CHECKS`; default: all of them.
        jobs: how many at a time; default: one for each processor.
        backend: "native" (default) or "numpy".
        progress: show a progress bar; default: if standard error is a terminal.

    Returns:
        A `Finding` for every number: `expected`, `found`, `deviation`, `holds`.

    Raises:
        InputError: for a name that there is not, or no name.

    >>> [finding.holds for finding in verify(["gradient-descent"])]
    [True, True, True, True]
    """
    names = list(CHECKS) if only is None else list(dict.fromkeys(only))
    if not names:
        raise InputError("verify got no names; it needs at least one")
    for name in names:
        if name not in CHECKS:
            raise InputError(f"verify knows no {name!r}{closest(name, CHECKS)}")
    found: dict[str, list[Finding]] = {}
    with progress_bar("verifying", len(names), "results", progress) as tick:
        run = partial(_checked, backend=backend)
        for name, findings in outcomes(run, names, jobs, threads=backend == "native"):
            found[name] = findings
            tick(len(found), name)
    return [finding for name in names for finding in found[name]]


def _checked(name: str, backend: Backend) -> tuple[str, list[Finding]]:
    return name, list(CHECKS[name](backend))


__all__ = ["CHECKS", "CURVES", "Finding", "findings_text", "verify"]
