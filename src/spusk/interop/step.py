"""A step for some of the parameters: which values go in, and which are written over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spusk.graph import Tensor, topological
from spusk.graph import input as new_input
from spusk.interop.update import Update

Kind = Literal["weight", "point", "gradient", "slot", "loss", "key"]


@dataclass(frozen=True)
class Value:
    """One of the tensors that a step needs.

    Attributes:
        kind: what it is; a "point" is only written.
        owner: the parameter's name; None for what belongs to all.
        which: the number of the question ("gradient", "loss"), or of the slot in `Update.slots`.
        before: the graph's input.
        after: what is written over it; None if it is only read.
    """

    kind: Kind
    owner: str | None
    which: int
    before: Tensor
    after: Tensor | None = None

    @property
    def name(self) -> str:
        return f"{self.kind} {self.which} {self.owner or ''}"


@dataclass(frozen=True)
class Step:
    """The step of an update for the parameters that have a gradient; the others stay as they are.

    Attributes:
        values: the tensors, each parameter's together.
        scalars: the inputs that are numbers: the number of the step, then the hyperparameters.
    """

    update: Update
    active: tuple[str, ...]
    values: tuple[Value, ...]
    scalars: tuple[Tensor, ...]

    @property
    def written(self) -> list[Value]:
        return [value for value in self.values if value.after is not None]


def step_of(update: Update, active: Sequence[str]) -> Step:
    """What a step for the parameters of these names takes.

    >>> from spusk.interop.update import update_of
    >>> from spusk.optim import Adam
    >>> update = update_of(Adam(), {"w": ((3,), "float32"), "b": ((), "float32")})
    >>> [value.name for value in step_of(update, ["b"]).values]
    ['weight 0 b', 'slot 2 b', 'slot 3 b', 'gradient 0 b']
    """
    some = set(active)
    points = update.next_points or {}
    results = [t for name, t in update.new_weights.items() if name in some]
    results += [t for name, t in points.items() if name in some]
    results += [slot.after for slot in update.slots if slot.owner is None or slot.owner in some]
    read = {t.serial for t in topological(results)}
    values: list[Value] = []
    for name, w in update.weights.items():
        is_active = name in some
        if is_active or w.serial in read:
            values.append(Value("weight", name, 0, w, update.new_weights[name] if is_active else None))
        if is_active and name in points:
            values.append(Value("point", name, 0, _place(w), points[name]))
        for i, slot in enumerate(update.slots):
            if slot.owner == name and (is_active or slot.before.serial in read):
                values.append(Value("slot", name, i, slot.before, slot.after if is_active else None))
        for k, question in enumerate(update.questions):
            answer = question.answer.get(name)
            if answer is not None and answer.serial in read:
                values.append(Value("gradient", name, k, answer))
    for i, slot in enumerate(update.slots):
        if slot.owner is None:
            values.append(Value("slot", None, i, slot.before, slot.after))
    for k, question in enumerate(update.questions):
        if question.loss.serial in read:
            values.append(Value("loss", None, k, question.loss))
    if update.key.serial in read:
        values.append(Value("key", None, 0, update.key))
    return Step(update, tuple(active), tuple(values), (update.t, *update.hyper.values()))


def _place(w: Tensor) -> Tensor:
    """An input that only stands for the memory that is written to."""
    return new_input("point", w.shape, w.dtype)
