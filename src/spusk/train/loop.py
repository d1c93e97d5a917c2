"""Training a network: full batch, mini-batches and single examples in one loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spusk import nn, optim
from spusk.checks import checked_whole
from spusk.compile import Backend
from spusk.compile.backend import check_backend
from spusk.compile.blas import one_blas_thread
from spusk.compile.session import Session
from spusk.data import Dataset, Split
from spusk.data import arrays as dataset_of
from spusk.errors import InputError, ShapeError
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.init import Init, fitted, initialise
from spusk.nn import Layer
from spusk.nn.checks import require_network
from spusk.optim.complete import require_complete
from spusk.streams import key, stream
from spusk.train.evaluate import Measuring
from spusk.train.metrics import Metric, check_metrics, default_metrics
from spusk.train.model import Model
from spusk.train.plateaus import Plateaus
from spusk.train.programs import Programs
from spusk.train.progress import Ticker, progress_bar
from spusk.train.run import Run, Status
from spusk.train.step import DescentStep
from spusk.train.weights import Weights

Loss = Callable[..., Tensor]
Data = Dataset | Split | tuple[Any, Any]
Arrays = dict[str, NDArray[Any]]


def train(
    net: Layer,
    data: Data,
    *,
    loss: Loss | str | None = None,
    init: Init | None = None,
    optimizer: optim.Optimizer | str | None = None,
    epochs: int = 20,
    batch_size: int | None = 32,
    seed: int = 0,
    validation: Any = 0.2,
    metrics: Mapping[str, Metric] | None = None,
    patience: int | None = None,
    drop_last: bool = False,
    dtype: Literal["float32", "float64"] = "float32",
    progress: bool | None = None,
    backend: Backend = "native",
    threads: int | None = None,
) -> Run:
    """Train a network on data.

    The weights, the split, the order of the examples and dropout each draw from their own random stream of
    `seed`, so they are the same for every optimizer.

    Args:
        net: the architecture.
        data: a data set (`spusk.data`), a split of one, or a pair of arrays x [n, …] and y [n].
        loss: from outputs and targets to a scalar, or the name of one of `nn.losses`; default
            cross-entropy for a classification, mean squared error for a regression.
        init: the initialiser, its name, or a mapping from parameter names or patterns to initialisers;
            default He normal with zero biases.
        optimizer: the rule or its name; default Adam(lr=0.001).
        epochs: passes over the training part.
        batch_size: examples a step; 1 is stochastic gradient descent, None the whole training part.
            `GradientDescent` always takes the whole part. The last, smaller batch of an epoch is kept.
        seed: of all random streams.
        validation: the share of rows kept for validation, or a pair (x, y), a data set, or None.
        metrics: functions of outputs and targets to report besides the loss, by name; default accuracy
            or R². They see NumPy arrays: the network's outputs [n, …] and the targets as trained on.
        patience: stop when the validation loss has not improved for this many epochs, and take the best
            epoch's weights; default: train all epochs and keep the last weights.
        drop_last: leave out the last batch of an epoch when it is smaller than the others.
        dtype: of weights and data.
        progress: show a progress bar; default: if standard error is a terminal.
        backend: "native" (default) compiles the training step; "numpy" interprets it, for reference.
        threads: how many threads share the work of a step; default: all processors if the step is large
            enough to gain. The result has the same bits for any number, but for products done by another BLAS
            than OpenBLAS on x86-64.

    Returns:
        A `Run`: model, history, status. Divergence and Ctrl-C are a status, not an exception.

    Raises:
        InputError: for data, names or numbers that cannot be used; the sentence names them.
        ShapeError: if the network and the data do not fit; the sentence names the layer.

    >>> from spusk import data, nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> run = train(net, data.iris(), optimizer=optim.Adam(lr=0.01), epochs=30, batch_size=16, progress=False)
    >>> run.status, run.history["val_accuracy"][-1] > 0.8
    ('finished', np.True_)
    """
    check_backend(backend)
    require_network(net)
    split = as_split(data, validation, seed, dtype)
    programs = Programs(net, choose_loss(loss, split.dataset.task), backend)
    rule = optim.Adam() if optimizer is None else optim.get(optimizer)
    require_complete(rule)
    return fit(
        programs, split, rule, init=init, epochs=epochs, batch_size=batch_size, seed=seed, metrics=metrics,
        patience=patience, drop_last=drop_last, dtype=dtype, progress=progress, threads=threads,
    )  # fmt: skip


def fit(
    programs: Programs,
    split: Split,
    optimizer: optim.Optimizer,
    *,
    init: Init | None = None,
    epochs: int = 20,
    batch_size: int | None = 32,
    seed: int = 0,
    metrics: Mapping[str, Metric] | None = None,
    patience: int | None = None,
    drop_last: bool = False,
    dtype: Literal["float32", "float64"] = "float32",
    progress: bool | None = False,
    threads: int | None = None,
) -> Run:
    """One training of a network whose programs may be shared with other trainings; see `train`."""
    began = time.perf_counter()
    # The same bits however many trainings run at once; native programs see to that themselves.
    with one_blas_thread() if programs.backend == "numpy" else nullcontext():
        plan = _Plan(
            programs, split, optimizer, checked_whole("epochs", epochs, 0), batch_size, seed, drop_last,
            default_metrics(split.dataset.task) if metrics is None else metrics, patience, threads,
        )  # fmt: skip
        weights = initialise(programs.net.parameters(), init, seed=seed, dtype=np.dtype(dtype))
        plan.check_outputs(weights)
        weights = fitted(programs.net, weights, init, split.train_x, seed=seed)
        steps = 2 if plan.last else 1

        def before() -> str:
            return programs.compiling(steps)

        with progress_bar("training", epochs, "epochs", progress, before) as tick:
            course = _follow(plan, weights, tick)
    return _as_run(plan, course, time.perf_counter() - began)


def as_split(data: Data, validation: Any, seed: int, dtype: str) -> Split:
    """Data in any accepted form as training and validation parts."""
    if isinstance(data, Split):
        return data
    if isinstance(data, tuple):
        if len(data) != 2:  # pyright: ignore[reportUnnecessaryComparison]
            raise InputError(f"data is a tuple of {len(data)}; it must be a pair (x, y) or a data set")
        data = dataset_of(*data)
    if not isinstance(data, Dataset):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"data is a {type(data).__name__}; it must be a data set or a pair (x, y)")
    return data.split(validation, seed, np.dtype(dtype))


def choose_loss(loss: Loss | str | None, task: str) -> Loss:
    """The loss asked for, or the usual one for the task."""
    if loss is None:
        return nn.losses.cross_entropy if task == "classification" else nn.losses.mean_squared
    return nn.losses.get(loss)


class _Plan:
    """Everything that is fixed before the first step: the data, the step's graph, the order of batches."""

    def __init__(
        self,
        programs: Programs,
        split: Split,
        optimizer: optim.Optimizer,
        epochs: int,
        batch_size: int | None,
        seed: int,
        drop_last: bool,
        metrics: Mapping[str, Metric],
        patience: int | None,
        threads: int | None,
    ) -> None:
        self.programs, self.split, self.optimizer = programs, split, optimizer
        self.epochs, self.seed, self.metrics = epochs, seed, metrics
        check_metrics(metrics)
        self.threads = threads if threads is None else checked_whole("threads", threads, 1)
        self.patience = patience if patience is None else checked_whole("patience", patience, 1)
        self.rows = len(split.train_x)
        full = batch_size is None or optimizer.full_batch
        self.batch = self.rows if full else checked_whole("batch_size", batch_size, 1)
        if self.batch > self.rows:
            raise InputError(
                f"{split.dataset.name} has {self.rows} training rows, fewer than "
                f"batch_size={self.batch}; take a smaller one, or the whole part: --batch-size all, or None"
            )
        if self.patience is not None and not len(split.val_x):
            raise InputError("patience needs a validation part; validation leaves it empty")
        left_over = self.rows % self.batch
        self.last = 0 if drop_last else left_over

    def check_outputs(self, weights: Arrays) -> None:
        """A classifier needs an output for every class: a label beyond them would silently match none."""
        x, classes = self.split.train_x, self.split.dataset.n_classes
        outputs = self.programs.net(weights, new_input("x", (self.batch, *x.shape[1:]), x.dtype))
        width = outputs.shape[-1] if outputs.ndim > 1 else 1
        if width < classes and not (width == 1 and classes == 2):
            raise ShapeError(
                f"the network has {width} outputs and {self.split.dataset.name} has {classes} classes; "
                "it needs an output for each"
            )

    def step(self, weights: Arrays, batch: int) -> DescentStep:
        """The training step for batches of one size."""
        return self.programs.step(weights, self.split, self.optimizer, batch)

    def batches(self, order: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """The rows of one epoch's batches: [number of batches, batch], then perhaps one smaller batch."""
        whole = self.rows // self.batch
        rows = np.arange(self.rows) if self.batch == self.rows else order.permutation(self.rows)
        yield rows[: whole * self.batch].reshape(whole, self.batch)
        if self.last:
            yield rows[whole * self.batch :].reshape(1, self.last)

    def measuring(self, weights: Arrays) -> Measuring:
        """What measures the training part, and the validation part with "val_" before the names."""
        split = self.split
        sets = {"": (split.train_x, split.train_y)}
        if len(split.val_x):
            sets["val_"] = (split.val_x, split.val_y)
        return self.programs.evaluation.begin(weights, sets, self.metrics)

    def sessions(self, weights: Arrays) -> tuple[list[Session], Weights, Plateaus]:
        """The loop over the batches of an epoch, and perhaps that for the smaller one at its end; the weights
        to use; and what plateaus make of the rates."""
        first = self.step(weights, self.batch)
        values = first.first_values(weights, self.optimizer, self.seed)
        values |= {"x": self.split.train_x, "y": self.split.train_y, "key": key(self.seed, "dropout")}
        plateaus = Plateaus(self.optimizer, values, self.watched)
        begun, each = list[Session](), ["rows", *plateaus.inputs]
        for size in (self.batch, self.last)[: 2 if self.last else 1]:
            step = self.step(weights, size)
            beside = begun[0] if begun else None
            begun.append(
                step.program.begin(values, each=each, watch=step.watch, threads=self.threads, beside=beside)
            )
        return begun, first.weights(values, begun[0].values), plateaus

    @property
    def watched(self) -> str:
        return "val_loss" if len(self.split.val_x) else "loss"


@dataclass
class _Course:
    """What happened so far."""

    weights: Arrays
    initial: dict[str, float]
    history: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    batch_loss: list[NDArray[Any]] = field(default_factory=list[NDArray[Any]])
    status: Status = "finished"
    steps: int = 0
    best: float = math.inf
    best_epoch: int = 0
    best_weights: Arrays | None = None


def _follow(plan: _Plan, weights: Arrays, tick: Ticker) -> _Course:
    """Run the epochs."""
    course = _Course(weights, plan.measuring(weights).measure())
    if plan.epochs == 0:
        return course
    sessions, live, plateaus = plan.sessions(weights)
    plateaus.check(course.initial)
    measuring = plan.measuring(live.arrays)
    order = stream(plan.seed, "order")
    for epoch in range(1, plan.epochs + 1):
        try:
            _one_epoch(plan, course, sessions, plateaus, order)
            _close_epoch(plan, course, live, measuring, plateaus, epoch)
        except KeyboardInterrupt:  # while measuring; within a step, the program's loop ends by itself
            course.status, course.weights = "interrupted", live.kept()
        if course.status != "finished":
            break
        latest = course.history[-1]
        tick(epoch, f"loss {latest['loss']:.4f}, {plan.watched} {latest[plan.watched]:.4f}")
        if plan.patience is not None and epoch - course.best_epoch >= plan.patience:
            course.status = "stopped"
            break
    if plan.patience is not None and course.best_weights is not None:
        course.weights = course.best_weights
    return course


def _one_epoch(
    plan: _Plan, course: _Course, sessions: list[Session], plateaus: Plateaus, order: np.random.Generator
) -> None:
    """All batches; the first session's values are the training's."""
    for rows, session in zip(plan.batches(order), sessions, strict=True):
        session.take(sessions[0])
        done = session.run(len(rows), {"rows": rows, **plateaus.rows(len(rows))})
        sessions[0].take(session)
        course.steps += done.steps
        course.batch_loss.append(done.collected["loss"])
        if done.status != "finished":
            course.status = done.status
            break


def _close_epoch(
    plan: _Plan, course: _Course, live: Weights, measuring: Measuring, plateaus: Plateaus, epoch: int
) -> None:
    """Measure, remember the best weights, and notice a divergence."""
    if course.status == "interrupted":
        course.weights = live.kept()
        return
    live.refresh()
    measured = measuring.measure()
    losses = [measured[name] for name in ("loss", "val_loss") if name in measured]
    if course.status == "diverged" or not all(math.isfinite(loss) for loss in losses):
        course.status = "diverged"
        measured = dict.fromkeys(measured, math.nan)
    else:
        course.weights = live.kept()
        if measured[plan.watched] < course.best:
            course.best, course.best_epoch = measured[plan.watched], epoch
            course.best_weights = course.weights
    course.history.append({"epoch": epoch, "step": course.steps, **measured, **plateaus.scales()})
    if course.status == "finished":
        plateaus.after(measured)


def _as_run(plan: _Plan, course: _Course, seconds: float) -> Run:
    names = ("epoch", "step", *course.initial, *Plateaus(plan.optimizer, {}, plan.watched).scales())
    history = {name: np.array([entry[name] for entry in course.history]) for name in names}
    for name in ("epoch", "step"):
        history[name] = history[name].astype(np.int64)
    dataset, loss = plan.split.dataset, nn.losses.written(plan.programs.loss)
    return Run(
        model=Model(
            plan.programs.net,
            course.weights,
            plan.split.scaling,
            dataset.task,
            dataset.classes,
            loss,
            dataset.schema,
        ),
        history=history,
        batch_loss=np.concatenate(course.batch_loss) if course.batch_loss else np.zeros(0),
        initial=course.initial,
        status=course.status,
        steps=course.steps,
        best_epoch=course.best_epoch,
        seconds=seconds,
    )
