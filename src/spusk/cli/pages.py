"""Methods on the terminal: the list of all, those of one kind with formulas, one in full."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from spusk.errors import InputError
from spusk.lab.methods import Entry, Preset
from spusk.lab.methods.elsewhere import LIBRARIES
from spusk.lab.methods.entry import KINDS
from spusk.lab.methods.words import (
    arithmetic,
    call,
    changes,
    gradients,
    memory,
    names_there,
    preset_note,
    what_it_means,
)

WIDEST = 110  # characters: longer lines of prose are hard to read


def methods(entries: list[Entry], asked: str | None) -> None:
    """Print methods: names and summaries if none was asked for, one in full, or a kind with formulas."""
    width = min(Console().width, WIDEST)
    if sys.stdout.isatty():
        _print(Console(highlight=False, width=width), entries, asked)
        return
    written = io.StringIO()
    _print(Console(highlight=False, width=width, file=written), entries, asked)
    print("\n".join(line.rstrip() for line in written.getvalue().splitlines()))  # tables fill the width


def costs(entries: list[Entry]) -> None:
    """Print what a step of each optimizer costs, by memory and then by arithmetic."""
    found = [(entry.name, cost) for entry in entries if (cost := entry.cost()) is not None]
    if not found:
        raise InputError("only optimizers and wrappers have a cost; name one, or leave the name out")
    found.sort(key=lambda pair: (pair[1].bytes, pair[1].operations))
    width = max(len("optimizer"), *(len(name) for name, _ in found))
    print(f"{'optimizer':{width}}  numbers  bytes  operations  gradients  Hessian products")
    for name, cost in found:
        print(
            f"{name:{width}}  {cost.numbers:7.4g}  {cost.bytes:5.4g}  {cost.operations:10.4g}  "
            f"{cost.gradients:9}  {cost.curvatures:16}"
        )
    print(
        "\nNumbers kept, their bytes and operations are for each weight; gradients and Hessian products for "
        f"a step. Measured on a network {found[0][1].network} in float32; wrappers around their default rule."
    )


def _print(console: Console, entries: list[Entry], asked: str | None) -> None:
    if asked is None:
        _list(console, entries)
    elif len({entry.title for entry in entries}) == 1:
        for entry in entries:
            _page(console, entry)
            _as_there(console, entry, asked)
    else:
        _formulas(console, entries, asked)


def _list(console: Console, entries: list[Entry]) -> None:
    widest = max(len(entry.name) for entry in entries)
    for kind, heading in KINDS.items():
        of_kind = [entry for entry in entries if entry.kind == kind]
        if not of_kind:
            continue
        console.print(f"\n[bold underline]{heading}[/]")
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, width=widest, style="bold")
        table.add_column()
        for entry in of_kind:
            table.add_row(entry.name, Text(_short(entry)))
        console.print(table)
    console.print(
        "\nspusk methods NAME shows one in full: formula, paper, hyperparameters, other libraries, cost.",
        style="dim",
    )


def _short(entry: Entry) -> str:
    """The summary without the method's name at its beginning, and whose package it comes from."""
    start = f"{entry.title}: "
    text = entry.summary.removeprefix(start)
    text = text[:1].upper() + text[1:] if text != entry.summary else text
    return f"{text} (package {entry.package})" if entry.package else text


def _as_there(console: Console, entry: Entry, asked: str) -> None:
    """Who asks by a library's name is told how to have what that library computes."""
    for library in entry.libraries_called(asked):
        told = f'As {LIBRARIES[library]} computes it: {entry.name}.like("{library}")'
        console.print(Padding(Text(told, style="bold"), (1, 0, 0, 4)))


def _formulas(console: Console, entries: list[Entry], asked: str) -> None:
    kind = ""
    for entry in entries:
        if entry.kind != kind:
            kind = entry.kind
            console.print(f"\n[bold underline]{KINDS[kind]}[/]")
        console.print()
        console.print(Text.assemble((entry.name, "bold"), "  ", entry.summary))
        _formula(console, entry)
        if entry.source:
            console.print(Padding(Text(entry.source, style="dim"), (0, 0, 0, 4)))
        _as_there(console, entry, asked)


def _formula(console: Console, entry: Entry) -> None:
    for line in entry.formula.splitlines():
        console.print(Padding(Text(line, style="cyan"), (0, 0, 0, 4)))


def _page(console: Console, entry: Entry) -> None:
    where = f"from package {entry.package}" if entry.package else entry.kind
    console.print()
    console.print(Text.assemble((entry.name, "bold"), "  ", (where, "dim")))
    console.print(Text(entry.summary))
    if entry.formula:
        console.print()
        _formula(console, entry)
    if entry.source:
        console.print()
        console.print(Text(entry.source, style="dim"))
    for note in entry.notes:
        console.print()
        console.print(Text(note))
    _settings(console, entry)
    _presets(console, entry)
    _cost(console, entry)
    _elsewhere(console, entry)


def _settings(console: Console, entry: Entry) -> None:
    if not entry.settings:
        return
    _heading(console, "Hyperparameters" if entry.kind != "loss" else "Options")
    table = _grid(3)
    for s in entry.settings:
        is_obvious = s.allowed in ("", "True or False")
        allowed = s.default if is_obvious else f"{s.default}; {s.allowed}"
        table.add_row(Text(s.name, style="bold"), Text(allowed), Text(what_it_means(s.text), style="dim"))
    console.print(Padding(table, (0, 0, 0, 2)))
    if entry.lr_grid:
        rates = ", ".join(f"{rate:g}" for rate in entry.lr_grid)
        console.print(Text(f"  A comparison tries lr = {rates}.", style="dim"))


def _presets(console: Console, entry: Entry) -> None:
    if not entry.presets:
        return
    _heading(console, f"Presets: {call(entry)}.like(…) computes what another library computes")
    table = _grid(2)
    told: set[str] = set()
    for preset in entry.presets:
        cell = Text("\n").join([*_changed(preset), *_note(preset_note(preset, told))])
        table.add_row(Text(f'like("{preset.library}")', style="bold"), cell)
    console.print(Padding(table, (0, 0, 0, 2)))


def _changed(preset: Preset) -> Iterable[Text]:
    for change, text in changes(preset):
        yield Text.assemble(change, (f" ({text})" if text else "", "dim"))


def _note(text: str) -> list[Text]:
    return [Text(text, style="dim italic")] if text else []


def _cost(console: Console, entry: Entry) -> None:
    cost = entry.cost()
    if cost is None:
        return
    _heading(console, "Cost")
    table = _grid(2)
    for name, text in (
        ("memory", memory(cost)),
        ("arithmetic", arithmetic(cost)),
        ("gradients", gradients(cost)),
    ):
        table.add_row(Text(name, style="bold"), Text(text))
    console.print(Padding(table, (0, 0, 0, 2)))


def _elsewhere(console: Console, entry: Entry) -> None:
    if not entry.elsewhere:
        return
    _heading(console, "In other libraries")
    table = _grid(2)
    for library, there in entry.elsewhere.items():
        table.add_row(Text(LIBRARIES[library], style="bold"), Text("\n").join(map(Text, names_there(there))))
    console.print(Padding(table, (0, 0, 0, 2)))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for i in range(1, columns):
        table.add_column(ratio=1 if i == columns - 1 else None)
    return table
