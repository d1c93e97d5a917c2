"""Data: where examples come from, how they are divided, and how they are scaled.

>>> from spusk import data
>>> data.wine().split(validation=0.25, seed=0)
Split('wine': 134 training rows, 44 validation rows)
"""

from spusk.data.arrays import arrays
from spusk.data.builtin import breast_cancer, diabetes, digits, iris, wine
from spusk.data.dataset import Dataset
from spusk.data.scaling import Scaling
from spusk.data.sources import SOURCES, load
from spusk.data.split import Split
from spusk.data.synthetic import circles, moons, spirals
from spusk.data.table import table

__all__ = [
    "SOURCES",
    "Dataset",
    "Scaling",
    "Split",
    "arrays",
    "breast_cancer",
    "circles",
    "diabetes",
    "digits",
    "iris",
    "load",
    "moons",
    "spirals",
    "table",
    "wine",
]
