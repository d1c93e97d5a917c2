"""Ranking, statistics and JSON of a study, on records whose numbers are known."""

import json
import math

import pytest

from spusk.errors import InputError
from spusk.lab import Record, Study, log_grid
from spusk.lab.statistics import paired_difference
from spusk.lab.table import columns, legend, spread

NAN = math.nan


def record(optimizer, lr, seed, loss, *, losses=None, initial=2.0):
    diverged = math.isnan(loss)
    val = losses or [loss]
    history = {"epoch": list(range(1, len(val) + 1)), "step": [10 * (i + 1) for i in range(len(val))]}
    history |= {"loss": val, "val_loss": val, "accuracy": val, "val_accuracy": val}
    status = "diverged" if diverged else "finished"
    return Record(optimizer, lr, seed, status, loss, loss, 1 - loss, initial, 10 * len(val), 0.1, history)


def study(*records, grids=None, interrupted=False, planned=None):
    settings = {
        "optimizers": ["a"], "seeds": [0, 1, 2], "epochs": 1, "batch_size": 32, "loss": "cross_entropy",
        "init": "HeNormal()", "trainings": planned or len(records),
    }  # fmt: skip
    return Study(tuple(records), "toy: 8 rows", "2-1", settings, "accuracy", 1.0, interrupted, grids or {})


def test_optimizers_are_ranked_by_mean_loss_at_their_best_rate():
    s = study(
        *(record("slow", 0.1, i, x) for i, x in enumerate((0.5, 0.6, 0.7))),
        *(record("fast", 0.1, i, x) for i, x in enumerate((0.9, 0.9, 0.9))),
        *(record("fast", 1.0, i, x) for i, x in enumerate((0.1, 0.2, 0.3))),
    )
    first, second = s.summary()
    assert (first.optimizer, first.best_lr) == ("fast", 1.0)
    assert first.val_loss_mean == pytest.approx(0.2)
    assert first.val_loss_std == pytest.approx(0.1)
    assert second.optimizer == "slow"
    assert second.difference == pytest.approx(0.4)
    assert second.p_value < 1e-6


def test_a_rate_at_which_one_seed_diverges_loses_against_one_at_which_none_does():
    s = study(
        *(record("x", 0.1, i, 0.5) for i in range(3)),
        *(record("x", 1.0, i, x) for i, x in enumerate((0.01, 0.01, NAN))),
    )
    (only,) = s.summary()
    assert only.best_lr == 0.1
    assert (only.diverged, only.runs) == (1, 6)


def test_an_optimizer_that_always_diverges_comes_last_and_says_so():
    s = study(*(record("x", 0.1, i, NAN) for i in range(3)), *(record("y", 0.1, i, 0.3) for i in range(3)))
    assert [row.optimizer for row in s.summary()] == ["y", "x"]
    assert math.isnan(s.summary()[1].val_loss_mean)
    assert "3 of 3" in s.table()
    alone = study(*(record("x", 0.1, i, NAN) for i in range(3)))
    assert alone.verdict() == "Every training diverged: try lower learning rates."


@pytest.mark.parametrize(
    ("mean", "std", "words"),
    [
        (0.08332, 0.00911, "0.0833 ± 0.0091"),
        (0.00001234, 0.0000056, "1.23e-05 ± 6e-06"),
        (0.0, 0.0, "0.0000 ± 0.0000"),
        (1.5e7, 2.5e6, "1.5e+07 ± 2e+06"),
        (0.25, NAN, "0.2500"),
        (3e-6, NAN, "3e-06"),
        (NAN, NAN, "–"),
    ],
)
def test_losses_of_any_size_show_their_digits(mean, std, words):
    assert spread(mean, std, 4) == words


def test_the_best_rate_at_the_edge_of_its_grid_is_noted():
    grid = {"x": (0.1, 1.0, 10.0)}
    for lr, mark, words in ((0.1, "0.1 ↓", "lowest that was tried; try lower"), (10.0, "10 ↑", "try higher")):
        table = study(record("x", lr, 0, 0.3), grids=grid).table()
        assert mark in table
        assert words in table
    inside = study(record("x", 1.0, 0, 0.3), grids=grid).table()
    assert "↑" not in inside
    assert "↓" not in inside


def test_steps_to_the_common_target_are_the_median_over_seeds():
    quick = [1.0, 0.2, 0.1]
    s = study(
        *(record("quick", 0.1, i, 0.1, losses=quick) for i in range(3)),
        *(record("never", 0.1, i, 1.5, losses=[1.9, 1.7, 1.5]) for i in range(3)),
    )
    assert s.target == pytest.approx(2.0 - 0.9 * 1.9)
    first, second = s.summary()
    assert (first.steps_to_target, first.epochs_to_target) == (20, 2)
    assert "20 (2)" in s.table()
    assert second.steps_to_target is None


def test_the_verdict_names_what_it_cannot_tell_apart():
    s = study(
        *(record("a", 0.1, i, x) for i, x in enumerate((0.10, 0.20, 0.30))),
        *(record("b", 0.1, i, x) for i, x in enumerate((0.12, 0.19, 0.31))),
        *(record("c", 0.1, i, x) for i, x in enumerate((0.60, 0.71, 0.80))),
    )
    assert s.verdict().startswith("Use a with lr 0.1: validation loss 0.2000, validation accuracy 80.0 %.")
    assert s.verdict().endswith("cannot tell it from: b (paired t-tests, p ≥ 0.05).")
    single = study(record("a", 0.1, 0, 0.1), record("b", 0.1, 0, 0.2))
    assert "One seed cannot tell a difference from chance" in single.verdict()


def test_json_is_valid_and_holds_every_run_with_null_for_what_is_not_finite(tmp_path):
    s = study(record("x", 0.1, 0, 0.5), record("x", 1.0, 0, NAN, losses=[0.4, NAN]))
    path = s.save_json(tmp_path / "study.json")

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    loaded = json.loads(path.read_text(), parse_constant=refuse)
    assert [r["status"] for r in loaded["runs"]] == ["finished", "diverged"]
    assert loaded["runs"][1]["val_loss"] is None
    assert loaded["runs"][1]["history"]["val_loss"] == [0.4, None]
    assert {"optimizer", "lr", "seed", "status", "train_loss", "val_loss", "val_accuracy", "history"} <= set(
        loaded["runs"][0]
    )
    assert {"optimizer", "best_lr", "val_loss_mean", "val_loss_std"} <= set(loaded["summary"][0])


def test_paired_difference_agrees_with_scipy():
    from scipy.stats import ttest_rel

    a, b = [0.3, 0.5, 0.1, 0.9], [0.2, 0.45, 0.15, 0.7]
    mean, p = paired_difference(a, b)
    reference = ttest_rel(a, b)
    assert p == pytest.approx(reference.pvalue, rel=1e-12)
    assert mean == pytest.approx(0.075)


def test_paired_difference_of_few_or_equal_pairs():
    assert math.isnan(paired_difference([], [])[0])
    assert math.isnan(paired_difference([1.0], [0.5])[1])
    assert paired_difference([1.0, 2.0], [1.0, 2.0]) == (0.0, 1.0)
    assert paired_difference([2.0, 3.0], [1.0, 2.0]) == (1.0, 0.0)


def test_log_grid_has_round_ends_and_even_steps():
    assert log_grid(1e-4, 1) == (0.0001, 0.001, 0.01, 0.1, 1.0)
    assert log_grid(0.5, 0.5) == (0.5,)
    assert log_grid(0.01, 1, per_decade=2) == (0.01, 0.0316228, 0.1, 0.316228, 1.0)
    for bad in ((0, 1), (1, 0.1), (-1, 1)):
        with pytest.raises(InputError, match="needs 0 < low ≤ high"):
            log_grid(*bad)
    with pytest.raises(InputError, match="per_decade=0"):
        log_grid(0.1, 1, per_decade=0)


def test_an_interrupted_study_gives_no_advice_and_names_what_was_not_tried():
    s = study(
        record("a", 1.0, 0, 0.3),
        record("b", 0.1, 0, 0.2),
        grids={"a": (0.1, 1.0), "b": (0.1,), "c": (0.1,)},
        interrupted=True,
        planned=12,
    )
    assert s.unfinished() == ["a", "b", "c"]
    assert "Use " not in s.verdict()
    assert "2 of 12 trainings were done, so this is no verdict. Best so far: b" in s.verdict()
    assert s.verdict().endswith("Not tried at all: c.")
    assert "↑" not in s.table()


def test_a_study_that_only_made_things_worse_says_so():
    s = study(record("a", 1e6, 0, 5e5), record("b", 1e6, 0, 7e5))
    assert s.verdict().startswith(
        "No optimizer improved on the start: the best mean validation loss is 5e+05"
    )
    assert "try lower learning rates" in s.verdict()
    assert "target:" not in s.table()


def test_where_nothing_differs_the_verdict_says_so():
    s = study(
        *(record("a", 0.1, i, x) for i, x in enumerate((0.10, 0.20, 0.30))),
        *(record("b", 0.1, i, x) for i, x in enumerate((0.12, 0.19, 0.31))),
    )
    assert s.verdict().endswith(
        "With 3 seeds no other is worse by more than chance (paired t-tests, p ≥ 0.05)."
    )


def test_the_legend_explains_only_what_is_shown():
    s = study(record("a", 0.1, 0, 0.10), record("b", 0.1, 0, math.nan))
    assert any(line.startswith("diverged:") for line in legend(s))
    heads = columns(s)
    for head, words in (("diverged", "diverged:"), ("steps to target", "steps (epochs)")):
        shown = legend(s, [h for h in heads if h != head])
        assert not any(line.startswith(words) for line in shown)


@pytest.mark.parametrize(("seeds", "modest"), [(2, True), (3, True), (4, False)])
def test_the_verdict_of_few_seeds_is_modest(seeds, modest):
    s = study(
        *(record("a", 0.1, i, 0.1 + 0.001 * i * i) for i in range(seeds)),
        *(record("b", 0.1, i, 0.6 + 0.001 * i) for i in range(seeds)),
        *(record("b", 1.0, i, math.nan) for i in range(seeds)),
    )
    assert ("more than chance" in s.verdict()) is not modest
    assert (f"{seeds} seeds are few" in s.verdict()) is modest
