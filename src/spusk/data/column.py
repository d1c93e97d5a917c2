"""One column of a table: numbers, truth values, moments or texts, with some values missing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["number", "truth", "moment", "text"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_MISSING_NUMBER = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
_TRUTHS = {"true": 1.0, "false": 0.0, "": float("nan")}


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table.

    Args:
        name: its name.
        kind: `"number"`; `"truth"`, 0 or 1; `"moment"`, days since 1970-01-01 (of a time of day: since
            midnight); or `"text"`.
        values: [n] float64 with NaN where missing; for texts objects, with `""` where missing.
    """

    name: str
    kind: Kind
    values: NDArray[Any]

    @property
    def missing(self) -> NDArray[np.bool]:
        """[n]: which values are missing."""
        return self.values == "" if self.kind == "text" else np.isnan(self.values)

    def take(self, rows: NDArray[np.int64]) -> Column:
        """The column with these rows only."""
        return replace(self, values=self.values[rows])


def parse_number(text: str, decimal: str = ".") -> float | None:
    """The number a text spells, NaN if it spells a missing number, None if it spells none.

    >>> parse_number("1.5"), parse_number("1,5", decimal=","), parse_number("NA"), parse_number("12 kg")
    (1.5, 1.5, nan, None)
    """
    text = text.strip()
    if text.lower() in _MISSING_NUMBER:
        return float("nan")
    if decimal != ".":
        text = text.replace(decimal, ".")
    return float(text) if _NUMBER.fullmatch(text) else None


def spelt(text: str, kind: Kind, decimal: str) -> float | None:
    """The number or truth value that a text spells, NaN if a missing one, None if none.

    >>> spelt("1,5", "number", ","), spelt("True", "truth", "."), spelt("yes", "truth", ".")
    (1.5, 1.0, None)
    """
    return _TRUTHS.get(text.lower()) if kind == "truth" else parse_number(text, decimal)


def interpret_texts(column: Column, decimal: str) -> Column:
    """What a CSV column of texts means: numbers beside marks such as `NA`, numbers with a decimal comma,
    truth values, or indeed texts.

    >>> interpret_texts(Column("a", "text", np.array(["1.5", "NA"], object)), ".")
    Column(name='a', kind='number', values=array([1.5, nan]))
    >>> interpret_texts(Column("a", "text", np.array(["true", "False"], object)), ".").kind
    'truth'
    """
    found: set[str] = set(column.values.tolist())
    kinds: tuple[Kind, ...] = ("truth", "number")
    for kind in kinds:
        meaning = {text: spelt(text, kind, decimal) for text in found}
        values = [value for value in meaning.values() if value is not None]
        if len(values) == len(meaning) and not np.isnan(values).all():
            values = np.array([meaning[text] for text in column.values.tolist()], np.float64)
            return Column(column.name, kind, values)
    return column
