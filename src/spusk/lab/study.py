"""A study: the records of many trainings, their summary by optimizer, and the verdict."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from spusk.files import write_whole
from spusk.lab.statistics import paired_difference
from spusk.train.run import Status

SHARE_OF_PROGRESS = 0.9  # the common target: this much of the way from the initial loss to the best one


@dataclass(frozen=True)
class Record:
    """One training of a study, as plain numbers.

    Attributes:
        optimizer, lr, seed: which training; lr is None of a rule that was trained as it stands, by a schedule
            or with several rates.
        status: "finished", "stopped" early by patience, or "diverged".
        train_loss, val_loss: after the last epoch; NaN if diverged.
        val_score: validation accuracy or R² after the last epoch; NaN if diverged.
        initial_val_loss: before the first step.
        steps: steps done.
        seconds: wall time.
        history: the run's history, a list for each measure.
    """

    optimizer: str
    lr: float | None
    seed: int
    status: Status
    train_loss: float
    val_loss: float
    val_score: float
    initial_val_loss: float
    steps: int
    seconds: float
    history: Mapping[str, Sequence[float]]

    def steps_to(self, target: float) -> int | None:
        """Steps until the validation loss first reached the target, at the end of an epoch; else None."""
        return self._when("step", target)

    def epochs_to(self, target: float) -> int | None:
        """Epochs until the validation loss first reached the target; None if it never did."""
        return self._when("epoch", target)

    def _when(self, clock: str, target: float) -> int | None:
        for time, loss in zip(self.history[clock], self.history["val_loss"], strict=True):
            if loss <= target:
                return int(time)
        return None


@dataclass(frozen=True)
class Summary:
    """One optimizer at its best learning rate.

    Attributes:
        optimizer: its name.
        best_lr: the rate with the fewest diverged runs, and among those the lowest mean validation loss; None
            if the rule was trained as it stands.
        val_loss_mean, val_loss_std: over the seeds that finished at that rate; NaN if none did, and the
            standard deviation also if only one did.
        val_score_mean, val_score_std: the same for accuracy or R².
        steps_to_target: the median over seeds of the steps to the study's common target (the lower one of
            two); None if fewer than half of the seeds reached it.
        epochs_to_target: the same in epochs, which compare full-batch methods fairly with the others.
        diverged: runs over all rates whose loss became infinite or NaN.
        runs: all runs of this optimizer.
        edge: "lowest" or "highest" if the best rate is at that end of its grid, else "".
        difference, p_value: mean paired difference of the validation loss to the best optimizer, and its
            two-sided p-value; NaN for the best one itself and with fewer than two common seeds.
    """

    optimizer: str
    best_lr: float | None
    val_loss_mean: float
    val_loss_std: float
    val_score_mean: float
    val_score_std: float
    steps_to_target: float | None
    epochs_to_target: float | None
    diverged: int
    runs: int
    edge: str
    difference: float = math.nan
    p_value: float = math.nan


@dataclass(frozen=True)
class Study:
    """The outcome of `compare`.

    Attributes:
        records: one for each training that ended, in the order of optimizer, rate and seed.
        data, network: what was trained, in words.
        settings: how: epochs, batch size, loss, seeds, planned trainings.
        score: the name of the score beside the loss: "accuracy" or "r2".
        seconds: wall time of the whole study.
        interrupted: True if Ctrl-C ended it early.
    """

    records: tuple[Record, ...]
    data: str
    network: str
    settings: Mapping[str, Any]
    score: str
    seconds: float
    interrupted: bool = False
    grids: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict[str, tuple[float | None, ...]])

    def __repr__(self) -> str:
        return f"Study({self.data}; {len(self.records)} trainings: {self.verdict()})"

    @cached_property
    def target(self) -> float:
        """The common target: a validation loss 90 % of the way from the initial to the best mean loss; NaN if
        no optimizer has improved on the start."""
        means = [s.val_loss_mean for s in self._unranked if math.isfinite(s.val_loss_mean)]
        if not means or not min(means) < self.start:
            return math.nan
        return self.start - SHARE_OF_PROGRESS * (self.start - min(means))

    @cached_property
    def start(self) -> float:
        """The mean validation loss before the first step."""
        initial = [r.initial_val_loss for r in self.records if math.isfinite(r.initial_val_loss)]
        return float(np.mean(initial)) if initial else math.nan

    def unfinished(self) -> list[str]:
        """The optimizers whose trainings are not all done, because the study was interrupted."""
        if not self.interrupted:
            return []
        seeds = len(self.settings.get("seeds", ()))
        done = {name: len(self._of(name)) for name in self.grids}
        return [name for name, grid in self.grids.items() if done[name] < len(grid) * seeds]

    @cached_property
    def _unranked(self) -> list[Summary]:
        names = list(dict.fromkeys(r.optimizer for r in self.records))
        return [_summarise(name, self._of(name), self.grids.get(name, ())) for name in names]

    def summary(self) -> list[Summary]:
        """Every optimizer at its best rate, the lowest mean validation loss first."""
        ranked = sorted(self._unranked, key=lambda s: (math.isnan(s.val_loss_mean), s.val_loss_mean))
        return [self._compared(s, ranked[0]) for s in ranked]

    def _of(self, optimizer: str) -> list[Record]:
        return [r for r in self.records if r.optimizer == optimizer]

    def _at_best(self, summary: Summary) -> dict[int, Record]:
        """The finished runs at the best rate, by seed."""
        runs = (r for r in self._of(summary.optimizer) if r.lr == summary.best_lr)
        return {r.seed: r for r in runs if r.status != "diverged"}

    def _compared(self, summary: Summary, best: Summary) -> Summary:
        """The summary with steps to the target and the paired difference to the best."""
        mine, theirs = self._at_best(summary), self._at_best(best)
        common = sorted(mine.keys() & theirs.keys())
        difference, p_value = math.nan, math.nan
        if summary.optimizer != best.optimizer:
            difference, p_value = paired_difference(
                [mine[s].val_loss for s in common], [theirs[s].val_loss for s in common]
            )
        return replace(
            summary,
            steps_to_target=_lower_median([r.steps_to(self.target) for r in mine.values()]),
            epochs_to_target=_lower_median([r.epochs_to(self.target) for r in mine.values()]),
            difference=difference,
            p_value=p_value,
        )

    # --- for people and for programs --------------------------------------------------------------

    def table(self) -> str:
        """The ranking as plain text."""
        from spusk.lab.table import study_text

        return study_text(self)

    def verdict(self) -> str:
        """Which optimizer to use, and which others the study cannot tell from it, in a few sentences."""
        from spusk.lab.table import verdict

        return verdict(self)

    def to_dict(self) -> dict[str, Any]:
        """Every run and the summary as plain data; what is not finite is None, so it is valid JSON."""
        score = f"val_{self.score}"
        runs: list[dict[str, Any]] = []
        for r in self.records:
            run = asdict(r)
            run[score] = run.pop("val_score")
            runs.append(run)
        rows: list[dict[str, Any]] = []
        for s in self.summary():
            row = asdict(s)
            row[f"{score}_mean"], row[f"{score}_std"] = row.pop("val_score_mean"), row.pop("val_score_std")
            rows.append(row)
        described = {
            "data": self.data,
            "network": self.network,
            "settings": dict(self.settings),
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "target": self.target,
        }
        return without_nan({**described, "runs": runs, "summary": rows})

    def save_json(self, path: str | Path) -> Path:
        """Write `to_dict` to a file, whole or not at all."""
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
        return write_whole(path, (text + "\n").encode())


def _summarise(name: str, records: list[Record], grid: tuple[float | None, ...]) -> Summary:
    by_rate: dict[float | None, list[Record]] = {}
    for r in records:
        by_rate.setdefault(r.lr, []).append(r)

    def badness(lr: float | None) -> tuple[float, float]:
        losses = [r.val_loss for r in by_rate[lr] if r.status != "diverged"]
        return 1 - len(losses) / len(by_rate[lr]), float(np.mean(losses)) if losses else math.inf

    def ascending(lr: float | None) -> float:
        return math.nan if lr is None else lr  # which is the only one

    best = min(sorted(by_rate, key=ascending), key=badness)
    finished = [r for r in by_rate[best] if r.status != "diverged"]
    rates = sorted(grid or by_rate, key=ascending)
    edge = "" if len(rates) < 2 else {rates[0]: "lowest", rates[-1]: "highest"}.get(best, "")
    return Summary(
        optimizer=name,
        best_lr=best,
        **_mean_and_std("val_loss", [r.val_loss for r in finished]),
        **_mean_and_std("val_score", [r.val_score for r in finished]),
        steps_to_target=None,
        epochs_to_target=None,
        diverged=sum(r.status == "diverged" for r in records),
        runs=len(records),
        edge=edge if finished else "",
    )


def _lower_median(times: Sequence[int | None]) -> float | None:
    """The median, the lower one of two; None, also for a time that was never reached."""
    ordered = sorted(math.inf if time is None else time for time in times)
    median = ordered[(len(ordered) - 1) // 2] if ordered else math.inf
    return median if math.isfinite(median) else None


def _mean_and_std(name: str, values: Sequence[float]) -> dict[str, float]:
    """Mean, and the standard deviation of a sample (NaN for a single run: one run has no spread)."""
    if not values:
        return {f"{name}_mean": math.nan, f"{name}_std": math.nan}
    std = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return {f"{name}_mean": float(np.mean(values)), f"{name}_std": std}


def without_nan(value: Any) -> Any:
    """Plain data with every non-finite number replaced by None, which JSON can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {k: without_nan(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [without_nan(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    return value
