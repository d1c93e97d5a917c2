"""Progress bars on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

ROOMY = 100  # columns of a terminal that has room for a long bar


class Ticker(Protocol):
    """Told about progress: how many units are done, and a few words about the state."""

    def __call__(self, done: int, note: str = "") -> None: ...


def _silent(done: int, note: str = "") -> None:
    pass


@contextmanager
def progress_bar(what: str, total: int, unit: str, show: bool | None) -> Generator[Ticker]:
    """A bar on standard error with the share done, the time left and a note.

    Args:
        what: the words before the bar.
        total: how many units there are.
        unit: their name in the plural, e.g. "epochs".
        show: whether to show it; None shows it when standard error is a terminal.
    """
    if show is None:
        show = sys.stderr.isatty()
    if not show:
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    console = Console(stderr=True)
    wide = console.width >= ROOMY
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=30 if wide else 10),
        MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=2 * len(str(total)) + 1)),
        TextColumn(unit, table_column=Column(no_wrap=True)),
        TimeRemainingColumn(
            compact=True, elapsed_when_finished=True, table_column=Column(no_wrap=True, min_width=5)
        ),
        # The note is what gives way on a narrow terminal.
        TextColumn("[dim]{task.fields[note]}", table_column=Column(no_wrap=True, ratio=1)),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task(what, total=total, note="")

        def tick(done: int, note: str = "") -> None:
            bar.update(task, completed=done, note=note)

        yield tick
