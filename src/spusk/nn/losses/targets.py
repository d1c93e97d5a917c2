"""Outputs meet targets: shapes made equal without broadcasting, dtypes matched, constants checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import Tensor, as_tensor, iota, ops
from spusk.graph.dtypes import INT64
from spusk.graph.leaves import Constant
from spusk.graph.tensor import Operand, users_place


def pair(name: str, outputs: Operand, targets: Operand) -> tuple[Tensor, Tensor]:
    """Outputs as floats, and targets of their shape; the two may differ by a last axis of 1 only.

    Without this, outputs [n, 1] and targets [n] would broadcast to [n, n].
    """
    outputs, targets = ops.floating(outputs), as_tensor(targets)
    if targets.shape == outputs.shape:
        return outputs, targets
    if targets.shape == (*outputs.shape, 1) or outputs.shape == (*targets.shape, 1):
        return outputs, ops.reshape(targets, outputs.shape)
    raise ShapeError(
        f"{name} got outputs of shape {outputs.shape} and targets of shape {targets.shape}; "
        f"they must be equal, or differ by a last axis of 1 ({users_place()})"
    )


def one_hot(name: str, scores: Tensor, labels: Tensor) -> Tensor:
    """Where the class is the label: bool of the shape (…, C) of the scores, for labels (…) or (…, 1)."""
    classes = scores.shape[-1]
    if labels.dtype.kind not in "biu":
        raise DTypeError(
            f"{name} got labels of {labels.dtype.name} and shape {labels.shape}; "
            f"labels of this shape must be integers ({users_place()})"
        )
    if classes < 2:
        raise ShapeError(
            f"{name} got scores of shape {scores.shape}; it needs a last axis of two classes or more, "
            f"and one score an example is for binary_cross_entropy or hinge ({users_place()})"
        )
    require_between(name, "label", labels, 0, classes - 1)
    return ops.reshape(ops.cast(labels, INT64), (*scores.shape[:-1], 1)) == iota(classes)


def names_classes(scores: Tensor, labels: Tensor) -> bool:
    """Whether the labels' shape is that of one class number for each row of scores."""
    rows = scores.shape[:-1]
    return scores.ndim > 0 and labels.shape in (rows, (*rows, 1))


def require_between(name: str, what: str, targets: Tensor, low: float, high: float) -> None:
    """Refuse targets out of range, where they are known while the graph is built."""
    if not isinstance(targets.primitive, Constant):
        return
    values: NDArray[Any] = targets.primitive.value
    wrong: NDArray[Any] = values[~((values >= low) & (values <= high))]
    if wrong.size:
        number: object = np.asarray(wrong).flat[0].item()
        raise InputError(
            f"{name} got a {what} of {number}; it must be from {low} to {high} ({users_place()})"
        )
