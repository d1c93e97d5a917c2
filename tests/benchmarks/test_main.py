"""`python -m benchmarks NAME` on small works: what is printed and written, never how fast."""

from __future__ import annotations

import json

import pytest
from benchmarks import (
    backend,
    bandwidth,
    compare,
    compile,
    contender,
    depth,
    lanes,
    methods,
    optimizers,
    problems,
    steps,
)
from benchmarks.__main__ import BENCHMARKS, main, parser
from benchmarks.table import Target
from benchmarks.timing import Absent, Times

from spusk import optim

TINY = steps.Work(
    "tiny", lambda quick: problems.digits(1, steps=2), "µs/step", 1e6, Target(ratios={"torch": 40})
)
PEERS = {"torch", "jax", "optax", "pytorch_optimizer"}


@pytest.fixture
def no_peers(monkeypatch) -> None:
    """As if the peers were not installed."""
    monkeypatch.delenv("SPUSK_REQUIRE_PEERS", raising=False)
    find = contender.find_spec
    monkeypatch.setattr(contender, "find_spec", lambda name: None if name in PEERS else find(name))


def run(tmp_path, *arguments: str) -> tuple[str, dict]:
    """The Markdown and the figures of one run."""
    files = tmp_path / "report.md", tmp_path / "figures.json"
    main([*arguments, "--quick", "--repeats", "1", "--markdown", str(files[0]), "--json", str(files[1])])
    return files[0].read_text(encoding="utf-8"), json.loads(files[1].read_text(encoding="utf-8"))


def test_every_benchmark_has_help_with_an_example(capsys) -> None:
    for name in BENCHMARKS:
        with pytest.raises(SystemExit) as ended:
            parser().parse_args([name, "--help"])
        assert ended.value.code == 0
        assert f"Example: python -m benchmarks {name}" in capsys.readouterr().out


def test_repeats_must_be_a_number_above_zero(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["depth", "--repeats", "0"])
    assert ended.value.code == 2
    assert "'0' is not a whole number above 0" in capsys.readouterr().err


def test_the_report_is_printed_and_written(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(depth, "DEPTHS", (10, 20, 40))
    text, figures = run(tmp_path, "depth")
    assert capsys.readouterr().out == text
    assert text.startswith("# depth (quick: the times mean little)")
    assert figures["benchmark"] == "depth"
    assert "numpy" in figures["machine"]


@pytest.mark.usefixtures("no_peers")
def test_steps_names_missing_peers_and_measures_the_others(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(steps, "WORKS", (TINY,))
    text, figures = run(tmp_path, "steps")
    assert "- torch: not installed (torch)" in text
    assert "- torch: not installed (torch.compile)" in text
    assert "- jax, optax: not installed (jax)" in text
    row = figures["rows"][0]
    assert row["ours"]["median"] > 0
    assert row["reached"] == "unknown"
    assert "sgemm" in row["ceiling"]
    assert row["deviations"]["scikit-learn"] < 1e-4


@pytest.mark.usefixtures("no_peers")
def test_the_backend_can_be_chosen(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(backend.VARIABLE, "native")  # so that it is put back
    monkeypatch.setattr(steps, "WORKS", (TINY,))
    _, figures = run(tmp_path, "steps", "--backend", "numpy")
    assert figures["machine"]["spusk"].endswith("backend numpy")
    assert figures["rows"][0]["ours"]["median"] > 0
    assert not backend.in_threads()


@pytest.mark.usefixtures("no_peers")
def test_lanes_runs_on_one_core_and_on_two(tmp_path, monkeypatch) -> None:
    few = problems.digits_lanes(2, 1, steps=2)
    monkeypatch.setattr(problems, "digits_lanes", lambda *_, **__: few)
    text, figures = run(tmp_path, "lanes")
    assert [row["work"] for row in figures["rows"]] == ["2 × digits MLP, 1 core", "2 × digits MLP, 2 cores"]
    assert all(row["ours"]["median"] > 0 for row in figures["rows"])
    assert "torch: not installed" in text
    assert lanes.TARGET.at_most == 4


@pytest.fixture
def small(monkeypatch) -> None:
    """Small networks and arrays, and one core."""
    monkeypatch.setattr(methods, "NETWORK", (6, 5, 3))
    monkeypatch.setattr(methods, "SMALL_NETWORK", (5, 4, 3))
    monkeypatch.setattr(bandwidth, "SIZE", 1_000_000)
    monkeypatch.setattr(bandwidth, "ON_LARGE", ())


@pytest.mark.usefixtures("no_peers", "small")
def test_optimizers_counts_bytes_beside_a_copy(tmp_path) -> None:
    text, figures = run(tmp_path, "optimizers", "--only", "adam")
    assert "| ms a step | ours | torch foreach | torch fused |" in text
    ours = figures["bandwidth"]["rows"][0]["ours"]
    assert ours["median"] == pytest.approx(28e6 / ours["seconds"][0] / 1e9)
    assert set(figures["bandwidth"]["copies_gb_per_second"]) == {
        "copy in L2",
        "in place in L2",
        "copy in memory",
        "in place in memory",
    }


@pytest.mark.usefixtures("no_peers", "small")
def test_optimizers_has_a_row_for_each_method_that_is_asked_for(tmp_path) -> None:
    text, figures = run(tmp_path, "optimizers", "--only", "lion,SOAP,clip,sam", "--cores", "1", "2")
    names = [row["work"] for row in figures["rows"]]
    expected = [
        "lion, 6-5-3",
        "soap, 5-4-3",
        "clip, 6-5-3",
        "sam with its gradients, digits MLP",
    ]
    assert names == [f"{name}, {cores}" for cores in ("1 core", "2 cores") for name in expected]
    assert all(row["ours"]["median"] > 0 for row in figures["rows"])
    assert [row["unit"] for row in figures["rows"][:4]] == ["ns/parameter"] * 3 + ["µs/step"]
    for peer in ("torch: not installed (in torch)", "jax, optax: not installed (optax)"):
        assert f"- {peer}" in text
    assert figures["bandwidth"] == {}


@pytest.mark.usefixtures("small")
def test_a_missing_peer_is_a_failure_where_all_are_required(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SPUSK_REQUIRE_PEERS", "1")
    monkeypatch.setattr(contender, "find_spec", lambda name: None)
    with pytest.raises(
        SystemExit, match="torch: not installed, and SPUSK_REQUIRE_PEERS=1 requires every peer"
    ):
        run(tmp_path, "optimizers", "--only", "sgd")


def test_only_takes_names_of_methods(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["optimizers", "--only", "adam,adamm"])
    assert ended.value.code == 2
    assert "'adamm' is not a method; did you mean 'adam'?" in capsys.readouterr().err


def test_all_methods_of_the_catalogue_are_measured() -> None:
    assert [method.name for method in methods.METHODS] == list(optim.CATALOGUE)


def test_the_targets_are_torch_s_versions_that_ran() -> None:
    ran, absent = Times((1.0,)), Absent("not installed")
    found = dict.fromkeys(("in torch", "in torch compiled", "torch compiled", "torch foreach"), ran)
    found |= {"torch fused": absent, "in torch, Inductor": ran}
    wanted = optimizers.target(found)
    assert dict(wanted.ratios) == {"torch foreach": 1}
    assert dict(wanted.between) == {
        ("in torch", "torch foreach"): 1,
        ("in torch compiled", "torch compiled"): 1,
        ("in torch, Inductor", "torch foreach"): 1,
    }
    assert str(optimizers.target({**found, "torch foreach": absent, "torch compiled": absent})) == "–"


@pytest.mark.usefixtures("no_peers")
def test_compile_tells_the_slope(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(compile, "IMPORTS", {"ours": "json"})
    monkeypatch.setattr(compile, "layers_of", lambda _: (2, 8))
    text, figures = run(tmp_path, "compile")
    assert "Log-log slope of our compile time over 2 and 8 layers: " in text
    assert figures["slope"] is not None
    assert any("cached" in row["work"] for row in figures["rows"])


def test_compare_runs_the_command_from_a_cold_start(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        compare, "QUICK", ("--optimizers", "sgd", "--lrs", "0.1", "--seeds", "1", "--epochs", "1")
    )
    text, figures = run(tmp_path, "compare")
    assert [row["unit"] for row in figures["rows"]] == ["s", "trainings/s", "steps/s"]
    seconds, trainings, steps_done = (row["ours"]["median"] for row in figures["rows"])
    assert trainings == pytest.approx(1 / seconds)
    assert steps_done == pytest.approx(45 / seconds)  # 1,438 rows are 45 batches of up to 32
    assert "trainings/s" in text


def test_compare_tells_why_the_command_failed(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(compare, "QUICK", ("--optimizers", "nonsense"))
    _, figures = run(tmp_path, "compare")
    assert "status 2" in figures["rows"][0]["ours"]["absent"]


def test_the_large_study_has_thirteen_rates() -> None:
    assert len(set(compare.RATES.split(","))) == 13
