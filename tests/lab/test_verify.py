"""Published curves and exact results, reproduced: and what is wrong is found to be wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from spusk import optim
from spusk.errors import InputError
from spusk.lab.verify import CHECKS, CURVES, Finding, curves, descent, findings_text, problem, signals, verify
from spusk.lab.verify.published import INITIAL

ROWS = {row.name: row for row in CURVES}
EXACT = [name for name in CHECKS if name not in ROWS and name != "initial"]


# --- the problem --------------------------------------------------------------------------------------


def test_the_rotation_keeps_lengths_and_orientation():
    rotation = problem._draw_rotation(np.random.RandomState(0), 20)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(20), atol=1e-13)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_the_rotation_favours_no_direction():
    # The mean of an entry of a uniform rotation is 0, and that of its square 1/n.
    random = np.random.RandomState(1)
    drawn = np.array([problem._draw_rotation(random, 4) for _ in range(2000)])
    assert (np.abs(drawn.mean(0)) < 5 * 0.5 / math.sqrt(2000)).all()
    assert (np.abs((drawn**2).mean(0) - 0.25) < 5 * 0.25 / math.sqrt(2000)).all()


def test_the_hessian_has_the_eigenvalues_that_were_drawn():
    random = np.random.RandomState(42)
    drawn = np.sort(np.append(random.uniform(0, 1, 90), random.uniform(30, 60, 10)))
    found = np.linalg.eigvalsh(problem.quadratic(0).hessian.astype(np.float64))
    np.testing.assert_allclose(found, drawn, atol=1e-4)


def test_the_test_loss_is_the_mean_over_the_rows():
    task, theta = problem.quadratic(1), np.linspace(-1, 2, 100)
    away = theta - task.test.astype(np.float64)
    one_by_one = [0.5 * d @ task.hessian.astype(np.float64) @ d for d in away]
    assert len(one_by_one) == 896
    np.testing.assert_allclose(task.test_loss(theta[None]), [np.mean(one_by_one)], rtol=1e-12)


def test_an_epoch_is_seven_batches_of_different_rows_that_follow_from_the_seed():
    task = problem.quadratic(0)
    rows = task.batches(3)
    assert rows.shape == (7, 128)
    assert len(np.unique(rows)) == 896
    np.testing.assert_array_equal(rows, task.batches(3))
    assert (rows != task.batches(4)).any()


# --- what holds, and what does not ----------------------------------------------------------------------


def test_every_problem_begins_with_its_published_loss():
    assert {row.problem for row in CURVES} <= set(INITIAL)
    found = verify(["initial"])
    assert len(found) == len(INITIAL)
    assert all(f.holds and f.allowed == 1e-6 for f in found)


@pytest.mark.parametrize("name", ROWS)
def test_every_published_epoch_is_reached_within_half_a_per_cent(name):
    found = verify([name], jobs=1)
    assert len(found) == len(ROWS[name].losses)
    assert [f.what for f in found if not f.holds] == []
    assert {f.allowed for f in found} == {0.005}


@pytest.mark.parametrize(
    "row",
    [
        replace(ROWS["radam"], rule=optim.RAdam(lr=0.001, eps=1e-7)),
        replace(ROWS["adabelief"], rule=optim.AdaBelief(lr=0.001)),
        replace(ROWS["adadelta"], rule=optim.Adadelta(lr=0.001, rho=0.95)),
        replace(ROWS["amsgrad"], rule=optim.AMSGrad(lr=0.01)),
        replace(ROWS["rmsprop"], rule=optim.RMSprop.like("torch", lr=0.001)),
        replace(ROWS["adagrad"], problem=0),
    ],
    ids=lambda row: f"{row.rule} on {row.problem}",
)
def test_another_variant_or_problem_misses(row, monkeypatch):
    monkeypatch.setattr(curves, "SEEDS", 1)
    assert not all(f.holds for f in curves.curve(row))


def test_native_curves_are_the_interpreter_s(monkeypatch):
    monkeypatch.setattr(curves, "SEEDS", 1)
    monkeypatch.setattr(curves, "EPOCHS", 10)
    native, numpy = (curves.mean_losses(ROWS["nadam"].rule, 0, b) for b in ("native", "numpy"))
    assert native.shape == (11,)
    np.testing.assert_allclose(native, numpy, rtol=1e-4)


@pytest.mark.parametrize("name", EXACT)
def test_exact_results_hold(name):
    found = verify([name], jobs=1)
    assert found
    assert [f for f in found if not f.holds] == []


@pytest.mark.parametrize(
    "check",
    [descent.gradient_descent, descent.heavy_ball, signals.small_weights, signals.variance_per_layer],
)
def test_exact_results_hold_on_the_interpreter_too(check, monkeypatch):
    monkeypatch.setattr(signals, "SEEDS", 3)
    assert all(f.holds for f in check("numpy"))


def test_a_number_holds_within_what_is_allowed_and_no_number_does_not():
    def holds(found):
        return Finding("", "", -2.0, found, 0.01, "").holds

    assert holds(-2.0199)
    assert holds(-1.9801)
    assert not any(map(holds, (-2.021, -1.979, 2.0, math.nan, math.inf)))


def test_the_report_names_every_source_once():
    a = Finding("a", "x", 1.0, 1.0, 1e-6, "A book")
    text = findings_text([a, replace(a, what="y"), replace(a, name="b", found=2.0)])
    assert text.count("A book") == 1
    assert "a, b: A book" in text
    assert text.endswith("2 of 3 numbers hold.")
    assert sum(line.endswith("misses") for line in text.splitlines()) == 1


def test_an_unknown_name_is_told():
    with pytest.raises(InputError, match="verify knows no 'adma'; did you mean 'adam'"):
        verify(["adma"])
