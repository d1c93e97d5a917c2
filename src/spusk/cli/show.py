"""Results on the terminal: tables where it is one, plain text where it is piped."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from spusk.cli.catalogue import Entry
from spusk.files import write_whole
from spusk.lab import table as words
from spusk.lab.study import Study
from spusk.optim import Optimizer
from spusk.train import Run


def say(text: str) -> None:
    """A remark beside the result."""
    print(text, file=sys.stderr)


def study(result: Study) -> None:
    """The ranking of optimizers."""
    if not sys.stdout.isatty() or not result.records:
        print(result.table())
        return
    console = Console(highlight=False)
    for line in words.heading(result):
        console.print(line, style="dim")
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for i, head in enumerate(words.columns(result)):
        short = head if console.width >= 100 else head.replace("steps to ", "steps to\n")
        table.add_column(short, justify="right" if i in words.RIGHT else "left", no_wrap=True)
    for rank, row in enumerate(words.rows(result)):
        table.add_row(*row, style="bold green" if rank == 0 else None)
    console.print()
    console.print(table)
    console.print()
    for line in words.legend(result):
        console.print(line, style="dim")
    console.print(result.verdict(), style="bold")


def run(result: Run, rule: Optimizer) -> None:
    """How one training went."""
    history = result.history
    epochs = len(history["epoch"])
    lasted = words.counted(epochs, "epoch")
    ended = {
        "finished": f"finished {lasted}",
        "stopped": f"stopped early after {lasted}, best epoch {result.best_epoch} restored",
        "diverged": f"diverged in step {result.steps:,}: the loss became non-finite; try a lower lr",
        "interrupted": f"interrupted in step {result.steps:,}; what was learned is kept",
    }[result.status]
    print(f"{_in_words(rule)}: {ended}, {result.steps:,} steps in {result.seconds:.1f} s")
    if epochs and result.status in ("finished", "stopped") and history["loss"][-1] > result.initial["loss"]:
        print("the loss is higher than before the first step: try a lower lr")
    rows: list[tuple[str, ...]] = [("", "loss", *(n for n in history if n in ("accuracy", "r2")))]
    kept = result.best_epoch if result.status == "stopped" else _last_finite(history["loss"])
    for part, prefix in (("training", ""), ("validation", "val_")):
        if f"{prefix}loss" in history:
            before = [result.initial[prefix + name] for name in rows[0][1:]]
            after = [history[prefix + name][kept - 1] if kept else math.nan for name in rows[0][1:]]
            cells = (
                _change(name, a, b) if epochs else _number(name, a)
                for name, a, b in zip(rows[0][1:], before, after, strict=True)
            )
            rows.append((part, *cells))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _in_words(rule: Optimizer) -> str:
    """The rule with its learning rate and whatever differs from its defaults."""
    changed = {f.name: getattr(rule, f.name) for f in fields(rule)}
    differing = {k: v for k, v in changed.items() if k == "lr" or v != getattr(type(rule), k, v)}
    shown = [f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in differing.items()]
    return ", ".join([rule.label, *shown])


def _last_finite(losses: Any) -> int:
    return next((i for i in range(len(losses), 0, -1) if math.isfinite(losses[i - 1])), 0)


def _change(name: str, before: float, after: float) -> str:
    return f"{_number(name, before)} → {_number(name, after)}"


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f} %" if name == "accuracy" else f"{value:.4f}"


def run_as_dict(result: Run, rule: Optimizer) -> dict[str, Any]:
    """A training as plain data."""
    return {
        "optimizer": repr(rule),
        "status": result.status,
        "steps": result.steps,
        "seconds": result.seconds,
        "best_epoch": result.best_epoch,
        "initial": dict(result.initial),
        "history": {name: values.tolist() for name, values in result.history.items()},
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Valid JSON, whole or not at all; what is not finite becomes null."""
    from spusk.lab.study import without_nan

    text = json.dumps(without_nan(content), indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(path, (text + "\n").encode())


HEADINGS = {
    "optimizer": "Optimizers",
    "schedule": "Schedules, for any hyperparameter",
    "initialiser": "Initialisers",
    "loss": "Losses",
}


def methods(entries: list[Entry], *, full: bool) -> None:
    """The catalogue: formula and paper of each method; with `full`, all that its docstring says."""
    console = Console(highlight=False, soft_wrap=True)
    kind = ""
    for entry in entries:
        if entry.kind != kind:
            kind = entry.kind
            console.print(f"\n[bold underline]{HEADINGS[kind]}[/]")
        console.print(f"\n[bold]{entry.name}[/]  {entry.summary}", markup=True)
        for line in entry.formula.splitlines():
            console.print(f"    {line}", style="cyan", markup=False)
        if full:
            console.print()
            console.print(entry.details, markup=False)
            for library, settings in entry.presets.items():
                shown = ", ".join(f"{k}={v!r}" for k, v in settings.items()) or "the defaults"
                console.print(f'like("{library}"): {shown}', markup=False)
        elif entry.source:
            console.print(f"    {entry.source}", style="dim", markup=False)
