"""What a table's columns were when a model was trained on it, so that new tables are read the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.data.column import Column, Kind
from spusk.data.table_file import TableFile, open_table
from spusk.errors import InputError, closest

MOST_TEXTS = 100
"""How many different texts a column may hold to become features."""

GAP = "missing"
"""The category of a text that is missing."""


@dataclass(frozen=True)
class Field:
    """One column of the inputs: numbers and moments stay as they are, truth values are 0 or 1, texts one-hot.

    Args:
        name: of the column.
        kind: what its values are; see `Column`.
        texts: the categories of a text column, sorted.

    >>> hue = Field.of(Column("hue", "text", np.array(["red", ""], object)), "f")
    >>> hue.features, hue.encode(Column("hue", "text", np.array(["red"], object))).tolist()
    (('hue=missing', 'hue=red'), [[0.0, 1.0]])
    """

    name: str
    kind: Kind
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, column: Column, file: str) -> Field:
        """The field that a column is; an InputError if it holds more than `MOST_TEXTS` different texts."""
        if column.kind != "text":
            return cls(column.name, column.kind)
        texts = [str(text) for text in np.unique(_categories(column))]
        if len(texts) > MOST_TEXTS:
            raise InputError(
                f"{file}: column {column.name!r} holds {len(texts)} different texts, such as {texts[0]!r}, "
                f"and at most {MOST_TEXTS} can become features; "
                f"leave it out with --ignore {quote(column.name)}"
            )
        return cls(column.name, column.kind, tuple(texts))

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its columns in x."""
        return tuple(f"{self.name}={text}" for text in self.texts) if self.kind == "text" else (self.name,)

    @property
    def standardised(self) -> bool:
        """Whether its columns in x are brought to mean 0 and deviation 1."""
        return self.kind in ("number", "moment")

    def encode(self, column: Column) -> NDArray[np.float64]:
        """Values of this kind as [n, features] numbers, NaN where missing; unknown texts are all 0."""
        if self.kind != "text":
            return column.values[:, None]
        return (_categories(column)[:, None] == np.array(self.texts, object)).astype(np.float64)


def _categories(column: Column) -> NDArray[Any]:
    return np.where(column.missing, GAP, column.values)


@dataclass(frozen=True)
class Schema:
    """The columns of a table, as far as a model has to know them to read another one.

    Args:
        target: the name of the column that is predicted.
        fields: the columns of the inputs, in the order of their features.
        fills: whether missing numbers are filled (by the training means, which `Scaling` holds).
    """

    target: str
    fields: tuple[Field, ...]
    fills: bool = False

    def in_words(self) -> str:
        """Which columns are read as what.

        >>> Schema("price", (Field("hue", "text", ("blue", "red")), Field("size", "number"))).in_words()
        '1 number (size), 1 text (hue: 2 categories)'
        """
        nouns = {"number": "number", "truth": "truth value", "moment": "date", "text": "text"}
        parts: list[str] = []
        for kind, noun in nouns.items():
            names = [
                f"{f.name}: {_categories_of(f)}" if f.texts else f.name for f in self.fields if f.kind == kind
            ]
            if names:
                shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
                parts.append(f"{len(names)} {noun}{'s' if len(names) > 1 else ''} ({shown})")
        return ", ".join(parts)

    def read(self, path: str | Path) -> NDArray[np.float64]:
        """The inputs [n, features] that a table holds, a row for each of its rows, NaN for a missing number.

        Columns are found by name; the target and other columns may be there or not.

        Raises:
            InputError: if a column is not there, or a value is of another kind, an unknown category, or
                missing where nothing was learnt to fill it with; the sentence names row and column.
        """
        with open_table(Path(path)) as file:
            for field in self.fields:
                if field.name not in file.names:
                    hint = closest(field.name, file.names)
                    raise InputError(f"{file.path} has no column {field.name!r}, which the model needs{hint}")
            return np.concatenate([self._encoded(file, field) for field in self.fields], axis=1)

    def _encoded(self, file: TableFile, field: Field) -> NDArray[np.float64]:
        column = file.column_as(field.name, field.kind)
        where = f"{file.path}: column {field.name!r}"
        if column.kind == "number" and np.isinf(column.values).any():
            row = int(np.argmax(np.isinf(column.values)))
            raise InputError(f"{where}, {file.place(row)}, is infinite; every number must be finite")
        if column.missing.any() and not self.fills:
            row = int(np.argmax(column.missing))
            raise InputError(
                f"{where}, {file.place(row)}, is missing; a model trained with --missing mean fills it"
            )
        block = field.encode(column)
        if field.kind == "text" and not block.any(axis=1).all():
            row = int(np.argmin(block.any(axis=1)))
            found = repr(column.values[row]) if column.values[row] else "missing"
            raise InputError(
                f"{where}, {file.place(row)}, is {found}; the model knows {_listed(field.texts)}"
            )
        return block

    def to_dict(self) -> dict[str, Any]:
        """The schema as plain data, which JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> Schema:
        """The schema that `to_dict` described.

        >>> schema = Schema("price", (Field("hue", "text", ("blue", "red")), Field("size", "number")))
        >>> Schema.from_dict(schema.to_dict()) == schema
        True
        """
        fields = tuple(Field(f["name"], f["kind"], tuple(f["texts"])) for f in described["fields"])
        return cls(str(described["target"]), fields, bool(described["fills"]))


def _categories_of(field: Field) -> str:
    return "1 category" if len(field.texts) == 1 else f"{len(field.texts)} categories"


def _listed(texts: tuple[str, ...], most: int = 10) -> str:
    shown = ", ".join(map(repr, texts[:most]))
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"
