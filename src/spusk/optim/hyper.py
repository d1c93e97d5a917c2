"""Hyperparameters: numbers, schedules or traced scalars, found and replaced by name.

A rule's hyperparameters are its dataclass fields annotated `Hyper` (or `float`), its schedules' fields, and
those of the rules inside it. The training step takes them as inputs of its graph, so that changing one
never builds the step anew. All other fields (booleans, names) choose the formula itself; so does None in
a field whose default is None, which leaves that term out.
"""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.graph.interpret import evaluate

if TYPE_CHECKING:
    # A number, a Schedule or a scalar Tensor. Formulas multiply it with Tensors, which only Any allows:
    # a Schedule itself has no arithmetic, and is replaced by its value before any formula runs.
    Hyper: TypeAlias = Any
else:

    class Hyper:
        """Annotation of a dataclass field that is a hyperparameter: a number, a Schedule or a Tensor."""


T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Schedule:
    """A hyperparameter that is a closed-form function of the step number t = 1, 2, …

    Subclasses are frozen dataclasses that implement `at`. `schedule(t)` gives the value at a step, or at an
    array of steps.
    """

    def __post_init__(self) -> None:
        check_numbers(self)

    @abstractmethod
    def at(self, t: Tensor) -> Tensor:
        """The value at step t, as graph: t is a scalar Tensor (or an array of steps)."""

    @overload
    def __call__(self, t: Tensor) -> Tensor: ...
    @overload
    def __call__(self, t: float) -> float: ...
    @overload
    def __call__(self, t: NDArray[Any]) -> NDArray[np.float64]: ...
    def __call__(self, t: Any) -> Any:
        if isinstance(t, Tensor):
            return self.at(t)
        steps = np.asarray(t, np.float64)
        step = new_input("t", steps.shape, "float64", weak=True)
        result = self.at(step)
        value: Any = evaluate([result], {step: steps})[0]
        return float(value) if steps.ndim == 0 else np.broadcast_to(value, steps.shape)


def value(hyper: Hyper, t: Tensor) -> Any:
    """A hyperparameter at step t: a schedule is evaluated, anything else is itself."""
    return hyper.at(t) if isinstance(hyper, Schedule) else hyper


def hyperparameters(rule: Any) -> dict[str, float]:
    """The numbers of a rule by name, those of its schedules and inner rules with dotted names.

    >>> from spusk.optim import Momentum
    >>> hyperparameters(Momentum(lr=0.1))["lr"]
    0.1
    """
    found: dict[str, float] = {}
    for field, content in _fields(rule):
        if dataclasses.is_dataclass(content):
            found |= {f"{field.name}.{k}": v for k, v in hyperparameters(content).items()}
        elif _is_hyper(field) and isinstance(content, Real):
            found[field.name] = float(content)
    return found


def with_hyperparameters(rule: T, values: Mapping[str, Any]) -> T:
    """The rule with hyperparameters replaced by name (by numbers, schedules or Tensors)."""
    changes: dict[str, Any] = {}
    for field, content in _fields(rule):
        if field.name in values:
            changes[field.name] = values[field.name]
        elif dataclasses.is_dataclass(content):
            inside = field.name + "."
            nested = {k.removeprefix(inside): v for k, v in values.items() if k.startswith(inside)}
            if nested:
                changes[field.name] = with_hyperparameters(content, nested)
    return dataclasses.replace(rule, **changes) if changes else rule  # pyright: ignore[reportArgumentType, reportUnknownVariableType]


def formula_key(rule: Any) -> Any:
    """What a rule computes apart from its numbers, as a hashable value; rules of one key share a graph.

    >>> from spusk.optim import Adam
    >>> formula_key(Adam(lr=0.1)) == formula_key(Adam(lr=0.2))
    True
    >>> formula_key(Adam()) == formula_key(Adam.like("keras"))
    False
    """
    parts: list[Any] = [type(rule)]
    for field, content in _fields(rule):
        if dataclasses.is_dataclass(content):
            parts.append((field.name, formula_key(content)))
        elif not (_is_hyper(field) and isinstance(content, Real)):
            parts.append((field.name, content if content.__hash__ else repr(content)))
    return tuple(parts)


def at_step(rule: T, t: Tensor) -> T:
    """The rule with every schedule replaced by its value at step t.

    A rule that schedules another one has a method `at_step(t)`, which gives the rule to use in that step.
    """
    changes: dict[str, Any] = {}
    for field, content in _fields(rule):
        if isinstance(content, Schedule):
            changes[field.name] = content.at(t)
        elif dataclasses.is_dataclass(content):
            changes[field.name] = at_step(content, t)
    at_t: Any = rule
    if changes:
        at_t = dataclasses.replace(at_t, **changes)
    return at_t.at_step(t) if hasattr(at_t, "at_step") else at_t


def _fields(rule: Any) -> Iterator[tuple[dataclasses.Field[Any], Any]]:
    return ((f, getattr(rule, f.name)) for f in dataclasses.fields(rule) if f.init)


def _is_hyper(field: dataclasses.Field[Any]) -> bool:
    return field.type in ("Hyper", "float", Hyper, float)


# --- what values are allowed --------------------------------------------------------------------------


def _above_zero(x: float) -> bool:
    return x > 0


def _unit(x: float) -> bool:
    return 0 <= x < 1


def _not_negative(x: float) -> bool:
    return x >= 0


def _share(x: float) -> bool:
    return 0 <= x <= 1


def _at_least_one(x: float) -> bool:
    return x >= 1


def _part(x: float) -> bool:
    return 0 < x <= 1


POSITIVE = (_above_zero, "greater than 0")
NOT_NEGATIVE = (_not_negative, "0 or greater")
UNIT = (_unit, "at least 0 and below 1")
SHARE = (_share, "at least 0 and at most 1")
PART = (_part, "greater than 0 and at most 1")

AT_LEAST_ONE = (_at_least_one, "1 or greater")

Range = tuple[Callable[[float], bool], str]

ALLOWED: dict[str, Range] = {
    **dict.fromkeys(("lr", "steps", "every", "half_cycle", "factor", "div", "final_div"), POSITIVE),
    **dict.fromkeys(("eps", "eps_root", "s0", "lr_decay", "psi", "weight_decay", "eta"), NOT_NEGATIVE),
    **dict.fromkeys(("mu", "rho", "beta", "beta1", "beta2", "beta3", "momentum"), UNIT),
    **dict.fromkeys(("mu_low", "mu_high"), UNIT),
    **dict.fromkeys(("dampening", "base_ratio"), SHARE),
    **dict.fromkeys(("alpha", "gamma"), PART),
}


def check_numbers(rule: Any) -> None:
    """Raise an InputError that names the first hyperparameter whose number is not allowed.

    What a name allows is in `ALLOWED`, unless the rule's class says otherwise in `ranges`.
    """
    allowed_here = {**ALLOWED, **getattr(rule, "ranges", {})}
    for field, content in _fields(rule):
        is_absent = content is None and field.default is None
        if not _is_hyper(field) or is_absent or isinstance(content, (Schedule, Tensor)):
            continue
        name = f"{type(rule).__name__}({field.name}={content!r})"
        if isinstance(content, bool) or not isinstance(content, Real):
            raise InputError(f"{name}: {field.name} must be a number or a schedule")
        if not math.isfinite(content):
            raise InputError(f"{name}: {field.name} must be finite")
        allowed, wanted = allowed_here.get(field.name, (None, ""))
        if allowed is not None and not allowed(float(content)):
            raise InputError(f"{name}: {field.name} must be {wanted}")


def check_choice(rule: Any, name: str, choices: tuple[str, ...]) -> None:
    """Raise an InputError if the rule's field is not one of the names that choose its formula."""
    content = getattr(rule, name)
    if content not in choices:
        known = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        raise InputError(f"{type(rule).__name__}({name}={content!r}): {name} must be {known}")
