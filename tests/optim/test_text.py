"""Optimizers as text: what can be written can be read back, and nothing else is evaluated."""

import pytest
from optim.test_rules import RULES

from spusk import optim
from spusk.errors import InputError
from spusk.optim.text import read, written


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_what_is_written_is_read_back(rule):
    assert read(written(rule)) == rule
    assert optim.get(written(rule)) == rule


@pytest.mark.parametrize("name", optim.LECTURE)
def test_defaults_are_written_as_the_name_alone(name):
    assert written(optim.get(name)) == name


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("adam", optim.Adam()),
        (" Adam( beta1 = 0.5 ) ", optim.Adam(beta1=0.5)),
        ("sgd(0.1)", optim.SGD(lr=0.1)),
        ("sgd(lr=warmup(cosine(0.1, 90), steps=10))", optim.SGD(lr=optim.WarmUp(optim.Cosine(0.1, 90), 10))),
        ('adam.like("keras", lr=0.1)', optim.Adam.like("keras", lr=0.1)),
        (
            "lookahead(momentum(mu=0.5), k=3, state='reset')",
            optim.Lookahead(optim.Momentum(mu=0.5), 3, state="reset"),
        ),
        ("lookahead(sgd)", optim.Lookahead(optim.SGD())),
        ("rmsprop(momentum=0.9, centered=True)", optim.RMSprop(momentum=0.9, centered=True)),
        ("adamax(eps=None)", optim.AdaMax()),
    ],
)
def test_a_text_is_read(text, rule):
    assert read(text) == rule


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("adamm(beta1=0.5)", "unknown optimizer 'adamm'; did you mean 'adam'"),
        ("adam(beta=0.5)", "Adam has no hyperparameter 'beta'; did you mean 'beta"),
        ("adam(beta1=1)", r"Adam\(beta1=1\): beta1 must be at least 0 and below 1"),
        ("adam(lr=-0.1)", r"Adam\(lr=-0.1\): lr must be greater than 0"),
        ("adam(lr='high')", "lr must be a number or a schedule"),
        ("sgd(lr=cosine)", "cannot be made: .* missing 2 required"),
        ("sgd(0.1, 0.2)", "cannot be made"),
        ("sgd(0.1, lr=0.2)", "cannot be made"),
        ('adam.like("torhc")', "Adam has no preset 'torhc'; did you mean 'torch'"),
        ('sgd(lr=cosine.like("torch"))', "cannot be read"),
        ("cosine(0.1, steps=9)", "is not an optimizer"),
        ("adam(", "cannot be read"),
        ("adam(**{})", "cannot be read"),
        ("adam(lr=1/10)", "cannot be read"),
        ("adam(lr=[x for x in ()])", "cannot be read"),
        ("__import__('os').system('true')", "cannot be read"),
        ("adam.__init__()", "cannot be read"),
        ("print('x')", "unknown optimizer 'print'"),
        ("", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(text, sentence):
    with pytest.raises(InputError, match=sentence):
        read(text)
