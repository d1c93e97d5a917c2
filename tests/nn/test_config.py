"""Networks as plain data."""

import json
from dataclasses import dataclass

import pytest

from spusk import nn
from spusk.errors import InputError

LAYERS = [
    nn.Linear(3, 2),
    nn.Linear(3, 2, bias=False),
    nn.Dropout(0.1),
    nn.Flatten(),
    nn.ReLU(),
    nn.LeakyReLU(0.3),
    nn.ELU(2.0),
    nn.GELU(approximate=True),
    nn.SiLU(),
    nn.Tanh(),
    nn.Sigmoid(),
    nn.Softplus(),
    nn.Softmax(axis=0),
    nn.LogSoftmax(),
    nn.Residual(nn.Linear(2, 2), out=nn.ReLU()),
    nn.Sequential(nn.Linear(3, 2), nn.Residual(nn.Linear(2, 2)), head=nn.Sequential(nn.Linear(2, 1))),
    nn.Sequential(*[nn.ReLU()] * 12)[1:],
    nn.Sequential(),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_network_comes_back_from_json_as_it_was(layer):
    text = json.dumps(nn.to_config(layer), sort_keys=True)

    again = nn.from_config(json.loads(text))

    assert again == layer
    assert [p.name for p in again.parameters()] == [p.name for p in layer.parameters()]


def test_every_layer_but_lambda_can_be_described():
    own = {
        cls
        for cls in vars(nn).values()
        if isinstance(cls, type) and issubclass(cls, nn.Layer) and cls is not nn.Layer
    }

    assert {type(layer) for layer in LAYERS} == own - {nn.Lambda}


def test_a_lambda_cannot_be_described():
    with pytest.raises(
        InputError, match=r"Lambda\(f\) holds a function, which a description cannot hold \(test_con"
    ):
        nn.to_config(nn.Sequential(nn.Lambda(lambda x: x, "f")))


def test_a_layer_of_ones_own_cannot_be_described_even_under_a_known_name():
    @dataclass(frozen=True)
    class Linear(nn.Layer):
        def apply(self, p, x):
            return x

    with pytest.raises(InputError, match="Linear is not a layer of spusk"):
        nn.to_config(Linear())


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"class": "Linaer"}, "there is no layer 'Linaer'; did you mean 'Linear'"),
        ({"class": "Lambda", "f": "print"}, "there is no layer 'Lambda'"),
        ({"class": "Linear", "n_in": 3}, "the description of a Linear does not fit: .*n_out"),
        ({"class": "Linear", "n_in": 3, "n_out": 2, "gain": 1}, "does not fit: .*gain"),
        ({"class": "Linear", "n_in": "3", "n_out": 2}, "Linear got n_in='3'"),
        ({"class": "Sequential"}, "described by two lists, 'names' and 'layers'"),
        ({"class": "Sequential", "names": ["0"], "layers": []}, "described by a mapping"),
        ({"class": "Sequential", "names": [], "layers": [{"class": "ReLU"}]}, "as many names as layers"),
        ({"class": "Sequential", "names": ["a", "a"], "layers": [{"class": "ReLU"}] * 2}, "as many names as"),
        ({"class": "Sequential", "names": ["a.b"], "layers": [{"class": "ReLU"}]}, "contain a dot"),
        ({"n_in": 3}, "described by a mapping with an entry 'class'"),
        ([1], r"described by a mapping with an entry 'class', not by \[1\]"),
        ({"class": ["Linear"]}, "described by a mapping with an entry 'class'"),
    ],
)
def test_a_description_that_is_not_well_formed_is_refused(config, sentence):
    with pytest.raises(InputError, match=sentence):
        nn.from_config(config)
