"""Losses by name, as the command line and `train` take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spusk.errors import InputError, closest
from spusk.graph import Tensor
from spusk.nn.losses.classification import binary_cross_entropy, cross_entropy, hinge
from spusk.nn.losses.regression import huber, mean_absolute, mean_squared

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
        loss: the name of a loss in any case, e.g. `"huber"`, or any function of outputs and targets,
            e.g. `functools.partial(nn.losses.huber, delta=0.5)`.

    Raises:
        InputError: if no loss has that name, or it is neither a name nor a function.

    >>> get("huber") is huber
    True
    >>> get("hubber")
    Traceback (most recent call last):
        ...
    spusk.errors.InputError: there is no loss 'hubber'; did you mean 'huber'?
    """
    if isinstance(loss, str):
        if loss.lower() not in CATALOGUE:
            hint = closest(ELSEWHERE.get(loss.lower(), loss), CATALOGUE)
            raise InputError(f"there is no loss {loss!r}{hint}")
        return CATALOGUE[loss.lower()]
    if not callable(loss):
        raise InputError(f"the loss is {loss!r}; it must be a function of outputs and targets, or a name")
    return loss


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
