"""The command that changes formulas on purpose: what it changes, and what it says of tests that see it or not."""

import ast
import subprocess
import sys

import pytest
from tools.mutants import equivalent
from tools.mutants.__main__ import main
from tools.mutants.mutant import ROOT, Mutant, mutants
from tools.mutants.operators import OPERATORS
from tools.mutants.report import table
from tools.mutants.runner import Outcome
from tools.mutants.tests_of import tests_of as found_tests

OPTIM = ROOT / "src" / "spusk" / "optim"


def changed(tmp_path, text, operator):
    """What the operator makes of a text, each mutant's whole text."""
    file = tmp_path / "formula.py"
    file.write_text(text)
    return [(m.before, m.after) for m in mutants(file) if m.operator == operator]


def formula(text):
    return f"def update(self, w, g, s, t):\n    m = s.m + g\n    return {text}\n"


@pytest.mark.parametrize(
    ("operator", "text", "after"),
    [
        ("comparison", "rho > 4", ["rho >= 4", "rho < 4"]),
        ("comparison", "rho <= 4", ["rho < 4", "rho >= 4"]),
        ("comparison", "0 <= x < 1", ["0 < x < 1", "0 <= x <= 1"]),
        ("comparison", "x is None", ["x is not None"]),
        ("comparison", "t == 1", ["t != 1"]),
        ("sign", "a + b", ["a - b"]),
        ("sign", "-a", ["a"]),
        ("sign", "'a' + b", []),
        ("factor", "a * b", ["a / b"]),
        ("factor", "t % 2", ["t // 2"]),
        ("power", "a ** b", ["a * b"]),
        ("scale", "self.gain * x", ["x"]),
        ("scale", "x / self.k", ["x"]),
        ("epsilon", "sqrt(v + self.eps)", ["sqrt(v) + self.eps", "v"]),
        ("epsilon", "sqrt(v) + self.eps", ["sqrt(v)", "sqrt(v + self.eps)"]),
        ("debias", "m / debias1", ["m"]),
        ("debias", "g / (1 - self.beta1**t)", ["g", "1"]),
        ("time", "self.at(t)", ["self.at(t + 1)"]),
        ("time", "a * (t - 1)", ["t"]),
        ("time", "t + 1", ["t"]),
        ("extreme", "snp.maximum(a, b)", ["snp.minimum(a, b)"]),
        ("extreme", "max(a, b)", ["min(a, b)"]),
        ("dropped", "snp.abs(g)", ["g"]),
        ("dropped", "snp.sign(g)", ["g"]),
        ("constant", "2 * g", ["3 * g"]),
        ("constant", "0.5 * g", ["0.25 * g"]),
        ("order", "w - s.m", ["m"]),
        ("order", "w - m", ["w - s.m"]),
        ("condition", "snp.where(c, a, b)", ["snp.where(c, b, a)"]),
        ("condition", "a if c else b", ["b if c else a"]),
        ("condition", "not a", ["a"]),
        ("logic", "a and b", ["a or b"]),
        ("fans", "p.fan_in", ["p.fan_out"]),
        ("fans", "'fan_out'", ["'fan_in'"]),
    ],
)
def test_an_operator_changes_one_place(tmp_path, operator, text, after):
    if operator == "sign":
        text = f"({text}, w)"
    found = [new for _, new in changed(tmp_path, formula(text), operator)]
    known = [new for _, new in changed(tmp_path, formula("0"), operator)]
    assert [new for new in found if new not in known] == after


def test_every_operator_is_in_the_table_above():
    rows = next(
        mark for mark in test_an_operator_changes_one_place.pytestmark if mark.name == "parametrize"
    ).args[1]
    assert OPERATORS.keys() - {row[0] for row in rows} == {"default", "preset"}


RULE = '''"""A module: 1 + 1."""
from typing import Literal
class Rule:
    """A rule: t - 1."""
    lr: Hyper = 0.5
    k: int = 5
    shape: Literal["round", "flat"] = "flat"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"torch": {"lr": 1.0, "k": 2}}
    lr_grid: ClassVar[tuple[float, ...]] = (0.1, 1.0)
'''


def test_defaults_and_presets_are_changed_and_grids_and_texts_are_not(tmp_path):
    assert changed(tmp_path, RULE, "default") == [("0.5", "0.25"), ("5", "6"), ("'flat'", "'round'")]
    assert changed(tmp_path, RULE, "preset") == [
        ("{'lr': 1.0, 'k': 2}", "{'k': 2}"),
        ("{'lr': 1.0, 'k': 2}", "{'lr': 1.0}"),
        ("{'lr': 1.0, 'k': 2}", "{'lr': 0.5, 'k': 2}"),
        ("{'lr': 1.0, 'k': 2}", "{'lr': 1.0, 'k': 3}"),
    ]
    assert [m.operator for m in mutants(tmp_path / "formula.py")].count("constant") == 0


@pytest.mark.parametrize(
    "text",
    [
        '"""a + b > 1"""',
        "x: Literal[1, 2]",
        "def f(x: A[1]) -> B[2]: pass",
        "if TYPE_CHECKING:\n    x = 1",
        "def f():\n    raise InputError(f'{x + 1} is too large')",
        "import numpy",
    ],
)
def test_what_is_no_formula_is_left_alone(tmp_path, text):
    (tmp_path / "formula.py").write_text(text)
    assert not list(mutants(tmp_path / "formula.py"))


def test_a_mutant_is_the_file_with_one_change_and_the_file_stays():
    file = OPTIM / "sgd.py"
    before = file.read_text()
    found = [m for m in mutants(file) if m.operator == "sign"]
    assert [(m.function, m.before, m.after) for m in found] == [
        ("SGD.update", "w - self.lr * g", "w + self.lr * g")
    ]
    assert file.read_text() == before
    assert ast.unparse(ast.parse(before))  # and is as valid as before


def test_the_tests_of_a_file_are_found_by_its_name_or_by_what_it_defines():
    assert [f.name for f in found_tests(OPTIM / "adam.py").files] == ["test_adam.py", "test_rules.py"]
    assert found_tests(OPTIM / "lion.py").files[0].name == "test_signs.py"
    assert found_tests(OPTIM / "schedules" / "cosine.py").files[0].name == "test_schedules.py"


def test_of_shared_tests_those_of_other_rules_are_left_out():
    tests = found_tests(OPTIM / "sgdw.py")
    shared = next(f for f in tests.files if f.name == "test_rules.py")
    assert tests.wants(shared, "test_rules.py::test_x[SGDW(lr=0.001)]")
    assert tests.wants(shared, "test_rules.py::test_x[Lookahead(inner=SGDW())]")
    assert tests.wants(shared, "test_rules.py::test_names")
    assert not tests.wants(shared, "test_rules.py::test_x[SGD(lr=0.01)]")
    base = found_tests(OPTIM / "optimizer.py")
    assert base.wants(shared, "test_rules.py::test_x[SGD(lr=0.01)]")


def command(*arguments):
    run = [sys.executable, "-m", "tools.mutants", *map(str, arguments)]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_the_command_prints_the_score_of_two_small_files():
    done = command(OPTIM / "sgd.py", ROOT / "src" / "spusk" / "init" / "uniform.py", "--jobs", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.split("\n")
    assert any(line.startswith("src/spusk/optim/sgd.py") for line in lines)
    assert any(line.startswith("src/spusk/init/uniform.py") for line in lines)
    assert "score: 100.0 % of the" in done.stdout


def test_the_score_leaves_out_what_is_explained():
    living = Mutant("a.py", "f", "sign", "a + b", "a - b", 3, compile("", "a.py", "exec"))
    killed = Mutant("a.py", "f", "sign", "c + d", "c - d", 4, compile("", "a.py", "exec"))
    outcomes = [Outcome(living, True, ""), Outcome(killed, False, "")]
    assert table(outcomes, {}).split("\n")[2].split() == ["a.py", "2", "1", "0", "1"]
    assert table(outcomes, {}).endswith("score: 50.0 % of the 2 mutants that change something are killed")
    explained = {equivalent.key(living): "a reason"}
    assert table(outcomes, explained).split("\n")[2].split() == ["a.py", "2", "1", "1", "0"]
    assert table(outcomes, explained).endswith(
        "score: 100.0 % of the 1 mutants that change something are killed"
    )


def test_an_explanation_that_fits_no_mutant_is_an_error(tmp_path):
    entry = ("src/spusk/optim/sgd.py", "SGD.update", "sign", "w * 2", "w / 2")
    present = list(mutants(OPTIM / "sgd.py"))
    assert equivalent.unmatched({entry: "…"}, present, {"src/spusk/optim/sgd.py"}) == [entry]
    assert equivalent.unmatched({entry: "…"}, present, {"src/spusk/optim/adam.py"}) == []
    broken = tmp_path / "equivalent.toml"
    broken.write_text('[[mutant]]\nfile = "a.py"\n')
    with pytest.raises(ValueError, match="an entry needs"):
        equivalent.read(broken)


def test_every_explanation_names_a_mutant_that_is_there():
    explained = equivalent.read()
    files = {k[0] for k in explained}
    present = [m for file in files for m in mutants(ROOT / file)]
    assert equivalent.unmatched(explained, present, files) == []


def test_listing_runs_nothing(capsys):
    assert main([str(OPTIM / "sgd.py"), "--list"]) == 0
    assert "SGD.update [sign] w - self.lr * g  →  w + self.lr * g" in capsys.readouterr().out
