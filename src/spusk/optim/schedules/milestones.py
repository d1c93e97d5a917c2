"""What schedules with places in time share."""

from __future__ import annotations

from itertools import pairwise
from numbers import Real
from typing import Any

from spusk.errors import InputError


def check_ascending(schedule: Any, name: str) -> None:
    """Raise an InputError unless the field is a tuple of one number or more, greater than 0 and ascending."""
    places = getattr(schedule, name)
    what = f"{type(schedule).__name__}({name}={places!r}): {name}"
    if not isinstance(places, (tuple, list)) or not places:
        raise InputError(f"{what} must be a tuple of one number of steps or more")
    numbers = [x for x in places if isinstance(x, Real)]  # pyright: ignore[reportUnknownVariableType]
    if any(not x > 0 for x in numbers) or any(not a < b for a, b in pairwise(numbers)):  # pyright: ignore[reportOperatorIssue]
        raise InputError(f"{what} must be greater than 0 and ascending")


def check_count(schedule: Any, name: str, places: str) -> None:
    """Raise an InputError unless there is one member of `name` more than there are places between them."""
    found, between = len(getattr(schedule, name)), len(getattr(schedule, places))
    if found != between + 1:
        swapped = f"; the {name} come first, the {places} second" if found == between - 1 else ""
        raise InputError(
            f"{type(schedule).__name__} got {found} {name} and {between} {places}; {between} {places} lie "
            f"between {between + 1} {name}{swapped}"
        )
