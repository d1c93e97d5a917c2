"""How good predictions are, beside the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spusk.numpy as snp
from spusk.errors import InputError
from spusk.graph import Tensor

Metric = Callable[[NDArray[Any], NDArray[Any]], float]


def predicted_classes(outputs: NDArray[Any]) -> NDArray[np.int64]:
    """The class numbers that a classifier's outputs choose: the largest of [n, C] scores, or the sign of
    one score an example (class 1 above 0).

    >>> predicted_classes(np.array([[0.1, 2.0], [3.0, -1.0]]))
    array([1, 0])
    """
    if outputs.ndim > 1 and outputs.shape[-1] > 1:
        return np.argmax(outputs, axis=-1).astype(np.int64)
    return (outputs.reshape(outputs.shape[0]) > 0).astype(np.int64)


def accuracy(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
    """The share of examples whose predicted class is the target, from 0 to 1.

    Args:
        outputs: scores [n, C], or [n] or [n, 1] for two classes.
        targets: class numbers [n], or class probabilities [n, C].

    >>> accuracy(np.array([[0.1, 2.0], [3.0, -1.0]]), np.array([1, 1]))
    0.5
    """
    wanted = (
        np.argmax(targets, axis=-1) if targets.ndim > 1 and targets.shape[-1] > 1 else targets.reshape(-1)
    )
    hits: NDArray[np.bool_] = predicted_classes(outputs) == wanted
    return float(hits.mean())


def r2(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
    """R², the share of the targets' variance that the outputs explain: 1 is perfect, 0 is their mean.

    >>> r2(np.array([[1.0], [3.0]]), np.array([1.0, 3.0]))
    1.0
    """
    residual: NDArray[np.float64] = targets.astype(np.float64) - outputs.reshape(targets.shape)
    return _explained(float(np.sum(residual * residual)), targets)


@dataclass(frozen=True)
class Summed:
    """A metric as a sum over the examples, which the evaluation's graph computes.

    Attributes:
        sum: from outputs and targets, as Tensors, to a scalar.
        value: from that sum over all examples, and their targets, to the metric.
    """

    sum: Callable[[Tensor, Tensor], Tensor]
    value: Callable[[float, NDArray[Any]], float]


def _hits(outputs: Tensor, targets: Tensor) -> Tensor:
    is_scored = outputs.ndim > 1 and outputs.shape[-1] > 1
    found = snp.argmax(outputs, axis=-1) if is_scored else snp.reshape(outputs, -1) > 0
    shares = targets.ndim > 1 and targets.shape[-1] > 1
    wanted = snp.argmax(targets, axis=-1) if shares else snp.reshape(targets, -1)
    return snp.sum(snp.astype(found, "int64") == wanted)


def _squares(outputs: Tensor, targets: Tensor) -> Tensor:
    residual = snp.astype(targets, "float64") - snp.astype(snp.reshape(outputs, targets.shape), "float64")
    return snp.sum(residual * residual)


def _explained(left: float, targets: NDArray[Any]) -> float:
    wanted = targets.astype(np.float64)
    spread = wanted - wanted.mean(axis=0)
    total = float(np.sum(spread * spread))
    return 1 - left / total if total > 0 else float("nan")


# The metrics that need no outputs outside of the graph.
SUMMED: dict[Metric, Summed] = {
    accuracy: Summed(_hits, lambda hits, targets: hits / len(targets)),
    r2: Summed(_squares, _explained),
}


OWN_NAMES = ("epoch", "step", "loss", "val_loss")  # of a history's entries that are no metrics


def check_metrics(metrics: Any) -> None:
    """Raise an InputError if these are no functions by name."""
    if not isinstance(metrics, Mapping):
        kind = type(metrics).__name__
        raise InputError(f"metrics is a {kind}; it must be a mapping from names to functions")
    for name, metric in metrics.items():  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(name, str) or name in OWN_NAMES:
            raise InputError(f"metrics holds the name {name!r}; a name is a str, and none of {OWN_NAMES}")
        if not callable(metric):  # pyright: ignore[reportUnknownArgumentType]
            raise InputError(f"the metric {name!r} is {metric!r:.60}; it must be a function")


def measured(name: str, metric: Metric, outputs: NDArray[Any], targets: NDArray[Any]) -> float:
    """What a metric returns, as a float.

    Raises:
        InputError: if that is not one real number.
    """
    found: Any = metric(outputs, targets)
    array: NDArray[Any] = np.asarray(found)
    if array.shape != ():
        raise InputError(f"the metric {name!r} returned an array of shape {array.shape}; it must be a number")
    if array.dtype.kind not in "biuf":
        raise InputError(f"the metric {name!r} returned {found!r:.60}; it must be a number")
    return float(array)


def default_metrics(task: str) -> Mapping[str, Metric]:
    """Accuracy for a classification, R² for a regression."""
    return {"accuracy": accuracy} if task == "classification" else {"r2": r2}
