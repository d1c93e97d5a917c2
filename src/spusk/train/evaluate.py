"""Loss and metrics of a network on a whole set of examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.compile import Backend, Program
from spusk.errors import ShapeError
from spusk.graph import Tensor, as_tensor
from spusk.graph import input as new_input
from spusk.nn import Layer
from spusk.nn.losses import name_of
from spusk.train.metrics import Metric

Arrays = Mapping[str, NDArray[Any]]
ROWS = 4096  # examples evaluated at a time, so that memory stays bounded


class Evaluation:
    """A network's outputs, and optionally its loss, evaluated in parts of at most `ROWS` examples.

    The graph of each part's size is built once and used again.
    """

    def __init__(
        self, net: Layer, loss: Callable[..., Tensor] | None = None, backend: Backend = "numpy"
    ) -> None:
        self._net = net
        self._loss = loss
        self._backend: Backend = backend
        self._programs: dict[Any, Program] = {}

    def outputs(self, parameters: Arrays, x: NDArray[Any]) -> NDArray[Any]:
        """The network's outputs for examples x [n, …]."""
        parts = [self._part(parameters, part, None)["outputs"] for part in _parts(x)]
        return np.concatenate(parts) if parts else self._part(parameters, x, None)["outputs"]

    def measure(
        self, parameters: Arrays, x: NDArray[Any], y: NDArray[Any], metrics: Mapping[str, Metric]
    ) -> dict[str, float]:
        """The mean loss and the metrics over examples x [n, …] with targets y [n, …]."""
        found = [(self._part(parameters, a, b), len(a)) for a, b in zip(_parts(x), _parts(y), strict=True)]
        with np.errstate(all="ignore"):  # a diverging network has infinite losses: that is a result
            total = sum(float(part["loss"]) * n for part, n in found) / len(x)
            outputs = np.concatenate([part["outputs"] for part, _ in found])
            return {"loss": total, **{name: float(metric(outputs, y)) for name, metric in metrics.items()}}

    def _part(self, parameters: Arrays, x: NDArray[Any], y: NDArray[Any] | None) -> dict[str, Any]:
        key = (x.shape, x.dtype, None if y is None else (y.shape, y.dtype))
        if key not in self._programs:
            self._programs[key] = self._build(parameters, x, y)
        values = {**parameters, "x": x} if y is None else {**parameters, "x": x, "y": y}
        return self._programs[key](values)

    def _build(self, parameters: Arrays, x: NDArray[Any], y: NDArray[Any] | None) -> Program:
        inputs = {name: new_input(name, w.shape, w.dtype) for name, w in parameters.items()}
        examples = new_input("x", x.shape, x.dtype)
        outputs: dict[str, Tensor] = {"outputs": as_tensor(self._net(inputs, examples))}
        extra = {"x": examples}
        if y is not None and self._loss is not None:
            extra["y"] = new_input("y", y.shape, y.dtype)
            outputs["loss"] = loss = as_tensor(self._loss(outputs["outputs"], extra["y"]))
            if loss.shape != ():
                raise ShapeError(
                    f"the loss {name_of(self._loss)} returns shape {loss.shape}; "
                    "it must return a scalar, such as the mean over the examples"
                )
        return Program(outputs, {**inputs, **extra}, backend=self._backend)


def _parts(array: NDArray[Any]) -> list[NDArray[Any]]:
    return [array[i : i + ROWS] for i in range(0, len(array), ROWS)]
