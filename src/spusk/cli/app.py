"""The commands."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from spusk._version import __version__
from spusk.cli import parse
from spusk.cli.options import (
    Activation,
    BatchSize,
    Epochs,
    Hidden,
    Ignore,
    InitName,
    Json,
    LossName,
    Missing,
    Patience,
    Progress,
    Source,
    Target,
    Task,
    Validation,
)
from spusk.errors import InputError
from spusk.own_file import own_errors_told

app = typer.Typer(
    name="spusk",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train neural networks, and find out how to train them.",
)


def _writable(path: Path | None) -> None:
    from spusk.cli.show import is_stdout
    from spusk.files import require_writable

    if path is not None and not is_stdout(path):
        require_writable(path)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"spusk {__version__}")
        raise typer.Exit


@app.callback()
def spusk(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train neural networks, and find out how to train them."""


@app.command(
    epilog="Example:  spusk compare digits --optimizers adam,momentum --lrs 0.001,0.01,0.1 --seeds 5"
)
def compare(
    source: Source,
    optimizers: Annotated[
        str | None,
        typer.Option(
            help="Names, separated by commas; in brackets what differs from the defaults, or the rule "
            "inside: 'sgd,momentum(mu=0.99),lookahead(radam)'. As another library has it: "
            "'adam.like(\"keras\")'. Your own: ./mine.py:MyRule. One with a rate or a schedule, adam(lr=0.5) "
            "or 'sgd(lr=cosine(0.1, steps=900))', is trained with that alone. Default: the lecture's "
            "thirteen, from gradientdescent to cyclicallr (see 'spusk methods')."
        ),
    ] = None,
    lrs: Annotated[
        str | None,
        typer.Option(
            help="Learning rates, separated by commas, for all that name none of their own; default: decades "
            "that suit each optimizer."
        ),
    ] = None,
    seeds: Annotated[str, typer.Option(help="How many seeds.", metavar="N")] = "3",
    seed: Annotated[str, typer.Option(help="The first seed.", metavar="N")] = "0",
    hidden: Hidden = None,
    activation: Activation = None,
    loss: LossName = None,
    init: InitName = None,
    epochs: Epochs = "20",
    batch_size: BatchSize = None,
    validation: Validation = "0.2",
    patience: Patience = None,
    target: Target = None,
    missing: Missing = None,
    task: Task = None,
    ignore: Ignore = None,
    jobs: Annotated[
        str | None, typer.Option(help="Trainings at a time; default: one a processor.", metavar="N")
    ] = None,
    json: Json = None,
    progress: Progress = None,
) -> None:
    """Rank optimizers on your data: each over its learning rates, several seeds, shared random numbers.

    Trainings that diverge are counted as results, and the command ends with status 0.
    """
    from spusk import lab
    from spusk.cli import show
    from spusk.cli import source as sources

    _writable(json)
    size = parse.batch_size(batch_size)
    numbers = parse.seeds(seed, seeds)
    passes = parse.whole("--epochs", epochs, 1)
    share = parse.number("--validation", validation)
    lanes = None if jobs is None else parse.whole("--jobs", jobs, 1)
    waits = None if patience is None else parse.whole("--patience", patience, 1)
    work = sources.load(source, hidden, activation, loss, target, missing, task, parse.names(ignore))
    with own_errors_told(source, *parse.own_files(optimizers)):
        study = lab.compare(
            work.net,
            work.data,
            optimizers=None if optimizers is None else parse.optimizers(optimizers),
            lrs=None if lrs is None else parse.numbers("--lrs", lrs),
            seeds=numbers,
            epochs=passes,
            batch_size=size,
            loss=work.loss,
            init=init,
            validation=share,
            patience=waits,
            jobs=lanes,
            progress=progress,
        )
    with show.apart_from(json):
        show.columns(work.data)
        show.study(study)
    if json is not None:
        show.write_json(json, study.to_dict(), "every run is in" if study.records else "the settings are in")
    if study.interrupted:
        raise typer.Exit(130)


@app.command(
    epilog="Example:  spusk train data.csv --target price --optimizer adam --lr 0.01 --save price.safetensors"
)
def train(
    source: Source,
    optimizer: Annotated[
        str,
        typer.Option(
            help="Its name, e.g. adam, 'sgd(lr=cosine(0.1, steps=900))' or your own ./mine.py:MyRule; "
            "see 'spusk methods'."
        ),
    ] = "adam",
    lr: Annotated[
        str | None, typer.Option(help="Learning rate; default: the optimizer's.", metavar="NUMBER")
    ] = None,
    seed: Annotated[str, typer.Option(help="Of weights, split and batches.", metavar="N")] = "0",
    hidden: Hidden = None,
    activation: Activation = None,
    loss: LossName = None,
    init: InitName = None,
    epochs: Epochs = "20",
    batch_size: BatchSize = None,
    validation: Validation = "0.2",
    patience: Patience = None,
    threads: Annotated[
        str | None,
        typer.Option(help="Threads that share a step; default: all processors if it gains.", metavar="N"),
    ] = None,
    target: Target = None,
    missing: Missing = None,
    task: Task = None,
    ignore: Ignore = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the trained network here (safetensors).", metavar="FILE")
    ] = None,
    json: Json = None,
    progress: Progress = None,
) -> None:
    """Train one network, and show how it went. A divergence is a result too, and ends with status 0."""
    import spusk as sp
    from spusk import lab, optim
    from spusk.cli import show
    from spusk.cli import source as sources
    from spusk.lab.tried_rates import has_own_rate, refuse_lost_schedule

    _writable(json)
    _writable(save)
    size = parse.batch_size(batch_size)
    with own_errors_told(*parse.own_files(optimizer)):
        rule = optim.get(optimizer)
    if rule.full_batch and size is not None and batch_size is not None:
        raise InputError(f"{rule.label} takes the whole training part a step; leave out --batch-size")
    if lr is not None:
        rate = parse.number("--lr", lr)
        refuse_lost_schedule(rule)
        if has_own_rate(rule, optimizer):
            raise InputError(f"{optimizer!r} and --lr each give a learning rate; leave one of them out")
        rule = rule.with_lr(rate)
    passes, first = parse.whole("--epochs", epochs, 0), parse.whole("--seed", seed, 0, most=None)
    share = parse.number("--validation", validation)
    waits = None if patience is None else parse.whole("--patience", patience, 1)
    team = None if threads is None else parse.whole("--threads", threads, 1)
    work = sources.load(source, hidden, activation, loss, target, missing, task, parse.names(ignore))
    with own_errors_told(source, *parse.own_files(optimizer)):
        run = sp.train(
            work.net,
            work.data,
            loss=work.loss,
            init=lab.default_init(work.net) if init is None else init,
            optimizer=rule,
            epochs=passes,
            batch_size=size,
            seed=first,
            validation=share,
            patience=waits,
            progress=progress,
            threads=team,
        )
    with show.apart_from(json):
        show.columns(work.data)
        show.run(run, rule)
    if save is not None:
        run.save(save)
        show.say(f"the network is in {save}; read it with spusk.load({str(save)!r})")
        if run.model.schema is not None:
            show.say(f"predict other tables with: spusk predict {shlex.quote(str(save))} FILE")
    if json is not None:
        show.write_json(json, show.run_as_dict(run, rule), "the history is in")
    if run.status == "interrupted":
        raise typer.Exit(130)


@app.command(epilog="Example:  spusk predict price.safetensors new.csv --out predicted.csv")
def predict(
    model: Annotated[
        Path, typer.Argument(help="A network that 'spusk train FILE --save' wrote.", show_default=False)
    ],
    table: Annotated[
        Path,
        typer.Argument(
            help="A CSV, Parquet or JSON file with the columns it was trained on; the target may be missing.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Write the predictions here; default: print them.", metavar="FILE"),
    ] = None,
) -> None:
    """Predict the rows of a table with a saved network: a CSV line for each, with a class's probability."""
    import spusk as sp
    from spusk.cli import show

    _writable(out)
    text = show.predictions(sp.load(model), table)
    if out is None:
        typer.echo(text, nl=False)
    else:
        show.write_text(out, text, "the predictions are in")


@app.command(epilog="Example:  spusk summary digits --hidden 64,32")
def summary(
    source: Source,
    hidden: Hidden = None,
    activation: Activation = None,
    loss: LossName = None,
    target: Target = None,
    missing: Missing = None,
    task: Task = None,
    ignore: Ignore = None,
    json: Json = None,
) -> None:
    """Show the network: layers, output shapes, parameter counts."""
    from spusk.cli import show
    from spusk.cli import source as sources

    _writable(json)
    work = sources.load(source, hidden, activation, loss, target, missing, task, parse.names(ignore))
    with show.apart_from(json):
        typer.echo(work.net.summary(work.input_shape))
    if json is not None:
        parameters = [{"name": p.name, "shape": list(p.shape)} for p in work.net.parameters()]
        show.write_json(json, {"network": repr(work.net), "parameters": parameters})


@app.command(epilog="Example:  spusk methods adam   or: spusk methods ./mine.py:MyRule")
def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show this one in full: its name here or elsewhere, or one from a file of your own; "
            "what is written after it, as in adam(lr=0.1), is checked and not shown. Or one of the words "
            "optimizers, wrappers, solvers, "
            "schedules, initialisers and losses for all of that kind with their formulas.",
            show_default=False,
        ),
    ] = None,
    costs: Annotated[
        bool,
        typer.Option("--costs", help="What a step of each optimizer costs, those that keep least first."),
    ] = False,
    json: Json = None,
) -> None:
    """List every method; or show one: formula, paper, hyperparameters, variants of other libraries, cost."""
    from spusk.cli import pages, show
    from spusk.lab import methods as catalogue

    _writable(json)
    with own_errors_told(*parse.own_files(name)):
        entries = catalogue.entries() if name is None else catalogue.find(name)
    with show.apart_from(json):
        if costs:
            pages.costs(entries)
        else:
            pages.methods(entries, name)
    if json is not None:
        described: list[dict[str, Any]] = [entry.as_dict() for entry in entries]
        show.write_json(json, {"methods": described})


@app.command(epilog="Example:  spusk verify --only adam,radam,heavy-ball")
def verify(
    only: Annotated[
        str | None,
        typer.Option(
            help="Names as the table's first column shows them, separated by commas; default: all.",
            metavar="NAMES",
        ),
    ] = None,
    jobs: Annotated[
        str | None, typer.Option(help="How many at a time; default: one a processor.", metavar="N")
    ] = None,
    json: Json = None,
    progress: Progress = None,
) -> None:
    """Reproduce published training curves and exact results; exit status 1 if a number misses."""
    from spusk.cli import show
    from spusk.lab.verify import findings_text
    from spusk.lab.verify import verify as verified

    _writable(json)
    names = None if only is None else parse.names(only)
    findings = verified(
        names, jobs=None if jobs is None else parse.whole("--jobs", jobs, 1), progress=progress
    )
    missed = sum(not finding.holds for finding in findings)
    with show.apart_from(json):
        typer.echo(findings_text(findings))
    if json is not None:
        show.write_json(json, {"findings": [f.as_dict() for f in findings], "missed": missed})
    if missed:
        raise typer.Exit(1)


@app.command(epilog="Example:  spusk cache --clear")
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all kept code.")] = False,
    json: Json = None,
) -> None:
    """Show where compiled code is kept, how much there is, and what keeps the folder from being used.

    SPUSK_CACHE_DIR names another folder. Without one, all works, but every process compiles anew.
    """
    from spusk.cli import show
    from spusk.compile import cache as code

    _writable(json)
    removed = code.clear() if clear else (0, 0)
    where, (count, size) = code.folder(), code.size()
    why = code.fault(where)
    with show.apart_from(json):
        show.cache(where, count, size, code.LIMIT, why, removed if clear else None)
    if json is not None:
        kept = {"folder": str(where), "files": count, "bytes": size, "limit": code.LIMIT}
        told = {"removed": {"files": removed[0], "bytes": removed[1]}, "usable": not why, "why": why or None}
        show.write_json(json, {**kept, **told})


__all__ = ["InputError", "app"]
