"""Solvers of `scipy.optimize` for `minimize`: methods that see the whole function and choose their own steps.

They cannot be the update of a training step: a line search evaluates the function as often as it needs.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from spusk.errors import InputError
from spusk.optim.hyper import check_numbers
from spusk.optim.ranges import check_choice, check_whole


@dataclass(frozen=True)
class Solver:
    """Base of the solvers that `minimize` hands to SciPy.

    Args:
        gtol: stop when the gradient is smaller than this: for L-BFGS its largest element, for trust regions
            its Euclidean norm.
    """

    gtol: float = 1e-5

    with_hessian: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_numbers(self)

    @property
    @abstractmethod
    def method(self) -> str:
        """The name that `scipy.optimize.minimize` knows."""

    @abstractmethod
    def options(self, steps: int) -> dict[str, Any]:
        """SciPy's options for at most so many steps."""


@dataclass(frozen=True)
class LBFGS(Solver):
    """L-BFGS: a Newton step with curvature from the last few gradients, and a line search along it.

        x ← x − α H∇f(x),  H from the pairs s = x₊ − x, y = ∇f₊ − ∇f of the last `history` steps

    Sources: Liu & Nocedal, 1989, "On the limited memory BFGS method for large scale optimization", and
    Byrd, Lu, Nocedal & Zhu, 1995, whose L-BFGS-B SciPy has.

    Args:
        gtol: stop when no element of the gradient is larger; default 1e-5.
        ftol: stop when a step lowers f by less than this share of max(|f|, |f₊|, 1); default 2.2e-9.
        history: how many pairs are kept, ≥ 1; default 10.

    >>> import spusk as sp
    >>> f = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> sp.minimize(f, [-1.5, 2.0], LBFGS(gtol=1e-9, ftol=0)).x.round(6).tolist()
    [1.0, 1.0]
    """

    ftol: float = 2.2e-9
    history: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, history=1)

    @property
    def method(self) -> str:
        return "L-BFGS-B"

    def options(self, steps: int) -> dict[str, Any]:
        return {
            "maxiter": steps,
            "maxfun": 10**9,  # a step is what is counted
            "maxcor": self.history,
            "gtol": self.gtol,
            "ftol": self.ftol,
        }


@dataclass(frozen=True)
class TrustRegion(Solver):
    """Newton's method in a trust region: the minimum of the quadratic model within a radius that adapts.

        p = argmin ∇f·p + ½ p·∇²f·p  with ‖p‖ ≤ Δ;  x ← x + p if f falls by more than η of what the model said

    The Hessian is used through Hessian-vector products of our own second derivatives; only "exact" forms it.

    Source: Nocedal & Wright, 2006, "Numerical optimization", Algorithm 4.1; the subproblem by Algorithm 7.2
    (Steihaug's conjugate gradients, "ncg"), by Gould, Lucidi, Roma & Toint, 1999 ("krylov"), or by
    Conn, Gould & Toint, 2000, §7.3 ("exact").

    Args:
        gtol: stop when the gradient's norm is smaller; default 1e-5.
        subproblem: "ncg", "krylov" or "exact"; default "ncg".
        radius: Δ at the first step, > 0; default 1.
        max_radius: the largest Δ, > radius; default 1000.
        eta: η in [0, 0.25); default 0.15.

    >>> import spusk as sp
    >>> f = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> sp.minimize(f, [-1.5, 2.0], TrustRegion(gtol=1e-8)).x.round(6).tolist()
    [1.0, 1.0]
    """

    subproblem: Literal["ncg", "krylov", "exact"] = "ncg"
    radius: float = 1.0
    max_radius: float = 1000.0
    eta: float = 0.15

    with_hessian: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "subproblem", ("ncg", "krylov", "exact"))
        if not 0 < self.radius < self.max_radius:
            raise InputError(
                f"TrustRegion(radius={self.radius!r}): radius must be greater than 0 and below "
                f"max_radius={self.max_radius!r}"
            )
        if not 0 <= self.eta < 0.25:
            raise InputError(f"TrustRegion(eta={self.eta!r}): eta must be at least 0 and below 0.25")

    @property
    def method(self) -> str:
        return f"trust-{self.subproblem}"

    def options(self, steps: int) -> dict[str, Any]:
        return {
            "maxiter": steps,
            "gtol": self.gtol,
            "initial_trust_radius": self.radius,
            "max_trust_radius": self.max_radius,
            "eta": self.eta,
        }


SOLVERS: dict[str, Solver] = {
    "l-bfgs": LBFGS(),
    "lbfgs": LBFGS(),
    "trust-ncg": TrustRegion(),
    "trust-krylov": TrustRegion(subproblem="krylov"),
    "trust-exact": TrustRegion(subproblem="exact"),
}
"""The solvers by the names that `minimize` takes."""


def solver(optimizer: Any) -> Solver | None:
    """The solver that a value or a name in any case stands for, or None if it stands for none."""
    if isinstance(optimizer, str):
        return SOLVERS.get(optimizer.lower())
    if isinstance(optimizer, type) and issubclass(optimizer, Solver):
        return optimizer()
    return optimizer if isinstance(optimizer, Solver) else None
