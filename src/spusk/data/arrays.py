"""The user's own arrays, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spusk.data.dataset import Dataset
from spusk.data.labels import Task, check_task, look_up_classes, number_classes, refuse_one_class
from spusk.errors import InputError
from spusk.graph.feed import KINDS


def arrays(
    x: ArrayLike,
    y: ArrayLike,
    task: Task | None = None,
    classes: tuple[str, ...] = (),
    name: str = "arrays",
    *,
    features: tuple[str, ...] = (),
    standardise: bool | tuple[bool, ...] = False,
    standardise_target: bool = False,
) -> Dataset:
    """A data set from arrays in memory, used as they are unless told to standardise.

    Args:
        x: [n, ...] finite numbers, one row an example.
        y: [n] (or [n, 1]) labels: floats mean regression; whole numbers, booleans or texts classification.
        task: overrides what `y` says. Default: decide from `y`.
        classes: class names, when `y` holds class numbers or a class may have no row. Default: the
            different labels, sorted; class `i` is `classes[i]`.
        name: what the data set is called. Default `"arrays"`.
        features: names of the columns of `x`. Default none.
        standardise: columns that `split` brings to mean 0 and deviation 1 over the training part.
            Default none.
        standardise_target: the same for a regression target. Default False.

    Raises:
        InputError: if lengths differ, a value is not a finite number, there is no row, or there are fewer
            than two classes.

    >>> xor = arrays([[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"])
    >>> xor, xor.y, xor.classes
    (Dataset('arrays': 4 rows of 2, classification into 2 classes), array([0, 1, 1, 0]), ('no', 'yes'))
    """
    check_task(task)
    inputs = check_inputs(x, "x")
    labels = check_target(y, len(inputs), task, "y")
    width = int(np.prod(inputs.shape[1:]))
    for what, names in (("features", features), ("standardise", standardise)):
        if isinstance(names, tuple) and names and len(names) != width:
            raise InputError(f"{what} has {len(names)} entries; x has {width} columns")
    task = task or ("regression" if labels.dtype.kind == "f" else "classification")
    if task == "classification":
        if classes:
            classes = tuple(classes)
            labels = look_up_classes(labels, classes, "y")
        else:
            labels, classes = number_classes(labels)
        refuse_one_class(classes, "y")
    return Dataset(
        x=inputs,
        y=labels,
        task=task,
        name=name,
        classes=classes,
        features=tuple(features),
        standardise=standardise,
        standardise_target=standardise_target,
    )


def check_inputs(x: ArrayLike, what: str) -> NDArray[Any]:
    """`x` as an array [n, ...] of finite numbers, with at least one row and one column; or an InputError."""
    x = _array(x, what)
    if x.dtype.kind == "O":
        x = _numbers_in_objects(x, what)
    if x.dtype.kind not in "biuf":
        found = KINDS.get(x.dtype.kind, f"{x.dtype.name} values")
        raise InputError(f"{what} holds {found}; it must hold numbers")
    if x.ndim < 2:
        raise InputError(f"{what} has shape {x.shape}; it needs a row for every example, such as (n, 1)")
    if x.size == 0:
        raise InputError(f"{what} has shape {x.shape}; it needs at least one row and one column")
    _refuse_non_finite(x, what)
    return x


def check_target(y: ArrayLike, rows: int, task: Task | None, what: str) -> NDArray[Any]:
    """`y` as [rows] labels that suit `task`: float64 for regression, or whole numbers, booleans or texts."""
    y = _array(y, what)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "O" and not any(isinstance(label, str) for label in y.flat):
        y = _numbers_in_objects(y, what)
    if y.shape != (rows,):
        raise InputError(f"{what} has shape {y.shape}; it needs one label for each of the {rows} rows of x")
    if y.dtype.kind == "f":
        _refuse_non_finite(y, what)
        fractional = y != np.floor(y)
        if task == "classification" and fractional.any():
            row = int(np.argmax(fractional))
            raise InputError(f"{what}[{row}] is {y[row]}; a class is a whole number, a boolean or a text")
        return y.astype(np.int64 if task == "classification" else np.float64)
    if y.dtype.kind in "biu":
        return y.astype(np.float64) if task == "regression" else y
    texts = y.astype(object)
    for row, label in enumerate(texts.tolist()):
        if task == "regression" or not isinstance(label, str):
            needed = (
                "a number for regression" if task == "regression" else "a whole number, a boolean or a text"
            )
            raise InputError(f"{what}[{row}] is {label!r}; a label must be {needed}")
    return texts


def _array(values: ArrayLike, what: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{what} is not an array: its rows differ in length") from error


def _numbers_in_objects(values: NDArray[Any], what: str) -> NDArray[Any]:
    """The numbers that an array of Python objects holds, as pandas makes of columns of different types."""
    for place in np.argwhere(np.ones(values.shape, bool)):
        found = values[tuple(place)]
        if not isinstance(found, (bool, int, float, np.bool, np.number)):
            raise InputError(f"{what}[{', '.join(map(str, place))}] is {found!r}; it must be a number")
    return np.array(values.tolist())


def _refuse_non_finite(values: NDArray[Any], what: str) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0]
        found = values[tuple(place)]
        hint = "; fill missing values, or leave out their rows" if np.isnan(found) else ""
        raise InputError(f"{what}[{', '.join(map(str, place))}] is {found}; every value must be finite{hint}")
