"""Ctrl-C in the terminal: the signal reaches every process of the command, and what is done is kept."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import spusk as sp
from spusk import data

# The loss tells when graphs are built: in the command's own process, then in the processes it started.
SOURCE = """
from spusk import data, nn
def loss(outputs, y):
    print("building", flush=True)
    return nn.losses.cross_entropy(outputs, y)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
data = data.iris()
"""


def listen():
    """A job in the background inherits deafness to Ctrl-C; a command in the terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(folder, *arguments, after, wait):
    """Run `spusk`, and press Ctrl-C some time after the loss was built so many times."""
    (folder / "mine.py").write_text(SOURCE)
    with subprocess.Popen(
        [sys.executable, "-m", "spusk", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        start_new_session=True,
        preexec_fn=listen,
    ) as process:
        try:
            for _ in range(after):
                assert process.stdout.readline() == "building\n"
            time.sleep(wait)
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 130, err
    assert "Traceback" not in err
    return out


def test_an_interrupted_training_saves_what_was_learned(tmp_path):
    out = interrupted(
        tmp_path, "train", "mine.py", "--epochs", "1000000", "--lr", "0.01", "--save", "m.safetensors",
        "--json", "h.json", after=4, wait=1.5,
    )  # fmt: skip
    assert "interrupted in step" in out
    story = json.loads((tmp_path / "h.json").read_text())
    assert story["status"] == "interrupted"
    assert story["history"]["val_loss"][-1] < story["initial"]["val_loss"]
    iris = data.iris()
    model = sp.load(tmp_path / "m.safetensors")
    assert (model.predict(iris.x) == iris.y).mean() > 0.6


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_comparison_ranks_what_is_done(tmp_path, jobs):
    out = interrupted(
        tmp_path, "compare", "mine.py", "--seeds", "40", "--epochs", "1000", "--jobs", jobs, "--json", "c.json",
        after=12, wait=3,
    )  # fmt: skip
    assert "(interrupted)" in out
    study = json.loads((tmp_path / "c.json").read_text())
    assert study["interrupted"]
    assert 0 < len(study["runs"]) < study["settings"]["trainings"]
    assert {run["status"] for run in study["runs"]} <= {"finished", "diverged"}
    assert list(tmp_path.glob(".*")) == []
