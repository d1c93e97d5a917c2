"""The comparison: every optimizer over its grid of learning rates, several seeds, common random numbers."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from numbers import Real
from typing import Any, Literal

import numpy as np

from spusk import nn, optim
from spusk.checks import checked_whole
from spusk.compile import Backend
from spusk.data import Split
from spusk.errors import InputError
from spusk.init import HeNormal, Init, Initialiser, XavierUniform, get, initialise
from spusk.lab import table as words
from spusk.lab.pool import outcomes
from spusk.lab.study import Record, Study
from spusk.lab.tried_rates import Rate, has_own_rate, rates
from spusk.nn import Layer
from spusk.nn.checks import require_network
from spusk.optim import Optimizer
from spusk.optim.complete import require_complete
from spusk.optim.hyper import formula_key
from spusk.optim.text import written
from spusk.train.loop import Data, Loss, as_split, choose_loss, fit
from spusk.train.programs import Programs
from spusk.train.progress import progress_bar

LIBRARY = re.compile(r"""\.like\(\s*["'](\w+)""")

Optimizers = Iterable[Optimizer | str] | Mapping[str, Optimizer | str]


@dataclass(frozen=True)
class _Task:
    """One training of the study."""

    label: str
    rule: Optimizer
    lr: Rate
    seed: int


def compare(
    net: Layer,
    data: Data,
    *,
    optimizers: Optimizers | None = None,
    lrs: Sequence[float] | None = None,
    seeds: int | Sequence[int] = 3,
    epochs: int = 20,
    batch_size: int | None = 32,
    loss: Loss | str | None = None,
    init: Init | None = None,
    validation: Any = 0.2,
    patience: int | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    jobs: int | None = None,
    progress: bool | None = None,
    backend: Backend = "native",
) -> Study:
    """Train a network with many optimizers and learning rates, and rank the optimizers.

    For one seed, the initial weights, the split and the order of the examples are the same for every
    optimizer and rate, so that differences are paired. A run whose loss becomes non-finite is counted as
    diverged, never dropped.

    Args:
        net: the architecture.
        data: a data set, a split of one, or a pair of arrays x [n, …] and y [n].
        optimizers: rules or their names, or a mapping from labels to them; default: the methods of the
            lecture (`optim.LECTURE`). A rule that was given a learning rate, such as `optim.Adam(lr=0.5)` or
            `"adam(lr=0.5)"`, is tried with that one alone; one whose rate is a schedule is trained as it
            stands, and has the rate None in the records.
        lrs: learning rates to try with all others; default: every optimizer's own grid, spaced by decades.
        seeds: how many (0, 1, …), or which.
        epochs, batch_size, loss, init, validation, patience, dtype: as in `train`; a training that patience
            has stopped counts with its best epoch. The default initialiser suits the network: Xavier uniform
            if it holds tanh, sigmoid or softmax layers and no rectifiers, else He normal.
        jobs: trainings at a time; default: one for each processor.
        progress: show a progress bar; default: if standard error is a terminal.
        backend: "native" (default) runs compiled trainings as threads; "numpy" interprets them in processes.

    Returns:
        A `Study`: `table()`, `verdict()`, `summary()`, `records`, `save_json(path)`. Ctrl-C ends it early
        with the runs that are done.

    Raises:
        InputError: for unknown names or unusable numbers, before any training starts.

    >>> from spusk import data, nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> study = compare(net, data.iris(), optimizers=["sgd", "adam"], lrs=[0.01, 0.1], seeds=2, epochs=5,
    ...                 jobs=1, progress=False)
    >>> len(study.records), {s.optimizer for s in study.summary()} == {"sgd", "adam"}
    (8, True)
    """
    began = time.perf_counter()
    require_network(net)
    named = _labelled(optim.LECTURE if optimizers is None else optimizers)
    rules = {label: optim.get(rule) for label, rule in named.items()}
    for rule in rules.values():
        require_complete(rule)
    numbers = _seeds(seeds)
    tried = _rates(named, rules, lrs)
    epochs = checked_whole("epochs", epochs, 1)
    jobs = None if jobs is None else checked_whole("jobs", jobs, 1)
    splits = {seed: as_split(data, validation, seed, dtype) for seed in numbers}
    first = splits[numbers[0]]
    if not len(first.val_x):
        raise InputError("compare ranks by validation loss; validation leaves that part empty")
    chosen = choose_loss(loss, first.dataset.task)
    weights = default_init(net) if init is None else init
    initialise(net.parameters(), weights, seed=numbers[0])  # a bad initialiser is told before any training
    programs = Programs(net, chosen, backend)
    run_one = partial(
        _train,
        programs=programs,
        splits=splits,
        init=weights,
        epochs=epochs,
        batch_size=batch_size,
        patience=patience,
        dtype=dtype,
    )
    # A training of no epochs tells at once, in this process, whether network, data and numbers fit.
    label = next(iter(rules))
    run_one(_Task(label, rules[label], tried[label][0], numbers[0]), epochs=0)
    tasks = [_Task(label, rules[label], lr, s) for label in rules for lr in tried[label] for s in numbers]
    steps = _steps(rules.values(), len(first.train_x), batch_size)
    before = partial(programs.compiling, steps)
    found, interrupted = _collect(tasks, run_one, jobs, backend, progress, before)
    position = {(t.label, t.lr, t.seed): i for i, t in enumerate(tasks)}
    found.sort(key=lambda r: position[r.optimizer, r.lr, r.seed])
    return Study(
        records=tuple(found),
        data=_data_in_words(first),
        network=_network_in_words(net),
        settings={
            "optimizers": list(rules),
            "seeds": numbers,
            "epochs": epochs,
            "batch_size": batch_size,
            "loss": nn.losses.written(chosen),
            "init": _init_in_words(weights),
            "trainings": len(tasks),
            "standardised_target": first.dataset.standardise_target,
        },
        score="accuracy" if first.dataset.task == "classification" else "r2",
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
        grids=tried,
    )


def _train(
    task: _Task,
    *,
    programs: Programs,
    splits: Mapping[int, Split],
    init: Init,
    epochs: int,
    batch_size: int | None,
    patience: int | None,
    dtype: Literal["float32", "float64"],
) -> Record | None:
    """One training as a record; None if Ctrl-C cut it short."""
    run = fit(
        programs, splits[task.seed], task.rule if task.lr is None else task.rule.with_lr(task.lr), init=init,
        epochs=epochs, batch_size=batch_size, seed=task.seed, patience=patience, dtype=dtype,
    )  # fmt: skip
    if run.status == "interrupted":
        return None
    history = {name: values.tolist() for name, values in run.history.items()}
    last = run.best_epoch - 1 if run.status == "stopped" else -1
    final = {name: values[last] if len(values) else math.nan for name, values in run.history.items()}
    score = next(name for name in ("val_accuracy", "val_r2") if name in run.initial)
    return Record(
        optimizer=task.label,
        lr=task.lr,
        seed=task.seed,
        status=run.status,
        train_loss=float(final["loss"]),
        val_loss=float(final["val_loss"]),
        val_score=float(final[score]),
        initial_val_loss=run.initial["val_loss"],
        steps=run.steps,
        seconds=run.seconds,
        history=history,
    )


def _collect(
    tasks: list[_Task],
    run_one: Callable[[_Task], Record | None],
    jobs: int | None,
    backend: Backend,
    progress: bool | None,
    before: Callable[[], str],
) -> tuple[list[Record], bool]:
    """Run the trainings, most valuable news first on the progress bar; Ctrl-C keeps what is done."""
    found: list[Record] = []
    best: Record | None = None
    # All optimizers advance together, so that an interrupted study still compares them.
    shuffled: list[int] = np.random.default_rng(0).permutation(len(tasks)).tolist()
    with progress_bar("comparing", len(tasks), "trainings", progress, before) as tick:
        try:
            for record in outcomes(run_one, [tasks[i] for i in shuffled], jobs, threads=backend == "native"):
                if record is None:
                    return found, True
                found.append(record)
                if record.status != "diverged" and (best is None or record.val_loss < best.val_loss):
                    best = record
                note = f"best run: {words.at_rate(best.optimizer, best.lr)}" if best else ""
                tick(len(found), note)
        except KeyboardInterrupt:
            return found, True
    return found, False


def _steps(rules: Iterable[Optimizer], rows: int, batch_size: int | None) -> int:
    """How many different training steps there are: one for each formula and size of batch."""
    needed: set[tuple[Any, int]] = set()
    for rule in rules:
        batch = rows if batch_size is None or rule.full_batch else batch_size
        needed |= {(formula_key(rule), size) for size in (batch, rows % batch) if size}
    return len(needed)


# --- what to compare ----------------------------------------------------------------------------------


def _labelled(optimizers: Optimizers) -> dict[str, Optimizer | str]:
    """Rules, or their texts, by label: the name, what is inside, and what differs from the defaults."""
    if isinstance(optimizers, Mapping):
        given: Mapping[Any, Any] = optimizers  # pyright: ignore[reportUnknownVariableType]
        return {str(label): rule for label, rule in given.items()}
    rules = [optimizers] if isinstance(optimizers, str) else list(optimizers)
    if not rules:
        raise InputError("compare got no optimizers; name at least one")
    labels = [_label(rule) for rule in rules]
    if repeated := [label for label in labels if labels.count(label) > 1]:
        raise InputError(f"compare got the optimizer {repeated[0]} twice")
    return dict(zip(labels, rules, strict=True))


def _label(given: Optimizer | str) -> str:
    rule = optim.get(given)
    if not isinstance(given, str):
        return written(rule)
    label = written(rule, LIBRARY.findall(given))
    # A rate that is named although it is the default tells this rule from the one with a grid.
    return " ".join(given.split()) if has_own_rate(rule, given) and "lr=" not in label else label


def _seeds(seeds: Any) -> list[int]:
    if isinstance(seeds, int | np.integer):
        return list(range(checked_whole("seeds", seeds, 1)))
    numbers = [checked_whole("a seed", seed, 0) for seed in _listed("seeds", seeds)]
    if len(set(numbers)) != len(numbers):
        raise InputError(f"seeds is {seeds!r}; it must be a number above 0 or a list of different seeds")
    return numbers


def _listed(name: str, given: Any) -> list[Any]:
    """A list that is not empty; a text is none."""
    found: list[Any] = []
    if isinstance(given, Iterable) and not isinstance(given, str):
        found += given
    if not found:
        raise InputError(f"{name} is {given!r:.60}; compare needs a list of one or more numbers")
    return found


def _rates(
    named: Mapping[str, Optimizer | str], rules: Mapping[str, Optimizer], lrs: Any
) -> dict[str, tuple[Rate, ...]]:
    given = None if lrs is None else _listed("lrs", lrs)
    for lr in given or ():
        if isinstance(lr, bool) or not isinstance(lr, Real):
            raise InputError(f"lrs holds {lr!r:.60}; a learning rate is a number")
    texts = {label: rule if isinstance(rule, str) else None for label, rule in named.items()}
    if given and all(has_own_rate(rule, texts[label]) for label, rule in rules.items()):
        raise InputError("lrs has nothing to be tried with: every optimizer was given its own learning rate")
    return {label: rates(rule, given, texts[label]) for label, rule in rules.items()}


RECTIFIERS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus)
SATURATING = (nn.Tanh, nn.Sigmoid, nn.Softmax)


def default_init(net: Layer) -> Init:
    """Xavier uniform for a network of saturating activations (Glorot & Bengio, 2010), else He normal."""
    found = repr(net)
    rectified = any(f"{kind.__name__}(" in found for kind in RECTIFIERS)
    saturating = any(f"{kind.__name__}(" in found for kind in SATURATING)
    return XavierUniform() if saturating and not rectified else HeNormal()


# --- in words -----------------------------------------------------------------------------------------


def _data_in_words(split: Split) -> str:
    dataset = split.dataset
    kind = f"{dataset.n_classes} classes" if dataset.task == "classification" else "regression"
    width = "×".join(str(n) for n in dataset.x.shape[1:]) or "1"
    rows = f"{len(split.train_x):,} training and {len(split.val_x):,} validation rows"
    return f"{dataset.name}: {rows}, {width} features, {kind}"


def _init_in_words(init: Init) -> str:
    if isinstance(init, str):
        init = get(init)
    if isinstance(init, Initialiser):
        as_usual = all(getattr(init, f.name) == f.default for f in fields(init))
        return type(init).__name__ if as_usual else repr(init)
    return str(init)


def _network_in_words(net: Layer) -> str:
    count = sum(math.prod(p.shape) for p in net.parameters())
    layers = list(net) if isinstance(net, nn.Sequential) else [net]
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    if linear and all(isinstance(layer, (nn.Linear, *RECTIFIERS, *SATURATING)) for layer in layers):
        widths = [linear[0].n_in, *(layer.n_out for layer in linear)]
        between = {type(layer).__name__ for layer in layers if not isinstance(layer, nn.Linear)}
        activations = f", {' and '.join(sorted(between))}" if between else ""
        return f"{'-'.join(map(str, widths))}{activations} ({count:,} parameters)"
    return f"{type(net).__name__} of {len(layers)} layers ({count:,} parameters)"
