"""Comparing optimizers on one footing."""

import math
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import pytest

import spusk as sp
from spusk import data, lab, nn, optim
from spusk.errors import InputError, ShapeError
from spusk.lab.tried_rates import rates


def net():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


compare = partial(lab.compare, progress=False, jobs=1)


@pytest.fixture(scope="module")
def study():
    return compare(net(), data.iris(), optimizers=["sgd", "adam"], lrs=[0.01, 1e4], seeds=2, epochs=4)


def test_every_optimizer_meets_every_rate_and_seed(study):
    assert [(r.optimizer, r.lr, r.seed) for r in study.records] == [
        (name, lr, seed) for name in ("sgd", "adam") for lr in (0.01, 1e4) for seed in (0, 1)
    ]


def test_common_random_numbers_pair_the_runs_of_one_seed(study):
    initial = {seed: {r.initial_val_loss for r in study.records if r.seed == seed} for seed in (0, 1)}
    assert len(initial[0]) == len(initial[1]) == 1
    assert initial[0] != initial[1]


def test_diverged_runs_are_counted_not_dropped(study):
    wild = [r for r in study.records if r.optimizer == "sgd" and r.lr == 1e4]
    assert all(r.status == "diverged" and math.isnan(r.val_loss) for r in wild)
    row = next(s for s in study.summary() if s.optimizer == "sgd")
    assert (row.diverged, row.best_lr) == (2, 0.01)


def test_two_processes_give_the_bits_of_one(study):
    again = compare(
        net(), data.iris(), optimizers=["sgd", "adam"], lrs=[0.01, 1e4], seeds=2, epochs=4, jobs=2
    )
    for a, b in zip(study.records, again.records, strict=True):
        assert (a.optimizer, a.lr, a.seed, a.status) == (b.optimizer, b.lr, b.seed, b.status)
        assert a.history["loss"] == b.history["loss"] or a.status == "diverged"


def test_functions_of_the_user_reach_the_other_processes():
    own = nn.Sequential(nn.Linear(4, 3), nn.Lambda(lambda x: x * 2))
    study = compare(own, data.iris(), optimizers=["adam"], lrs=[0.01, 0.1], seeds=1, epochs=2, jobs=2,
                    loss=lambda outputs, y: nn.losses.cross_entropy(outputs, y))  # fmt: skip
    assert len(study.records) == 2


def test_by_default_the_lectures_optimizers_meet_their_own_grids():
    study = compare(net(), data.iris(), seeds=1, epochs=1)
    assert {r.optimizer.partition("(")[0] for r in study.records} == set(optim.LECTURE)
    for name in optim.LECTURE:
        mine = [r.lr for r in study.records if r.optimizer.partition("(")[0] == name]
        assert mine == list(optim.get(name).lr_grid)


def test_rules_of_one_class_are_told_apart():
    study = compare(net(), data.iris(), optimizers=[optim.Momentum(mu=0.5), optim.Momentum(mu=0.9)],
                    lrs=[0.01], seeds=1, epochs=1)  # fmt: skip
    assert {r.optimizer for r in study.records} == {"momentum(mu=0.5)", "momentum"}
    named = compare(net(), data.iris(), optimizers={"light": optim.Momentum(mu=0.5), "heavy": "momentum"},
                    lrs=[0.01], seeds=1, epochs=1)  # fmt: skip
    assert {r.optimizer for r in named.records} == {"light", "heavy"}


def test_a_regression_is_scored_by_r2():
    regression = nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1))
    study = compare(regression, data.diabetes(), optimizers=["adam"], lrs=[0.01], seeds=2, epochs=10)
    assert study.score == "r2"
    assert "val R²" in study.table()
    assert study.to_dict()["runs"][0]["val_r2"] == pytest.approx(study.records[0].val_score)


def test_the_default_initialiser_suits_the_activation():
    from spusk.init import HeNormal, XavierUniform

    assert lab.default_init(net()) == HeNormal()
    assert lab.default_init(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))) == XavierUniform()


def test_ctrl_c_keeps_the_runs_that_are_done(monkeypatch):
    module = import_module("spusk.lab.compare")  # the name spusk.lab.compare is the function

    original, calls = module.fit, []

    def interrupted(*args, **options):
        if len(calls) == 4:
            raise KeyboardInterrupt
        calls.append(1)
        return original(*args, **options)

    monkeypatch.setattr(module, "fit", interrupted)
    study = compare(net(), data.iris(), optimizers=["sgd", "adam"], lrs=[0.01, 0.1], seeds=3, epochs=1)
    assert study.interrupted
    assert len(study.records) == 3  # the first call tried the settings out
    assert "3 of 12 trainings (interrupted)" in study.table()


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"optimizers": ["adamm"]}, InputError, "unknown optimizer 'adamm'; did you mean 'adam'"),
        ({"optimizers": []}, InputError, "no optimizers"),
        ({"optimizers": ["adam", "adam"]}, InputError, "twice"),
        ({"lrs": [0.0]}, InputError, r"lr=0.0.*lr must be greater than 0"),
        ({"lrs": []}, InputError, r"lrs is \[\]; compare needs a list of one or more numbers"),
        ({"lrs": "0.1"}, InputError, "lrs is '0.1'; compare needs a list of one or more numbers"),
        ({"lrs": ["0.1"]}, InputError, "lrs holds '0.1'; a learning rate is a number"),
        ({"jobs": 1.5}, InputError, "jobs is 1.5; it must be a whole number, 1 or more"),
        ({"jobs": "2"}, InputError, "jobs is '2'; it must be a whole number, 1 or more"),
        ({"jobs": 0}, InputError, "jobs is 0; it must be a whole number, 1 or more"),
        ({"epochs": "2"}, InputError, "epochs is '2'; it must be a whole number, 1 or more"),
        ({"seeds": 1.5}, InputError, "seeds is 1.5; compare needs a list of one or more numbers"),
        ({"seeds": [1.5]}, InputError, "a seed is 1.5; it must be a whole number, 0 or more"),
        ({"seeds": 0}, InputError, "seeds is 0"),
        ({"validation": None}, InputError, "ranks by validation loss"),
        ({"batch_size": 1000}, InputError, "fewer than batch_size=1000"),
        ({"init": "henormall"}, InputError, "did you mean 'henormal'"),
        ({"loss": "mse"}, InputError, "unknown loss|no loss|known are|did you mean"),
    ],
)
def test_bad_input_is_told_before_any_training(options, error, sentence):
    with pytest.raises(error, match=sentence):
        compare(net(), data.iris(), **{"optimizers": ["adam"], "epochs": 1, **options})


def test_a_network_that_does_not_fit_the_data_is_told_at_once():
    with pytest.raises(ShapeError, match=r"Linear\(5, 3\).*needs a last axis of 5"):
        compare(nn.Sequential(nn.Linear(5, 3)), data.iris(), epochs=1)


def tried(optimizers, **options):
    study = compare(net(), data.iris(), optimizers=optimizers, seeds=1, epochs=1, **options)
    rates = {}
    for run in study.records:
        rates.setdefault(run.optimizer, []).append(run.lr)
    return rates, study


def test_an_optimizer_with_a_rate_is_tried_with_that_one_alone():
    found, _ = tried(
        ["adam(lr=0.5)", "adam", "adam(lr=0.001)", optim.Lookahead(optim.Adam(lr=0.3))], lrs=[0.1, 0.2]
    )
    assert found == {
        "adam(lr=0.5)": [0.5],
        "adam": [0.1, 0.2],
        "adam(lr=0.001)": [0.001],
        "lookahead(adam(lr=0.3))": [0.3],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sgd(0.01)", (0.01,)),
        ("SGD( 1e-2 )", (0.01,)),
        ("momentum(0.01, 0.9)", (0.01,)),
        ("lookahead(sgd(0.01), k=10)", (0.01,)),
        ("partition({'*bias': sgd, '*': sgd(0.01)})", (0.01,)),
        ('adagrad.like("keras", lr=0.001)', (0.001,)),
        ("cyclicallr(momentum(0.01))", (0.1, 0.2)),
        ("muon(rest=adam(0.001))", (0.1, 0.2)),
        ("sgd", (0.1, 0.2)),
        ("sgd()", (0.1, 0.2)),
    ],
)
def test_a_rate_that_is_written_is_the_optimizers_own_also_by_place_and_equal_to_the_default(text, expected):
    assert rates(optim.get(text), [0.1, 0.2], text) == expected


def test_a_comparison_names_an_optimizer_with_a_rate_by_place_as_it_is_written():
    found, _ = tried(["sgd(0.01)", "sgd"], lrs=[0.1, 0.2])
    assert found == {"sgd(0.01)": [0.01], "sgd": [0.1, 0.2]}


def test_a_rate_by_place_of_a_rule_of_ones_own_is_its_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "from spusk.optim import Hyper, Optimizer\n"
        "@dataclass(frozen=True)\n"
        "class Plain(Optimizer):\n"
        "    scale: Hyper = 1.0\n"
        "    lr: Hyper = 0.1\n"
        "    def update(self, w, g, s, t):\n"
        "        return w - self.scale * self.lr * g, s\n"
    )
    found, _ = tried([f"{file}:Plain(2.0, 0.1)", f"{file}:Plain(3.0)"], lrs=[0.3])
    assert [*found.values()] == [[0.1], [0.3]]


def test_a_presets_rate_is_a_default():
    found, _ = tried(['adagrad.like("keras")', 'lion.like("keras")', optim.Lion(lr=0.001)], lrs=[0.1, 0.2])
    assert found == {
        'adagrad.like("keras")': [0.1, 0.2],
        'lion.like("keras")': [0.1, 0.2],
        "lion(lr=0.001)": [0.001],
    }


def test_a_rate_that_the_optimizer_does_not_use_leaves_it_its_grid():
    found, _ = tried(["cyclicallr(momentum(lr=0.5))"], lrs=[0.1, 0.2])
    assert found == {"cyclicallr(momentum(lr=0.5))": [0.1, 0.2]}


@dataclass(frozen=True)
class ByName(optim.Schedule):
    """A schedule that cannot be hashed."""

    values: dict[str, float]

    def at(self, t):
        return self.values["all"] / t


@pytest.mark.parametrize("lr", [optim.MultiStep(0.1, [3, 6]), ByName({"all": 0.1})], ids=repr)
def test_a_schedule_that_holds_lists_or_dicts_is_compared(lr):
    found, _ = tried({"rule": optim.SGD(lr=lr)})
    assert found == {"rule": [None]}


class Falling(optim.Schedule):
    def at(self, t):
        return 0.1 / t


def test_a_schedule_is_trained_as_it_stands():
    own = optim.SGD(lr=Falling())
    groups = optim.Partition({"*bias": optim.SGD(lr=0.2), "*": optim.Adam(lr=0.1)})
    found, study = tried(
        {"cosine": "sgd(lr=cosine(0.1, steps=4))", "own": own, "groups": groups, "grid": "sgd"}
    )
    assert found == {"cosine": [None], "own": [None], "groups": [None], "grid": list(optim.SGD.lr_grid)}
    assert study.table().count("as given") == 3
    at_once = sp.train(net(), data.iris(), optimizer=own, epochs=1, init=lab.default_init(net()))
    assert next(r.val_loss for r in study.records if r.optimizer == "own") == at_once.history["val_loss"][-1]
    assert study.to_dict()["runs"][0]["lr"] is None
