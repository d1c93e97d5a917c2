"""Backpropagation: from a graph to the graph of its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from spusk.errors import DTypeError, ShapeError
from spusk.graph import ops
from spusk.graph.dtypes import is_float
from spusk.graph.elementwise import Where
from spusk.graph.tensor import CURRENT_PLACE, Tensor, users_place
from spusk.graph.walk import collector_paused, topological

# Where a cotangent is known to be 0: outside the positions at which `condition` equals `wanted`.
Mask = tuple[Tensor, bool]


@overload
def backprop(output: Tensor, wrt: Tensor, cotangent: Tensor | None = None) -> Tensor: ...
@overload
def backprop(output: Tensor, wrt: Sequence[Tensor], cotangent: Tensor | None = None) -> list[Tensor]: ...
def backprop(
    output: Tensor, wrt: Tensor | Sequence[Tensor], cotangent: Tensor | None = None
) -> Tensor | list[Tensor]:
    """The gradients of `output` by each of `wrt`, as Tensors of the same graph.

    The result is ordinary graph, so it can be differentiated again. Time and memory are linear in the
    number of nodes between `wrt` and `output`. Rumelhart, Hinton, Williams, 1986, "Learning
    representations by back-propagating errors".

    Args:
        output: the Tensor to differentiate; shape () unless a cotangent is given.
        wrt: a Tensor or several, of floating dtype. One that `output` does not depend on gets zeros.
        cotangent: weights of the output's elements, of the output's shape; default 1.

    Returns:
        A Tensor of the shape and dtype of `wrt`, or a list of them.

    Raises:
        ShapeError: if the output is not a scalar and no cotangent of its shape is given.
        DTypeError: if the output or one of `wrt` is not of a floating dtype.

    >>> from spusk.graph import input
    >>> w = input("w", (2,), "float64")
    >>> loss = (w * w).sum()
    >>> backprop(loss, w).numpy({w: [3.0, -1.0]})
    array([ 6., -2.])
    """
    targets = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    seed = _seed(output, targets, cotangent)
    with collector_paused():
        gradients = _Gradients(topological([output]), targets)
        gradients.flow(output, seed)
        found = [gradients.of(t) for t in targets]
    return found[0] if isinstance(wrt, Tensor) else found


def _seed(output: Tensor, targets: list[Tensor], cotangent: Tensor | None) -> Tensor:
    for what, t in [("output", output), *(("wrt", t) for t in targets)]:
        if not is_float(t.dtype):
            raise DTypeError(f"backprop needs floats; {what} is {t.dtype.name} {t.shape} ({users_place()})")
    if cotangent is None:
        if output.shape != ():
            raise ShapeError(
                f"backprop needs a scalar output and got shape {output.shape}; "
                f"sum it, or give a cotangent of that shape ({users_place()})"
            )
        return ops.ones_like(output)
    if cotangent.shape != output.shape:
        raise ShapeError(
            f"backprop got a cotangent of shape {cotangent.shape} "
            f"for an output of shape {output.shape} ({users_place()})"
        )
    return cotangent


class _Gradients:
    """Cotangents collected while walking the graph from its output back to the targets."""

    def __init__(self, order: list[Tensor], targets: list[Tensor]) -> None:
        self.order = order
        self.kept = {id(t) for t in targets}
        self.active = set(self.kept)  # nodes that a target reaches
        for t in order:
            for x in t.inputs:
                if id(x) in self.active:
                    self.active.add(id(t))
                    break
        self.cotangents: dict[int, Tensor] = {}
        self.masks: dict[int, Mask | None] = {}

    def of(self, t: Tensor) -> Tensor:
        found = self.cotangents.get(id(t))
        return ops.zeros_like(t) if found is None else found

    def flow(self, output: Tensor, seed: Tensor) -> None:
        self.cotangents[id(output)] = seed
        token = CURRENT_PLACE.set(None)
        try:
            for t in reversed(self.order):
                if t.inputs and id(t) in self.active:
                    self._through(t)
        finally:
            CURRENT_PLACE.reset(token)

    def _through(self, t: Tensor) -> None:
        """Pass the cotangent of one node on to its inputs."""
        key = id(t)
        grad = self.cotangents.get(key) if key in self.kept else self.cotangents.pop(key, None)
        if grad is None:
            return
        CURRENT_PLACE.set(t.place)
        mask = self.masks.pop(key, None)
        primitive = t.primitive
        contributions = primitive.vjp(grad, t, *t.inputs)
        for position, (x, contribution) in enumerate(zip(t.inputs, contributions, strict=True)):
            if contribution is None or id(x) not in self.active:
                continue
            new_mask = None
            if primitive.elementwise:
                contribution, new_mask = self._masked(t, position, contribution, mask)
                if contribution.shape != x.shape:
                    contribution, new_mask = ops.sum_to(contribution, x.shape), None
                if contribution.dtype != x.dtype:
                    contribution = ops.cast(contribution, x.dtype)
            self._add(x, contribution, new_mask)

    def _masked(
        self, t: Tensor, position: int, contribution: Tensor, mask: Mask | None
    ) -> tuple[Tensor, Mask | None]:
        """Keep what `where` has masked at exactly 0 through operations that could make it NaN (0 · ∞)."""
        if isinstance(t.primitive, Where):
            return contribution, _narrowed(t, position == 1, mask)
        if mask is None or getattr(t.primitive, "linear", False):
            return contribution, mask
        condition, wanted = mask
        masked = ops.where(condition, contribution, 0) if wanted else ops.where(condition, 0, contribution)
        return masked, mask

    def _add(self, x: Tensor, contribution: Tensor, mask: Mask | None) -> None:
        key = id(x)
        present = self.cotangents.get(key)
        if present is None:
            self.cotangents[key] = contribution
            self.masks[key] = mask
            return
        self.cotangents[key] = present + contribution
        other = self.masks.get(key)
        if mask is None or other is None or mask[0] is not other[0] or mask[1] != other[1]:
            self.masks[key] = None


def _narrowed(t: Tensor, wanted: bool, outer: Mask | None) -> Mask | None:
    """The mask behind one branch of a `where`: its own condition, and that of a `where` around it."""
    condition = t.inputs[0]
    if condition.shape != t.shape:
        return outer
    if outer is None or (outer[0] is condition and outer[1] == wanted):
        return condition, wanted
    own = condition if wanted else ops.logical_not(condition)
    around = outer[0] if outer[1] else ops.logical_not(outer[0])
    return ops.logical_and(around, own), True
