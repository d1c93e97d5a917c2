"""Saving and loading trained networks."""

import numpy as np
import pytest

import spusk as sp
from spusk import data, nn
from spusk.errors import InputError, ShapeError


@pytest.fixture(scope="module")
def run():
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 3))
    return sp.train(net, data.iris(), epochs=5, progress=False)


def test_a_saved_network_predicts_the_same(run, tmp_path):
    path = run.save(tmp_path / "iris.safetensors")
    model = sp.load(path)
    x = data.iris().x
    assert (model.predict(x) == run.predict(x)).all()
    assert (model.outputs(x) == run.model.outputs(x)).all()
    assert model.classes == run.model.classes == ("setosa", "versicolor", "virginica")
    assert model.net == run.model.net


def test_a_regression_remembers_the_scale_of_its_target(tmp_path):
    net = nn.Sequential(nn.Linear(10, 4), nn.ReLU(), nn.Linear(4, 1))
    run = sp.train(net, data.diabetes(), epochs=2, progress=False)
    model = sp.load(run.save(tmp_path / "diabetes.safetensors"))
    np.testing.assert_array_equal(model.predict(data.diabetes().x), run.predict(data.diabetes().x))


def test_a_lambda_cannot_be_saved_but_its_weights_can(tmp_path):
    net = nn.Sequential(nn.Lambda(lambda x: x * 2), nn.Linear(4, 3))
    path = sp.train(net, data.iris(), epochs=1, progress=False).save(tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="holds a Lambda, so load needs the network"):
        sp.load(path)
    assert sp.load(path, net=net).predict(data.iris().x).shape == (150,)


def test_files_that_are_no_models_are_refused(run, tmp_path):
    from safetensors.numpy import save_file

    with pytest.raises(InputError, match="no such file"):
        sp.load(tmp_path / "missing.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a model")
    with pytest.raises(InputError, match="not a safetensors file"):
        sp.load(broken)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"w": np.zeros(2)}, foreign)
    with pytest.raises(InputError, match="holds no Spusk model"):
        sp.load(foreign)
    path = run.save(tmp_path / "iris.safetensors")
    with pytest.raises(
        InputError, match=r"parameter '0.weight' is of shape \(4, 8\); the network needs \(4, 9\)"
    ):
        sp.load(path, net=nn.Sequential(nn.Linear(4, 9), nn.Linear(9, 3)))
    with pytest.raises(InputError, match="there is no folder"):
        run.save(tmp_path / "nowhere" / "m.safetensors")


def test_examples_of_another_width_are_refused(run):
    with pytest.raises(ShapeError):
        run.predict(np.zeros((2, 5)))
