"""An objective that only its owner can compute: what a rule wants to know of it becomes questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.optim.objective import Gradients, Objective, Parameters


@dataclass(frozen=True)
class Question:
    """Something a rule asks of the loss.

    Attributes:
        kind: "gradient" asks for the loss and its gradient, "loss" for the loss alone, and "hvp" for the
            product of the Hessian with a vector.
        point: where, by parameter name.
        vectors: for "hvp", the vector's parts by parameter name.
        answer: the graph's inputs that take the gradients or products, by parameter name.
        loss: the graph's input that takes the loss, a scalar.
    """

    kind: Literal["gradient", "loss", "hvp"]
    point: Mapping[str, Tensor]
    vectors: Mapping[str, Tensor]
    answer: Mapping[str, Tensor]
    loss: Tensor


class AskedObjective(Objective):
    """Writes down, in order, what a rule asks; the answers are fresh inputs of the graph.

    Args:
        parameters: the parameters' Tensors by name.
        t: the number of the step, a scalar.
        key: uint32 [2], from which random numbers are drawn.
        sign: −1 for an objective that is to be maximised: the rule then sees the negated function.
    """

    def __init__(self, parameters: Parameters, t: Tensor, key: Tensor, sign: float = 1.0) -> None:
        super().__init__(self.loss, t, key)
        self._parameters, self._sign = dict(parameters), sign
        self.questions: list[Question] = []

    def loss(self, parameters: Parameters) -> Tensor:
        known = [q for q in self.questions if q.kind != "hvp" and _same(q.point, parameters)]
        return self._signed((known[0] if known else self._ask("loss", parameters)).loss)

    def gradients(self, parameters: Parameters) -> Gradients:
        known = [q for q in self.questions if q.kind == "gradient" and _same(q.point, parameters)]
        found = known[0] if known else self._ask("gradient", parameters)
        answers = {name: self._signed(g) for name, g in found.answer.items()}
        return Gradients(answers, self._signed(found.loss))

    def hvp(self, parameters: Parameters, vectors: Parameters) -> dict[str, Tensor]:
        found = self._ask("hvp", parameters, vectors)
        return {name: self._signed(product) for name, product in found.answer.items()}

    def _signed(self, t: Tensor) -> Tensor:
        return t if self._sign > 0 else -t

    def _ask(
        self, kind: Literal["gradient", "loss", "hvp"], point: Parameters, vectors: Parameters | None = None
    ) -> Question:
        i = len(self.questions)
        answer = {name: new_input(f"{kind} {i} {name}", w.shape, w.dtype) for name, w in point.items()}
        loss = new_input(f"loss {i}", (), self._precision(point))
        question = Question(kind, dict(point), dict(vectors or {}), {} if kind == "loss" else answer, loss)
        self.questions.append(question)
        return question

    def _precision(self, point: Parameters) -> str:
        """That of the most precise parameter."""
        return "float64" if any(w.dtype.name == "float64" for w in point.values()) else "float32"


def _same(a: Parameters, b: Parameters) -> bool:
    return all(a[name] is w for name, w in b.items())
