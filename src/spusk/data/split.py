"""Training and validation parts, scaled by what the training part alone says."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spusk.data.arrays import check_inputs, check_target
from spusk.data.dataset import Dataset
from spusk.data.labels import look_up_classes
from spusk.data.scaling import Scaling, fit
from spusk.errors import InputError
from spusk.streams import stream


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """The two parts of a data set as a network is trained on them. Made by `Dataset.split`.

    Args:
        train_x: [n_train, ...] scaled inputs, C-contiguous, float32 or float64.
        train_y: [n_train] class numbers (int64), or the scaled target in the dtype of `train_x`.
        val_x: [n_val, ...] like `train_x`; 0 rows if there is no validation part.
        val_y: [n_val] like `train_y`.
        scaling: how raw values became these.
        train_rows: [n_train] int64, the rows of `dataset` in the training part.
        val_rows: [n_val] int64, the same for validation; empty if that part was given from outside.
        dataset: the raw data.
    """

    train_x: NDArray[Any]
    train_y: NDArray[Any]
    val_x: NDArray[Any]
    val_y: NDArray[Any]
    scaling: Scaling
    train_rows: NDArray[np.int64]
    val_rows: NDArray[np.int64]
    dataset: Dataset

    def __repr__(self) -> str:
        parts = f"{len(self.train_x)} training rows, {len(self.val_x)} validation rows"
        return f"Split({self.dataset.name!r}: {parts})"


def split(
    dataset: Dataset,
    validation: float | tuple[ArrayLike, ArrayLike] | Dataset | None,
    seed: int,
    dtype: DTypeLike,
) -> Split:
    """What `Dataset.split` does, and says."""
    dtype = np.dtype(dtype)
    if dtype.name not in ("float32", "float64"):
        raise InputError(f"dtype is {dtype.name}; it must be float32 or float64")
    if isinstance(validation, (tuple, list, Dataset)):
        train_rows, val_rows = np.arange(len(dataset)), np.arange(0)
        val_x, val_y = _given_part(dataset, validation)
    else:
        train_rows, val_rows = _draw_rows(dataset, validation, seed)
        val_x, val_y = dataset.x[val_rows], dataset.y[val_rows]
    train_x, train_y = dataset.x[train_rows], dataset.y[train_rows]
    scaling = fit(
        train_x, train_y, standardise=dataset.standardise, standardise_target=dataset.standardise_target
    )
    return Split(
        train_x=_scaled_inputs(dataset, scaling, train_x, dtype),
        train_y=_scaled_target(dataset, scaling, train_y, dtype),
        val_x=_scaled_inputs(dataset, scaling, val_x, dtype),
        val_y=_scaled_target(dataset, scaling, val_y, dtype),
        scaling=scaling,
        train_rows=train_rows,
        val_rows=val_rows,
        dataset=dataset,
    )


def _draw_rows(
    dataset: Dataset, fraction: float | None, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers of the training and the validation part."""
    n = len(dataset)
    if fraction is None:
        fraction = 0.0
    if not _is_number(fraction) or not 0 <= fraction < 1:
        raise InputError(
            f"validation is {reprlib.repr(fraction)}; it must be a fraction, at least 0 and less than 1"
        )
    if fraction == 0:
        return np.arange(n), np.arange(0)
    n_val = round(float(fraction) * n)
    if not 0 < n_val < n:
        part = "validation" if n_val == 0 else "training"
        raise InputError(f"validation={fraction} of the {n} rows of {dataset.name} leaves no row for {part}")
    train, val = import_module("sklearn.model_selection").train_test_split(
        np.arange(n),
        test_size=n_val,
        stratify=dataset.y if _can_stratify(dataset, n_val) else None,
        random_state=int(stream(seed, "split").integers(2**32)),
    )
    return train, val


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _can_stratify(dataset: Dataset, n_val: int) -> bool:
    if dataset.task == "regression":
        return False
    _, counts = np.unique(dataset.y, return_counts=True)
    return bool(counts.min() >= 2 and len(counts) <= min(n_val, len(dataset) - n_val))


def _given_part(
    dataset: Dataset, part: tuple[ArrayLike, ArrayLike] | Dataset
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Raw inputs and target of a validation part from outside, in the class numbers of `dataset`."""
    if isinstance(part, Dataset):
        if part.task != dataset.task:
            raise InputError(f"{part.name} is for {part.task}; {dataset.name} is for {dataset.task}")
        if part.features and dataset.features and part.features != dataset.features:
            other = sorted(set(part.features) ^ set(dataset.features)) or ["their order"]
            raise InputError(f"{part.name} and {dataset.name} differ in their features: {', '.join(other)}")
        x, y = part.x, part.y
        if part.classes and dataset.classes:
            y = look_up_classes(np.array(part.classes)[y], dataset.classes, f"y of {part.name}")
    else:
        if len(part) != 2:  # pyright: ignore[reportUnnecessaryComparison]
            raise InputError(f"validation holds {len(part)} arrays; it must be (x, y)")
        x = check_inputs(part[0], "the validation x")
        y = check_target(part[1], len(x), dataset.task, "the validation y")
        if dataset.classes:
            y = look_up_classes(y, dataset.classes, "the validation y")
    if x.shape[1:] != dataset.x.shape[1:]:
        raise InputError(
            f"one validation row has shape {x.shape[1:]}; a row of {dataset.name} has {dataset.x.shape[1:]}"
        )
    return x, y


def _scaled_inputs(dataset: Dataset, scaling: Scaling, x: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = scaling.transform(x, dtype)
    if not np.isfinite(scaled).all():
        column = int(np.argmin(np.isfinite(scaled).reshape(len(x), -1).all(0)))
        name = repr(dataset.features[column]) if dataset.features else str(column)
        raise InputError(f"column {name} of {dataset.name} holds a number too large for {dtype.name}")
    return scaled


def _scaled_target(dataset: Dataset, scaling: Scaling, y: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dataset.task == "classification":
        return np.ascontiguousarray(y, np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = scaling.transform_target(y).astype(dtype)
    if not np.isfinite(scaled).all():
        raise InputError(f"the target of {dataset.name} holds a number too large for {dtype.name}")
    return scaled
