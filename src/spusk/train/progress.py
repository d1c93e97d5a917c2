"""Progress bars on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Protocol


class Ticker(Protocol):
    """Told about progress: how many units are done, and a few words about the state."""

    def __call__(self, done: int, note: str = "") -> None: ...


def _silent(done: int, note: str = "") -> None:
    pass


def _nothing() -> str:
    return ""


@contextmanager
def progress_bar(
    what: str, total: int, unit: str, show: bool | None, before: Callable[[], str] = _nothing
) -> Generator[Ticker]:
    """A bar on standard error with the share done, the time left and a note.

    Args:
        what: the words before the bar.
        total: how many units there are.
        unit: their name in the plural, e.g. "epochs".
        show: whether to show it; None shows it when standard error is a terminal.
        before: asked again and again for what must be done before the units go on, such as compiling; as long
            as it says something, that is shown before the note.
    """
    if show is None:
        show = sys.stderr.isatty()
    if not show:
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    class Notes(TextColumn):
        def render(self, task: Any) -> Text:
            words = [part for part in (before(), task.fields["note"]) if part]
            return Text("; ".join(words), style="dim", no_wrap=True, overflow="ellipsis")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        # The note takes the room that is left, so that in a narrow window it alone is cut.
        Notes("", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, expand=True, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, note="")

        def tick(done: int, note: str = "") -> None:
            bar.update(task, completed=done, note=note)

        yield tick
