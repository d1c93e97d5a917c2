"""Real data that comes with scikit-learn."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from spusk.data.dataset import Dataset
from spusk.data.labels import Task


def digits() -> Dataset:
    """Handwritten digits: 1797 images of 8×8 grey values scaled to [0, 1], flat [1797, 64]; 10 classes.

    Source: Alpaydin and Kaynak, 1998 (UCI, test part).

    >>> digits()
    Dataset('digits': 1797 rows of 64, classification into 10 classes)
    """
    return _bundled("digits", "classification", divide_by=16.0, standardise=False)


def iris() -> Dataset:
    """Three species of iris by four lengths, [150, 4], standardised. Source: Fisher, 1936.

    >>> iris().classes
    ('setosa', 'versicolor', 'virginica')
    """
    return _bundled("iris", "classification")


def wine() -> Dataset:
    """Three cultivars of wine by thirteen measurements, [178, 13], standardised.

    Source: Aeberhard and Forina, 1991.

    >>> wine()
    Dataset('wine': 178 rows of 13, classification into 3 classes)
    """
    return _bundled("wine", "classification")


def breast_cancer() -> Dataset:
    """Malignant or benign tumours by thirty measurements, [569, 30], standardised.

    Source: Wolberg, Street and Mangasarian, 1995.

    >>> breast_cancer().classes
    ('malignant', 'benign')
    """
    return _bundled("breast_cancer", "classification")


def diabetes() -> Dataset:
    """Disease progression after a year by ten measurements in raw units, [442, 10]; all standardised.

    Source: Efron, Hastie, Johnstone and Tibshirani, "Least angle regression", 2004.

    >>> diabetes()
    Dataset('diabetes': 442 rows of 10, regression)
    """
    return _bundled("diabetes", "regression", scaled=False)


def _bundled(
    name: str, task: Task, *, divide_by: float = 1.0, standardise: bool = True, **options: Any
) -> Dataset:
    bunch = getattr(import_module("sklearn.datasets"), f"load_{name}")(**options)
    regression = task == "regression"
    return Dataset(
        x=np.asarray(bunch.data, np.float64) / divide_by,
        y=np.asarray(bunch.target, np.float64 if regression else np.int64),
        task=task,
        name=name,
        classes=() if regression else tuple(str(label) for label in bunch.target_names),
        features=tuple(str(feature) for feature in bunch.feature_names),
        standardise=standardise,
        standardise_target=regression,
    )
