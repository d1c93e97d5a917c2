"""A study in words: the ranking table and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spusk.lab.study import Study, Summary

SIGNIFICANT = 0.05
FEW = 4  # seeds; with fewer, a t-test rests on one or two degrees of freedom
RIGHT = {0, 5, 6}  # columns of counts


def columns(study: Study) -> list[str]:
    """The heads of the ranking table."""
    score = "val accuracy" if study.score == "accuracy" else "val R²"
    return ["#", "optimizer", "best lr", "val loss", score, "steps to target", "diverged"]


def rows(study: Study) -> list[list[str]]:
    """The ranking, a row of words for each optimizer."""
    unfinished = study.unfinished()
    return [
        [
            str(rank),
            s.optimizer,
            _rate(s) + ("" if s.optimizer in unfinished else ARROWS[s.edge]),
            spread(s.val_loss_mean, s.val_loss_std, 4),
            _score(study, s),
            _to_target(s),
            f"{s.diverged} of {s.runs}" if s.diverged else "0",
        ]
        for rank, s in enumerate(study.summary(), 1)
    ]


def _rate(s: Summary) -> str:
    return "as given" if s.best_lr is None else f"{s.best_lr:g}"


def at_rate(optimizer: str, lr: float | None) -> str:
    """An optimizer with its learning rate; its name alone if that tells the schedule.

    >>> at_rate("adam", 0.01), at_rate("sgd(lr=cosine(initial=0.1, steps=80))", None)
    ('adam with lr 0.01', 'sgd(lr=cosine(initial=0.1, steps=80))')
    """
    return optimizer if lr is None or "lr=" in optimizer else f"{optimizer} with lr {lr:g}"


def _to_target(s: Summary) -> str:
    """Steps with epochs beside them: a step of full-batch gradient descent costs a whole epoch."""
    if s.steps_to_target is None or s.epochs_to_target is None:
        return "–"
    return f"{s.steps_to_target:,.0f} ({s.epochs_to_target:,.0f})"


def spread(mean: float, std: float, digits: int) -> str:
    """Mean ± standard deviation, short: so many decimals, unless they would show no digit or too many."""
    if math.isnan(mean):
        return "–"
    fits = abs(mean) < 1e5 and not abs(std) >= 1e5 and not 0 < abs(mean) < 10.0 ** (1 - digits)
    shown = f"{mean:.{digits}f}" if fits else f"{mean:.3g}"
    if math.isnan(std):
        return shown
    return f"{shown} ± {std:.{digits}f}" if fits else f"{shown} ± {std:.1g}"


def _score(study: Study, s: Summary) -> str:
    if study.score == "accuracy" and not math.isnan(s.val_score_mean):
        return f"{spread(100 * s.val_score_mean, 100 * s.val_score_std, 1)} %"
    return spread(s.val_score_mean, s.val_score_std, 3)


ARROWS = {"lowest": " ↓", "highest": " ↑", "": ""}


def legend(study: Study, shown: Sequence[str] | None = None) -> list[str]:
    """What the columns and marks of the table mean.

    Args:
        study: what the table shows.
        shown: the heads of the columns that there is room for; default: all.
    """
    shown = columns(study) if shown is None else shown
    seeds = len(study.settings.get("seeds", ()))
    lines: list[str] = []
    if seeds > 1:
        lines.append(f"± standard deviation over {seeds} seeds")
    if not math.isnan(study.target) and "steps to target" in shown:
        target = spread(study.target, math.nan, 4)
        lines.append(f"target: validation loss {target}, 90 % of the way from the start to the best")
        lines.append("steps (epochs) to target: medians over seeds, looked for at the ends of epochs")
    if study.settings.get("standardised_target"):
        lines.append("losses are those of the standardised target")
    if "diverged" in shown and any(s.diverged for s in study.summary()):
        lines.append("diverged: trainings whose loss became infinite or NaN, over all rates")
    unfinished = study.unfinished()
    edges = {s.edge for s in study.summary() if s.optimizer not in unfinished}
    for edge, beyond in (("lowest", "lower"), ("highest", "higher")):
        if edge in edges:
            lines.append(f"{ARROWS[edge].strip()} the best rate is the {edge} that was tried; try {beyond}")
    return lines


def level_with_best(study: Study) -> list[Summary]:
    """The optimizers whose difference to the best one could be chance: a paired t-test gives p ≥ 0.05, or
    there are too few common seeds for one."""
    others = (s for s in study.summary()[1:] if not math.isnan(s.val_loss_mean))
    return [s for s in others if not s.p_value < SIGNIFICANT]


def verdict(study: Study) -> str:
    """Which optimizer to use, and how sure that is."""
    ranking = study.summary()
    unfinished = study.unfinished()
    if not ranking or math.isnan(ranking[0].val_loss_mean):
        which = "Every training that was done" if unfinished else "Every training"
        return f"{which} diverged: try lower learning rates."
    best = ranking[0]
    loss = spread(best.val_loss_mean, math.nan, 4)
    if unfinished:
        return _so_far(study, best, loss, unfinished)
    if best.val_loss_mean >= study.start:
        began = spread(study.start, math.nan, 4)
        return (
            f"No optimizer improved on the start: the best mean validation loss is {loss}, and it began at "
            f"{began}; try lower learning rates."
        )
    score = (
        f"validation accuracy {100 * best.val_score_mean:.1f} %"
        if study.score == "accuracy"
        else (f"validation R² {best.val_score_mean:.3f}")
    )
    words = [f"Use {at_rate(best.optimizer, best.best_lr)}: validation loss {loss}, {score}."]
    seeds = len({r.seed for r in study.records})
    if len(ranking) > 1 and seeds < 2:
        words.append("One seed cannot tell a difference from chance; try more seeds.")
    elif len(ranking) > 1:
        level = level_with_best(study)
        few = f"; {seeds} seeds are few" if seeds < FEW else ""
        if level and len(level) == len(ranking) - 1:
            words.append(
                f"With {seeds} seeds no other is worse by more than chance (paired t-tests, p ≥ 0.05)."
            )
        elif level:
            names = ", ".join(s.optimizer for s in level)
            words.append(
                f"With {seeds} seeds this study cannot tell it from: {names} (paired t-tests, p ≥ 0.05)."
            )
        elif few:
            words.append(
                f"It leads every other optimizer (paired t-tests, p < 0.05), but {seeds} seeds are few: "
                f"try {FEW} or more."
            )
        else:
            words.append(
                f"Its lead over every other optimizer is more than chance (paired t-tests, {seeds} seeds)."
            )
    return " ".join(words)


def _so_far(study: Study, best: Summary, loss: str, unfinished: list[str]) -> str:
    """What an interrupted study says: no advice, because the rest could change it."""
    ranked = {s.optimizer for s in study.summary()}
    missing = [name for name in unfinished if name not in ranked]
    words = [
        f"Interrupted: {len(study.records):,} of {int(study.settings['trainings']):,} trainings were done, "
        "so this is no verdict.",
        f"Best so far: {at_rate(best.optimizer, best.best_lr)}, validation loss {loss}.",
    ]
    if missing:
        words.append(f"Not tried at all: {', '.join(missing)}.")
    return " ".join(words)


def counted(n: int, word: str) -> str:
    """A number with its noun.

    >>> counted(1, "seed"), counted(1200, "epoch")
    ('1 seed', '1,200 epochs')
    """
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def heading(study: Study) -> list[str]:
    """What was compared, line by line."""
    settings = study.settings
    done, planned = len(study.records), int(settings["trainings"])
    count = (
        counted(done, "training") if done == planned else f"{done:,} of {planned:,} trainings (interrupted)"
    )
    speed = f"{done / study.seconds:.1f} trainings/s"
    steps = f"{sum(r.steps for r in study.records) / study.seconds:,.0f} steps/s"
    batch = settings["batch_size"] or "all"
    return [
        study.data,
        f"network {study.network}, {settings['loss']}, {settings['init']}",
        f"{count} of {counted(settings['epochs'], 'epoch')}, batch size {batch}, "
        f"{counted(len(settings['seeds']), 'seed')}, "
        f"in {study.seconds:.1f} s ({speed}, {steps})",
    ]


def study_text(study: Study) -> str:
    """Heading, ranking, legend and verdict as plain text."""
    if not study.records:
        return "No training was completed."
    table = [columns(study), *rows(study)]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if i in RIGHT else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*heading(study), "", *lines, "", *legend(study), study.verdict()])
