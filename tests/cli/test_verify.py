"""`spusk verify`: its table, its JSON, its exit status."""

import json
import sys
from types import SimpleNamespace

import pytest

from spusk.cli import main
from spusk.lab import verify


@pytest.fixture
def spusk_here(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["spusk", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return SimpleNamespace(returncode=ended.value.code or 0, stdout=out, stderr=err)

    return call


def test_published_numbers_stand_beside_ours_and_all_hold(spusk_here, tmp_path):
    done = spusk_here("verify", "--only", "heavy-ball,initial", "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("A line is a number that a paper or exact arithmetic gives")
    assert lines[2].split() == ["what", "expected", "found", "deviation", "allowed"]
    assert lines[3].startswith("heavy-ball  x after 100 steps, λ = 1")
    assert "test loss of problem 0 before the first step" in done.stdout
    assert lines[-1] == "11 of 11 numbers hold."
    content = json.loads((tmp_path / "found.json").read_text())
    assert content["missed"] == 0
    first = next(f for f in content["findings"] if f["name"] == "initial")
    assert first["expected"] == 353.446765
    assert abs(first["deviation"]) < 1e-6
    assert first["holds"] is True


def test_a_number_that_misses_is_marked_and_the_exit_status_is_1(spusk_here, monkeypatch):
    wrong = verify.Finding("wrong", "a loss", 2.0, 2.1, 0.005, "nowhere")
    monkeypatch.setattr(verify, "CHECKS", {**verify.CHECKS, "wrong": lambda backend: [wrong]})
    done = spusk_here("verify", "--only", "gradient-descent,wrong")
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.endswith("misses")] == [
        line for line in done.stdout.splitlines() if line.startswith("wrong  ")
    ]
    assert done.stdout.endswith("4 of 5 numbers hold.\n")


def test_json_alone_goes_to_standard_output(spusk_here):
    done = spusk_here("verify", "--only", "gradient-descent", "--json", "-")
    assert len(json.loads(done.stdout)["findings"]) == 4
    assert "4 of 4 numbers hold." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only", "adma"], "spusk: verify knows no 'adma'; did you mean 'adam'?"),
        (["--only", ","], "spusk: verify got no names; it needs at least one"),
        (["--jobs", "0"], "spusk: --jobs got '0'; it needs a whole number, 1 or more"),
    ],
)
def test_what_cannot_be_verified_is_told_in_a_sentence(spusk_here, arguments, sentence):
    done = spusk_here("verify", *arguments)
    assert done.returncode == 2
    assert done.stderr.strip() == sentence
