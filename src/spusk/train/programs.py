"""The programs of one network and loss, shared by all of its trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from spusk.compile import Backend
from spusk.data import Split
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.graph.ops import take
from spusk.nn import Layer
from spusk.optim import Optimizer
from spusk.optim.hyper import formula_key
from spusk.train.evaluate import Evaluation
from spusk.train.step import DescentStep, Tensors, descent_step

Arrays = Mapping[str, NDArray[Any]]


class Programs:
    """Training steps and the evaluation of one network, each built once. Several threads may share it.

    Rules that differ only in their numbers have one step, because the numbers are inputs of its graph.
    """

    def __init__(self, net: Layer, loss: Callable[..., Tensor], backend: Backend = "native") -> None:
        self.net, self.loss = net, loss
        self.backend: Backend = backend
        self.evaluation = Evaluation(net, loss, backend)
        self._steps: dict[Any, DescentStep] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process builds its own."""
        return Programs, (self.net, self.loss, self.backend)

    def compiling(self, steps: int) -> str:
        """What is being compiled, in words, if so many training steps are needed; nothing if all is ready."""
        if self.backend == "numpy":
            return ""
        found = list(self._steps.values())  # a copy, because another thread may be adding one
        ready = sum(step.program.is_ready for step in found) + self.evaluation.is_ready
        total = steps + 1  # with the evaluation
        return "" if ready >= total else f"compiling {ready + 1}/{total} programs"

    def step(self, weights: Arrays, split: Split, optimizer: Optimizer, batch: int) -> DescentStep:
        """The training step on batches of one size, gathered from the training part of the split."""
        x, y = split.train_x, split.train_y
        key = (formula_key(optimizer), batch, x.shape, x.dtype, y.shape, y.dtype)
        with self._lock:
            if key not in self._steps:
                self._steps[key] = self._build(weights, split, optimizer, batch)
            return self._steps[key]

    def _build(self, weights: Arrays, split: Split, optimizer: Optimizer, batch: int) -> DescentStep:
        x, y = split.train_x, split.train_y
        inputs = {
            "rows": new_input("rows", (batch,), "int64"),
            "x": new_input("x", x.shape, x.dtype),
            "y": new_input("y", y.shape, y.dtype),
            "key": new_input("key", (2,), "uint32"),
        }

        def loss(parameters: Tensors, t: Tensor) -> Tensor:
            examples, targets = (take(inputs[name], inputs["rows"], 0) for name in ("x", "y"))
            outputs = self.net(parameters, examples, training=True, key=inputs["key"], step=t)
            return self.loss(outputs, targets)

        return descent_step(loss, weights, optimizer, inputs, backend=self.backend)
