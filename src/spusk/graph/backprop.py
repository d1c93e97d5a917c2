"""Backpropagation: from a graph to the graph of its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from spusk.errors import DTypeError, ShapeError
from spusk.graph import ops
from spusk.graph.dtypes import BOOL, INT64, is_float
from spusk.graph.elementwise import LogicalNot, Where
from spusk.graph.leaves import as_tensor
from spusk.graph.place import CURRENT_PLACE, users_place
from spusk.graph.tensor import Operand, Tensor
from spusk.graph.walk import collector_paused, topological


@overload
def backprop(output: Tensor, wrt: Tensor, cotangent: Operand | None = None) -> Tensor: ...
@overload
def backprop(output: Tensor, wrt: Sequence[Tensor], cotangent: Operand | None = None) -> list[Tensor]: ...
def backprop(
    output: Tensor, wrt: Tensor | Sequence[Tensor], cotangent: Operand | None = None
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


def _seed(output: Tensor, targets: list[Tensor], cotangent: Operand | None) -> Tensor:
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
    seed = as_tensor(cotangent)
    if seed.shape != output.shape:
        raise ShapeError(
            f"backprop got a cotangent of shape {seed.shape} "
            f"for an output of shape {output.shape} ({users_place()})"
        )
    return seed if seed.dtype == output.dtype else ops.cast(seed, output.dtype)


class _Gradients:
    """Cotangents collected while walking the graph from its output back to the targets.

    Behind a `where`, `reach` holds for a node the truth Tensor outside of which its cotangent is 0. It is
    carried along, because 0 · ∞ is NaN: what `where` has masked must stay exactly 0.
    """

    def __init__(self, order: list[Tensor], targets: list[Tensor]) -> None:
        self.order = order
        self.kept = {t.serial for t in targets}
        self.active = set(self.kept)  # nodes that a target reaches through floats
        for t in order:
            if is_float(t.dtype):
                for x in t.inputs:
                    if x.serial in self.active:
                        self.active.add(t.serial)
                        break
        self.cotangents: dict[int, Tensor] = {}
        self.reach: dict[int, Tensor] = {}

    def of(self, t: Tensor) -> Tensor:
        found = self.cotangents.get(t.serial)
        return ops.zeros_like(t) if found is None else found

    def flow(self, output: Tensor, seed: Tensor) -> None:
        self.cotangents[output.serial] = seed
        token = CURRENT_PLACE.set(None)
        try:
            for t in reversed(self.order):
                if t.inputs and t.serial in self.active:
                    self._through(t)
        finally:
            CURRENT_PLACE.reset(token)

    def _through(self, t: Tensor) -> None:
        """Pass the cotangent of one node on to its inputs."""
        key = t.serial
        grad = self.cotangents.get(key) if key in self.kept else self.cotangents.pop(key, None)
        if grad is None:
            return
        CURRENT_PLACE.set(t.place)
        reach = self.reach.pop(key, None)
        contributions = t.primitive.vjp(grad, t, *t.inputs)
        moved = _moved(t, reach)
        for position, (x, contribution) in enumerate(zip(t.inputs, contributions, strict=True)):
            if contribution is None or x.serial not in self.active:
                continue
            beyond = moved[position] if moved else None
            if t.primitive.elementwise:
                if reach is not None and not t.primitive.linear:
                    contribution = ops.where(reach, contribution, 0)
                if contribution.shape != x.shape:
                    contribution = ops.sum_to(contribution, x.shape)
                if contribution.dtype != x.dtype:
                    contribution = ops.cast(contribution, x.dtype)
                beyond = _behind(t, position, reach) if x.inputs else None
            self._add(x, contribution, beyond)

    def _add(self, x: Tensor, contribution: Tensor, reach: Tensor | None) -> None:
        key = x.serial
        present = self.cotangents.get(key)
        if present is None:
            self.cotangents[key] = contribution
            if reach is not None:
                self.reach[key] = reach
            return
        self.cotangents[key] = present + contribution
        other = self.reach.pop(key, None)
        if reach is not None and other is not None and not _complementary(reach, other):
            self.reach[key] = reach if reach is other else ops.logical_or(reach, other)


# --- what a `where` masks -----------------------------------------------------------------------------


def _behind(t: Tensor, position: int, reach: Tensor | None) -> Tensor | None:
    """Where the cotangent of one input of the elementwise node t may differ from 0; None: anywhere."""
    if isinstance(t.primitive, Where):
        condition = t.inputs[0]
        own = condition if position == 1 else ops.logical_not(condition)
        reach = own if reach is None or reach is own else ops.logical_and(reach, own)
    if reach is None or t.inputs[position].shape == t.shape:
        return reach
    counts = ops.sum_to(ops.cast(ops.broadcast(reach, t.shape), INT64), t.inputs[position].shape)
    return ops.not_equal(counts, 0)


def _moved(t: Tensor, reach: Tensor | None) -> list[Tensor | None]:
    """The same for each input of a node that moves or sums elements: the truth moves as the cotangent."""
    if reach is None or t.primitive.elementwise or not t.primitive.linear:
        return []
    moved = t.primitive.vjp(ops.broadcast(reach, t.shape), t, *t.inputs)
    return [None if m is None else m if m.dtype == BOOL else ops.not_equal(m, 0) for m in moved]


def _complementary(a: Tensor, b: Tensor) -> bool:
    """Whether one is the negation of the other, so that together they are everywhere."""
    return any(isinstance(x.primitive, LogicalNot) and x.inputs[0] is y for x, y in ((a, b), (b, a)))
