"""The progress bar: that something is being compiled is told; without a terminal nothing is printed."""

from __future__ import annotations

import numpy as np
import pytest

import spusk as sp
from spusk import data, nn, optim
from spusk.init import initialise
from spusk.lab.compare import _steps
from spusk.train.programs import Programs
from spusk.train.progress import progress_bar


@pytest.fixture
def terminal(monkeypatch):
    """Standard error is taken for a terminal of 100 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


def test_what_comes_before_is_shown_until_it_is_done(terminal, capsys):
    waiting = ["compiling 1/2 programs"]
    with progress_bar("training", 3, "epochs", True, lambda: waiting[0]) as tick:
        shown = capsys.readouterr().err
        tick(1, "loss [1.0]")
        waiting[0] = ""
    assert "compiling 1/2 programs" in shown
    last = capsys.readouterr().err
    assert "loss [1.0]" in last  # not taken for markup
    assert "compiling" not in last.rpartition("loss")[0].rpartition("\r")[2]


def test_without_a_terminal_nothing_is_printed(capsys):
    with progress_bar("training", 3, "epochs", None, lambda: "compiling 1/2 programs") as tick:
        tick(1, "note")
    assert capsys.readouterr() == ("", "")


def test_programs_count_what_is_still_to_be_compiled():
    net, split = nn.Linear(4, 3), data.iris().split(0.2, 0, np.dtype("float32"))
    weights = initialise(net.parameters(), None, seed=0, dtype=np.dtype("float32"))
    programs = Programs(net, nn.losses.cross_entropy)
    assert programs.compiling(2) == "compiling 1/3 programs"
    programs.evaluation.begin(weights, {"": (split.train_x, split.train_y)}, {})
    assert programs.compiling(2) == "compiling 2/3 programs"
    for batch in (32, 24):
        step = programs.step(weights, split, optim.Adam(), batch)
        assert programs.compiling(2) != ""  # built is not compiled
        assert step.program.native
    assert programs.compiling(2) == ""
    assert Programs(net, nn.losses.cross_entropy, "numpy").compiling(2) == ""


def test_a_training_tells_that_it_compiles(terminal, capsys):
    net = nn.Sequential(nn.Linear(4, 7), nn.Tanh(), nn.Linear(7, 3))
    run = sp.train(net, data.iris(), epochs=2, progress=True)
    assert run.status == "finished"
    assert "compiling 1/3 programs" in capsys.readouterr().err  # of 120 rows: batches of 32, one of 24


def test_a_comparison_needs_a_step_for_each_formula_and_size_of_batch():
    rules = [optim.SGD(), optim.Momentum(mu=0.9), optim.Momentum(mu=0.99)]
    assert _steps(rules, rows=120, batch_size=32) == 4  # batches of 32, and of 24 at an epoch's end
    assert _steps(rules, rows=96, batch_size=32) == 2
    assert _steps([optim.GradientDescent(), *rules], rows=120, batch_size=32) == 5
    assert _steps(rules, rows=120, batch_size=None) == 2
