"""A data set: inputs, target, and what is known about both."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spusk.data.labels import Task

if TYPE_CHECKING:
    from spusk.data.schema import Schema
    from spusk.data.split import Split


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples to learn from, in the units they came in; `split` scales them.

    Made by `arrays`, `table`, `load` and the built-in sets, which check what they are given.

    Args:
        x: [n, ...] inputs, one row an example. Only `table(…, missing="mean")` leaves NaN for missing ones.
        y: [n] target: class numbers 0 … C-1 (int64), or floats for regression.
        task: `"classification"` or `"regression"`.
        name: what the data set is called in tables and reports.
        classes: the C class names; empty for regression.
        features: the column names of `x`; may be empty.
        standardise: which columns `split` brings to mean 0 and deviation 1: all, none, or one answer each.
        standardise_target: whether `split` does the same to a regression target.
        schema: of the table it was read from, so that a model trained on it can read others; else None.

    >>> from spusk import data
    >>> data.iris()
    Dataset('iris': 150 rows of 4, classification into 3 classes)
    >>> len(data.iris()), data.iris().n_features, data.iris().n_classes
    (150, 4, 3)
    """

    x: NDArray[Any]
    y: NDArray[Any]
    task: Task
    name: str
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    standardise: bool | tuple[bool, ...] = False
    standardise_target: bool = False
    schema: Schema | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        width = "×".join(map(str, self.x.shape[1:]))
        kind = f"classification into {self.n_classes} classes" if self.n_classes else "regression"
        return f"Dataset({self.name!r}: {len(self)} rows of {width}, {kind})"

    @property
    def n_features(self) -> int:
        """Numbers in one example: the input width of a network that reads it flat."""
        return prod(self.x.shape[1:])

    @property
    def n_classes(self) -> int:
        """How many classes there are; 0 for regression."""
        if self.task == "regression":
            return 0
        return len(self.classes) or int(self.y.max()) + 1

    def split(
        self,
        validation: float | tuple[ArrayLike, ArrayLike] | Dataset | None = 0.2,
        seed: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> Split:
        """Divide the rows into a training and a validation part, and scale both by the training part.

        The rows are drawn by scikit-learn's `train_test_split`, stratified by class where every class has
        two rows and each part has room for every class.

        Args:
            validation: the fraction of rows held back, in (0, 1), default 0.2; 0 or None for no validation
                part; or the validation part itself, as `(x, y)` in the units and labels of this data set,
                or as another Dataset.
            seed: the same seed gives the same rows.
            dtype: of the floating-point results: float32 (default) or float64.

        Returns:
            A `Split`.

        Raises:
            InputError: if `validation` is out of range, leaves a part empty or does not fit this data set;
                or if a scaled value is too large for `dtype`.

        >>> from spusk import data
        >>> data.digits().split(0.25, seed=1)
        Split('digits': 1348 training rows, 449 validation rows)
        """
        from spusk.data.split import split  # here, because a Split refers back to its Dataset

        return split(self, validation, seed, dtype)
