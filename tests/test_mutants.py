"""The command that changes formulas on purpose: what it changes, and what it says of tests that see it or not."""

import ast
import re
import subprocess
import sys

import pytest
from tools.mutants import equivalent, in_place, results, runner
from tools.mutants.__main__ import main
from tools.mutants.mutant import ROOT, Mutant, mutants
from tools.mutants.operators import OPERATORS
from tools.mutants.report import Progress, table
from tools.mutants.results import Outcome, Results
from tools.mutants.tests_of import tests_of as found_tests

from spusk.optim import SGD

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


def test_of_shared_examples_those_of_other_modules_are_left_out():
    tests = found_tests(OPTIM / "sgdw.py")
    shared = next(f for f in tests.files if f.name == "test_rules.py")
    assert tests.wants(shared, "test_rules.py::test_examples_print_what_they_say[spusk.optim.sgdw]")
    assert tests.wants(shared, "test_rules.py::test_examples_print_what_they_say[spusk.optim]")
    assert not tests.wants(shared, "test_rules.py::test_examples_print_what_they_say[spusk.optim.adam]")


def sgd(operator):
    return next(m for m in mutants(OPTIM / "sgd.py") if m.operator == operator)


def test_a_change_inside_a_function_is_put_in_its_place_where_it_runs():
    running, original = SGD.update, SGD.update.__code__
    try:
        assert in_place.put(sgd("sign"))
        assert SGD.update is running
        assert SGD(lr=0.5).update(1.0, 2.0, None, 1)[0] == 2.0
    finally:
        running.__code__ = original
    assert SGD(lr=0.5).update(1.0, 2.0, None, 1)[0] == 0.0


def test_a_change_outside_functions_is_not_put_in_place():
    assert not in_place.put(sgd("default"))
    assert SGD() == SGD(lr=0.01)


REPLACED = """
import sys
from pathlib import Path
import spusk
from tools.mutants.imports import dependents, replace_module
old, before = spusk.optim.SGD, {name: type(x) for name, x in vars(spusk.graph).items()}
file = Path("src/spusk/optim/sgd.py")
text = file.read_text().replace("w - self.lr * g", "w + self.lr * g")
replace_module("spusk.optim.sgd", compile(text, str(file), "exec"), dependents("spusk.optim.sgd"))
new = sys.modules["spusk"]
assert new.optim.SGD is not old
assert new.optim.SGD(lr=0.5).update(1.0, 2.0, None, 1)[0] == 2.0
changed = {name for name, kind in before.items() if type(vars(new.graph)[name]) is not kind}
assert not changed, f"{changed} are something else than before"
"""


def test_a_module_in_place_of_another_leaves_packages_what_they_had():
    run = [sys.executable, "-c", REPLACED]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_an_outcome_holds_until_the_test_that_told_it_changes(tmp_path, monkeypatch):
    mutant, by = sgd("sign"), "tests/optim/test_sgd.py::test_x[1]"
    Results(tmp_path / "kept").put(Outcome(mutant, False, by))
    assert Results(tmp_path / "kept").get(mutant) == Outcome(mutant, False, by)
    assert Results(tmp_path / "kept").get(sgd("default")) is None
    text = results._text_of
    for changed, holds in (("test_rules.py", True), ("harness.py", False), ("test_sgd.py", False)):
        monkeypatch.setattr(
            results, "_text_of", lambda f, test="", name=changed: text(f, test) + "!" * (f.name == name)
        )
        assert (Results(tmp_path / "kept").get(mutant) is not None) == holds


PARTS_OF_A_TEST = """
import math
from optim import descent, harness
pytestmark = []
A, B = 1, 2
C = A
for _ in (): pass

class Given: pass

@pytest.fixture
def given(other): return Given

@pytest.fixture(autouse=True)
def always(): pass

@pytest.fixture(name="other")
def otherwise(): pass

@math.known
def known(): pass

def setup_module(): pass

def helps(): return C

def test_x(given): assert helps() == math.pi
def test_y(): assert descent
"""


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        ("assert descent", "assert harness", True),
        ("import math", "import math, cmath", True),
        ("pytestmark", '"""A text."""\ndef test_z(): pass\nD = 1\npytestmark', True),
        ("== math", "!= math", False),
        ("return C", "return -C", False),
        ("A, B = 1", "A, B = 3", False),
        ("return Given", "return None", False),
        ("class Given: pass", "class Given: x = 1", False),
        ("always(): pass", "always(): return 1", False),
        ("pytestmark = []", "pytestmark = [1]", False),
        ("otherwise(): pass", "otherwise(): return 1", False),
        ("known(): pass", "known(): return 1", False),
        ("setup_module(): pass", "setup_module(): return 1", False),
        ("from optim import descent", "from optim import *\nfrom optim import descent", False),
        ("in (): pass", "in (1,): pass", False),
        ("import math", "import cmath as math", False),
    ],
)
def test_what_a_test_is_not_made_with_is_nothing_to_it(tmp_path, before, after, holds):
    assert before in PARTS_OF_A_TEST
    digests = []
    for i, text in enumerate((PARTS_OF_A_TEST, PARTS_OF_A_TEST.replace(before, after))):
        (tmp_path / f"test_{i}.py").write_text(text)
        digests.append(results._digest([tmp_path / f"test_{i}.py"], "test_x"))
    assert (digests[0] == digests[1]) is holds
    assert results._helpers(tmp_path / "test_0.py", "test_x") == []
    assert [f.name for f in results._helpers(tmp_path / "test_0.py")] == ["descent.py", "harness.py"]


def test_a_survival_holds_until_any_of_its_tests_changes(tmp_path, monkeypatch):
    Results(tmp_path / "kept").put(Outcome(sgd("sign"), True))
    assert Results(tmp_path / "kept").get(sgd("sign")) == Outcome(sgd("sign"), True)
    text = results._text_of
    monkeypatch.setattr(
        results, "_text_of", lambda f, test="": text(f, test) + "!" * (f.name == "test_rules.py")
    )
    assert Results(tmp_path / "kept").get(sgd("sign")) is None


def test_a_docstring_is_nothing_to_a_mutant_and_something_to_the_test_that_runs_its_examples(tmp_path):
    digests = []
    for text in ('"""One."""\nx = 1 + 2\n', '"""Two."""\nx = 1 + 2  # three\n', "x = 1 + 3\n"):
        (tmp_path / "formula.py").write_text(text)
        digests.append([m.digest for m in mutants(tmp_path / "formula.py")])
    assert digests[0] == digests[1] != digests[2]
    of_examples = results._digest([], "", results._text_of(OPTIM / "sgd.py"))
    assert results._tests(sgd("sign"), "tests/optim/test_sgd.py::test_x") != of_examples
    by = "tests/optim/test_rules.py::test_examples_print_what_they_say[spusk.optim.sgd]"
    file, test = OPTIM.parents[2] / "tests" / "optim" / "test_rules.py", "test_examples_print_what_they_say"
    told = results._digest([file], test, results._text_of(OPTIM / "sgd.py"))
    assert results._tests(sgd("sign"), by) == told != results._digest([file], test)


def test_a_line_that_was_cut_off_is_no_outcome(tmp_path):
    kept = tmp_path / "kept"
    Results(kept).put(Outcome(sgd("sign"), True))
    kept.write_text(kept.read_text() + '\n{"mutant": "12')
    assert Results(kept).get(sgd("sign")) == Outcome(sgd("sign"), True)
    Results(kept).put(Outcome(sgd("default"), True))
    assert Results(kept).get(sgd("default")) == Outcome(sgd("default"), True)


def command(*arguments):
    run = [sys.executable, "-m", "tools.mutants", *map(str, arguments)]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_the_command_prints_the_score_of_two_small_files_and_keeps_it(tmp_path):
    paths = [OPTIM / "sgd.py", ROOT / "src" / "spusk" / "init" / "uniform.py"]
    done = command("--only", *paths, "--jobs", 2, "--kept", tmp_path / "kept")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.split("\n")
    assert any(line.startswith("src/spusk/optim/sgd.py") for line in lines)
    assert any(line.startswith("src/spusk/init/uniform.py") for line in lines)
    assert "score: 100.0 % of the" in done.stdout
    assert (
        len((tmp_path / "kept").read_text().split("\n"))
        == int(re.search(r"^all +(\d+)", done.stdout, re.M)[1]) + 1
    )
    again = command("--only", *paths, "--kept", tmp_path / "kept")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert again.stderr == ""


def test_what_was_found_before_an_interruption_stays(tmp_path, monkeypatch, capsys):
    def interrupted(work, jobs, done):
        done(Outcome(work[0][1][0], False))
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupted)
    options = ["--only", str(OPTIM / "sgd.py"), "--kept", str(tmp_path / "kept")]
    assert [main(options), main(options)] == [130, 130]
    assert re.findall(r"interrupted: (\d+) of", capsys.readouterr().out) == ["1", "2"]


def test_a_mutant_that_lives_makes_the_exit_status_1(tmp_path, monkeypatch, capsys):
    def all_live(work, jobs, done):
        for _, found in work:
            for mutant in found:
                done(Outcome(mutant, True))

    monkeypatch.setattr(runner, "run", all_live)
    assert main(["--only", str(OPTIM / "sgd.py"), "--kept", str(tmp_path / "kept")]) == 1
    assert "score: 0.0 %" in capsys.readouterr().out


def test_a_file_that_is_named_twice_counts_once(capsys):
    for paths in ([OPTIM / "sgd.py"], [OPTIM / "sgd.py", OPTIM / ".." / "optim" / "sgd.py"]):
        assert main(["--only", *map(str, paths), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


def test_a_sample_is_as_large_as_asked_and_the_same_all_day(capsys):
    for _ in range(2):
        assert main(["--only", str(OPTIM / "adam.py"), "--sample", "7", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:8] == lines[8:]
    assert lines[7] == "7 mutants in 1 files"


def test_progress_counts_what_is_known_and_tells_the_time_left(monkeypatch):
    found = list(mutants(OPTIM / "sgd.py"))
    progress = Progress(found, {}, [Outcome(found[0], True)])
    assert progress.alive == 1
    progress._began -= 120  # two minutes for one mutant
    progress(Outcome(found[1], False))
    assert progress._line().startswith(f"2 of {len(found)} mutants, 1 alive, {2 * (len(found) - 2)} min left")


def test_the_score_leaves_out_what_is_explained():
    living = Mutant("a.py", "f", "sign", "a + b", "a - b", 3, compile("", "a.py", "exec"))
    killed = Mutant("a.py", "f", "sign", "c + d", "c - d", 4, compile("", "a.py", "exec"))
    outcomes = [Outcome(living, True), Outcome(killed, False)]
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
    assert main(["--only", str(OPTIM / "sgd.py"), "--list"]) == 0
    assert "SGD.update [sign] w - self.lr * g  →  w + self.lr * g" in capsys.readouterr().out
