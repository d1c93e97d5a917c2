"""`python -m benchmarks depth` runs, prints its table and writes its figures; what it measures is not tested."""

from __future__ import annotations

import json

import pytest
from benchmarks import depth
from benchmarks.__main__ import main

import spusk as sp
from spusk.graph import topological


def test_the_depth_benchmark_prints_a_table_and_writes_its_figures(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(depth, "DEPTHS", (10, 20, 40))
    main(["depth", "--quick", "--json", str(tmp_path / "depth.json")])
    printed = capsys.readouterr().out
    assert "| depth 10 |" in printed
    assert "| slope (target 1.00 ± 0.05) |" in printed
    figures = json.loads((tmp_path / "depth.json").read_text())
    assert figures["benchmark"] == "depth"
    assert set(figures["slopes"]["seconds"]) == set(depth.PHASES)
    assert set(figures["seconds"]["build"]) == {"10", "20"}


def test_the_slope_of_a_cost_in_proportion_to_depth_is_one() -> None:
    assert depth.slope({10: 5.0, 100: 50.0, 1000: 500.0}) == pytest.approx(1)
    assert depth.slope({10: 1.0, 100: 100.0}) == pytest.approx(2)


def test_the_chain_has_as_many_operations_as_its_depth() -> None:
    for n in (1, 10, 11, 12):
        nodes = topological([depth.chain(n, *(sp.input(label, (2,)) for label in "xwb"))])
        assert sum(bool(t.inputs) for t in nodes) == n


def test_an_unknown_benchmark_ends_with_status_2(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nonsense"])
    assert ended.value.code == 2
    assert "nonsense" in capsys.readouterr().err
