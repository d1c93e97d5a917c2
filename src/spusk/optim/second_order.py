"""Rules that use the diagonal of the Hessian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim.mistakes import at, checked_pair, told
from spusk.optim.objective import Gradients, Objective, Parameters
from spusk.optim.optimizer import Optimizer
from spusk.optim.state import State


@dataclass(frozen=True)
class SecondOrder(Optimizer):
    """Base of rules that see, beside the gradient g, an estimate h of the Hessian's diagonal.

    Such a rule implements `update_curved` instead of `update`, and `start` if it keeps state. The estimate is
    Hutchinson's from one vector of random signs (see `Objective.hessian_diagonal`), anew in every step; a
    rule that renews its curvature only every k steps keeps the old one with `where`.

    >>> from dataclasses import dataclass
    >>> import spusk as sp
    >>> from spusk.optim import Hyper
    >>> @dataclass(frozen=True)
    ... class DiagonalNewton(SecondOrder):
    ...     lr: Hyper = 1.0
    ...     def update_curved(self, w, g, h, s, t):
    ...         return w - self.lr * g / h, s
    >>> f = lambda x: 3 * (x[0] - 1) ** 2 + 50 * (x[1] + 2) ** 2
    >>> sp.minimize(f, [4.0, 4.0], DiagonalNewton(), steps=1).x
    array([ 1., -2.])
    """

    needs_curvature: ClassVar[bool] = True

    def update_curved(self, w: Tensor, g: Tensor, h: Tensor, s: State, t: Tensor) -> tuple[Tensor, State]:
        """The next parameter and state, from the gradient g and the Hessian's diagonal h, in step t."""
        name, where = type(self).__name__, at(type(self).defined_at)
        raise InputError(f"{name} does not define update_curved(w, g, h, s, t){where}")

    def gradients_all(
        self, objective: Objective, parameters: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> Gradients:
        point = self.point_all(parameters, state)
        return objective.gradients(point).with_curvature(objective.hessian_diagonal(point))

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        curvature = gradients.curvature if isinstance(gradients, Gradients) else None
        if curvature is None:
            raise InputError(
                f"{type(self).__name__} got gradients without a curvature; a wrapper that changes gradients "
                "must hand on Gradients.replaced(…)"
            )
        new: dict[str, tuple[Tensor, Any]] = {}
        for name, w in parameters.items():
            with told(self, "update_curved"):
                mine = self.for_parameter(name)
                result = mine.update_curved(w, gradients[name], curvature[name], state[name], t)
            new[name] = checked_pair(self, "update_curved", name, w, state[name], result)
        return {name: w for name, (w, _) in new.items()}, {name: s for name, (_, s) in new.items()}
