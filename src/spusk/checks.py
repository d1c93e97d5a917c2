"""Checks of arguments that several functions share."""

from __future__ import annotations

from typing import Any

import numpy as np

from spusk.errors import InputError


def checked_function(name: str, value: Any) -> None:
    """Refuse what cannot be called.

    Raises:
        InputError: if it is no function; `name` is what needs one.

    >>> checked_function("jit", 3)
    Traceback (most recent call last):
    spusk.errors.InputError: jit got the int 3; it needs a function
    """
    if not callable(value):
        raise InputError(f"{name} got the {type(value).__name__} {value!r:.60}; it needs a function")


def checked_whole(name: str, value: Any, least: int) -> int:
    """An argument as a Python integer.

    Raises:
        InputError: if it is not a whole number, or is below `least`.

    >>> checked_whole("steps", np.int64(3), least=0)
    3
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name} is {value!r}; it must be a whole number, {least} or more")
    return int(value)  # pyright: ignore[reportUnknownArgumentType]
