"""Results on the terminal: tables where it is one, plain text where it is piped."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from spusk.data.schema import GAP, Schema
from spusk.files import write_whole
from spusk.lab import table as words
from spusk.lab.study import Study
from spusk.lab.tried_rates import only_rate
from spusk.optim import Optimizer
from spusk.optim.text import written
from spusk.train import Model, Run


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
    heads, cells = words.columns(result), words.rows(result)
    while len(heads) > 4 and _width(heads, cells) > console.width:  # the last columns matter least
        heads, cells = heads[:-1], [row[:-1] for row in cells]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for i, head in enumerate(heads):
        table.add_column(
            head.replace("steps to ", "steps to\n"),
            justify="right" if i in words.RIGHT else "left",
            no_wrap=True,
        )
    for rank, row in enumerate(cells):
        table.add_row(*row, style="bold green" if rank == 0 else None)
    console.print()
    console.print(table)
    console.print()
    for line in words.legend(result, heads):
        console.print(line, style="dim")
    console.print(result.verdict(), style="bold")


def _width(heads: list[str], cells: list[list[str]]) -> int:
    """How many characters a row of the table takes; a head may be broken after "to "."""
    broken = [head.rpartition("to ")[2] for head in heads]
    return sum(max(map(len, column)) + 2 for column in zip(broken, *cells, strict=True)) - 2


def columns(data: Any) -> None:
    """What was read from a table; nothing for other data."""
    schema: Schema | None = getattr(data, "schema", None)
    if schema is None:
        return
    kind = f"{len(data.classes)} classes" if data.classes else "regression"
    print(f"{data.name}: {len(data):,} rows, {kind}; {schema.target} from {schema.in_words()}")
    texts = [i for i, name in enumerate(data.features) if name.endswith(f"={GAP}")]
    gaps = int(np.isnan(data.x).sum() + data.x[:, texts].sum())
    if gaps:
        print(f"missing values filled: {gaps:,}")
    if len(data.classes) > 2 and all(name.lstrip("-").isdecimal() for name in data.classes):
        print(
            f"{schema.target} holds few whole numbers, taken as classes; --task regression takes quantities"
        )


def run(result: Run, rule: Optimizer) -> None:
    """How one training went."""
    history = result.history
    epochs = len(history["epoch"])
    count = words.counted(epochs, "epoch")
    ended = {
        "finished": f"finished {count}",
        "stopped": f"stopped early after {count}, best epoch {result.best_epoch} restored",
        "diverged": f"diverged in step {result.steps:,}: the loss became non-finite; try a lower lr",
        "interrupted": f"interrupted in step {result.steps:,}, whose weights are kept"
        + (f"; the numbers are those of epoch {epochs}" if epochs else ""),
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
    if unit := _own_unit(result.model):
        rows = [(*row, cell) for row, cell in zip(rows, _in_own_unit(*unit, result, kept), strict=False)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if _is_standardised(result.model):
        own = f"; {unit[0]} is in the target's own unit" if unit else ", and so is what its options count in"
        print(f"the loss is that of the standardised target{own}")


def _is_standardised(model: Model) -> bool:
    return model.task == "regression" and float(model.scaling.target_scale) != 1


def _own_unit(model: Model) -> tuple[str, Callable[[float], float]] | None:
    """The name of a regression's error in the unit of its target, and how it follows from the loss."""
    if not _is_standardised(model):
        return None
    scale = float(model.scaling.target_scale)
    known: dict[str, tuple[str, Callable[[float], float]]] = {
        "mean_squared": ("RMSE", lambda loss: scale * math.sqrt(loss)),
        "mean_absolute": ("MAE", lambda loss: scale * loss),
    }
    return known.get(model.loss)


def _in_own_unit(name: str, error: Callable[[float], float], result: Run, kept: int) -> Iterator[str]:
    """The cells of that column: its head, training, validation."""
    yield name
    for prefix in ("", "val_"):
        if f"{prefix}loss" in result.history:
            before, losses = result.initial[f"{prefix}loss"], result.history[f"{prefix}loss"]
            after = f" → {error(losses[kept - 1]):.4g}" if kept else ""
            yield f"{error(before):.4g}{after}"


def _in_words(rule: Optimizer) -> str:
    """The rule as the command line takes it, and its learning rate if that is the default."""
    text, lr = written(rule), only_rate(rule)
    return text if "lr=" in text or lr is None else f"{text}, lr {lr:g}"


def _last_finite(losses: Any) -> int:
    return next((i for i in range(len(losses), 0, -1) if math.isfinite(losses[i - 1])), 0)


def _change(name: str, before: float, after: float) -> str:
    return f"{_number(name, before)} → {_number(name, after)}"


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f} %" if name == "accuracy" else words.spread(value, math.nan, 4)


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


def predictions(model: Model, path: Path) -> str:
    """CSV of the predicted targets of a table's rows; of a class also its probability."""
    x = model.read_table(path)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    target = model.schema.target if model.schema else "predicted"
    if model.task == "classification":
        writer.writerow([target, "probability"])
        chances = model.predict_proba(x)
        for number, row in zip(model.predict(x), chances, strict=True):
            writer.writerow([model.classes[number], f"{row[number]:.4f}"])
    else:
        writer.writerow([target])
        writer.writerows([f"{value:.7g}"] for value in model.predict(x))
    return lines.getvalue()


def is_stdout(path: Path | None) -> bool:
    """Whether a file stands for standard output."""
    return str(path) in ("-", "/dev/stdout")


def apart_from(json: Path | None) -> AbstractContextManager[Any]:
    """What is printed meanwhile goes to standard error if the JSON goes to standard output."""
    return redirect_stdout(sys.stderr) if is_stdout(json) else nullcontext()


def write_text(path: Path, text: str, remark: str = "") -> None:
    """A file of text, whole or not at all, and a remark that it is there."""
    if is_stdout(path):
        sys.stdout.write(text)
        return
    write_whole(path, text.encode())
    if remark:
        say(f"{remark} {path}")


def cache(where: Path, count: int, size: int, limit: int, why: str, removed: tuple[int, int] | None) -> None:
    """The folder of compiled code: where it is, what it holds, and whether it is used."""

    def amount(count: int, size: int) -> str:
        return f"{words.counted(count, 'file')}, {size / 2**20:.1f} MiB"

    print(where)
    if removed is not None:
        print(f"removed {amount(*removed)}")
    print(f"{amount(count, size)} of at most {limit / 2**20:.0f} MiB")
    if why:
        print(f"not used: {why};")
        print("every process compiles anew; SPUSK_CACHE_DIR names another folder")
    elif not where.exists():
        print("the folder is made when something is compiled")


def write_json(path: Path, content: Mapping[str, Any], remark: str = "") -> None:
    """Valid JSON, whole or not at all; what is not finite becomes null."""
    from spusk.lab.study import without_nan

    text = json.dumps(without_nan(content), indent=1, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n", remark)
