"""A data set from a table on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spusk.data.column import Column
from spusk.data.dataset import Dataset
from spusk.data.encode import encode_features, encode_target
from spusk.data.labels import Task, check_task
from spusk.data.schema import Schema
from spusk.data.table_file import TableFile, open_table
from spusk.errors import InputError, closest

Missing = Literal["mean", "drop"]


def table(
    path: str | Path,
    target: str,
    *,
    missing: Missing | None = None,
    task: Task | None = None,
    ignore: Iterable[str] = (),
) -> Dataset:
    """A data set from a CSV, Parquet or JSON file, rows in the order of the file.

    Numbers are standardised; dates become days since 1970 and are standardised; truth values become 0 or
    1; a text column becomes a feature `column=text` for each of its texts, 100 at most.

    Args:
        path: a `.csv`, `.tsv`, `.txt`, `.parquet`, `.json`, `.jsonl` or `.ndjson` file.
        target: the name of the column to predict. Texts, truth values and at most 20 different whole numbers
            mean classification, other numbers regression.
        missing: what to do about missing values (NULL, empty, NaN). None, the default, refuses them; `"mean"`
            replaces a number by the mean of the training part and a text by the category
            `column=missing`; `"drop"` leaves out every row that lacks a value. Both leave out rows
            without a target.
        task: overrides what the target says.
        ignore: names of columns to leave out.

    Raises:
        InputError: if the file, a column or a value cannot be used; it says which and why.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "trees.csv").write_text("height;kind\\n1,5;elm\\n2,5;oak\\n")
    ...     trees = table(Path(folder, "trees.csv"), "kind")
    >>> trees.x.tolist(), trees.y.tolist(), trees.classes, trees.features
    ([[1.5], [2.5]], [0, 1], ('elm', 'oak'), ('height',))
    """
    check_task(task)
    if missing not in (None, "mean", "drop"):
        raise InputError(f"missing is {missing!r}; it must be 'mean' or 'drop'")
    ignore = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    with open_table(Path(path)) as file:
        names = _wanted(file, target, ignore)
        columns = [file.column(name) for name in names]
        _refuse_infinity(file, columns)
        rows = _usable_rows(file, columns, target, missing)
        kept = [column.take(rows) for column in columns]
        label = kept.pop(names.index(target))
        y, classes, task = encode_target(label, task, str(file.path), lambda row: file.place(int(rows[row])))
        x, fields = encode_features(kept, str(file.path))
    return Dataset(
        x=x,
        y=y,
        task=task,
        name=Path(path).stem,
        classes=classes,
        features=tuple(name for field in fields for name in field.features),
        standardise=tuple(field.standardised for field in fields for _ in field.features),
        standardise_target=task == "regression",
        schema=Schema(target, fields, fills=missing == "mean"),
    )


def _wanted(file: TableFile, target: str, ignore: tuple[str, ...]) -> list[str]:
    """The names of the columns to read, the target among them."""
    for name in (target, *ignore):
        if name not in file.names:
            raise InputError(f"{file.path} has no column {name!r}{closest(name, file.names)}")
    if target in ignore:
        raise InputError(f"{file.path}: column {target!r} cannot be both the target and ignored")
    names = [name for name in file.names if name not in ignore]
    for name in names:
        if name in file.nameless:
            raise InputError(
                f"{file.path}: {name} has no name in the header and may be a row number; "
                f"name it, or leave it out with --ignore {name}"
            )
    if names == [target]:
        raise InputError(
            f"{file.path}: the target {target!r} is the only column; nothing is left to learn from"
        )
    return names


def _refuse_infinity(file: TableFile, columns: list[Column]) -> None:
    for column in columns:
        if column.kind == "number" and np.isinf(column.values).any():
            row = int(np.argmax(np.isinf(column.values)))
            raise InputError(
                f"{file.path}: column {column.name!r}, {file.place(row)}, is infinite or too large; "
                "every number must be finite"
            )


def _usable_rows(
    file: TableFile, columns: list[Column], target: str, missing: Missing | None
) -> NDArray[np.int64]:
    """The rows that `missing` lets in; an InputError if there are gaps and it is None."""
    gaps = {column.name: column.missing for column in columns if column.missing.any()}
    empty = [name for name, gap in gaps.items() if gap.all()]
    if target in empty:
        raise InputError(f"{file.path}: the target {target!r} is missing in every row")
    if empty:
        options = " ".join(f"--ignore {quote(name)}" for name in empty)
        raise InputError(
            f"{file.path}: {', '.join(map(repr, empty))} is missing in every row; leave it out with {options}"
        )
    if gaps and missing is None:
        counts = ", ".join(f"{int(gap.sum())} in {name!r}" for name, gap in gaps.items())
        raise InputError(
            f"{file.path} has missing values: {counts}; "
            "fill them with --missing mean, or leave those rows out with --missing drop"
        )
    bad = np.zeros(len(columns[0].values), bool)
    for name, gap in gaps.items():
        if missing == "drop" or name == target:
            bad |= gap
    if bad.all():
        raise InputError(f"{file.path}: every row has a missing value, so --missing drop leaves none")
    return np.flatnonzero(~bad)
