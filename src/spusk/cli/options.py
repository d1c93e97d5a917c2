"""The options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SOURCE_HELP = (
    "A built-in data set (digits, iris, wine, breast_cancer, diabetes, moons, circles, spirals), a CSV, "
    "Parquet or JSON file with --target COLUMN, or a Python file that defines net, data and perhaps loss."
)

Source = Annotated[str, typer.Argument(help=SOURCE_HELP, metavar="SOURCE", show_default=False)]
Target = Annotated[str | None, typer.Option(help="The column to predict, for a table.", metavar="COLUMN")]
Missing = Annotated[
    str | None,
    typer.Option(
        help="What to do with missing values: mean fills numbers with the training part's mean and texts "
        "with a category 'missing', drop leaves the row out; default: refuse them."
    ),
]
Task = Annotated[
    str | None, typer.Option(help="classification or regression; default: told from the target column.")
]
Ignore = Annotated[
    str | None, typer.Option(help="Columns of a table to leave out, separated by commas.", metavar="COLUMNS")
]
Hidden = Annotated[
    str | None,
    typer.Option(help="Widths of the hidden layers, e.g. 64,32; 'none' for a linear model; default: 32."),
]
Activation = Annotated[
    str | None,
    typer.Option(
        help="Between the layers: relu (default), leakyrelu, elu, gelu, silu, tanh, sigmoid, softplus."
    ),
]
LossName = Annotated[
    str | None,
    typer.Option(
        help="E.g. huber(delta=0.5), see 'spusk methods losses'; "
        "default: cross_entropy, or mean_squared for a regression."
    ),
]
InitName = Annotated[
    str | None,
    typer.Option(
        "--init",
        help="E.g. orthogonal or henormal(mode='fan_out'), see 'spusk methods initialisers'; "
        "default: suits the activation.",
    ),
]
Epochs = Annotated[str, typer.Option(help="Passes over the training part.", metavar="N")]
BatchSize = Annotated[
    str | None,
    typer.Option(help="Examples a step, default 32; 'all' for the whole training part.", metavar="N"),
]
Validation = Annotated[str, typer.Option(help="Share of the rows kept for validation.", metavar="SHARE")]
Patience = Annotated[
    str | None,
    typer.Option(help="Stop after this many epochs without improvement; keep the best.", metavar="N"),
]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json", help="Also write everything to this file; '-' is standard output.", metavar="FILE"
    ),
]
Progress = Annotated[
    bool | None, typer.Option("--progress/--no-progress", help="Default: if this is a terminal.")
]
