"""Labels: which task a target asks for, and the numbers 0 … C-1 that stand for its classes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError, closest

Task = Literal["classification", "regression"]


def check_task(task: str | None) -> None:
    """Refuse a task that is neither `"classification"`, `"regression"` nor None (decide from the target).

    >>> check_task("clasification")
    Traceback (most recent call last):
    ...
    spusk.errors.InputError: there is no task 'clasification'; did you mean 'classification'?
    """
    if task not in (None, "classification", "regression"):
        hint = closest(str(task), ("classification", "regression"))
        raise InputError(f"there is no task {task!r}{hint}")


def number_classes(labels: NDArray[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number the different labels 0 … C-1 in sorted order.

    Args:
        labels: [n] whole numbers, booleans or texts.

    Returns:
        The class numbers, int64 [n], and the C class names.

    >>> number_classes(np.array(["cat", "dog", "cat"]))
    (array([0, 1, 0]), ('cat', 'dog'))
    >>> number_classes(np.array([3.0, 7.0]))
    (array([0, 1]), ('3', '7'))
    """
    found, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int64), tuple(class_name(label) for label in found.tolist())


def class_name(label: object) -> str:
    """The name of a class: the label as text; a whole float reads as the integer it is.

    >>> class_name(2.0), class_name(True), class_name("cat")
    ('2', 'True', 'cat')
    """
    return str(int(label)) if isinstance(label, float) else str(label)


def look_up_classes(labels: NDArray[Any], classes: tuple[str, ...], what: str) -> NDArray[np.int64]:
    """The numbers of `labels` among known `classes`, by name; whole numbers may also be class numbers.

    Args:
        labels: [n] whole numbers, booleans or texts.
        classes: the C class names.
        what: how to call the labels in an error sentence, e.g. `"y"`.

    Returns:
        Class numbers, int64 [n].

    Raises:
        InputError: at the first label that is no class.

    >>> look_up_classes(np.array(["dog", "cat"]), ("cat", "dog"), "y")
    array([1, 0])
    >>> look_up_classes(np.array([1, 0]), ("cat", "dog"), "y")
    array([1, 0])
    """
    found, where = np.unique(labels, return_inverse=True)
    names = [class_name(label) for label in found.tolist()]
    number = {name: i for i, name in enumerate(classes)}
    unknown = [i for i, name in enumerate(names) if name not in number]
    if not unknown:
        return np.array([number[name] for name in names], np.int64)[where]
    if labels.dtype.kind in "iu" and found[0] >= 0 and found[-1] < len(classes):
        return labels.astype(np.int64)
    row = int(np.flatnonzero(where == unknown[0])[0])
    raise InputError(f"{what}[{row}] is {names[unknown[0]]!r}; the classes are {', '.join(classes)}")


def refuse_one_class(classes: tuple[str, ...], what: str) -> None:
    """Refuse a target with fewer than two classes."""
    if len(classes) < 2:
        found = f"only one class, {classes[0]!r}" if classes else "no class"
        raise InputError(f"{what} holds {found}; classification needs at least two")
