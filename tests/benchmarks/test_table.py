"""What a report says: figures, ratios, targets, and what is missing."""

from __future__ import annotations

import json

import pytest
from benchmarks.agreement import deviation
from benchmarks.table import Row, Target, data, markdown, number
from benchmarks.timing import Absent, Times, ratio

OURS, TORCH = Times((3e-6, 1e-6, 2e-6)), Times((90e-6, 80e-6, 100e-6), note="fused Adam")
MISSING = Absent("jax: not installed")


def row(**changes) -> Row:
    given = {"work": "a step", "unit": "µs", "ours": OURS, "peers": {"torch": TORCH, "jax": MISSING}}
    return Row(**{**given, **changes})


def test_the_figure_is_the_median_of_the_repeats() -> None:
    assert OURS.median == 2e-6
    assert row().figure(OURS) == pytest.approx(2)
    assert Times((1.0, 2.0, 3.0)).spread == 1


def test_the_ratio_is_peer_time_over_ours() -> None:
    assert ratio(TORCH, OURS) == pytest.approx(45)
    assert ratio(MISSING, OURS) is None
    assert row().ratios == {"torch": pytest.approx(45), "jax": None}


def test_a_rate_is_the_amount_over_the_time() -> None:
    assert row(unit="GB/s", scale=1e-9, rate=28e3).figure(OURS) == pytest.approx(14)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target(), "–"),
        (Target(at_most=2.5), "yes"),
        (Target(at_most=1.5), "no"),
        (Target(at_least=1.5), "yes"),
        (Target(ratios={"torch": 45.5}), "no"),
        (Target(at_most=2.5, ratios={"torch": 40}), "yes"),
        (Target(at_most=2.5, ratios={"jax": 1}), "unknown"),
        (Target(at_most=1.5, ratios={"jax": 1}), "no"),
    ],
)
def test_a_target_is_reached_when_all_its_parts_are(target, expected) -> None:
    assert row(target=target).reached == expected


@pytest.mark.parametrize(("least", "reached"), [(1.1, "yes"), (1.2, "no")])
def test_a_target_may_be_between_two_columns(least, reached) -> None:
    inside = Times((80e-6, 80e-6, 80e-6))  # against torch's 90
    target = Target(between={("inside", "torch"): least})
    made = row(peers={"inside": inside, "torch": TORCH}, target=target)
    assert made.reached == reached
    assert made.between == {("inside", "torch"): pytest.approx(9 / 8)}
    text = markdown([made])
    assert "torch / inside 1.12×" in text
    assert f"inside ≥ {least:g}× torch | {reached} |" in text
    assert data([made])["rows"][0]["between"] == {"torch / inside": pytest.approx(9 / 8)}


def test_a_target_between_columns_is_unknown_without_one_of_them() -> None:
    assert row(target=Target(between={("jax", "torch"): 1})).reached == "unknown"
    assert row(target=Target(between={("jax", "torch"): 1}, at_most=1)).reached == "no"


def test_a_target_is_not_known_to_be_reached_without_our_figure() -> None:
    assert row(ours=Absent("it failed"), target=Target(at_most=1)).reached == "unknown"


def test_the_table_has_a_column_for_each_peer_and_names_the_missing_ones() -> None:
    text = markdown([row(target=Target(at_most=8, ratios={"torch": 40})), row(work="another")])
    assert "| work | unit | ours | torch | jax | ratio | target | reached | ceiling |" in text
    assert "| a step | µs | 2 | 90 | – | torch 45× | ≤ 8; ≥ 40× torch | yes | – |" in text
    assert text.count("jax: not installed") == 1
    assert "- a step: torch: fused Adam" in text


def test_a_peer_that_failed_is_named_with_its_sentence_and_its_row() -> None:
    text = markdown([row(peers={"torch.compile": Absent("RuntimeError: no compiler")})])
    assert "- a step: torch.compile: RuntimeError: no compiler" in text


def test_deviations_are_printed_and_a_large_one_is_called_so() -> None:
    text = markdown([row(deviations={"torch": 1e-6, "jax": 0.5})])
    assert "torch 1.0e-06, jax 5.0e-01 – NOT THE SAME WORK" in text


def test_the_figures_are_valid_json() -> None:
    found = json.loads(json.dumps(data([row(target=Target(at_most=8))]), allow_nan=False))["rows"][0]
    assert found["ours"]["median"] == pytest.approx(2)
    assert found["peers"]["jax"] == {"absent": "jax: not installed"}
    assert found["ratios"]["torch"] == pytest.approx(45)
    assert found["reached"] == "yes"


def test_numbers_have_three_digits() -> None:
    assert [number(x) for x in (None, 0.01234, 6.789, 45.678, 12345.6)] == [
        "–",
        "0.0123",
        "6.79",
        "45.7",
        "12,346",
    ]


def test_the_deviation_is_relative_to_our_largest_number() -> None:
    assert deviation({"w": [1.0, 4.0]}, {"w": [1.0, 3.0]}) == 0.25
    assert deviation({"w": [1.0]}, {"v": [1.0]}) is None
    assert deviation({"w": [1.0]}, {"w": [float("nan")]}) == float("inf")


def test_only_the_common_part_of_the_evidence_is_compared() -> None:
    assert deviation({"w": [[1.0, 2.0], [9.0, 9.0]]}, {"w": [[1.0, 2.0, 7.0]]}) == 0


def test_evidence_of_other_shapes_is_refused() -> None:
    with pytest.raises(ValueError, match="'w' has 1 axes here and 2 there"):
        deviation({"w": [1.0]}, {"w": [[1.0]]})
