"""Data by name: a built-in set or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from spusk.data.builtin import breast_cancer, diabetes, digits, iris, wine
from spusk.data.dataset import Dataset
from spusk.data.labels import Task
from spusk.data.synthetic import circles, moons, spirals
from spusk.data.table import Missing, table
from spusk.data.table_file import open_table
from spusk.errors import InputError, closest

SOURCES: dict[str, Callable[[], Dataset]] = {
    "digits": digits,
    "iris": iris,
    "wine": wine,
    "breast_cancer": breast_cancer,
    "diabetes": diabetes,
    "moons": moons,
    "circles": circles,
    "spirals": spirals,
}
"""The built-in data sets by name."""


def load(
    source: str | Path,
    *,
    target: str | None = None,
    missing: Missing | None = None,
    task: Task | None = None,
    ignore: Iterable[str] = (),
) -> Dataset:
    """A built-in data set by its name, or a table by its path.

    Args:
        source: a name in `SOURCES`, or the path of a file that `table` reads. A name wins over a file of
            that name; `Path("digits")` is always a file.
        target, missing, task, ignore: for a file, as in `table`; a file needs `target`.

    Raises:
        InputError: if there is no such source, or the options do not suit it.

    >>> load("moons")
    Dataset('moons': 1000 rows of 2, classification into 2 classes)
    >>> load("digitz")
    Traceback (most recent call last):
    ...
    spusk.errors.InputError: no file and no built-in data set named 'digitz'; did you mean 'digits'?
    """
    if isinstance(source, str) and source in SOURCES:
        given = {"--target": target, "--missing": missing, "--task": task, "--ignore": tuple(ignore) or None}
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{source!r} is a built-in data set, ready to use; {option} is for files")
        return SOURCES[source]()
    path = Path(source)
    if not path.exists() and not path.suffix and len(path.parts) == 1:
        raise InputError(
            f"no file and no built-in data set named {str(source)!r}{closest(str(source), SOURCES)}"
        )
    if target is None:
        with open_table(path) as file:
            columns = ", ".join(file.names)
        raise InputError(f"{path} needs --target, the column to predict; its columns are {columns}")
    return table(path, target, missing=missing, task=task, ignore=ignore)
