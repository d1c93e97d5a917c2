"""Hyperparameters: numbers, schedules or traced scalars, found and replaced by name.

A rule's hyperparameters are its dataclass fields annotated `Hyper` (or `float`), its schedules' fields, and
those of the rules inside it, also of rules in mappings and tuples. A field whose annotation holds `Hyper`,
such as `tuple[Hyper, ...]`, is a container of hyperparameters. The training step takes them as inputs of its
graph, so that changing one never builds the step anew. All other fields (booleans, names) choose the formula
itself; so does None in a field whose default is None, which leaves that term out.

Names are dotted: `inner.lr`, `rules.*bias.lr`, `values.0`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.graph.interpret import evaluate
from spusk.optim.hints import for_field
from spusk.optim.ranges import ALLOWED, ONE_STEP, PLACES, Range

if TYPE_CHECKING:
    # A number, a Schedule or a scalar Tensor. Formulas multiply it with Tensors, which only Any allows:
    # a Schedule itself has no arithmetic, and is replaced by its value before any formula runs.
    Hyper: TypeAlias = Any
else:

    class Hyper:
        """Annotation of a dataclass field that is a hyperparameter: a number, a Schedule or a Tensor."""


T = TypeVar("T")
HYPER = re.compile(r"\bHyper\b")
TINY = float(np.finfo(np.float64).tiny)
CLOSELY = 4096
"""Steps at which a schedule that seems to be 0 is looked at."""


@dataclasses.dataclass(frozen=True)
class Schedule:
    """A hyperparameter that is a closed-form function of the step number t = 1, 2, …

    Subclasses are frozen dataclasses that implement `at`. `schedule(t)` gives the value at a step, or at an
    array of steps. Fields given as lists are kept as tuples, which can be hashed as frozen dataclasses are.
    """

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        for name in named:
            known = [f.name for f in dataclasses.fields(cls) if f.init]
            if name not in known:
                raise InputError(f"{cls.__name__} has no hyperparameter {name!r}{for_field(name, known)}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for field, content in _fields(self):
            if isinstance(content, list):
                items: Any = content  # pyright: ignore[reportUnknownVariableType]
                object.__setattr__(self, field.name, tuple(items))
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

    def plot(self, steps: int | None = None, ax: Any = None, label: str | None = None) -> Any:
        """The value at every step as a picture.

        Args:
            steps: how many; default: as many as show what the schedule does.
            ax: the matplotlib axes to draw into, e.g. those of another schedule; default new ones.
            label: its name in a legend.

        Returns:
            The matplotlib axes; `.figure.savefig("lr.png")` keeps the picture.

        >>> from spusk import optim
        >>> ax = optim.Cosine(0.1, steps=100).plot(label="cosine")
        >>> optim.WarmUp(optim.Cosine(0.1, steps=90), steps=10).plot(ax=ax, label="after a warm-up") is ax
        True
        """
        from spusk.optim.schedules.plot import plot  # which needs Schedule itself

        return plot(self, steps, ax, label)


def value(hyper: Hyper, t: Tensor) -> Any:
    """A hyperparameter at step t: a schedule is evaluated, anything else is itself."""
    return hyper.at(t) if isinstance(hyper, Schedule) else hyper


def hyperparameters(rule: Any) -> dict[str, float]:
    """The numbers of a rule by name, those of its schedules and inner rules with dotted names.

    >>> from spusk.optim import Momentum
    >>> hyperparameters(Momentum(lr=0.1))["lr"]
    0.1
    """
    return {path: number for field, content in _fields(rule) for path, number in _numbers(field, content)}


def _numbers(field: dataclasses.Field[Any], content: Any) -> Iterator[tuple[str, float]]:
    def walk(path: str, part: Any) -> Iterator[tuple[str, float]]:
        for name, inside in members(part).items():
            yield from walk(f"{path}.{name}", inside)
        if dataclasses.is_dataclass(part):
            yield from ((f"{path}.{name}", number) for name, number in hyperparameters(part).items())
        elif _is_number(part) and _is_hyper(field):
            yield path, float(part)

    return walk(field.name, content)


def ranges_of(rule: Any) -> dict[str, Range | None]:
    """What each of `hyperparameters` allows, by the same names; None for any number.

    >>> from spusk.optim import Clip, SGD
    >>> [allowed[1] for allowed in ranges_of(Clip(SGD(), norm=1.0)).values() if allowed]
    ['greater than 0', 'greater than 0', '0 or greater']
    """
    here = {**ALLOWED, **getattr(rule, "ranges", {})}

    def walk(path: str, part: Any, allowed: Range | None) -> Iterator[tuple[str, Range | None]]:
        for name, inside in members(part).items():
            yield from walk(f"{path}.{name}", inside, allowed)
        if dataclasses.is_dataclass(part):
            yield from ((f"{path}.{name}", own) for name, own in ranges_of(part).items())
        elif _is_number(part):
            yield path, allowed

    found: dict[str, Range | None] = {}
    for field, content in _fields(rule):
        found |= walk(field.name, content, here.get(field.name))
    return {path: found[path] for path in hyperparameters(rule)}


def with_hyperparameters(rule: T, values: Mapping[str, Any]) -> T:
    """The rule with hyperparameters replaced by name (by numbers, schedules or Tensors)."""

    def replaced(path: str, part: Any) -> Any:
        if path in values:
            return values[path]
        if dataclasses.is_dataclass(part):
            inside = path + "."
            nested = {k.removeprefix(inside): v for k, v in values.items() if k.startswith(inside)}
            return with_hyperparameters(part, nested) if nested else part
        return mapped(part, replaced, path)

    return _with_fields(rule, {field.name: replaced(field.name, content) for field, content in _fields(rule)})


def formula_key(rule: Any) -> Any:
    """What a rule computes apart from its numbers, as a hashable value; rules of one key share a graph.

    >>> from spusk.optim import Adam
    >>> formula_key(Adam(lr=0.1)) == formula_key(Adam(lr=0.2))
    True
    >>> formula_key(Adam()) == formula_key(Adam.like("keras"))
    False
    """
    return (type(rule), *((field.name, _formula(field, content)) for field, content in _fields(rule)))


def _formula(field: dataclasses.Field[Any], part: Any) -> Any:
    if dataclasses.is_dataclass(part):
        return formula_key(part)
    if inside := members(part):
        return tuple((name, _formula(field, x)) for name, x in inside.items())
    if _is_hyper(field) and _is_number(part):
        return Real
    return part if part.__hash__ else repr(part)


def at_step(rule: T, t: Tensor) -> T:
    """The rule with every schedule replaced by its value at step t.

    A rule that schedules another one has a method `at_step(t)`, which gives the rule to use in that step. A
    rule whose inner rules count other steps than its own has a method `inner_time(t)`.
    """
    inside = rule.inner_time(t) if hasattr(rule, "inner_time") else t  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

    def replaced(path: str, part: Any) -> Any:
        if isinstance(part, Schedule):
            return part.at(t)
        return at_step(part, inside) if dataclasses.is_dataclass(part) else mapped(part, replaced, path)  # pyright: ignore[reportUnknownArgumentType]

    at_t: Any = _with_fields(rule, {field.name: replaced("", content) for field, content in _fields(rule)})
    return at_t.at_step(t) if hasattr(at_t, "at_step") else at_t


def _with_fields(rule: T, contents: Mapping[str, Any]) -> T:
    """The rule with other contents in some fields; itself if none is another."""
    changes = {name: content for name, content in contents.items() if content is not getattr(rule, name)}
    return dataclasses.replace(rule, **changes) if changes else rule  # pyright: ignore[reportArgumentType, reportUnknownVariableType]


# --- containers -----------------------------------------------------------------------------------------


def members(content: Any) -> dict[str, Any]:
    """What a field's container holds, by name; nothing for what is no container.

    A mapping's names are its keys, those of a tuple of pairs the first of each pair, those of any other tuple
    or list the places 0, 1, …

    >>> members((("*bias", 1.0), ("*", 2.0)))
    {'*bias': 1.0, '*': 2.0}
    >>> members((1.0, 2.0)), members(3.0)
    ({'0': 1.0, '1': 2.0}, {})
    """
    if isinstance(content, Mapping):
        return {str(k): v for k, v in content.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not isinstance(content, (tuple, list)):
        return {}
    items: Any = content  # pyright: ignore[reportUnknownVariableType]
    if _are_pairs(items):
        return dict(items)
    return {str(i): v for i, v in enumerate(items)}


def mapped(content: T, f: Callable[[str, Any], Any], path: str = "") -> T:
    """The container with f of each member's dotted name and value; itself if nothing becomes another."""
    before = members(content)
    after = {name: f(f"{path}.{name}", part) for name, part in before.items()}
    if all(after[name] is part for name, part in before.items()):
        return content
    container: Any = content
    if isinstance(container, Mapping):
        made: Any = dict(zip(container, after.values(), strict=True))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    else:
        made = type(container)(after.items() if _are_pairs(container) else after.values())
    return made  # pyright: ignore[reportUnknownVariableType]


def _are_pairs(items: Any) -> bool:
    """Whether these are pairs of different names and something."""
    pairs = len(items) > 0 and all(
        isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], str)  # pyright: ignore[reportUnknownArgumentType]
        for x in items
    )
    return pairs and len({name for name, _ in items}) == len(items)


def _fields(rule: Any) -> Iterator[tuple[dataclasses.Field[Any], Any]]:
    return ((f, getattr(rule, f.name)) for f in dataclasses.fields(rule) if f.init)


def _is_hyper(field: dataclasses.Field[Any]) -> bool:
    return field.type in ("float", Hyper, float) or bool(HYPER.search(str(field.type)))


def _is_number(content: Any) -> bool:
    return not isinstance(content, bool) and isinstance(content, Real)


# --- what values are allowed --------------------------------------------------------------------------


def check_numbers(rule: Any) -> None:
    """Raise an InputError that names the first hyperparameter whose number is not allowed.

    What a name allows is in `ALLOWED`, unless the rule's class says otherwise in `ranges`.
    """
    allowed_here = {**ALLOWED, **getattr(rule, "ranges", {})}
    places = PLACES if isinstance(rule, Schedule) else frozenset[str]()
    for field, content in _fields(rule):
        is_absent = content is None and field.default is None
        if _is_hyper(field) and not is_absent:
            for path, part in _parts(field.name, content):
                what = f"{type(rule).__name__}({field.name}={content!r}): {path}"
                if field.name in places and isinstance(part, Schedule):
                    order = ", ".join(f.name for f, _ in _fields(rule))
                    _check_values(
                        what, ONE_STEP, part, [1], f"; {type(rule).__name__} takes {order} in this order"
                    )
                _check_number(what, allowed_here.get(field.name), part)


def _parts(path: str, content: Any) -> Iterator[tuple[str, Any]]:
    """What a field holds, by name: its content, or the members of its container."""
    inside = members(content)
    if not inside and not isinstance(content, (Mapping, tuple, list)):  # which then hold nothing
        yield path, content
    for name, part in inside.items():
        yield from _parts(f"{path}.{name}", part)


def _check_number(what: str, allowed: Range | None, content: Any) -> None:
    if isinstance(content, Schedule) and allowed is not None:
        _check_values(what, allowed, content)
    if dataclasses.is_dataclass(content) or isinstance(content, Tensor):
        return
    if not _is_number(content):
        raise InputError(f"{what} must be a number or a schedule")
    if not math.isfinite(content):
        raise InputError(f"{what} must be finite")
    if allowed is not None and not allowed[0](float(content)):
        raise InputError(f"{what} must be {allowed[1]}")


def _check_values(
    what: str, allowed: Range, schedule: Schedule, at: Sequence[int] = (), remedy: str = ""
) -> None:
    """Raise an InputError if a schedule leaves the range at one of a few steps, from the first to its end.

    Where a range is open at 0, a schedule may begin or end there, but not be 0 throughout.
    """
    from spusk.optim.schedules.span import span  # which needs Schedule

    if _holds_tensors(schedule):
        return
    last = max(span(schedule), 1) + 1  # what it ends with stands in the step after its span
    steps = np.array(at, float) if at else np.unique(np.linspace(1, last, 9).round())
    try:
        values = np.broadcast_to(schedule(steps), steps.shape)
    except InputError:
        raise
    except Exception:  # of someone's own schedule: told with its line where it is trained
        return
    largest = np.abs(values).max()
    if largest == 0 and allowed[0](TINY) and _may_rise(schedule, last):
        return
    for step, x in zip(steps, values, strict=True):
        is_limit = abs(x) <= 1e-12 * largest and largest > 0 and allowed[0](TINY)
        if math.isfinite(x) and not allowed[0](float(x)) and not is_limit:
            raise InputError(
                f"{what} must be {allowed[1]}; the schedule gives {x:g} in step {step:g}{remedy}"
            )


def _may_rise(schedule: Schedule, last: float) -> bool:
    """Whether it is not certain that a schedule is 0 throughout: of someone's own it never is."""
    if not all(type(part).__module__.startswith("spusk.") for part in _schedules_in(schedule)):
        return True
    return bool(np.any(schedule(np.unique(np.linspace(1, last, CLOSELY).round()))))


def _schedules_in(content: Any) -> Iterator[Schedule]:
    """A schedule, and all inside it."""
    if isinstance(content, Schedule):
        yield content
    inside = [x for _, x in _fields(content)] if isinstance(content, Schedule) else members(content).values()
    for part in inside:
        yield from _schedules_in(part)


def _holds_tensors(content: Any) -> bool:
    inside = (
        [x for _, x in _fields(content)] if dataclasses.is_dataclass(content) else members(content).values()
    )
    return isinstance(content, Tensor) or any(map(_holds_tensors, inside))
