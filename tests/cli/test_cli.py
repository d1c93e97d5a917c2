"""The command line as a user meets it: a process, its output, its exit status."""

import json
import subprocess
import sys

import pytest


def spusk(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "spusk", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


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


def test_train_tells_a_divergence_as_a_result():
    done = spusk("train", "diabetes", "--optimizer", "sgd", "--lr", "1e6")
    assert done.returncode == 0
    assert "diverged in step" in done.stdout


def test_summary_shows_layers_shapes_and_counts():
    done = spusk("summary", "digits", "--hidden", "64,32")
    assert done.returncode == 0
    assert "6,570" in done.stdout  # 64·64 + 64 + 64·32 + 32 + 32·10 + 10


def test_methods_lists_formulas_and_papers(tmp_path):
    done = spusk("methods", "--json", tmp_path / "m.json")
    assert done.returncode == 0
    listed = json.loads((tmp_path / "m.json").read_text())["methods"]
    assert {m["kind"] for m in listed} == {"optimizer", "schedule", "initialiser", "loss"}
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


def test_help_has_an_example_for_every_command():
    for command in ("compare", "train", "summary", "methods"):
        done = spusk(command, "--help")
        assert done.returncode == 0
        assert "Example:" in done.stdout


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
    "an unknown loss": (["train", "iris", "--loss", "crossentropy"], "did you mean 'cross_entropy'"),
    "an unknown initialiser": (["train", "iris", "--init", "he"], "he"),
    "a loss for numbers on classes": (["train", "iris", "--loss", "mean_squared"], "needs a numeric target"),
    "a width of zero": (["train", "iris", "--hidden", "8,0"], "--hidden got '0'"),
    "an unknown method": (["methods", "adamm"], "did you mean 'adam'"),
    "no folder for the output": (["compare", "iris", "--json", "nowhere/out.json"], "there is no folder"),
    "a network that does not fit": (
        ["train", "narrow.py"],
        "Linear(5, 3) (layer 0) got an input of shape",
    ),
    "a Python file without a network": (["train", "bare.py"], "does not define 'net'"),
    "a Python file with a mistake": (["train", "wrong.py"], "wrong.py:2: NameError"),
    "a beta of one": (["train", "beta.py"], "mu must be at least 0 and below 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_status_2(case, tmp_path):
    numbers = "".join(f"{i},{i * i % 7},{i / 3}\n" for i in range(40))
    write(tmp_path, "good.csv", "a,b,price\n" + numbers)
    write(tmp_path, "empty.csv", "")
    write(tmp_path, "one.csv", "a,y\n" + "1.5,yes\n2.5,yes\n" * 20)
    write(tmp_path, "text.csv", "a,y\n" + "1.5,3\n2.5,four\n" * 20)
    write(tmp_path, "holes.csv", "a,y\n" + "1.5,u\n,v\n" * 20)
    write(tmp_path, "inf.csv", "a,y\n" + "1.5,u\ninf,v\n" * 20)
    write(tmp_path, "narrow.py",
          "from spusk import data, nn\nnet = nn.Sequential(nn.Linear(5, 3))\ndata = data.iris()\n")  # fmt: skip
    write(tmp_path, "bare.py", "x = 1\n")
    write(tmp_path, "wrong.py", "x = 1\ny = z\n")
    write(tmp_path, "beta.py", "from spusk import optim\noptim.Momentum(mu=1.0)\n")
    before = sorted(p.name for p in tmp_path.iterdir())
    arguments, words = BAD[case]
    done = spusk(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("spusk: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__") == before
