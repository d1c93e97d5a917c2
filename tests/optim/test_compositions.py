"""Wrappers nest in any order: on both backends alike, by text and back, with names for every number."""

from __future__ import annotations

import numpy as np
import pytest

import spusk as sp
from spusk import data, nn, optim
from spusk.optim.hyper import hyperparameters, with_hyperparameters
from spusk.optim.text import read, written

O = optim  # noqa: E741
COMPOSITIONS = [
    O.Clip(O.Lookahead(O.RAdam(lr=5e-2)), global_norm=1.0),
    O.Lookahead(O.Clip(O.Adam(lr=1e-2), norm=0.5, value=0.1), k=3),
    O.AGC(O.WeightDecay(O.Momentum(lr=0.05), weight_decay=1e-3), clip=0.1),
    O.WeightDecay(O.AGC(O.Nesterov(lr=0.05)), decay_by_lr=True, only="*weight"),
    O.WeightDecay(O.LayerwiseDecay(O.Adam(lr=1e-2), gamma=0.5), decay_by_lr=True),
    O.LayerwiseDecay(O.WeightDecay(O.Clip(O.Adam(lr=1e-2), global_norm=1.0), decay_by_lr=True)),
    O.Accumulate(O.EMA(O.Adam(lr=1e-2), beta=0.9), k=2),
    O.EMA(O.Accumulate(O.SAM(O.Momentum(lr=0.05)), k=2), beta=0.5, warm_up=True),
    O.Accumulate(O.AdaHessian(lr=0.05), k=2),
    O.Accumulate(O.Partition({"0.*": O.SophiaH(lr=1e-2), "*": O.Nesterov(lr=0.05)}), k=3),
    O.SWA(O.SkipNonFinite(O.Cautious(O.Adam(lr=1e-2))), begin=3, every=2),
    O.SkipNonFinite(O.SWA(O.Lookahead(O.SGD(lr=0.1)), begin=2, every=1)),
    O.SAM(O.SAM(O.Nesterov(lr=0.05), rho=0.01), adaptive=True, rho=0.1),
    O.SAM(O.SophiaH(lr=1e-2, k=2)),
    O.SAM(O.Mask(O.Adam(lr=1e-2), but="0.bias")),
    O.Cautious(O.Partition({"*bias": O.SGD(lr=0.1), "*": O.SAM(O.Adam(lr=1e-2))})),
    O.Partition({"0.weight": O.AdaHessian(lr=0.05), "*": O.SkipNonFinite(O.Lookahead(O.Nadam(lr=3e-2)))}),
    O.Partition({"2.*": O.Mask(O.EMA(O.Adam(lr=1e-2), beta=0.5), but="*bias"), "*": O.SGD(lr=0.1)}),
    O.Mask(O.Partition({"0.*": O.Adam(lr=1e-2), "*": O.Momentum(lr=0.05)}), but="2.bias"),
    O.Accumulate(O.Mask(O.LayerRates(O.SAM(O.Adam(lr=1e-2)), {"0.*": 0.5}), only=("*weight", "2.bias")), k=2),
    O.LayerRates(O.Lookahead(O.Partition({"*bias": O.SGD(lr=0.1), "*": O.Nesterov(lr=0.05)})), {"2.*": 0.3}),
    O.LayerwiseDecay(O.Muon(lr=0.05, lr_ratio=0.2, rest=O.SAM(O.AdaHessian()))),
    O.LayerwiseDecay(O.EMA(O.AdaHessian(lr=0.05), beta=0.5, begin="debiased")),
    O.Plateau(O.Partition({"0.*": O.Adam(lr=1e-2), "*": O.Plateau(O.SGD(lr=0.1), patience=0)}), patience=1),
    O.Clip(O.Mask(O.Plateau(O.CyclicalLR(O.SGD(), lr=0.2, half_cycle=8)), but="0.bias"), global_norm=2.0),
    O.WeightDecay(O.SGD(lr=O.Cosine(0.2, steps=40)), decay_by_lr=True, eta=O.Cosine(1.0, steps=40)),
    O.Accumulate(O.SGD(lr=O.Cosine(0.2, steps=20)), k=2),
    O.EMA(O.SWA(O.EMA(O.Adam(lr=1e-2), beta=0.5), begin=2, every=3), beta=0.3, begin="first"),
]  # fmt: skip
BACKENDS = ["numpy", "native"]


def trained(rule, backend, **settings):
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    return sp.train(
        net, data.iris(), optimizer=rule, progress=False, dtype="float64", backend=backend,
        **{"epochs": 3, "batch_size": 16, **settings},
    )  # fmt: skip


@pytest.mark.parametrize("rule", COMPOSITIONS, ids=written)
def test_a_composition_lowers_the_loss_alike_on_both_backends(rule):
    runs = [trained(rule, backend) for backend in BACKENDS]
    assert all(run.status == "finished" for run in runs)
    assert runs[0].history["loss"][-1] < 0.95 * runs[0].initial["loss"]
    np.testing.assert_allclose(runs[1].batch_loss, runs[0].batch_loss, rtol=1e-8)
    for name, w in runs[0].parameters.items():
        np.testing.assert_allclose(runs[1].parameters[name], w, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("rule", COMPOSITIONS, ids=written)
def test_a_composition_is_written_and_read_back(rule):
    assert read(written(rule)) == rule
    assert hash(read(written(rule))) == hash(rule)
    assert optim.get(written(rule)) == rule


@pytest.mark.parametrize("rule", COMPOSITIONS, ids=written)
def test_every_number_of_a_composition_has_a_name_by_which_it_is_replaced(rule):
    numbers = hyperparameters(rule)
    assert with_hyperparameters(rule, numbers) == rule
    for name, number in numbers.items():
        other = with_hyperparameters(rule, {name: number * 0.9 if 0 < number < 4 else number + 0.25})
        assert hyperparameters(other) == {**numbers, name: number * 0.9 if 0 < number < 4 else number + 0.25}


def test_the_example_of_the_documentation():
    rule = optim.Clip(optim.Lookahead(optim.RAdam(lr=1e-3)), global_norm=1.0)
    assert hyperparameters(rule)["inner.inner.lr"] == 1e-3
    assert hyperparameters(rule)["global_norm"] == 1.0
    assert read("clip(lookahead(radam(lr=0.001)), global_norm=1.0)") == rule
