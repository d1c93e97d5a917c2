"""The command line as a user meets it: a process, its output, its exit status."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from spusk.cli import main


def spusk(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "spusk", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


@pytest.fixture
def spusk_here(monkeypatch, capsys):
    """The same without a process of its own, which takes a second to start."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["spusk", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return SimpleNamespace(returncode=ended.value.code or 0, stdout=out, stderr=err)

    return call


@pytest.fixture
def iris_csv(tmp_path):
    from spusk import data

    iris = data.iris()
    path = tmp_path / "iris.csv"
    rows = [",".join([*map(str, x), iris.classes[y]]) for x, y in zip(iris.x, iris.y, strict=True)]
    path.write_text("a,b,c,d,kind\n" + "\n".join(rows) + "\n")
    return path


def test_compare_prints_a_ranking_and_a_verdict_and_writes_every_run(tmp_path):
    done = spusk("compare", "iris", "--optimizers", "adam,sgd", "--lrs", "0.01,0.1,1e9", "--seeds", 2,
                 "--epochs", 3, "--json", tmp_path / "out.json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Use " in done.stdout
    assert "val loss" in done.stdout
    content = json.loads((tmp_path / "out.json").read_text())
    assert len(content["runs"]) == 12
    assert {r["status"] for r in content["runs"]} == {"finished", "diverged"}
    assert [s["optimizer"] for s in content["summary"]]


def test_compare_reads_a_table(iris_csv):
    done = spusk("compare", iris_csv, "--target", "kind", "--optimizers", "adam", "--lrs", "0.01", "--seeds", 1,
                 "--epochs", 2, "--hidden", "8,8", "--activation", "tanh", "--init", "orthogonal")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4-8-8-3, Tanh" in done.stdout


def test_train_saves_a_network_that_predicts(tmp_path, iris_csv):
    done = spusk("train", iris_csv, "--target", "kind", "--lr", "0.02", "--save", tmp_path / "m.safetensors",
                 "--json", tmp_path / "h.json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "finished 20 epochs" in done.stdout
    import spusk as sp

    model = sp.load(tmp_path / "m.safetensors")
    assert model.classes == ("setosa", "versicolor", "virginica")
    assert len(json.loads((tmp_path / "h.json").read_text())["history"]["loss"]) == 20


def test_predict_writes_a_class_and_its_probability_for_every_row(tmp_path, iris_csv, spusk_here):
    network = tmp_path / "m.safetensors"
    done = spusk_here("train", iris_csv, "--target", "kind", "--epochs", 2, "--save", network)
    assert f"spusk predict {network} FILE" in done.stderr
    new = tmp_path / "new.csv"
    new.write_text("d,c,b,a\n0.2,1.4,3.5,5.1\n2.5,6.0,3.3,6.3\n")
    printed = spusk_here("predict", network, new)
    assert printed.returncode == 0, printed.stderr
    head, *rows = printed.stdout.splitlines()
    assert head == "kind,probability"
    assert [row.split(",")[0] in ("setosa", "versicolor", "virginica") for row in rows] == [True, True]
    assert all(1 / 3 < float(row.split(",")[1]) <= 1 for row in rows)
    assert spusk_here("predict", network, iris_csv, "--out", tmp_path / "out.csv").returncode == 0
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 151
    new.write_text("d,c,b\n1,2,3\n")
    refused = spusk_here("predict", network, new)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "has no column 'a', which the model needs" in refused.stderr


def test_train_tells_a_divergence_as_a_result(spusk_here):
    done = spusk_here("train", "diabetes", "--optimizer", "sgd", "--lr", "1e6")
    assert done.returncode == 0
    assert "diverged in step" in done.stdout


def test_summary_shows_layers_shapes_and_counts(spusk_here):
    done = spusk_here("summary", "digits", "--hidden", "64,32")
    assert done.returncode == 0
    assert "6,570" in done.stdout  # 64·64 + 64 + 64·32 + 32 + 32·10 + 10


def test_methods_lists_formulas_and_papers(tmp_path):
    done = spusk("methods", "--json", tmp_path / "m.json")
    assert done.returncode == 0
    listed = json.loads((tmp_path / "m.json").read_text())["methods"]
    kinds = ["optimizer", "wrapper", "solver", "schedule", "initialiser", "loss"]
    assert list(dict.fromkeys(m["kind"] for m in listed)) == kinds
    for method in listed:
        assert method["formula"], method["name"]
        assert method["source"], method["name"]
        assert method["name"] in done.stdout
    one = spusk("methods", "adam")
    assert "Kingma" in one.stdout
    assert 'like("keras")' in one.stdout


def test_a_python_file_can_bring_network_data_and_loss(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from spusk import data, nn\n"
        "net = nn.Sequential(nn.Linear(4, 8), nn.Lambda(lambda x: x * x), nn.Linear(8, 3))\n"
        "data = data.iris()\n"
    )
    done = spusk("compare", tmp_path / "mine.py", "--optimizers", "adam,sgd", "--lrs", "0.01", "--seeds", 1,
                 "--epochs", 1)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_optimizers_take_hyperparameters_schedules_and_presets(spusk_here):
    done = spusk_here("train", "iris", "--epochs", 2, "--optimizer", "sgd(lr=cosine(0.1, steps=8))")
    assert done.stdout.startswith("sgd(lr=cosine(initial=0.1, steps=8)): finished 2 epochs")
    done = spusk_here("compare", "iris", "--epochs", 1, "--seeds", 1, "--lrs", 0.1, "--jobs", 1, "--optimizers",
                      'momentum,momentum(mu=0.5, dampening=0.1),adam.like("keras")')  # fmt: skip
    assert done.returncode == 0, done.stderr
    for label in ("momentum  ", "momentum(mu=0.5, dampening=0.1)", 'adam.like("keras")'):
        assert label in done.stdout


def test_an_optimizer_of_ones_own_is_named_by_its_file(tmp_path, spusk_here, monkeypatch):
    rule = "from dataclasses import dataclass\nfrom spusk.optim import Hyper, Optimizer\n@dataclass(frozen=True)\n" \
           "class Mine(Optimizer):\n    lr: Hyper = 0.1\n    def update(self, w, g, s, t):\n        {}\n"  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "mine.py", rule.format("return w - self.lr * g, s"))
    done = spusk_here("compare", "iris", "--epochs", 1, "--seeds", 1, "--lrs", 0.1, "--jobs", 1, "--optimizers",
                      "sgd,./mine.py:Mine")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mine  " in done.stdout
    assert spusk_here("train", "iris", "--optimizer", "mine.py:Mine", "--epochs", 1).stdout.startswith(
        "mine, lr 0.1"
    )
    write(tmp_path, "mine.py", rule.format("return nothing"))
    for option in (("compare", "iris", "--optimizers"), ("train", "iris", "--optimizer")):
        done = spusk_here(*option, "./mine.py:Mine")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "spusk: Mine.update: NameError: name 'nothing' is not defined (mine.py:7)\n"


def test_a_loss_and_an_initialiser_take_arguments(spusk_here):
    options = ("train", "diabetes", "--epochs", 2, "--init", "xaviernormal(gain=0.5)", "--loss")
    near, far = (spusk_here(*options, f"huber(delta={delta})") for delta in (0.1, 100.0))
    wide = spusk_here(*options, "huber(delta=0.1)", "--init", "xaviernormal(gain=2)")
    assert {run.returncode for run in (near, far, wide)} == {0}, near.stderr + far.stderr + wide.stderr
    assert len({run.stdout.partition("loss")[2] for run in (near, far, wide)}) == 3
    assert "the loss is that of the standardised target, and so is what its options count in" in near.stdout


def test_training_for_no_epochs_shows_the_first_losses_alone(spusk_here):
    done = spusk_here("train", "iris", "--epochs", 0)
    assert done.returncode == 0
    assert "finished 0 epochs" in done.stdout
    assert "→" not in done.stdout
    assert "nan" not in done.stdout


def test_results_may_go_to_a_pipe(tmp_path):
    done = spusk("train", "iris", "--epochs", 1, "--json", "/dev/stdout")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout[done.stdout.index("{") :])["status"] == "finished"


def test_json_may_go_to_standard_output_alone(spusk_here):
    for command in (["train", "iris", "--epochs", 1], ["methods"], ["summary", "iris"], ["compare", "iris",
                    "--epochs", 1, "--seeds", 1, "--jobs", 1, "--optimizers", "sgd"]):  # fmt: skip
        done = spusk_here(*command, "--json", "-")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)
        assert done.stderr.strip()


@pytest.fixture
def cars_csv(tmp_path):
    path = tmp_path / "cars.csv"
    path.write_text("age,town,price\n" + "1.5,Oslo,2000.5\n,Bergen,1500.5\n9,,300.25\n" * 20)
    return path


def test_what_was_read_from_a_table_is_told(cars_csv, spusk_here):
    read = "cars: 60 rows, regression; price from 1 number (age), 1 text (town: 3 categories)\n"
    for command in (["train"], ["compare", "--jobs", 1, "--seeds", 1, "--optimizers", "sgd"]):
        done = spusk_here(*command, cars_csv, "--target", "price", "--missing", "mean", "--epochs", 1)
        assert read in done.stdout, done.stderr
        assert "missing values filled: 40" in done.stdout
        assert "the standardised target" in done.stdout


def test_whole_numbers_taken_as_classes_are_pointed_out(tmp_path, spusk_here):
    write(tmp_path, "marks.csv", "hours,mark\n" + "1.5,1\n2.5,2\n3.5,3\n" * 20)
    done = spusk_here("train", tmp_path / "marks.csv", "--target", "mark", "--epochs", 1)
    assert "--task regression takes quantities" in done.stdout
    done = spusk_here(
        "train", tmp_path / "marks.csv", "--target", "mark", "--epochs", 1, "--task", "regression"
    )
    assert "--task" not in done.stdout


def test_the_error_of_a_regression_is_shown_in_the_unit_of_its_target(cars_csv, tmp_path, spusk_here):
    for loss, name, power in (("mean_squared", "RMSE", 2), ("mean_absolute", "MAE", 1)):
        saved = tmp_path / "m.safetensors"
        done = spusk_here("train", cars_csv, "--target", "price", "--missing", "mean", "--epochs", 1, "--batch-size",
                          8, "--loss", loss, "--validation", 0, "--save", saved)  # fmt: skip
        import spusk as sp
        from spusk import data

        cars = data.table(cars_csv, "price", missing="mean")
        error = np.mean(np.abs(sp.load(saved).predict(cars.x) - cars.y) ** power) ** (1 / power)
        assert name in done.stdout
        assert f"→ {error:.4g}\n" in done.stdout


def test_a_loss_that_grew_is_not_passed_over(spusk_here):
    done = spusk_here("train", "iris", "--optimizer", "momentum", "--lr", 30, "--epochs", 3)
    assert "the loss is higher than before the first step: try a lower lr" in done.stdout


def test_methods_of_one_kind_are_listed(spusk_here):
    done = spusk_here("methods", "schedules")
    assert "cosine" in done.stdout
    assert "Kingma" not in done.stdout
    assert ">>>" not in spusk_here("methods", "nadam").stdout


def test_in_a_narrow_window_the_ranking_keeps_its_numbers(spusk_here, monkeypatch):
    from spusk.cli import show
    from spusk.lab import Record, Study

    history = {"epoch": [1], "step": [10], "val_loss": [0.1]}
    runs = tuple(Record(n, 0.1, s, "finished", 0.1, 0.1 + s / 9, 0.9, 2.0, 10, 0.1, history)
                 for n in ("gradientdescent", "adam") for s in (0, 1))  # fmt: skip
    settings = {"seeds": [0, 1], "epochs": 1, "batch_size": 32, "loss": "x", "init": "y", "trainings": 4}
    study = Study(runs, "data", "2-1", settings, "accuracy", 1.0)
    for width, kept in ((60, False), (80, True)):
        lines = io.StringIO()
        monkeypatch.setattr(show, "Console", lambda **options: Console(file=lines, width=width, **options))  # noqa: B023
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        show.study(study)
        assert "0.1556 ± 0.0786" in lines.getvalue()
        assert ("10 (1)" in lines.getvalue()) == kept


def test_without_arguments_the_help_is_shown(spusk_here):
    done = spusk_here()
    assert done.returncode == 0
    assert "Usage: spusk" in done.stdout


def test_help_has_an_example_for_every_command(spusk_here):
    for command in ("compare", "train", "summary", "methods", "verify"):
        done = spusk_here(command, "--help")
        assert done.returncode == 0
        assert "Example:" in done.stdout


def test_bad_input_ends_the_process_with_status_2():
    done = spusk("train", "iris", "--lr", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "spusk: Adam(lr=0.0): lr must be greater than 0\n"


def write(folder, name, text):
    (folder / name).write_text(text)
    return name


BAD = {
    "a missing file": (["compare", "nowhere.csv", "--target", "y"], "nowhere.csv"),
    "an unknown data set": (["compare", "digitz"], "did you mean 'digits'"),
    "an empty file": (["compare", "empty.csv", "--target", "y"], "empty.csv"),
    "no such target": (["train", "good.csv", "--target", "prise"], "'price'"),
    "no target": (["train", "good.csv"], "--target"),
    "one class only": (["train", "one.csv", "--target", "y"], "one"),
    "a text where a number should be": (
        ["train", "text.csv", "--target", "y", "--loss", "mean_squared"],
        "text.csv",
    ),
    "missing values": (["train", "holes.csv", "--target", "y"], "--missing"),
    "infinity": (["train", "inf.csv", "--target", "y"], "inf"),
    "fewer rows than a batch": (
        ["train", "good.csv", "--target", "price", "--batch-size", "64"],
        "fewer than batch_size=64",
    ),
    "an unknown optimizer": (["compare", "iris", "--optimizers", "adamm"], "did you mean 'adam'"),
    "a rate of zero": (["train", "iris", "--lr", "0"], "lr must be greater than 0"),
    "a rate below zero": (["compare", "iris", "--lrs", "-0.1"], "lr must be greater than 0"),
    "a rate that is no number": (["compare", "iris", "--lrs", "fast"], "--lrs got 'fast'"),
    "an unknown activation": (["train", "iris", "--activation", "rely"], "did you mean 'relu'"),
    "a loss by another library's name": (
        ["train", "diabetes", "--loss", "mse"],
        "did you mean 'mean_squared'",
    ),
    "an option that is not the loss's": (
        ["train", "diabetes", "--loss", "huber(dleta=2)"],
        "loss 'huber' has no argument 'dleta'; did you mean 'delta'?",
    ),
    "an option outside its range": (
        ["train", "diabetes", "--loss", "huber(delta=-1)"],
        "huber got delta=-1; it needs a finite number above 0",
    ),
    "an argument that is not the initialiser's": (
        ["compare", "iris", "--init", "henormal(mode='fan')"],
        "mode='fan'",
    ),
    "the beginning of a name": (["train", "iris", "--init", "he"], "did you mean 'henormal' or 'heuniform'"),
    "a width for a Python file": (["train", "narrow.py", "--hidden", "5"], "--hidden is for other sources"),
    "a target for a Python file": (
        ["summary", "narrow.py", "--target", "y"],
        "--target is for other sources",
    ),
    "a batch for full-batch descent": (
        ["train", "iris", "--optimizer", "gradientdescent", "--batch-size", "32"],
        "gradientdescent takes the whole training part a step; leave out --batch-size",
    ),
    "fewer rows than the usual batch": (["train", "few.csv", "--target", "y"], "--batch-size all"),
    "an unknown loss": (["train", "iris", "--loss", "crossentropy"], "did you mean 'cross_entropy'"),
    "an unknown initialiser": (["train", "iris", "--init", "he"], "he"),
    "a loss for numbers on classes": (["train", "iris", "--loss", "mean_squared"], "needs a numeric target"),
    "a width of zero": (["train", "iris", "--hidden", "8,0"], "--hidden got '0'"),
    "an unknown method": (["methods", "adamm"], "did you mean 'adam'"),
    "no folder for the output": (["compare", "iris", "--json", "nowhere/out.json"], "there is no folder"),
    "a network that does not fit": (
        ["train", "narrow.py"],
        "Linear(5, 3) (layer 0) got an input of shape (32, 4);",
    ),
    "a summary of a network that does not fit": (
        ["summary", "narrow.py"],
        "Linear(5, 3) (layer 0) got an input of shape (n, 4);",
    ),
    "a Python file without a network": (["train", "bare.py"], "does not define 'net'"),
    "a Python file with a mistake": (["train", "wrong.py"], "wrong.py:2: NameError"),
    "a beta of one": (["train", "beta.py"], "mu must be at least 0 and below 1"),
    "a beta of one on the command line": (
        ["train", "iris", "--optimizer", "adam(beta1=1.0)"],
        "Adam(beta1=1.0): beta1 must be at least 0 and below 1",
    ),
    "a beta below zero": (
        ["compare", "iris", "--optimizers", "sgd,adam(beta2=-0.1)"],
        "beta2 must be at least 0",
    ),
    "an unknown hyperparameter": (["train", "iris", "--optimizer", "adam(beta=0.9)"], "did you mean 'beta"),
    "an optimizer cut short": (["train", "iris", "--optimizer", "adam(beta1="], "cannot be read"),
    "a rate in place of a schedule": (
        ["train", "iris", "--optimizer", "clip(sgd(lr=cosine(0.1, steps=9)), norm=1)", "--lr", "0.3"],
        "clip has a schedule for its learning rate, which a number for lr would replace",
    ),
    "a rate in the optimizer and beside it": (
        ["train", "iris", "--optimizer", "adam(lr=0.001)", "--lr", "0.3"],
        "'adam(lr=0.001)' and --lr each give a learning rate; leave one of them out",
    ),
    "rates that nothing is tried with": (
        ["compare", "iris", "--optimizers", "sgd(lr=cosine(0.1, steps=9)),adam(lr=0.5)", "--lrs", "0.1"],
        "every optimizer was given its own learning rate",
    ),
    "a text for a number": (["train", "iris", "--lr", "fast"], "--lr got 'fast'; it needs a number"),
    "an endless rate": (["train", "iris", "--lr", "inf"], "--lr got 'inf'; it needs a finite number"),
    "a broken number of epochs": (
        ["train", "iris", "--epochs", "1.5"],
        "--epochs got '1.5'; it needs a whole",
    ),
    "epochs below zero": (["train", "iris", "--epochs", "-1"], "--epochs got '-1'"),
    "no epochs to compare": (
        ["compare", "iris", "--epochs", "0"],
        "--epochs got '0'; it needs a whole number, 1 or",
    ),
    "no seeds": (["compare", "iris", "--seeds", "0"], "--seeds got '0'"),
    "a seed below zero": (
        ["train", "iris", "--seed", "-1"],
        "--seed got '-1'; it needs a whole number, 0 or more",
    ),
    "no processes": (["compare", "iris", "--jobs", "0"], "--jobs got '0'"),
    "no patience": (["train", "iris", "--patience", "0"], "--patience got '0'"),
    "a batch of nothing": (["train", "iris", "--batch-size", "0"], "--batch-size got '0'"),
    "a width that is no number": (["train", "iris", "--hidden", "8,x"], "--hidden got 'x'"),
    "a share above one": (["train", "iris", "--validation", "1.5"], "validation is 1.5"),
    "nothing to rank by": (["compare", "iris", "--validation", "0"], "validation leaves that part empty"),
    "a loss for classes on numbers": (["train", "diabetes", "--loss", "cross_entropy"], "needs classes"),
    "an unknown task": (
        ["train", "good.csv", "--target", "price", "--task", "guess"],
        "there is no task 'guess'",
    ),
    "an unknown remedy": (
        ["train", "good.csv", "--target", "price", "--missing", "zero"],
        "missing is 'zero'",
    ),
    "a target for a built-in set": (["train", "iris", "--target", "y"], "--target is for files"),
    "a folder for the output": (["methods", "--json", "."], "it is a folder"),
    "a place that takes no files": (
        ["compare", "iris", "--json", "/dev/null/out.json"],
        "there is no folder",
    ),
    "no folder for the network": (["train", "iris", "--save", "nowhere/m"], "there is no folder"),
    "an unknown option": (["compare", "iris", "--sedes", "3"], "No such option: --sedes"),
    "an unknown command": (["compair", "iris"], "No such command 'compair'"),
    "no source": (["train"], "Missing argument"),
    "an option without its value": (["train", "iris", "--lr"], "requires an argument"),
    "more than the memory holds": (["train", "iris", "--hidden", "1000000000000000"], "not enough memory"),
    "a Python file that does not parse": (["train", "syntax.py"], "syntax.py:2: SyntaxError: "),
    "an error of several lines": (["train", "lines.py"], "lines.py:1: RuntimeError: first second"),
    "a mistake inside a layer": (
        ["compare", "layer.py"],
        "layer.py:3: NameError: name 'nothing' is not defined",
    ),
    "a loss for each example": (["train", "losses.py"], "returns shape (120, 3); it must return a scalar"),
    "too few outputs": (["train", "outputs.py"], "the network has 2 outputs and iris has 3 classes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_status_2(case, tmp_path, spusk_here, monkeypatch):
    numbers = "".join(f"{i},{i * i % 7},{i / 3}\n" for i in range(40))
    write(tmp_path, "good.csv", "a,b,price\n" + numbers)
    write(tmp_path, "empty.csv", "")
    write(tmp_path, "few.csv", "a,y\n1,u\n2,v\n3,u\n4,v\n5,u\n")
    write(tmp_path, "one.csv", "a,y\n" + "1.5,yes\n2.5,yes\n" * 20)
    write(tmp_path, "text.csv", "a,y\n" + "1.5,3\n2.5,four\n" * 20)
    write(tmp_path, "holes.csv", "a,y\n" + "1.5,u\n,v\n" * 20)
    write(tmp_path, "inf.csv", "a,y\n" + "1.5,u\ninf,v\n" * 20)
    write(tmp_path, "narrow.py",
          "from spusk import data, nn\nnet = nn.Sequential(nn.Linear(5, 3))\ndata = data.iris()\n")  # fmt: skip
    write(tmp_path, "bare.py", "x = 1\n")
    write(tmp_path, "wrong.py", "x = 1\ny = z\n")
    write(tmp_path, "beta.py", "from spusk import optim\noptim.Momentum(mu=1.0)\n")
    write(tmp_path, "syntax.py", "x = 1\ndef f(:\n")
    write(tmp_path, "lines.py", "raise RuntimeError('first\\nsecond')\n")
    iris = "from spusk import data, nn\ndata = data.iris()\n"
    write(tmp_path, "layer.py", iris + "net = nn.Sequential(nn.Linear(4, 3), nn.Lambda(lambda x: nothing))\n")
    write(tmp_path, "losses.py", iris + "net = nn.Linear(4, 3)\nloss = lambda outputs, y: outputs\n")
    write(tmp_path, "outputs.py", iris + "net = nn.Linear(4, 2)\n")
    before = sorted(p.name for p in tmp_path.iterdir())
    arguments, words = BAD[case]
    monkeypatch.chdir(tmp_path)
    done = spusk_here(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("spusk: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__") == before


@pytest.fixture
def code_folder(tmp_path, monkeypatch):
    """A folder for compiled code with two files, each of 1 MiB."""
    folder = tmp_path / "code"
    folder.mkdir(mode=0o700)
    for digit in "01":
        (folder / f"{digit * 40}.o").write_bytes(bytes(2**20))
    monkeypatch.setenv("SPUSK_CACHE_DIR", str(folder))
    return folder


def test_cache_says_where_how_much_and_what_the_bound_is(code_folder, spusk_here):
    done = spusk_here("cache")
    assert done.stdout == f"{code_folder}\n2 files, 2.0 MiB of at most 256 MiB\n"


def test_cache_says_why_the_folder_is_not_used(code_folder, spusk_here):
    code_folder.chmod(0o770)
    done = spusk_here("cache")
    assert "not used: others can write to it (its mode is 770, and should be 700);\n" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_cache_that_is_cleared_says_what_was_removed(code_folder, spusk_here):
    done = spusk_here("cache", "--clear")
    assert done.stdout == f"{code_folder}\nremoved 2 files, 2.0 MiB\n0 files, 0.0 MiB of at most 256 MiB\n"


def test_cache_as_json(code_folder, spusk_here):
    found = json.loads(spusk_here("cache", "--json", "-").stdout)
    assert found == {
        "folder": str(code_folder), "files": 2, "bytes": 2**21, "limit": 2**28,
        "removed": {"files": 0, "bytes": 0}, "usable": True, "why": None,
    }  # fmt: skip


def test_cache_makes_no_folder(tmp_path, monkeypatch, spusk_here):
    monkeypatch.setenv("SPUSK_CACHE_DIR", str(tmp_path / "none"))
    assert "the folder is made when something is compiled" in spusk_here("cache").stdout
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "command", [["methods"], ["summary", "iris"], ["cache", "--json", "-"], ["--version"]]
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_told_in_a_sentence(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "spusk", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "spusk: cannot write the output: no space left on device"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "found"),
    [
        (["--hidden", "32,,3"], "--hidden got ''; it needs whole numbers above 0"),
        (["--hidden", "0"], "--hidden got '0'; it needs whole numbers above 0"),
        (["--hidden", ""], "--hidden got ''; it needs whole numbers above 0"),
        (
            ["--epochs", "9" * 20],
            f"--epochs got '{'9' * 20}'; it needs a whole number of at most 1,000,000,000",
        ),
        (["--lrs", "1e-3,0.001"], "--lrs got 0.001 twice"),
    ],
)
def test_options_that_make_no_sense_are_refused(spusk_here, option, found):
    done = spusk_here("compare", "iris", *option)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"spusk: {found}")


def test_methods_are_listed_by_what_they_cost(spusk_here):
    done = spusk_here("methods", "optimizers", "--costs")
    head, *rows = done.stdout.split("\n\n")[0].splitlines()
    assert head.split()[:4] == ["optimizer", "numbers", "bytes", "operations"]
    cells = {row.split()[0]: row.split()[1:] for row in rows}
    assert (cells["sgd"][:2], cells["adam"][:2]) == (["0", "0"], ["2", "8"])
    kept = [float(found[1]) for found in cells.values()]
    assert kept == sorted(kept)
    assert "have a cost" in spusk_here("methods", "losses", "--costs").stderr


def test_a_dataclass_that_is_not_frozen_is_told_the_remedy(tmp_path, spusk_here, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "mine.py", "from dataclasses import dataclass\nfrom spusk.optim import Optimizer\n"
          "@dataclass\nclass Mine(Optimizer): ...\n")  # fmt: skip
    done = spusk_here("train", "iris", "--optimizer", "mine.py:Mine")
    assert done.returncode == 2
    assert "non-frozen dataclass from a frozen one; write @dataclass(frozen=True)" in done.stderr
