"""A table on disk, read by DuckDB: CSV, Parquet or JSON."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from spusk.data.column import Column, Kind, interpret_texts, spelt
from spusk.data.csv_layout import CsvLayout
from spusk.errors import InputError

_READERS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
_NO_NETWORK = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_CSV_TYPES = ["BIGINT", "DOUBLE", "TIME", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR"]
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)")
_MOMENT = re.compile(r"DATE|TIMESTAMP.*|TIME")
_TEXT = re.compile(r"VARCHAR|UUID|ENUM\(.*\)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class TableFile:
    """A table that `open_table` has read.

    Args:
        path: the file.
        names: its column names, in the order of the file.
        stored: what DuckDB calls and types each of them: pairs (name, type), in the same order.
        nameless: those of `names` that the header leaves blank, called `column1`, … after their place.
        connection: a private in-memory DuckDB whose table `t` holds the rows in the order of the file.
        layout: of a CSV file; None for others.
    """

    path: Path
    names: tuple[str, ...]
    stored: tuple[tuple[str, str], ...]
    nameless: frozenset[str]
    connection: Any
    layout: CsvLayout | None

    def column(self, name: str) -> Column:
        """Read one column; an InputError if its values are nested, or of another type without a number."""
        stored, type_ = self.stored[self.names.index(name)]
        kind, expression = _meaning(type_, _quoted(stored))
        if kind is None and not _count(self.connection, _quoted(stored)):
            kind, expression = "text", "''"  # a type made up for nothing but NULL
        if kind is None:
            raise InputError(
                f"{self.path}: column {name!r} holds values of type {type_}, but only numbers, truth values, "
                f"dates and texts can be used; leave it out with --ignore {quote(name)}"
            )
        values = self.connection.execute(f"SELECT {expression} AS v FROM t").fetchnumpy()["v"]
        values = np.ma.filled(values, "" if kind == "text" else np.nan)
        read = Column(name, kind, values)
        if kind == "text" and self.layout:
            return interpret_texts(read, self._decimal)
        return read

    def column_as(self, name: str, kind: Kind) -> Column:
        """Read one column as values of a kind that is known already, whatever kind they look like.

        Raises:
            InputError: at the first value that is not of that kind.
        """
        column = self._texts(name) if kind == "text" else self.column(name)
        if column.kind == kind:
            return column
        if column.missing.all():
            return Column(name, kind, np.full(len(column.values), np.nan))
        if kind == "truth" and column.kind == "number" and np.isin(column.values, (0, 1)).all():
            return replace(column, kind=kind)
        return self._spelt(name, kind)

    def _spelt(self, name: str, kind: Kind) -> Column:
        """A column of texts as the values that they spell; an InputError at the first that spells none."""
        texts: list[str] = self._texts(name).values.tolist()
        if kind == "moment":
            moments = (
                "SELECT epoch_us(TRY_CAST(v AS TIMESTAMPTZ)) / 86400e6 AS v FROM (SELECT unnest(?) AS v)"
            )
            found = self.connection.execute(moments, [texts]).fetchnumpy()["v"]
            values = np.ma.filled(found, np.nan).tolist()
        else:
            values = [spelt(text, kind, self._decimal) for text in texts]
        for row, (text, value) in enumerate(zip(texts, values, strict=True)):
            if value is None or (kind == "moment" and text and np.isnan(value)):
                needed = {"number": "a number", "truth": "true or false", "moment": "a date or time"}[kind]
                raise InputError(
                    f"{self.path}: column {name!r}, {self.place(row)}, is {text!r}; it must be {needed}"
                )
        return Column(name, kind, np.array(values, np.float64))

    def _texts(self, name: str) -> Column:
        """A column as the texts that the file holds, whatever they may mean."""
        stored = _quoted(self.stored[self.names.index(name)][0])
        rows = "t"
        if self.layout:
            rows = "texts"
            _copy(self.connection, self.path, "csv", self.layout, into=rows)
        query = f"SELECT trim(CAST({stored} AS VARCHAR)) AS v FROM {rows}"
        values = self.connection.execute(query).fetchnumpy()["v"]
        return Column(name, "text", np.ma.filled(values, ""))

    @property
    def _decimal(self) -> str:
        return "," if self.layout and self.layout.separator == ";" else "."

    def place(self, row: int) -> str:
        """Where row `row`, from 0, is: `"row 3"`, and in a CSV file `"row 3 (line 4)"`."""
        line = self.layout.line_of(row) if self.layout else None
        return f"row {row + 1}" + (f" (line {line})" if line else "")


@contextmanager
def open_table(path: Path) -> Generator[TableFile]:
    """Read a whole table into memory, for as long as the `with` block lasts.

    Nothing is fetched from the network, and nothing is written.

    Args:
        path: a `.csv`, `.tsv`, `.txt`, `.parquet`, `.json`, `.jsonl` or `.ndjson` file. CSV is UTF-8 with a
            header line; its separator is a comma, semicolon, tab or bar.

    Raises:
        InputError: if there is no such file, or it cannot be read, is empty, or names a column twice.
    """
    reader = _reader(path)
    layout = CsvLayout.read(path) if reader == "csv" else None
    duckdb = import_module("duckdb")
    with duckdb.connect(":memory:", config=_NO_NETWORK) as connection:
        connection.execute("SET TimeZone = 'UTC'")  # the same moments on every machine
        try:
            _copy(connection, path, reader, layout)
        except duckdb.Error as error:
            raise InputError(f"{path}: {(layout and layout.fault()) or _reason(str(error))}") from error
        table = _describe(path, connection, layout)
        if not _count(connection, "*"):
            raise InputError(f"{path} has {'a header but ' if layout else ''}no rows")
        yield table


def _reader(path: Path) -> str:
    if path.is_dir():
        raise InputError(f"{path} is a folder; a table is a file")
    if not path.is_file():
        raise InputError(f"there is no file {str(path)!r}")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        found = f"files named *{path.suffix}" if path.suffix else "a file without an extension"
        raise InputError(f"{path}: cannot read {found}; known extensions are {', '.join(_READERS)}")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read: permission denied")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes)")
    return reader


def _copy(connection: Any, path: Path, reader: str, layout: CsvLayout | None, into: str = "t") -> None:
    """Copy the file into table `t`, or as nothing but texts into `texts`, if that was not done yet."""
    options = "hive_partitioning = false"  # a folder named year=2020 is no column
    values: list[Any] = [glob.escape(str(path.absolute()))]  # DuckDB would expand * ? [ in a file name
    if layout:
        options += (
            ", delim = ?, skip = ?, auto_type_candidates = ?, header = true, quote = '\"', escape = '\"', "
            "comment = '', null_padding = false, sample_size = -1"
        )
        values += [layout.separator, layout.skip, ["VARCHAR"] if into == "texts" else _CSV_TYPES]
    elif reader == "json":
        options += ", records = true, map_inference_threshold = -1, sample_size = -1"
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {into} AS SELECT * FROM read_{reader}(?, {options})", values
    )


def _describe(path: Path, connection: Any, layout: CsvLayout | None) -> TableFile:
    """The table in `connection`, with names that are all different.

    A nameless column without a value, as separators at the ends of lines make, is left out.
    """
    stored = [(name, type_) for name, type_, *_ in connection.execute("DESCRIBE t").fetchall()]
    header = layout.names if layout else [name for name, _ in stored]
    if len(header) != len(stored):
        raise InputError(f"{path}: the header has {len(header)} names, but rows have {len(stored)} values")
    columns: dict[str, tuple[str, str]] = {}
    nameless: set[str] = set()
    for place, (name, column) in enumerate(zip(header, stored, strict=True), 1):
        if not name:
            if not _count(connection, _quoted(column[0])):
                continue
            name = f"column{place}"
            nameless.add(name)
        if name in columns:
            raise InputError(f"{path}: two columns are named {name!r}; every column needs its own name")
        columns[name] = column
    return TableFile(path, tuple(columns), tuple(columns.values()), frozenset(nameless), connection, layout)


def _count(connection: Any, column: str) -> int:
    """How many values a column holds, or with `*` how many rows there are."""
    return int(connection.execute(f"SELECT count({column}) FROM t").fetchone()[0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _meaning(type_: str, column: str) -> tuple[Kind | None, str]:
    """The kind of a column of a DuckDB type, or None if it has no meaning here, and the SQL that reads it."""
    if type_ == "BOOLEAN":
        return "truth", f"CAST({column} AS DOUBLE)"
    if _NUMBER.fullmatch(type_):
        return "number", f"CAST({column} AS DOUBLE)"
    if _MOMENT.fullmatch(type_):
        return "moment", f"epoch_us({column}) / 86400e6"
    if _TEXT.fullmatch(type_):
        return "text", f"trim(CAST({column} AS VARCHAR))"
    return None, column


def _reason(message: str) -> str:
    """The one line of a DuckDB error that says what is wrong."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    reason = re.sub(r"^[\w ]*Error: ", "", lines[0])
    line = re.fullmatch(r"CSV Error on Line: (\d+)", reason)
    if line and len(lines) > 2:
        reason = f"line {line[1]}: {lines[2]}"
    elif reason.startswith("Error when sniffing"):
        reason = "its lines do not fit one CSV layout (one separator, double quotes, one kind of line end)"
    elif "non-record JSON" in reason:
        reason = "it holds no rows; a JSON table is an array, or lines, of objects"
    return f"it cannot be read: {reason.rstrip('. ')}"
