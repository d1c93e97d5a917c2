"""How a CSV file is laid out: its separator, its header, and which line a row or a fault is on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from spusk.errors import InputError

_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvLayout:
    """The layout of one CSV file, read off its header.

    DuckDB's own sniffer would rather skip rows than meet a malformed one, and takes rows that start with
    `#` for comments; so the separator and the header are fixed here, and only the types are left to it.

    Args:
        path: the file.
        separator: the one of `,` `;` tab `|` that cuts the header into most names.
        names: the header, blanks around names removed.
        skip: blank lines before the header.
    """

    path: Path
    separator: str
    names: tuple[str, ...]
    skip: int

    @classmethod
    def read(cls, path: Path) -> CsvLayout:
        """Read the header of `path`; an InputError if there is nothing but blanks."""
        skip = _blank_lines(path)
        try:
            headers = {mark: next(_rows(path, mark, skip)).cells for mark in _SEPARATORS}
        except csv.Error as error:
            raise InputError(f"{path} is not a CSV file: {error}") from error
        separator = max(_SEPARATORS, key=lambda mark: len(headers[mark]))
        return cls(path, separator, tuple(name.strip() for name in headers[separator]), skip)

    def line_of(self, row: int) -> int | None:
        """The line, from 1, on which data row `row`, from 0, begins; None if there is no such row."""
        rows = _rows(self.path, self.separator, self.skip)
        return next((found.first_line for found in islice(rows, row + 1, None)), None)

    def fault(self) -> str | None:
        """What is wrong with the first malformed row, naming its line; None if every row is well formed."""
        line = _first_line_not_utf8(self.path)
        if line:
            return f"line {line} is not UTF-8 text; save the file as UTF-8"
        line = self.skip
        try:
            for row in _rows(self.path, self.separator, self.skip, strict=True):
                found, needed = len(row.cells), len(self.names)
                if found != needed:
                    values = "1 value" if found == 1 else f"{found} values"
                    return f"line {row.first_line} has {values}; the header has {needed} names"
                line = row.last_line
        except csv.Error as error:
            if "end of data" in str(error):
                return f"line {line + 1} opens a quote that is never closed"
            return f"line {line + 1} has a quote in the wrong place ({error})"
        return None


@dataclass(frozen=True)
class _Row:
    first_line: int
    last_line: int
    cells: list[str]


def _rows(path: Path, separator: str, skip: int, strict: bool = False) -> Iterator[_Row]:
    """The rows of a file from its header on, blank lines left out."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.reader(islice(lines, skip, None), delimiter=separator, strict=strict)
        line = skip
        for cells in reader:
            if cells:
                yield _Row(line + 1, skip + reader.line_num, cells)
            line = skip + reader.line_num


def _blank_lines(path: Path) -> int:
    """How many lines before the header are blank."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        for number, line in enumerate(lines):
            if line.strip():
                return number
    raise InputError(f"{path} is empty; it needs a header line and rows")


def _first_line_not_utf8(path: Path) -> int | None:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None
