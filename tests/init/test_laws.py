"""Random initialisers draw from the laws their papers state, written here a second time in SciPy's terms."""

import math

import numpy as np
import pytest
from scipy import stats

from spusk.init import (
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    Normal,
    TorchDefault,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    XavierNormal,
    XavierUniform,
)
from spusk.init.normal import truncated_standard_normal
from spusk.init.variance_scaling import STD_OF_NORMAL_CUT_AT_2
from spusk.nn.parameter import Parameter

DENSE = Parameter("0.weight", (240, 160), fan_in=240, fan_out=160)
CONV = Parameter("0.weight", (3, 5, 40, 60), fan_in=3 * 5 * 40, fan_out=3 * 5 * 60)


def normal(variance):
    return stats.norm(0, math.sqrt(variance))


def symmetric_uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def cut_normal(variance):
    """Zero-mean normal cut at two of its own standard deviations, with the given variance after the cut."""
    variance_left = 1 - 4 * stats.norm.pdf(2) / (stats.norm.cdf(2) - stats.norm.cdf(-2))
    return stats.truncnorm(-2, 2, 0, math.sqrt(variance / variance_left))


LAWS = [
    (Normal(0.3, 0.2), lambda n, m: stats.norm(0.3, 0.2)),
    (Uniform(-0.3, 1.2), lambda n, m: stats.uniform(-0.3, 1.5)),
    (TruncatedNormal(), lambda n, m: stats.truncnorm(-2, 2)),
    (TruncatedNormal(0.5, 0.1, cut=3), lambda n, m: stats.truncnorm(-3, 3, 0.5, 0.1)),
    (TruncatedNormal(0.5, 2, cut=1), lambda n, m: stats.truncnorm(-1, 1, 0.5, 2)),
    (TruncatedNormal(0, 2, cut=0.8), lambda n, m: stats.truncnorm(-0.8, 0.8, 0, 2)),
    (TruncatedNormal(0, 1, cut=1e-3), lambda n, m: stats.uniform(-1e-3, 2e-3)),
    (LeCunUniform(), lambda n, m: symmetric_uniform(math.sqrt(3 / n))),
    (LeCunNormal(), lambda n, m: normal(1 / n)),
    (XavierUniform(), lambda n, m: symmetric_uniform(math.sqrt(6) / math.sqrt(n + m))),
    (XavierUniform(gain=5 / 3), lambda n, m: symmetric_uniform(5 / 3 * math.sqrt(6) / math.sqrt(n + m))),
    (XavierNormal(), lambda n, m: normal(2 / (n + m))),
    (XavierNormal(gain=2), lambda n, m: normal(8 / (n + m))),
    (HeNormal(), lambda n, m: normal(2 / n)),
    (HeNormal(slope=0.25, mode="fan_out"), lambda n, m: normal(2 / (1.0625 * m))),
    (HeUniform(), lambda n, m: symmetric_uniform(math.sqrt(6 / n))),
    (HeUniform(slope=0.5, mode="fan_out"), lambda n, m: symmetric_uniform(math.sqrt(6 / (1.25 * m)))),
    (VarianceScaling(), lambda n, m: cut_normal(1 / n)),
    (VarianceScaling(3, "fan_out"), lambda n, m: cut_normal(3 / m)),
    (VarianceScaling(2, "fan_avg", "normal"), lambda n, m: normal(4 / (n + m))),
    (VarianceScaling(0.5, "fan_in", "uniform"), lambda n, m: symmetric_uniform(math.sqrt(1.5 / n))),
    (TorchDefault(), lambda n, m: symmetric_uniform(1 / math.sqrt(n))),
]


@pytest.mark.parametrize("parameter", [DENSE, CONV], ids=["dense", "conv"])
@pytest.mark.parametrize(("initialiser", "law"), LAWS, ids=[repr(case[0]) for case in LAWS])
def test_weights_follow_the_law_of_the_paper(initialiser, law, parameter):
    weights = initialiser.sample(parameter, np.random.default_rng(20240501))
    expected = law(parameter.fan_in, parameter.fan_out)

    assert weights.shape == parameter.shape
    assert weights.dtype == np.float64
    assert stats.kstest(weights.ravel(), expected.cdf).pvalue > 1e-3
    # five standard errors of a sample mean, and of a sample variance (whose kurtosis here is at most 3)
    size = weights.size
    assert abs(weights.mean() - expected.mean()) < 5 * expected.std() / math.sqrt(size)
    assert weights.var() == pytest.approx(expected.var(), rel=5 * math.sqrt(2 / size))
    low, high = expected.support()
    rounding = 1e-12 * expected.std()
    assert weights.min() >= low - rounding
    assert weights.max() <= high + rounding


def test_the_test_can_tell_a_law_that_is_two_percent_off():
    weights = HeNormal().sample(DENSE, np.random.default_rng(20240501))
    assert stats.kstest(weights.ravel(), normal(2 / 240 * 1.02**2).cdf).pvalue < 0.05
    assert weights.std() != pytest.approx(math.sqrt(2 / 240) * 1.02, rel=0.01)


def test_he_normal_reads_the_formula_as_a_standard_deviation():
    weights = HeNormal().sample(DENSE, np.random.default_rng(0))
    assert weights.std() == pytest.approx(math.sqrt(2 / 240), rel=0.02)


def test_a_truncated_draw_is_the_standard_one_shifted_and_scaled():
    standard = truncated_standard_normal(DENSE.shape, 2.0, np.random.default_rng(3))
    found = TruncatedNormal(0.5, 2).sample(DENSE, np.random.default_rng(3))
    np.testing.assert_allclose(found, 0.5 + 2 * standard, rtol=1e-12)


@pytest.mark.parametrize("cut", [0.5, 0.9, 0.99, 1.0, 1.5])
def test_the_variance_that_a_cut_leaves(cut):
    drawn = truncated_standard_normal((400_000,), cut, np.random.default_rng(6))
    assert drawn.var() == pytest.approx(stats.truncnorm(-cut, cut).var(), rel=0.008)


@pytest.mark.parametrize("cut", [0.5, 2.0])
def test_numbers_drawn_one_by_one_follow_the_same_law(cut):
    rng = np.random.default_rng(8)
    drawn = [truncated_standard_normal((), cut, rng).item() for _ in range(2000)]
    assert stats.kstest(drawn, stats.truncnorm(-cut, cut).cdf).pvalue > 0.01


class CountingProposals:
    """A generator that counts the candidates it is asked for."""

    def __init__(self):
        self.rng, self.count = np.random.default_rng(4), 0
        self.random = self.rng.random

    def uniform(self, low, high, size):
        self.count += size
        return self.rng.uniform(low, high, size)

    def standard_normal(self, size):
        self.count += size
        return self.rng.standard_normal(size)


@pytest.mark.parametrize("cut", [1e-3, 0.5, 0.99, 1.0, 1.9, 3.0])
def test_at_least_two_thirds_of_the_proposals_are_kept(cut):
    rng = CountingProposals()
    truncated_standard_normal((100_000,), cut, rng)
    assert 100_000 / rng.count > 0.66


def test_cut_counts_standard_deviations():
    weights = TruncatedNormal(mean=10, std=0.1, cut=2).sample(DENSE, np.random.default_rng(0))
    assert 9.8 <= weights.min() < 9.81
    assert 10.19 < weights.max() <= 10.2


def test_what_a_cut_at_two_leaves_of_the_standard_deviation():
    # Keras, JAX and TensorFlow carry the constant; the formula is the variance of a truncated normal law.
    variance = 1 - 4 * stats.norm.pdf(2) / (2 * stats.norm.cdf(2) - 1)
    assert pytest.approx(math.sqrt(variance), rel=1e-14) == STD_OF_NORMAL_CUT_AT_2
    assert STD_OF_NORMAL_CUT_AT_2 == 0.87962566103423978


@pytest.mark.parametrize(
    ("named", "scaling"),
    [
        (LeCunUniform(), VarianceScaling(1, "fan_in", "uniform")),
        (LeCunNormal(), VarianceScaling(1, "fan_in", "normal")),
        (XavierUniform(), VarianceScaling(1, "fan_avg", "uniform")),
        (XavierNormal(gain=3), VarianceScaling(9, "fan_avg", "normal")),
        (HeNormal(), VarianceScaling(2, "fan_in", "normal")),
        (HeNormal(slope=0.5), VarianceScaling(1.6, "fan_in", "normal")),
        (HeUniform(mode="fan_out"), VarianceScaling(2, "fan_out", "uniform")),
        (TorchDefault(), HeUniform(slope=math.sqrt(5))),
    ],
    ids=repr,
)
@pytest.mark.parametrize("parameter", [DENSE, CONV], ids=["dense", "conv"])
def test_the_named_laws_are_members_of_the_family(named, scaling, parameter):
    weights = named.sample(parameter, np.random.default_rng(3))
    np.testing.assert_allclose(weights, scaling.sample(parameter, np.random.default_rng(3)), rtol=1e-13)


def test_he_keeps_the_second_moment_of_activations_through_thirty_relu_layers():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 512))
    start = np.mean(x**2)
    parameter = Parameter("weight", (512, 512), fan_in=512, fan_out=512)
    for _ in range(30):
        x = np.maximum(x @ HeNormal().sample(parameter, rng), 0)
    # the variance of pre-activations is 2 × E[x²] of the layer before, and half of it passes a ReLU
    assert 1 / 3 < np.mean(x**2) / start < 3


def test_a_degenerate_law_is_a_constant():
    assert (Normal(2, 0).sample(DENSE, np.random.default_rng(0)) == 2).all()
    assert (Uniform(2, 2).sample(DENSE, np.random.default_rng(0)) == 2).all()
    assert (XavierUniform(gain=0).sample(DENSE, np.random.default_rng(0)) == 0).all()
    assert (TruncatedNormal(2, 0).sample(DENSE, np.random.default_rng(0)) == 2).all()


@pytest.mark.parametrize("shape", [(), (0, 4), (1, 1)])
def test_shapes_without_or_with_one_weight(shape):
    parameter = Parameter("scale", shape, fan_in=1, fan_out=1)
    for initialiser in (Normal(), TruncatedNormal(), VarianceScaling(), HeUniform()):
        assert initialiser.sample(parameter, np.random.default_rng(0)).shape == shape
