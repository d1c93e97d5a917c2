"""The page about optimizers of one's own: its examples run, its commands do what it says."""

import doctest
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import spusk as sp
from spusk import optim
from spusk.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/your-own-optimizer.md").read_text()
COMMANDS = re.findall(r"^\$ (.*)\n((?:[^$`\n].*\n)*)", PAGE, re.MULTILINE)
WRONG = """\
from dataclasses import dataclass
import spusk.numpy as snp
from spusk.optim import Hyper, Optimizer, State

@dataclass(frozen=True)
class Forgetful(Optimizer):
    lr: Hyper = 0.01

    def start(self, w):
        return State(v=snp.zeros_like(w))

    def update(self, w, g, s, t):
        v = 0.9 * s.v + g
        return w - self.lr * v, State()
"""


@pytest.fixture
def examples(tmp_path, monkeypatch):
    """A folder with a copy of the examples, in which one works and from which Python imports."""
    for file in (ROOT / "examples").glob("*.py"):
        shutil.copy(file, tmp_path)
    (tmp_path / "wrong.py").write_text(WRONG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if (tmp_path / f"{name}.py").exists():
            del sys.modules[name]


@pytest.mark.parametrize(("command", "printed"), COMMANDS, ids=[c for c, _ in COMMANDS])
def test_the_commands_of_the_page_run(command, printed, examples, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    if printed:
        assert (ended.value.code, out, err) == (2, "", printed)
    else:
        assert not ended.value.code, err
        own = re.findall(r"\.py:(\w+)", command)[0]
        assert own.lower() in out.lower() or own == "cosine"


def test_the_page_has_commands():
    assert len(COMMANDS) >= 9


def test_the_python_of_the_page_runs(examples):
    failed, attempted = doctest.testfile(str(ROOT / "docs/your-own-optimizer.md"), module_relative=False)
    assert attempted > 10
    assert failed == 0


def test_the_code_that_the_page_shows_is_that_of_the_examples():
    shown = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if ">>>" not in block]
    assert len(shown) == 5
    written = {line for file in (ROOT / "examples").glob("*.py") for line in file.read_text().splitlines()}
    for block in shown:
        assert set(block.splitlines()) <= written


def test_an_average_of_the_weights_is_what_averaged_sgd_returns(examples):
    rule = optim.get("./averaged_sgd.py:AveragedSGD(lr=0.25, horizon=3)")
    found = sp.minimize(lambda x: (x * x).sum(), [8.0], rule, steps=4).path[:, 0]
    w, a, expected = 8.0, 8.0, [8.0]
    for t in (1, 2, 3, 4):
        w -= 0.25 * 2 * w
        a += (w - a) / min(t + 1, 3)
        expected.append(a)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_centred_takes_the_mean_over_the_inputs_away(examples):
    rule = optim.get("./centred.py:Centred(sgd(lr=1.0))")
    slope = np.array([[1.0, 2.0], [3.0, 6.0]])
    found = sp.minimize(lambda x: (x * slope).sum(), np.zeros((2, 2)), rule, steps=1).x
    np.testing.assert_allclose(found, -(slope - slope.mean(0)), rtol=1e-14)
    assert sp.minimize(lambda x: x.sum(), np.zeros(2), rule, steps=1).x.tolist() == [-1.0, -1.0]


def test_half_sine_is_half_a_sine(examples):
    from warm_adagrad import HalfSine

    np.testing.assert_allclose(HalfSine(2.0, 4)(np.arange(1, 7)), [2**0.5, 2, 2**0.5, 0, 0, 0], atol=1e-12)


def test_sign_momentum_is_its_formula(examples):
    rule = optim.get("./sign_momentum.py:SignMomentum(lr=0.5, mu=0.5)")
    assert sp.minimize(lambda x: x * x, 1.2, rule, steps=4).path.round(6).tolist() == [
        1.2,
        0.7,
        0.2,
        -0.3,
        -0.8,
    ]
