"""An objective that only its owner can compute: what a rule wants to know of it becomes questions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spusk.compile.flow import signature
from spusk.graph import Tensor, ops, topological
from spusk.graph import input as new_input
from spusk.graph.leaves import Input
from spusk.optim.layout import in_order
from spusk.optim.objective import Gradients, Objective, Parameters

Kind = Literal["gradient", "loss", "hvp"]


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

    kind: Kind
    point: Mapping[str, Tensor]
    vectors: Mapping[str, Tensor]
    answer: Mapping[str, Tensor]
    loss: Tensor


class AskedObjective(Objective):
    """Writes down, in order, what a rule asks; the answers are fresh inputs of the graph.

    Args:
        t: the number of the step, a scalar.
        key: uint32 [2], from which random numbers are drawn.
        sign: −1 for an objective that is to be maximised: the rule then sees the negated function.
        out_first: True for weights (out, in, kernel…), for which it draws what Spusk draws for the same
            weights in its own order.
    """

    def __init__(self, t: Tensor, key: Tensor, sign: float = 1.0, *, out_first: bool = False) -> None:
        super().__init__(self.loss, t, key)
        self._sign, self._out_first = sign, out_first
        self.questions: list[Question] = []  # shared with the views
        self._placed: Callable[[Parameters], dict[str, Tensor]] = dict
        self._points: dict[tuple[int, ...], dict[str, Tensor]] = {}
        self._numbers: dict[Hashable, int] = {}  # of values that are computed alike; shared with the views

    # --- other views of it ------------------------------------------------------------------------

    def shifted(self, by: Parameters) -> Objective:
        fixed = {name: ops.stop_gradient(d) for name, d in by.items()}
        return self._seen(lambda at: {n: w + fixed[n] if n in fixed else w for n, w in at.items()})

    def part(self, names: Iterable[str], elsewhere: Parameters) -> Objective:
        return self._seen(lambda at: {name: at.get(name, w) for name, w in elsewhere.items()})

    def _seen(self, placed: Callable[[Parameters], dict[str, Tensor]]) -> AskedObjective:
        view = AskedObjective(self._t, self._drawn_key, self._sign, out_first=self._out_first)
        view.questions, view._drawn, view._numbers = self.questions, self._drawn, self._numbers
        view._placed = lambda at: self._point(placed(at))
        return view

    @property
    def _drawn_key(self) -> Tensor:
        assert self._key is not None
        return self._key

    def _point(self, parameters: Parameters) -> dict[str, Tensor]:
        """Where all parameters are, the same Tensors for the same question."""
        key = tuple([w.serial for w in parameters.values()])
        if key not in self._points:
            self._points[key] = self._placed(parameters)
        return self._points[key]

    def signs(self, parameters: Parameters, name: str = "signs") -> dict[str, Tensor]:
        orders = {path: in_order(w.ndim, self._out_first) for path, w in parameters.items()}
        drawn = super().signs({path: ops.transpose(w, orders[path]) for path, w in parameters.items()}, name)
        return {path: ops.transpose(z, _back(orders[path])) for path, z in drawn.items()}

    # --- questions --------------------------------------------------------------------------------

    def loss(self, parameters: Parameters) -> Tensor:
        point = self._point(parameters)
        known = [q for q in self.questions if q.kind != "hvp" and self._are_same(q.point, point)]
        return self._signed((known[0] if known else self._ask("loss", point)).loss)

    def gradients(self, parameters: Parameters) -> Gradients:
        point = self._point(parameters)
        known = [q for q in self.questions if q.kind == "gradient" and self._are_same(q.point, point)]
        found = known[0] if known else self._ask("gradient", point)
        answers = {name: self._signed(found.answer[name]) for name in parameters}
        return Gradients(answers, self._signed(found.loss))

    def hvp(self, parameters: Parameters, vectors: Parameters) -> dict[str, Tensor]:
        point = self._point(parameters)
        nothing = {name: ops.full(w.shape, 0, w.dtype) for name, w in point.items() if name not in parameters}
        found = self._ask("hvp", point, {name: nothing.get(name, vectors.get(name)) for name in point})
        return {name: self._signed(found.answer[name]) for name in parameters}

    def _signed(self, t: Tensor) -> Tensor:
        return t if self._sign > 0 else -t

    def _ask(self, kind: Kind, point: Parameters, vectors: Mapping[str, Any] | None = None) -> Question:
        i = len(self.questions)
        answer = {name: new_input(f"{kind} {i} {name}", w.shape, w.dtype) for name, w in point.items()}
        is_long = any(w.dtype.name == "float64" for w in point.values())
        loss = new_input(f"loss {i}", (), "float64" if is_long else "float32")
        question = Question(kind, dict(point), dict(vectors or {}), {} if kind == "loss" else answer, loss)
        self.questions.append(question)
        return question

    def _are_same(self, a: Parameters, b: Parameters) -> bool:
        """Whether two points are one: each part of a partition computes its own point anew."""
        return all(a[name] is w or self._number(a[name]) == self._number(w) for name, w in b.items())

    def _number(self, t: Tensor) -> int:
        """A number that tells what is computed, whichever nodes compute it."""
        found: dict[int, int] = {}
        for x in topological([t]):
            is_input = isinstance(x.primitive, Input)
            what = (x.serial,) if is_input else signature(x.primitive)
            key = (what, x.shape, x.dtype.name, x.weak, tuple([found[i.serial] for i in x.inputs]))
            found[x.serial] = self._numbers.setdefault(key, len(self._numbers))
        return found[t.serial]


def _back(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that takes back another one."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))
