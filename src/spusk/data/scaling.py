"""Scaling fitted on the training part: fill, shift and scale, and back again."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spusk.errors import ShapeError

_BLOCK = 4096  # rows scaled at once, so that float64 copies of a large data set stay small


@dataclass(frozen=True, eq=False)
class Scaling:
    """What the training part says about the scale of inputs and target; plain arrays, ready to be saved.

    `x` becomes `(x - shift) / scale` after `fill` has replaced missing values (NaN); a regression target
    becomes `(y - target_shift) / target_scale`. Columns that are not standardised have shift 0 and scale 1.

    Args:
        shift: float64, the shape of one example: training mean, or 0.
        scale: float64, same shape: training standard deviation (1 for a constant column), or 1.
        fill: float64, same shape: training mean of the values that are there (0 where none is).
        target_shift: float64 scalar array: training mean of the target, or 0.
        target_scale: float64 scalar array: training standard deviation of the target, or 1.

    >>> x, y = np.array([[1.0], [3.0]]), np.array([10.0, 20.0])
    >>> scaling = fit(x, y, standardise=True, standardise_target=True)
    >>> scaling.transform([[1.0], [2.0], [np.nan]]).tolist()
    [[-1.0], [0.0], [0.0]]
    >>> scaling.restore_target(scaling.transform_target([10.0, 20.0])).tolist()
    [10.0, 20.0]
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    fill: NDArray[np.float64]
    target_shift: NDArray[np.float64]
    target_scale: NDArray[np.float64]

    def transform(self, x: ArrayLike, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Inputs as the network sees them.

        Args:
            x: [n, ...] raw inputs, numbers; NaN is a missing value.
            dtype: of the result. Default float64.

        Returns:
            A new C-contiguous array [n, ...] of `dtype`.

        Raises:
            ShapeError: if one row of `x` has not the shape of one example.
        """
        x = np.asarray(x)
        if x.ndim == 0 or x.shape[1:] != self.shift.shape:
            needed = ", ".join(["n", *map(str, self.shift.shape)])
            raise ShapeError(f"x has shape {x.shape}; the scaling was fitted on rows of shape ({needed})")
        result = np.empty(x.shape, dtype)
        for start in range(0, len(x), _BLOCK):
            values = x[start : start + _BLOCK].astype(np.float64)
            np.copyto(values, self.fill, where=np.isnan(values))
            result[start : start + _BLOCK] = (values - self.shift) / self.scale
        return result

    def transform_target(self, y: ArrayLike) -> NDArray[np.float64]:
        """A raw regression target [n] as the network is trained on it, float64."""
        return (np.asarray(y, np.float64) - self.target_shift) / self.target_scale

    def restore_target(self, y: ArrayLike) -> NDArray[np.float64]:
        """The inverse of `transform_target`: predictions [n] in the units of the raw target, float64."""
        return np.asarray(y, np.float64) * self.target_scale + self.target_shift


def fit(
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    standardise: bool | tuple[bool, ...],
    standardise_target: bool,
) -> Scaling:
    """Fit a `Scaling` on the training part, and on nothing else.

    Args:
        x: [n, ...] training inputs; NaN is a missing value.
        y: [n] training target.
        standardise: which columns to standardise: all, none, or one answer a column.
        standardise_target: whether to standardise `y`.
    """
    mean, deviation = _moments(x.reshape(len(x), -1))
    chosen = np.broadcast_to(np.asarray(standardise, bool), mean.shape)
    shape = x.shape[1:]
    target_mean, target_deviation = 0.0, 1.0
    if standardise_target:
        (target_mean,), (target_deviation,) = _moments(y.reshape(-1, 1))
    return Scaling(
        shift=np.where(chosen, mean, 0.0).reshape(shape),
        scale=np.where(chosen, deviation, 1.0).reshape(shape),
        fill=mean.reshape(shape),
        target_shift=np.asarray(target_mean, np.float64),
        target_scale=np.asarray(target_deviation, np.float64),
    )


def _moments(columns: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population standard deviation of every column, NaN left out; (0, 1) for a column of NaN."""
    scaler = import_module("sklearn.preprocessing").StandardScaler()
    with np.errstate(all="ignore"):
        scaler.fit(columns)
    mean = np.asarray(scaler.mean_, np.float64)
    empty = np.isnan(mean)
    return np.where(empty, 0.0, mean), np.where(empty, 1.0, np.asarray(scaler.scale_, np.float64))
