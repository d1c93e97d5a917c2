"""Columns become numbers: features one or more a column, the target class numbers or floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.data.column import Column, parse_number
from spusk.data.labels import Task, number_classes, refuse_one_class
from spusk.data.schema import Field
from spusk.errors import InputError

MOST_CLASSES = 20
"""How many different whole numbers a target may hold to be taken for classes."""

FEW_ROWS = 10
"""From so many rows on, a target whose every row is a class of its own is taken for a mistake."""


def encode_features(columns: list[Column], file: str) -> tuple[NDArray[np.float64], tuple[Field, ...]]:
    """Inputs from columns: numbers and moments as they are, truth values as 0 or 1, texts one-hot.

    Returns:
        x [n, features] with NaN for missing numbers; the field that each column is.

    Raises:
        InputError: if a text column holds more than `schema.MOST_TEXTS` different texts.

    >>> size = Column("size", "number", np.array([1.0, 2.0]))
    >>> hue = Column("hue", "text", np.array(["red", ""], object))
    >>> x, fields = encode_features([size, hue], "f")
    >>> x.tolist(), fields[1].features
    ([[1.0, 0.0, 1.0], [2.0, 1.0, 0.0]], ('hue=missing', 'hue=red'))
    """
    fields = tuple(Field.of(column, file) for column in columns)
    blocks = [field.encode(column) for field, column in zip(fields, columns, strict=True)]
    return np.concatenate(blocks, axis=1), fields


def encode_target(
    column: Column, task: Task | None, file: str, place: Callable[[int], str]
) -> tuple[NDArray[Any], tuple[str, ...], Task]:
    """The target from its column, without missing values.

    Texts and truth values are classes; so are whole numbers, if there are at most `MOST_CLASSES` different
    ones; all else is regression. `task` overrides that.

    Args:
        column: the target.
        task: what it must become, or None to decide.
        file: named in errors.
        place: where row i of the column is, for errors.

    Returns:
        y [n]; the class names (none for regression); the task.

    Raises:
        InputError: if a label does not suit `task`, or there is only one class.

    >>> encode_target(Column("y", "number", np.array([1.0, 3.0, 1.0])), None, "f", str)
    (array([0, 1, 0]), ('1', '3'), 'classification')
    """
    where = f"{file}: column {column.name!r}"
    task = task or _task_of(column)
    if task == "regression":
        if column.kind == "text":
            return _numbers(column, where, place), (), task
        return column.values, (), task
    labels = column.values
    if column.kind == "truth":
        labels = np.where(labels == 1, "true", "false")
    elif column.kind != "text":
        fractional = labels != np.floor(labels)
        if fractional.any() or column.kind == "moment":
            row = int(np.argmax(fractional))
            found = "a date" if column.kind == "moment" else f"{labels[row]:g}"
            raise InputError(f"{where}, {place(row)}, is {found}; a class is a whole number or a text")
    numbers, classes = number_classes(labels)
    refuse_one_class(classes, where)
    if column.kind == "text" and len(classes) == len(labels) >= FEW_ROWS:
        raise InputError(
            f"{where} holds a different text in each of its {len(labels)} rows; a class needs several rows"
        )
    return numbers, classes, task


def _task_of(column: Column) -> Task:
    if column.kind in ("text", "truth"):
        return "classification"
    whole = bool((column.values == np.floor(column.values)).all())
    few = len(np.unique(column.values)) <= MOST_CLASSES
    return "classification" if whole and few and column.kind == "number" else "regression"


def _numbers(column: Column, where: str, place: Callable[[int], str]) -> NDArray[np.float64]:
    values = [parse_number(text) for text in column.values.tolist()]
    for row, value in enumerate(values):
        if value is None or not np.isfinite(value):
            raise InputError(f"{where}, {place(row)}, is {column.values[row]!r}; regression needs numbers")
    return np.array(values, np.float64)
