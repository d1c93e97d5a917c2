"""Losses by name, as the command line and `train` take them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from spusk.errors import InputError, closest
from spusk.graph import Tensor
from spusk.nn.losses.classification import binary_cross_entropy, cross_entropy, hinge
from spusk.nn.losses.regression import huber, mean_absolute, mean_squared
from spusk.written_call import read_call

Loss = Callable[..., Tensor]
"""From outputs and targets to a scalar."""

CATALOGUE: dict[str, Loss] = {
    f.__name__: f for f in (cross_entropy, binary_cross_entropy, hinge, mean_squared, mean_absolute, huber)
}
"""Every loss, by the name of its function."""


ELSEWHERE = {
    "mse": "mean_squared",
    "l2": "mean_squared",
    "mae": "mean_absolute",
    "l1": "mean_absolute",
    "bce": "binary_cross_entropy",
    "ce": "cross_entropy",
}
"""What some losses are called in other libraries, for hints."""


def get(loss: Loss | str) -> Loss:
    """The loss that a name stands for; a function stands for itself.

    Args:
        loss: the name of a loss in any case, e.g. `"huber"`, and after it perhaps its options, e.g.
            `"huber(delta=0.5)"`; or any function of outputs and targets.

    Raises:
        InputError: if no loss has that name or these options, or it is neither a text nor a function.

    >>> get("huber") is huber
    True
    >>> float(get("huber(delta=0.5)")([2.0], [0.0]))
    0.875
    >>> get("hubber")
    Traceback (most recent call last):
        ...
    spusk.errors.InputError: there is no loss 'hubber'; did you mean 'huber'?
    """
    if isinstance(loss, str):
        call = read_call(loss, "loss", "huber(delta=0.5)")
        name = call.name.strip().lower()
        if name not in CATALOGUE:
            hint = closest(ELSEWHERE.get(name, name), CATALOGUE)
            raise InputError(f"there is no loss {call.name!r}{hint}")
        function = CATALOGUE[name]
        by_name = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
        options = call.arguments([p.name for p in by_name])
        return functools.partial(function, **options) if options else function
    if not callable(loss):
        raise InputError(f"the loss is {loss!r}; it must be a function of outputs and targets, or a name")
    return loss


def written(loss: Loss) -> str:
    """The text that `get` reads back: the name of a loss, with its options.

    >>> written(huber), written(get("huber(delta=0.5)"))
    ('huber', 'huber(delta=0.5)')
    """
    options: dict[str, Any] = {}
    inner: Any = loss
    while isinstance(inner, functools.partial):
        options = {**inner.keywords, **options}
        inner = inner.func
    in_words = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"{name_of(loss)}({in_words})" if options else name_of(loss)


def name_of(loss: Loss) -> str:
    """The name of a loss, also behind a `functools.partial`.

    >>> from functools import partial
    >>> name_of(partial(huber, delta=0.5))
    'huber'
    """
    inner: Any = loss
    while hasattr(inner, "func"):
        inner = inner.func
    return str(getattr(inner, "__name__", type(inner).__name__))
