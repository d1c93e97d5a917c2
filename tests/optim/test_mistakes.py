"""A rule with a mistake gets one sentence, which names the rule and the line in its file."""

import ast
import re
import sys
import types
from pathlib import Path

import pytest

import spusk as sp
from spusk import optim
from spusk.cli import main
from spusk.errors import SpuskError

FIRST = """\
from __future__ import annotations
from dataclasses import dataclass
import math
import numpy as np
import spusk.numpy as snp
from spusk.optim import Hyper, Optimizer, SecondOrder, State, Wrapper

@dataclass(frozen=True)
class Mine(Optimizer):
    lr: Hyper = 0.01
    mu: Hyper = 0.9

    def start(self, w):
        return State(v=snp.zeros_like(w))

    def update(self, w, g, s, t):
        v = self.mu * s.v + g
        return w - self.lr * v, State(v=v)
"""
START = "        return State(v=snp.zeros_like(w))\n"
FIRST_LINE = "        v = self.mu * s.v + g\n"
RETURN = "        return w - self.lr * v, State(v=v)\n"


def changed(*changes):
    text = FIRST
    for before, after in changes:
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


# By what is wrong: the file, and the sentence.
MISTAKES = {
    "a parameter of another shape": (
        changed((RETURN, "        new = (w - self.lr * v).sum()\n        return new, State(v=v)\n")),
        "Mine.update changes parameter 'x' from shape (2,) to () (mine.py:18)",
    ),
    "a shape that does not broadcast": (
        changed((FIRST_LINE, "        v = s.v + snp.zeros((3,)) * g\n")),
        "Mine.update: mul got shapes (3,) and (2,), which do not broadcast (mine.py:17)",
    ),
    "a parameter of another dtype": (
        changed((RETURN, "        return snp.astype(w - v, snp.float32), State(v=v)\n")),
        "Mine.update changes parameter 'x' from float64 to float32 (mine.py:18)",
    ),
    "a state of another shape": (
        changed((RETURN, "        return w - v, State(v=v.sum())\n")),
        "Mine.update changes state slot 'x/v' from shape (2,) to () (mine.py:18)",
    ),
    "a state of another dtype": (
        changed((FIRST_LINE, "        v = snp.astype(s.v + g, snp.float32)\n"), (RETURN, "        return w, State(v=v)\n")),
        "Mine.update changes state slot 'x/v' from float64 to float32 (mine.py:17)",
    ),
    "another slot as it came": (
        changed((START, "        return State(v=snp.zeros_like(w), n=snp.sum(w))\n"), (RETURN, "        return w, State(v=v, n=s.v)\n")),
        "Mine.update changes state slot 'x/n' from shape () to (2,) (mine.py:18)",
    ),
    "a slot that is missing": (
        changed((RETURN, "        if True:\n            return w - v, State()\n        return w, s\n")),
        "Mine.update returns no state slot 'x/v', which start made (mine.py:19)",
    ),
    "a slot too many": (
        changed((RETURN, "        return w - v, State(v=v, m=v)\n")),
        "Mine.update returns a state slot 'x/m', which start did not make (mine.py:18)",
    ),
    "a state that start did not make": (
        changed((START, "        return State()\n")),
        "Mine.update: the state has no slot 'v'; its slots are: none (mine.py:17)",
    ),
    "an unknown slot": (
        changed((FIRST_LINE, "        v = self.mu * s.velocity + g\n")),
        "Mine.update: the state has no slot 'velocity'; its slots are: v (mine.py:17)",
    ),
    "an unknown hyperparameter": (
        changed((FIRST_LINE, "        v = self.nu * s.v + g\n")),
        "Mine has no hyperparameter 'nu'; known are: lr, mu (mine.py:17)",
    ),
    "nothing returned": (
        changed((RETURN, "        w = w - v\n")),
        "Mine.update returned nothing; it must return the pair (w, state), for instance (w, s) (mine.py:16)",
    ),
    "no state returned": (
        changed((RETURN, "        return w - v\n")),
        "Mine.update returned a Tensor; it must return the pair (w, state), for instance (w, s) (mine.py:18)",
    ),
    "three things returned": (
        changed((RETURN, "        return w - v, v, s\n")),
        "Mine.update returned a tuple of 3; it must return the pair (w, state), for instance (w, s) (mine.py:18)",
    ),
    "three things returned under a decorator": (
        changed(
            ("    def update(", "    @(lambda f: f)\n    @(lambda f: f)\n    def update("),
            (RETURN, "        return w - v, v, s\n"),
        ),
        "Mine.update returned a tuple of 3; it must return the pair (w, state), for instance (w, s) (mine.py:20)",
    ),
    "a Tensor for the state": (
        changed((RETURN, "        return w - v, v\n")),
        "Mine.update returns Tensor as the state of 'x', not a State (mine.py:17)",
    ),
    "a number for the parameter": (
        changed((RETURN, "        return 1.0, s\n")),
        "Mine.update returns float for parameter 'x', not a Tensor (mine.py:18)",
    ),
    "no dataclass": (
        changed(("@dataclass(frozen=True)\n", "")),
        "Mine has the fields lr and mu and is no dataclass; write @dataclass(frozen=True) above it (mine.py:8)",
    ),
    "a mutable default": (
        changed(("    mu: Hyper = 0.9\n", "    mu: Hyper = 0.9\n    parts: list = []\n")),
        "Mine.parts is a list by default, which all would share; use a tuple (mine.py:12)",
    ),
    "a mutable default in the second class of a name": (
        FIRST + "    parts: tuple = ()\n\n@dataclass(frozen=True)\nclass Mine(Mine):\n    parts: list = []\n",
        "Mine.parts is a list by default, which all would share; use a tuple (mine.py:23)",
    ),
    "math on a Tensor": (
        changed((FIRST_LINE, "        v = g / math.sqrt(g)\n")),
        "Mine.update: the value of this Tensor is not known while the graph is built; use the functions of "
        "spusk.numpy on it, not those of math or NumPy (mine.py:17)",
    ),
    "a NumPy function that Tensors do not have": (
        changed((FIRST_LINE, "        v = g / np.linalg.norm(g)\n")),
        "Mine.update: the value of this Tensor is not known while the graph is built; use the functions of "
        "spusk.numpy on it, not those of math or NumPy (mine.py:17)",
    ),
    "a choice that the graph cannot make": (
        changed((FIRST_LINE, "        v = g\n        if t > 3:\n            v = 2 * g\n")),
        "Mine.update: the truth of this Tensor is not known while the graph is built; choose between values with "
        "spusk.numpy.where instead of `if` (mine.py:18)",
    ),
    "a name that is not there": (
        changed((FIRST_LINE, "        v = nothing\n")),
        "Mine.update: NameError: name 'nothing' is not defined (mine.py:17)",
    ),
    "a mistake in a function of one's own": (
        changed((FIRST_LINE, "        v = helped(g)\n")) + "\ndef helped(g):\n    return g.nothing\n",
        "Mine.update: AttributeError: 'Tensor' object has no attribute 'nothing' (mine.py:21)",
    ),
    "an update of too few arguments": (
        changed(("    def update(self, w, g, s, t):\n", "    def update(self, w, g, s):\n")),
        "Mine.update: TypeError: Mine.update() takes 4 positional arguments but 5 were given; "
        "it is called as update(self, w, g, s, t) (mine.py:16)",
    ),
    "a method of one's own with an argument too many": (
        changed((FIRST_LINE, "        v = self.helped(g, g)\n")) + "\n    def helped(self, g):\n        return g\n",
        "Mine.update: TypeError: Mine.helped() takes 2 positional arguments but 3 were given (mine.py:17)",
    ),
    "a Tensor changed in place": (
        changed((FIRST_LINE, "        w[0] = 0\n" + FIRST_LINE)),
        "Mine.update: TypeError: 'Tensor' object does not support item assignment; a Tensor never changes, so make "
        "a new one, with spusk.numpy.where for instance (mine.py:17)",
    ),
    "no update": (
        changed(("    def update(", "    def updated(")),
        "Mine does not define update(w, g, s, t); it defines 'updated', which nothing calls (mine.py:9)",
    ),
    "nothing like an update": (
        changed(("    def update(", "    def go(")),
        "Mine does not define update(w, g, s, t) (mine.py:9)",
    ),
    "nothing but a helper and a number like an update": (
        changed(("    def update(", "    updates = 3\n\n    def _update(")),
        "Mine does not define update(w, g, s, t) (mine.py:9)",
    ),
    "a start without a State": (
        changed((START, "        pass\n")),
        "Mine.start returns NoneType for 'x'; it must return a State of Tensors, such as "
        "State(m=snp.zeros_like(w)), or State() if it keeps none (mine.py:13)",
    ),
    "a number in the first state": (
        changed((START, "        return State(v=0.0)\n")),
        "Mine.start returns float for 'x/v'; it must return a State of Tensors, such as "
        "State(m=snp.zeros_like(w)), or State() if it keeps none (mine.py:14)",
    ),
    "a mistake in start": (
        changed((START, "        return State(v=snp.zeros(w))\n")),
        "Mine.start: ",
    ),
    "a point of another shape": (
        FIRST + "\n    def point(self, w, s):\n        return w.sum()\n",
        "Mine.point changes parameter 'x' from shape (2,) to () (mine.py:21)",
    ),
    "an average that is nothing": (
        FIRST + "\n    def evaluated(self, w, s):\n        s.v\n",
        "Mine.evaluated returns NoneType for parameter 'x', not a Tensor (mine.py:20)",
    ),
    "a second-order rule without its update": (
        changed(("class Mine(Optimizer)", "class Mine(SecondOrder)")),
        "Mine does not define update_curved(w, g, h, s, t) (mine.py:9)",
    ),
    "a second-order rule that returns too little": (
        changed(
            ("class Mine(Optimizer)", "class Mine(SecondOrder)"),
            ("    def update(self, w, g, s, t):\n", "    def update_curved(self, w, g, h, s, t):\n"),
            (RETURN, "        return w - v\n"),
        ),
        "Mine.update_curved returned a Tensor; it must return the pair (w, state), for instance (w, s) (mine.py:18)",
    ),
    "a wrapper that forgets a parameter": (
        FIRST.partition("@dataclass")[0] + "from spusk.optim import Adam\n@dataclass(frozen=True)\nclass Mine(Wrapper):\n"
        "    inner: Optimizer = Adam()\n    def update_all(self, parameters, gradients, state, t):\n"
        "        return {}, state\n",
        "Mine.update_all returns no parameter 'x', which start made (mine.py:13)",
    ),
    "a wrapper that fails": (
        FIRST.partition("@dataclass")[0] + "from spusk.optim import Adam\n@dataclass(frozen=True)\nclass Mine(Wrapper):\n"
        "    inner: Optimizer = Adam()\n    def gradients_all(self, objective, parameters, state, t):\n"
        "        return objective.gradient(parameters)\n",
        "Mine.gradients_all: AttributeError: 'Objective' object has no attribute 'gradient'. Did you mean: 'gradients'? (mine.py:13)",
    ),
}  # fmt: skip


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "mine.py").write_text(text)

    return write


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_the_rule_and_its_line(case, backend, written):
    text, sentence = MISTAKES[case]
    written(text)
    sentence = re.sub(r"\. Did you mean: '\w+'\?", "", sentence)
    with pytest.raises(SpuskError) as found:
        sp.minimize(lambda x: (x * x).sum(), [1.0, 2.0], "./mine.py:Mine", steps=1, backend=backend)
    if sentence.endswith(": "):
        assert str(found.value).startswith(sentence)
        assert str(found.value).endswith(" (mine.py:14)")
    else:
        assert str(found.value) == sentence


@pytest.mark.parametrize("wrapper", ["lookahead({})", "lookahead(cyclicallr({}), k=2, state='reset')"])
def test_inside_wrappers_the_rule_that_is_wrong_is_named(wrapper, written):
    for case in (
        "a state of another shape",
        "an unknown slot",
        "nothing returned",
        "a start without a State",
    ):
        text, sentence = MISTAKES[case]
        written(text)
        with pytest.raises(SpuskError) as found:
            sp.minimize(lambda x: (x * x).sum(), [1.0, 2.0], wrapper.format("./mine.py:Mine"), steps=1)
        assert str(found.value) == sentence


@pytest.mark.parametrize(
    "case", ["a slot that is missing", "no dataclass", "a mutable default", "math on a Tensor"]
)
@pytest.mark.parametrize("command", [["train", "iris", "--optimizer"], ["compare", "iris", "--optimizers"]])
def test_the_command_line_prints_the_sentence_and_ends_with_status_2(
    case, command, written, monkeypatch, capsys
):
    text, sentence = MISTAKES[case]
    written(text)
    monkeypatch.setattr(sys, "argv", ["spusk", *command, "./mine.py:Mine"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err == f"spusk: {sentence}\n".replace("'x/v'", "'0.weight/v'")


def test_of_a_mistake_in_a_neighbouring_file_the_rule_s_own_line_is_told(written, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "file_beside_mine.py").write_text("def helped(g):\n    return g.nothing\n")
    written(changed((FIRST_LINE, "        from file_beside_mine import helped\n        v = helped(g)\n")))
    monkeypatch.delitem(sys.modules, "file_beside_mine", raising=False)
    with pytest.raises(SpuskError, match=r"has no attribute 'nothing' \(mine\.py:18\)$"):
        sp.minimize(lambda x: (x * x).sum(), [1.0], "./mine.py:Mine", steps=1)


def test_a_rule_that_is_installed_beside_pythons_own_modules_is_somebodys(monkeypatch):
    # Without a virtual environment, packages lie in a folder of the standard library's.
    theirs = types.ModuleType("theirs")
    monkeypatch.setitem(sys.modules, "theirs", theirs)
    file = Path(ast.__file__).parent / "site-packages" / "theirs.py"
    exec(compile(MISTAKES["a name that is not there"][0], str(file), "exec"), vars(theirs))
    with pytest.raises(SpuskError, match=r"name 'nothing' is not defined \(theirs\.py:17\)$"):
        sp.minimize(lambda x: (x * x).sum(), [1.0], theirs.Mine(), steps=1)


def test_a_wrapper_that_fails_within_one_of_ours_is_told_with_its_line(written):
    written(MISTAKES["a wrapper that fails"][0])
    with pytest.raises(SpuskError, match=r"has no attribute 'gradient'.* \(mine\.py:13\)$"):
        sp.minimize(lambda x: (x * x).sum(), [1.0, 2.0], "lookahead(./mine.py:Mine)", steps=1)


def test_a_rule_within_a_wrapper_of_ones_own_is_told_of_alone(written):
    wrapper = (
        "\n@dataclass(frozen=True)\nclass Around(Wrapper):\n    inner: Optimizer = Mine()\n"
        "    def update_all(self, parameters, gradients, state, t):\n"
        "        return self.inner.update_all(parameters, gradients, state, t)\n"
        "    def start_all(self, parameters):\n        return self.inner.start_all(parameters)\n"
        "    def point_all(self, parameters, state):\n        return self.inner.point_all(parameters, state)\n"
    )
    for case in ("an unknown slot", "nothing returned", "a start without a State"):
        text, sentence = MISTAKES[case]
        written(text + wrapper)
        with pytest.raises(SpuskError) as found:
            sp.minimize(lambda x: (x * x).sum(), [1.0, 2.0], "./mine.py:Around", steps=1)
        assert str(found.value) == sentence


def test_the_right_rule_passes(written):
    written(FIRST)
    assert sp.minimize(lambda x: (x * x).sum(), [1.0, 2.0], "./mine.py:Mine", steps=5).status == "finished"


def test_numpys_functions_build_graph(written):
    written(changed((FIRST_LINE, "        v = np.sqrt(np.abs(g))\n")))
    assert sp.minimize(lambda x: (x * x).sum(), [2.0, 0.0], "./mine.py:Mine(lr=1)", steps=1).x.tolist() == [
        0.0,
        0.0,
    ]


def test_mistakes_of_the_loss_are_not_the_rules(written):
    written(FIRST)

    def wrong(x):
        return x.nothing

    with pytest.raises(AttributeError, match=r"^'Tensor' object has no attribute 'nothing'"):
        sp.minimize(wrong, [1.0], "./mine.py:Mine", steps=1)
    with pytest.raises(SpuskError, match=r"^minimize needs a function that returns a scalar"):
        sp.minimize(lambda x: x, [1.0], "./mine.py:Mine", steps=1)


def test_a_hyperparameter_that_a_rule_does_not_have_is_told():
    with pytest.raises(SpuskError, match=r"^Adam has no hyperparameter 'beta'; did you mean 'beta"):
        optim.Adam(beta=0.5)


def test_the_cause_stays_with_the_error(written):
    written(MISTAKES["a name that is not there"][0])
    with pytest.raises(SpuskError) as found:
        sp.minimize(lambda x: (x * x).sum(), [1.0], "./mine.py:Mine", steps=1)
    assert isinstance(found.value.__cause__, NameError)
