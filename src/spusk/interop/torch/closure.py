"""A step that asks for the loss: the closure is called at each point where the rule wants to know it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from spusk.errors import InputError
from spusk.interop.needs import library
from spusk.interop.torch.group import SHARED, STEP, WEIGHT, Group, Tensors

torch: Any = library("torch", "torch", "spusk.interop.torch")

Buckets = Sequence[tuple[int, Sequence[str]]]


def asked(groups: Sequence[Group], numbers: Sequence[Sequence[float]], closure: Callable[[], Any]) -> Any:
    """One step of all groups; returns the loss that the rule reports.

    Args:
        groups: the parameter groups; they have one rule, but some may ask less than others: frozen ones
            nothing, those whose parameters belong to a part of the rule what that part asks.
        numbers: the hyperparameters of each.
        closure: as of `Optimizer.step`.
    """
    asking = [group for group in groups if group.parameters]
    if not asking:
        with torch.enable_grad():
            return closure()
    most = max(asking, key=lambda group: len(group.update.questions))
    is_second_order = any(q.kind == "hvp" for group in asking for q in group.update.questions)
    look = _Graph(groups, closure) if is_second_order else _Backward(groups, closure)
    new = [[name for name in group.seen if STEP not in group.state(name)] for group in groups]
    unshared = [group for group in groups if not group.group.get(SHARED)]
    for group, own in zip(groups, numbers, strict=True):
        group.begin(group.seen, own)
    buckets = [group.buckets(group.parameters) for group in groups]
    before = [{name: p.detach().clone() for name, p in _moved(group).items()} for group in groups]
    answers: list[list[Tensors]] = [[] for _ in groups]
    losses: list[Any] = []
    is_answered = False
    try:
        for k in range(len(most.update.questions)):
            for i, group in enumerate(groups):
                for t, names in buckets[i]:
                    _move(group, k, names, [t, *numbers[i]], answers[i], losses)
            vectors = [
                _vectors(g, k, buckets[i], numbers[i], answers[i], losses) for i, g in enumerate(groups)
            ]
            loss, found = look(k, vectors)
            losses.append(torch.as_tensor(float(loss), dtype=_precision(most)))
            for i, answer in enumerate(found):
                answers[i].append(answer)
        is_answered = True
    finally:  # a closure that fails leaves everything as it was
        for group, weights, names in zip(groups, before, new, strict=True):
            for name, weight in weights.items():
                group.parameters[name].copy_(weight)
            for name in () if is_answered else names:
                group.state(name).clear()
        for group in () if is_answered else unshared:
            group.group.pop(SHARED, None)
    for i, group in enumerate(groups):
        for t, names in buckets[i]:
            active = [name for name in names if _has_answer(group, name, answers[i])]
            if active:
                group.advance(active, t, numbers[i], answers[i], losses)
        for name in new[i]:
            if group.state(name)[STEP] == 0:  # it had no gradient: as if it had not been seen
                group.state(name).clear()
    return look.losses[most.update.reported]


def _has_answer(group: Group, name: str, answers: Sequence[Tensors]) -> bool:
    """Whether a parameter has a gradient; where the rule asks for losses only, each parameter is stepped."""
    asked_for = [k for k, question in enumerate(group.update.questions) if question.kind != "loss"]
    return not asked_for or any(name in answers[k] for k in asked_for)


def _precision(group: Group) -> Any:
    """The dtype in which the graph takes the loss."""
    return getattr(torch, group.update.questions[0].loss.dtype.name)


def _moved(group: Group) -> Tensors:
    """The parameters that questions lead away from where they are between steps."""
    points = [q.point for q in group.update.questions]
    first = points[0] if points and group.update.asks_elsewhere else group.update.weights
    return {
        name: p for name, p in group.parameters.items() if any(at[name] is not first[name] for at in points)
    }


def _move(
    group: Group,
    k: int,
    names: Sequence[str],
    numbers: Sequence[float],
    answers: Sequence[Tensors],
    losses: Any,
) -> None:
    """Bring the model to the point of question k."""
    if k >= len(group.update.questions):
        return
    points = group.update.questions[k].point
    previous = group.update.questions[k - 1].point if k else group.update.weights
    moved = [n for n in names if points[n] is not previous[n] or (k == 0 and WEIGHT in group.state(n))]
    inputs, values = group.known(answers, losses)
    found = group.compute(("point", k), [points[n] for n in moved], inputs, values, numbers)
    for name, value in zip(moved, found, strict=True):
        group.parameters[name].copy_(value)


def _vectors(
    group: Group, k: int, buckets: Buckets, numbers: Sequence[float], answers: Sequence[Tensors], losses: Any
) -> Tensors:
    """What the Hessian is to be multiplied with in question k."""
    found: Tensors = {}
    if k >= len(group.update.questions):
        return found
    vectors = group.update.questions[k].vectors
    for t, names in buckets if vectors else ():
        inputs, values = group.known(answers, losses)
        wanted = [vectors[name] for name in names]
        found |= dict(
            zip(names, group.compute(("vector", k), wanted, inputs, values, [t, *numbers]), strict=True)
        )
    return found


def dense(gradient: Any) -> Any:
    """The gradient, which must be dense."""
    if gradient.layout is not torch.strided:
        raise InputError(f"a gradient is sparse ({gradient.layout}); make it dense, e.g. with sparse=False")
    return gradient


class _Backward:
    """Gradients as the closure's backward() leaves them."""

    def __init__(self, groups: Sequence[Group], closure: Callable[[], Any]) -> None:
        self._groups, self._closure = groups, closure
        self._last = max(len(group.update.questions) for group in groups) - 1
        self.losses: list[Any] = []

    def __call__(self, k: int, vectors: Sequence[Tensors]) -> tuple[Any, list[Tensors]]:
        with torch.enable_grad():
            loss = self._closure()
        if loss is None:
            raise InputError("the closure returned no loss; it must return what it called backward() on")
        self.losses.append(loss)
        questions = [q for group in self._groups for q in group.update.questions[k : k + 1]]
        wants_gradients = any(question.kind != "loss" for question in questions)
        parameters = [p for group in self._groups for p in group.parameters.values()]
        if wants_gradients and parameters and all(p.grad is None for p in parameters):
            raise InputError(
                "after the closure no parameter has a gradient; it must call backward() on its loss"
            )
        is_last = k == self._last  # the next call clears the gradients
        return loss, [
            {
                name: dense(p.grad) if is_last else torch.clone(dense(p.grad))
                for name, p in group.parameters.items()
                if p.grad is not None
            }
            for group in self._groups
        ]


class _Graph:
    """Gradients and Hessian-vector products from the loss itself, by torch's autograd."""

    def __init__(self, groups: Sequence[Group], closure: Callable[[], Any]) -> None:
        self._groups, self._closure = groups, closure
        self._parameters = [p for group in groups for p in group.parameters.values()]
        self._at: Any = None
        self.losses: list[Any] = []

    def __call__(self, k: int, vectors: Sequence[Tensors]) -> tuple[Any, list[Tensors]]:
        asked = [question for group in self._groups for question in group.update.questions[k : k + 1]]
        point = [w.serial for question in asked for w in question.point.values()]
        if self._at is None or self._at[0] != point:
            self._at = (point, *self._differentiated())
        _, loss, gradients = self._at
        self.losses.append(loss.detach())
        if not any(vectors):
            return loss.detach(), self._named([None if g is None else g.detach() for g in gradients])
        flat = [
            v
            for group, own in zip(self._groups, vectors, strict=True)
            for v in (own[n] for n in group.parameters)
        ]
        smooth = [
            (g, v.to(g.dtype))
            for g, v in zip(gradients, flat, strict=True)
            if g is not None and g.requires_grad
        ]
        with torch.enable_grad():
            found = (
                torch.autograd.grad(
                    [g for g, _ in smooth],
                    self._parameters,
                    [v for _, v in smooth],
                    retain_graph=True,
                    allow_unused=True,
                )
                if smooth
                else [None] * len(self._parameters)
            )
        zero = [
            torch.zeros_like(p) if h is None and g is not None else h
            for h, g, p in zip(found, gradients, self._parameters, strict=True)
        ]
        return loss.detach(), self._named(zero)

    def _differentiated(self) -> tuple[Any, Any]:
        with torch.enable_grad():
            loss = self._closure()
            try:
                return loss, torch.autograd.grad(loss, self._parameters, create_graph=True, allow_unused=True)
            except (RuntimeError, TypeError, AttributeError) as error:
                raise InputError(
                    "a rule with second derivatives needs a closure that returns the loss without calling "
                    f"backward(): {str(error).splitlines()[0]}"
                ) from None

    def _named(self, found: Sequence[Any]) -> list[Tensors]:
        """By group and parameter name, without those that the loss does not depend on."""
        rest = iter(found)
        named = [{name: next(rest) for name in group.parameters} for group in self._groups]
        return [{name: g for name, g in own.items() if g is not None} for own in named]
