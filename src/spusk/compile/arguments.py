"""What a `Program` and its runs are given, checked: every fault in one sentence, before any work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spusk.checks import checked_whole
from spusk.compile.session import Session
from spusk.errors import DTypeError, InputError, ShapeError, closest
from spusk.graph import Tensor

# Callers without a type checker may give anything: hence `Any` for what is annotated elsewhere.


def check_graph(outputs: Any, inputs: Any, carry: Any) -> None:
    """Raise an error if these are no named Tensors, or a carried output does not fit its input."""
    for what, tensors in (("outputs", outputs), ("inputs", inputs)):
        _check_mapping(what, tensors, "names to Tensors, such as {'y': y}")
        for name, t in tensors.items():
            if not isinstance(t, Tensor):
                raise InputError(f"{what[:-1]} {name!r} is a {type(t).__name__}; it must be a Tensor")
    _check_mapping("carry", carry, "outputs to inputs, such as {'new x': 'x'}")
    names: dict[int, str] = {}
    for name, t in inputs.items():
        if t.serial in names:
            raise InputError(f"inputs {names[t.serial]!r} and {name!r} are the same Tensor")
        names[t.serial] = name
    _check_carry(outputs, inputs, carry)


def _check_mapping(what: str, given: Any, expected: str) -> None:
    if not isinstance(given, Mapping):
        raise InputError(f"{what} is a {type(given).__name__}; it must be a mapping from {expected}")
    for name in given:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(name, str):
            raise InputError(f"{what} holds the name {name!r}; a name is a str")


def _check_carry(
    outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], carry: Mapping[str, Any]
) -> None:
    into: dict[str, str] = {}
    for source, target in carry.items():
        for what, name, known in (("output", source, outputs), ("input", target, inputs)):
            if not isinstance(name, str) or name not in known:
                hint = closest(str(name), known)
                raise InputError(f"carry {source!r} -> {target!r} names no {what} of the program{hint}")
        if target in into:
            raise InputError(
                f"outputs {into[target]!r} and {source!r} are both carried into input {target!r}; "
                "an input takes one"
            )
        into[target] = source
        out, old = outputs[source], inputs[target]
        if out.shape != old.shape:
            raise ShapeError(f"{source!r} starts with shape {old.shape} and becomes {out.shape}")
        if out.dtype != old.dtype:
            raise DTypeError(f"{source!r} starts as {old.dtype.name} and becomes {out.dtype.name}")


def check_values(
    values: Any, inputs: Mapping[str, Tensor], carry: Mapping[str, str], each: tuple[str, ...]
) -> None:
    """Raise an InputError if a value is missing, or is given to an input that does not exist."""
    if not isinstance(values, Mapping):
        kind = type(values).__name__
        raise InputError(f"values is a {kind}; it must be a mapping from the inputs' names to arrays")
    for name in values:  # pyright: ignore[reportUnknownVariableType]
        if name not in inputs:
            raise InputError(f"the program has no input {name!r}{closest(str(name), inputs)}")  # pyright: ignore[reportUnknownArgumentType]
    missing = [name for name in inputs if name not in values and name not in each]
    if missing:
        first = set(carry.values())
        named = ", ".join(
            f"{name!r} ({inputs[name].dtype.name} of shape {inputs[name].shape}, "
            f"{'the value before the first step' if name in first else 'the same in every step'})"
            for name in missing
        )
        raise InputError(f"the program needs values for its inputs {named}")


def check_run(
    outputs: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor],
    carry: Mapping[str, str],
    *,
    each: tuple[Any, ...],
    watch: Any,
    threads: Any,
    beside: Any,
) -> None:
    """Raise an error if one of `Program.begin`'s arguments makes no sense for the program."""
    for name in each:
        if not isinstance(name, str) or name not in inputs:
            raise InputError(f"the program has no input {name!r}{closest(str(name), inputs)}")
        if name in carry.values():
            raise InputError(f"input {name!r} is carried, so it cannot be given anew for each step")
    if watch is not None and (not isinstance(watch, str) or watch not in outputs):
        raise InputError(f"watch names no output of the program: {watch!r}{closest(str(watch), outputs)}")
    if watch is not None and outputs[watch].shape != ():
        raise ShapeError(f"watch is {watch!r} of shape {outputs[watch].shape}; it must be a scalar")
    if threads is not None:
        checked_whole("threads", threads, 1)
    if beside is not None and not isinstance(beside, Session):
        raise InputError(f"beside is {beside!r:.60}; it must be a session, as Program.begin gives it")


def names_of(each: Any) -> tuple[str, ...]:
    """The names of inputs that change from step to step; a text alone is none of them."""
    if isinstance(each, str) or not isinstance(each, Iterable):
        raise InputError(f"each is {each!r:.60}; it must be a list of inputs' names, such as ['rows']")
    return tuple(each)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
