"""Loss and metrics of a network on a whole set of examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.compile import Backend, Program
from spusk.compile.session import Session
from spusk.errors import ShapeError
from spusk.graph import Tensor, as_tensor
from spusk.graph import input as new_input
from spusk.nn import Layer
from spusk.nn.losses import name_of
from spusk.train.metrics import SUMMED, Metric, measured

Arrays = Mapping[str, NDArray[Any]]
Metrics = Mapping[str, Metric]
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

    @property
    def is_ready(self) -> bool:
        """Whether graphs have been built, and all of them compiled."""
        programs = list(self._programs.values())  # a copy, because another thread may be adding one
        return bool(programs) and all(program.is_ready for program in programs)

    def outputs(self, parameters: Arrays, x: NDArray[Any]) -> NDArray[Any]:
        """The network's outputs for examples x [n, …]."""
        parts = [_Part("", a, None) for a in _pieces(x)] or [_Part("", x, None)]
        found = [self._session(parameters, [part], ()).once()["0 outputs"] for part in parts]
        return np.concatenate(found) if len(found) > 1 else found[0]

    def begin(
        self, parameters: Arrays, sets: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], metrics: Metrics
    ) -> Measuring:
        """Get ready to measure the loss and metrics over several sets of examples, perhaps many times.

        Args:
            parameters: the weights by name; they are read afresh in every measurement.
            sets: examples x [n, …] and targets y [n, …], by what is put before the measures' names.
            metrics: by name. Where all of them are sums, no outputs leave the graph.
        """
        parts = [
            _Part(prefix, a, b)
            for prefix, (x, y) in sets.items()
            for a, b in zip(_pieces(x), _pieces(y), strict=True)
        ]
        summed = tuple(metrics.items()) if all(metric in SUMMED for metric in metrics.values()) else ()
        groups = [(len(group), self._session(parameters, group, summed)) for group in _groups(parts)]
        return Measuring(groups, parts, {prefix: y for prefix, (_, y) in sets.items()}, metrics, summed)

    def _session(
        self, parameters: Arrays, parts: list[_Part], summed: tuple[tuple[str, Metric], ...]
    ) -> Session:
        """Losses with sums or outputs of some parts, each named with the part's number."""
        key = (summed, *(part.signature for part in parts))
        if key not in self._programs:
            self._programs[key] = self._build(parameters, parts, summed)
        values: dict[str, Any] = dict(parameters)
        for i, part in enumerate(parts):
            values[f"{i} x"] = part.x
            if part.y is not None:
                values[f"{i} y"] = part.y
        return self._programs[key].begin(values)

    def _build(
        self, parameters: Arrays, parts: list[_Part], summed: tuple[tuple[str, Metric], ...]
    ) -> Program:
        inputs = {name: new_input(name, w.shape, w.dtype) for name, w in parameters.items()}
        weights, found = dict(inputs), dict[str, Tensor]()
        for i, part in enumerate(parts):
            inputs[f"{i} x"] = x = new_input("x", part.x.shape, part.x.dtype)
            outputs = as_tensor(self._net(weights, x))
            if not summed:
                found[f"{i} outputs"] = outputs
            if part.y is not None and self._loss is not None:
                inputs[f"{i} y"] = y = new_input("y", part.y.shape, part.y.dtype)
                found[f"{i} loss"] = self._scalar(as_tensor(self._loss(outputs, y)))
                found |= {f"{i} {name}": SUMMED[metric].sum(outputs, y) for name, metric in summed}
        return Program(found, inputs, backend=self._backend)

    def _scalar(self, loss: Tensor) -> Tensor:
        if loss.shape != () and self._loss is not None:
            raise ShapeError(
                f"the loss {name_of(self._loss)} returns shape {loss.shape}; "
                "it must return a scalar, such as the mean over the examples"
            )
        return loss


class Measuring:
    """Loss and metrics over the same sets again and again; `Evaluation.begin` makes it."""

    def __init__(
        self,
        groups: list[tuple[int, Session]],
        parts: list[_Part],
        targets: Mapping[str, NDArray[Any]],
        metrics: Metrics,
        summed: tuple[tuple[str, Metric], ...],
    ) -> None:
        self._groups, self._targets, self._metrics, self._summed = groups, targets, metrics, summed
        self._mine = {
            prefix: [(i, len(part.x)) for i, part in enumerate(parts) if part.prefix == prefix]
            for prefix in targets
        }

    def measure(self) -> dict[str, float]:
        """The mean loss and the metrics of each set, with the weights as they are now.

        Raises:
            KeyboardInterrupt: if Ctrl-C came while native code ran.
            InputError: if a metric does not return a number.
        """
        names = ("loss", *(name for name, _ in self._summed), *(() if self._summed else ("outputs",)))
        found: list[list[Any]] = []
        for count, session in self._groups:
            values = session.once()
            found += [[values[f"{i} {name}"] for name in names] for i in range(count)]
        results: dict[str, float] = {}
        with np.errstate(all="ignore"):  # a diverging network has infinite losses: that is a result
            for prefix, y in self._targets.items():
                mine = self._mine[prefix]
                results[f"{prefix}loss"] = sum(float(found[i][0]) * n for i, n in mine) / len(y)
                for k, (name, metric) in enumerate(self._metrics.items(), 1):
                    if self._summed:
                        value = SUMMED[metric].value(sum(float(found[i][k]) for i, _ in mine), y)
                    else:
                        outputs = np.concatenate([found[i][1] for i, _ in mine])
                        value = measured(name, metric, outputs, y)
                    results[prefix + name] = value
        return results


@dataclass(frozen=True)
class _Part:
    """Some examples of one of the sets, evaluated together."""

    prefix: str
    x: NDArray[Any]
    y: NDArray[Any] | None

    @property
    def signature(self) -> tuple[Any, ...]:
        y = self.y
        return (self.x.shape, self.x.dtype, None if y is None else (y.shape, y.dtype))


def _pieces(array: NDArray[Any]) -> list[NDArray[Any]]:
    return [array[i : i + ROWS] for i in range(0, len(array), ROWS)]


def _groups(parts: list[_Part]) -> list[list[_Part]]:
    """Neighbouring parts that are small enough to be evaluated in one call."""
    groups: list[list[_Part]] = []
    for part in parts:
        if groups and sum(len(p.x) for p in groups[-1]) + len(part.x) <= ROWS:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups
