"""Training networks on data."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

import spusk as sp
from spusk import data, init, nn, optim
from spusk.errors import InputError, ShapeError
from spusk.optim import Hyper, Optimizer


def net(n_in=4, n_out=3, width=8):
    return nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, n_out))


quiet = partial(sp.train, progress=False)


def test_digits_are_learnt():
    run = quiet(net(64, 10, 32), data.digits(), optimizer=optim.Adam(lr=0.003), epochs=15, seed=0)
    assert run.status == "finished"
    assert run.history["val_accuracy"][-1] >= 0.95
    assert run.history["loss"][-1] < 0.1 < run.initial["loss"]


def test_history_has_one_entry_an_epoch_and_counts_steps_with_the_last_partial_batch():
    run = quiet(net(), data.iris(), epochs=3, batch_size=32)
    # 120 training rows: three batches of 32 and one of 24.
    assert run.history["epoch"].tolist() == [1, 2, 3]
    assert run.history["step"].tolist() == [4, 8, 12]
    assert run.batch_loss.shape == (12,)
    assert set(run.history) == {"epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy"}


def test_the_last_partial_batch_is_left_out_when_asked():
    run = quiet(net(), data.iris(), epochs=1, batch_size=32, drop_last=True)
    assert run.steps == 3


@pytest.mark.parametrize(("batch_size", "steps"), [(1, 120), (None, 1), (120, 1), (119, 2)])
def test_stochastic_mini_batch_and_full_batch_are_one_loop(batch_size, steps):
    run = quiet(net(), data.iris(), epochs=2, batch_size=batch_size, optimizer=optim.SGD(lr=0.01))
    assert run.history["step"].tolist() == [steps, 2 * steps]


def test_gradient_descent_takes_the_whole_training_part():
    run = quiet(net(), data.iris(), epochs=5, optimizer=optim.GradientDescent(lr=0.1))
    assert run.steps == 5
    full = quiet(net(), data.iris(), epochs=5, batch_size=None, optimizer=optim.SGD(lr=0.1))
    assert all((run.parameters[k] == full.parameters[k]).all() for k in full.parameters)


def test_a_step_of_training_is_what_the_formula_says():
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0], [2.0, 2.0]])
    y = np.array([1.0, 0.0, 2.0, -1.0])
    linear = nn.Linear(2, 1)
    start = init.initialise(linear.parameters(), seed=3, dtype=np.float64)
    run = quiet(
        linear, data.arrays(x, y), optimizer=optim.GradientDescent(lr=0.1), epochs=1, seed=3,
        validation=None, dtype="float64",
    )  # fmt: skip
    residual = x @ start["weight"][:, 0] + start["bias"] - y
    expected = start["weight"][:, 0] - 0.1 * 2 * (x.T @ residual) / 4
    np.testing.assert_allclose(run.parameters["weight"][:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(run.parameters["bias"], start["bias"] - 0.1 * 2 * residual.mean(), rtol=1e-12)


@pytest.mark.parametrize("optimizer", optim.LECTURE)
def test_every_optimizer_of_the_lecture_learns_iris(optimizer):
    rule = optim.get(optimizer)
    rates = {
        "adadelta": 1.0,
        "sgd": 0.1,
        "gradientdescent": 0.5,
        "cyclicallr": 0.1,
        "momentum": 0.05,
        "nesterov": 0.05,
    }
    run = quiet(
        net(), data.iris(), optimizer=rule.with_lr(rates.get(optimizer, 0.02)), epochs=40, batch_size=16
    )
    assert run.status == "finished"
    assert run.history["loss"][-1] < 0.7 * run.initial["loss"]


def test_the_same_seed_gives_the_same_bits():
    first, second = (quiet(net(), data.iris(), epochs=3, seed=5) for _ in range(2))
    assert all((first.parameters[k] == second.parameters[k]).all() for k in first.parameters)
    assert (first.batch_loss == second.batch_loss).all()
    other = quiet(net(), data.iris(), epochs=3, seed=6)
    assert not (first.batch_loss == other.batch_loss).all()


@dataclass(frozen=True)
class Still(Optimizer):
    """Leaves the weights alone, so that the losses of the batches show weights and order alone."""

    lr: Hyper = 1.0

    def update(self, w, g, s, t):
        return w - 0 * self.lr * g, s


def test_different_optimizers_with_one_seed_see_the_same_weights_and_batches():
    still = quiet(net(), data.iris(), optimizer=Still(), epochs=2, seed=1)
    tiny = quiet(net(), data.iris(), optimizer=optim.Adam(lr=1e-12), epochs=2, seed=1)
    assert still.initial == tiny.initial
    assert still.batch_loss[0] == tiny.batch_loss[0]
    np.testing.assert_allclose(still.batch_loss, tiny.batch_loss, rtol=1e-5)
    assert len(set(still.batch_loss.tolist())) > 4  # another order in the second epoch


def test_another_initialiser_does_not_change_the_order_of_the_batches():
    zeros = quiet(nn.Linear(4, 3), data.iris(), init="zeros", optimizer=Still(), epochs=2, batch_size=1)
    # With zero weights every example has the loss log 3; the bias makes the class visible.
    assert np.allclose(zeros.batch_loss, np.log(3), rtol=1e-6)


def test_zero_weights_keep_the_hidden_units_identical():
    run = quiet(net(width=6), data.iris(), init="zeros", epochs=5, optimizer=optim.SGD(lr=0.5))
    hidden = run.parameters["0.weight"]
    assert (hidden == hidden[:, :1]).all()
    broken = quiet(net(width=6), data.iris(), init="henormal", epochs=5, optimizer=optim.SGD(lr=0.5))
    assert not (broken.parameters["0.weight"] == broken.parameters["0.weight"][:, :1]).all()


def test_divergence_is_a_status_and_keeps_the_last_finite_weights():
    run = quiet(net(30, 1), data.arrays(np.random.default_rng(0).normal(size=(100, 30)) * 50, np.arange(100.0)),
                optimizer=optim.SGD(lr=10.0), epochs=10)  # fmt: skip
    assert run.status == "diverged"
    assert np.isnan(run.history["loss"][-1])
    assert len(run.history["epoch"]) < 10
    assert all(np.isfinite(w).all() for w in run.parameters.values())


def test_early_stopping_restores_the_best_weights():
    run = quiet(net(width=64), data.iris(), optimizer=optim.Adam(lr=0.3), epochs=200, patience=5, seed=2)
    assert run.status == "stopped"
    best = int(np.argmin(run.history["val_loss"]))
    assert run.best_epoch == best + 1
    assert len(run.history["epoch"]) == run.best_epoch + 5
    split = data.iris().split(0.2, 2)
    outputs = nn.Sequential(*net(width=64))(run.parameters, split.val_x)
    loss = nn.losses.cross_entropy(outputs, split.val_y)
    assert float(loss) == pytest.approx(run.history["val_loss"][best], rel=1e-6)


def test_ctrl_c_ends_cleanly_and_keeps_what_was_learned(monkeypatch):
    from spusk.graph import Evaluator

    original, calls = Evaluator.__call__, {"n": 0}

    def interrupted(self, *values, **options):
        calls["n"] += 1
        if calls["n"] == 30:
            raise KeyboardInterrupt
        return original(self, *values, **options)

    monkeypatch.setattr(Evaluator, "__call__", interrupted)
    run = quiet(net(), data.iris(), epochs=50, optimizer=optim.SGD(lr=0.1), backend="numpy")
    assert run.status == "interrupted"
    assert 0 < run.steps < 200
    start = init.initialise(net().parameters(), seed=0)
    assert not (run.parameters["0.weight"] == start["0.weight"]).all()
    monkeypatch.undo()
    assert run.predict(data.iris().x).shape == (150,)


def test_dropout_changes_training_but_not_measuring():
    dropped = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3))
    run = quiet(dropped, data.iris(), optimizer=Still(), epochs=2, batch_size=None)
    assert run.batch_loss[0] != run.batch_loss[1]  # other units each step
    assert run.history["loss"][0] == run.history["loss"][1] == run.initial["loss"]


def test_predictions_take_raw_inputs_and_undo_the_scaling():
    diabetes = data.diabetes()
    run = quiet(net(10, 1, 16), diabetes, optimizer=optim.Adam(lr=0.01), epochs=40)
    predicted = run.predict(diabetes.x)
    assert predicted.shape == (442,)
    assert run.history["val_r2"][-1] > 0.3
    spread = ((diabetes.y - predicted) ** 2).mean() / diabetes.y.var()
    assert spread < 0.7


def test_probabilities_sum_to_one_and_agree_with_predictions():
    run = quiet(net(), data.iris(), epochs=10)
    p = run.predict_proba(data.iris().x)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == run.predict(data.iris().x)).all()
    regression = quiet(net(10, 1), data.diabetes(), epochs=1)
    with pytest.raises(InputError, match="predict_proba needs a classification"):
        regression.predict_proba(data.diabetes().x)


def test_two_classes_can_be_learnt_from_one_output():
    run = quiet(net(2, 1, 16), data.moons(), loss="binary_cross_entropy", optimizer=optim.Adam(lr=0.03))
    assert run.history["val_accuracy"][-1] > 0.9
    assert run.predict_proba(data.moons().x).shape == (1000, 2)


def test_own_losses_and_metrics_are_welcome():
    def cubed(outputs, targets):
        return (abs(outputs.reshape(-1) - targets) ** 3).mean()

    run = quiet(net(10, 1), data.diabetes(), loss=cubed, metrics={"worst": lambda o, t: np.abs(o[:, 0] - t).max()},
                epochs=2)  # fmt: skip
    assert {"worst", "val_worst"} <= set(run.history)


def test_weights_stay_float32_and_float64_is_kept_on_request():
    for dtype in ("float32", "float64"):
        run = quiet(net(), data.iris(), epochs=1, dtype=dtype)
        assert {w.dtype.name for w in run.parameters.values()} == {dtype}


def test_a_pair_of_arrays_and_given_validation_data_are_welcome():
    x, y = data.iris().x, data.iris().y
    run = quiet(net(), (x[::2], y[::2]), validation=(x[1::2], y[1::2]), epochs=2)
    assert run.history["val_loss"].shape == (2,)
    run = quiet(net(), (x, y), validation=None, epochs=2)
    assert "val_loss" not in run.history


def test_zero_epochs_measure_the_initial_network():
    run = quiet(net(), data.iris(), epochs=0)
    assert run.steps == 0
    assert np.isfinite(run.initial["val_loss"])
    assert repr(run) == (
        f"Run(finished after epoch 0, step 0: loss {run.initial['loss']:.4g}, "
        f"accuracy {run.initial['accuracy']:.4g}, val_loss {run.initial['val_loss']:.4g}, "
        f"val_accuracy {run.initial['val_accuracy']:.4g})"
    )


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: quiet(net(5), data.iris()), ShapeError, r"Linear\(5, 8\) \(layer 0\) got an input of shape \(\d+, 4\)"),
        (lambda: quiet(net(4, 2), data.iris()), ShapeError, "has 2 outputs and iris has 3 classes"),
        (lambda: quiet(net(), data.iris(), batch_size=500), InputError, "has 120 training rows, fewer than batch_size=500"),
        (lambda: quiet(net(), data.iris(), batch_size=0), InputError, "batch_size is 0"),
        (lambda: quiet(net(), data.iris(), epochs=-1), InputError, "epochs is -1"),
        (lambda: quiet(net(), data.iris(), epochs=1.5), InputError, "epochs is 1.5"),
        (lambda: quiet(net(), data.iris(), patience=3, validation=None), InputError, "patience needs a validation"),
        (lambda: quiet(net(), data.iris(), optimizer="adamm"), InputError, "did you mean 'adam'"),
        (lambda: quiet(net(), data.iris(), loss="cross_entropi"), InputError, "did you mean 'cross_entropy'"),
        (lambda: quiet(net(), data.iris(), seed=-1), InputError, "seed is -1"),
        (lambda: quiet(net(), "iris"), InputError, "data is a str"),
        (lambda: quiet(net(), data.iris().x), InputError, "data is a ndarray"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


def test_a_batch_left_out_at_the_end_is_another_one_in_every_epoch():
    # One whole batch an epoch, the rest dropped: the rows that train must still change from epoch to epoch.
    x = np.arange(10.0)[:, None]
    net = nn.Sequential(nn.Linear(1, 1, bias=False))
    run = sp.train(
        net, (x, x[:, 0]), loss=lambda outputs, y: outputs.sum(), optimizer=optim.SGD(lr=1e-3), epochs=4,
        batch_size=6, drop_last=True, validation=None, metrics={}, progress=False, init="ones", dtype="float64",
    )  # fmt: skip
    assert run.steps == 4
    assert len(set(np.diff(run.batch_loss).round(9))) > 1


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ({"m": lambda o, y: o[:2]}, r"the metric 'm' returned an array of shape \(2, 3\); it must be a number"),
        ({"m": lambda o, y: np.ones(1)}, r"the metric 'm' returned an array of shape \(1,\); it must be a number"),
        ({"m": lambda o, y: None}, "the metric 'm' returned None; it must be a number"),
        ({"m": lambda o, y: "good"}, "the metric 'm' returned 'good'; it must be a number"),
        ({"m": lambda o, y: 1j}, "the metric 'm' returned 1j; it must be a number"),
        ({"m": 3}, "the metric 'm' is 3; it must be a function"),
        (["accuracy"], "metrics is a list; it must be a mapping from names to functions"),
        ({"loss": lambda o, y: 1.0}, "metrics holds the name 'loss'; a name is a str, and none of"),
    ],
)  # fmt: skip
def test_metrics_that_are_no_numbers_by_name_are_told(backend, metrics, sentence):
    with pytest.raises(InputError, match=sentence):
        quiet(net(), data.iris(), metrics=metrics, epochs=1, backend=backend)


@pytest.mark.parametrize("found", [1, True, np.float32(1), np.array(1.0)])
def test_a_metric_may_return_any_kind_of_real_number(found):
    run = quiet(net(), data.iris(), metrics={"m": lambda o, y: found}, epochs=1)
    assert run.history["m"].tolist() == [1.0]


@pytest.mark.parametrize("follow", [sp.train, sp.lab.compare])
@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (None, "net is a NoneType; it must be a layer, such as nn.Sequential(nn.Linear(4, 3))"),
        ([nn.Linear(4, 3)], "net is a list; it must be a layer, such as nn.Sequential(*layers)"),
        (nn.Linear, "net is the class Linear; it must be a layer, made by calling the class"),
    ],
)
def test_what_is_no_network_is_refused(follow, net, sentence):
    with pytest.raises(InputError) as caught:
        follow(net, data.iris())
    assert str(caught.value) == sentence
