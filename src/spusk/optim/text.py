"""Optimizers as text, as the command line takes them and tables name them.

>>> read("momentum(mu=0.99)")
Momentum(lr=0.01, mu=0.99, dampening=0.0, lr_inside=True, dampen_first=True, average=False)
>>> read('lookahead(adam.like("keras"), k=10)').inner.eps
1e-07
>>> written(read("sgd(lr=cosine(0.1, steps=900))"))
'sgd(lr=cosine(initial=0.1, steps=900))'
"""

from __future__ import annotations

import ast
from dataclasses import fields, is_dataclass
from typing import Any

from spusk.errors import InputError, closest
from spusk.optim.catalogue import CATALOGUE, SCHEDULES
from spusk.optim.optimizer import Optimizer

_KNOWN: dict[str, Any] = {**CATALOGUE, **SCHEDULES}


def read(text: str) -> Optimizer:
    """The optimizer that a text describes: a name, and in brackets what differs from its defaults.

    Args:
        text: a name of `CATALOGUE`, alone or called with numbers, texts, True, False, None, and schedules or
            other optimizers written the same way; `name.like("library", …)` is a preset. Nothing else is
            evaluated.

    Raises:
        InputError: if it cannot be read, names an unknown method or hyperparameter, or a value is not
            allowed.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise _unreadable(text) from None
    found = _value(tree, text)
    if not isinstance(found, Optimizer):
        raise InputError(f"{text!r} is not an optimizer; known are: {', '.join(sorted(CATALOGUE))}")
    return found


def written(rule: Any) -> str:
    """The text that `read` reads back: the name, and the fields that differ from their defaults."""
    changed = [(f.name, getattr(rule, f.name)) for f in fields(rule) if getattr(rule, f.name) != f.default]
    shown = ", ".join(f"{name}={written(x) if is_dataclass(x) else repr(x)}" for name, x in changed)
    return f"{type(rule).__name__.lower()}({shown})" if shown else type(rule).__name__.lower()


def _value(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as number)):
            return -number
        case ast.Name(name):
            return _made(_known(name), [], {}, text)
        case ast.Call(ast.Name(name), args, keywords):
            make = cls = _known(name)
        case ast.Call(ast.Attribute(ast.Name(name), "like"), args, keywords):
            cls = _known(name)
            make = getattr(cls, "like", None)
        case _:
            raise _unreadable(text)
    if make is None or any(keyword.arg is None for keyword in keywords):
        raise _unreadable(text)
    named = {str(keyword.arg): _value(keyword.value, text) for keyword in keywords}
    known = [f.name for f in fields(cls)]
    for name in named:
        if name not in known:
            raise InputError(f"{cls.__name__} has no hyperparameter {name!r}{closest(name, known)}")
    return _made(make, [_value(arg, text) for arg in args], named, text)


def _known(name: str) -> Any:
    found = _KNOWN.get(name.lower())
    if found is None:
        raise InputError(f"unknown optimizer {name!r}{closest(name, CATALOGUE)}")
    return found


def _made(make: Any, args: list[Any], named: dict[str, Any], text: str) -> Any:
    try:
        return make(*args, **named)
    except TypeError as error:  # too many arguments, or one is missing
        raise InputError(f"the optimizer {text!r} cannot be made: {error}") from None


def _unreadable(text: str) -> InputError:
    return InputError(f"the optimizer {text!r} cannot be read; write a name, or e.g. momentum(mu=0.99)")
