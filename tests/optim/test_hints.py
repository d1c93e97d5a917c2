"""What a hint says where a name or a call is nearly right."""

from dataclasses import dataclass, field

import pytest

from spusk.optim.hints import file_alone, for_field, mistaken_call


@dataclass
class Made:
    """By place: a and b."""

    a: float
    b: float = 2.0
    only_named: float = field(default=3.0, kw_only=True)
    from_inside: float = field(default=4.0, init=False)


@pytest.mark.parametrize(
    ("values", "named"), [((1,), ()), ((1, 2), ()), ((1, 2), ("only_named",)), ((), ("b", "a"))]
)
def test_a_call_that_python_takes_has_no_mistake(values, named):
    Made(*values, **dict.fromkeys(named, 0.0))
    assert mistaken_call(Made, values, named) == ""


@pytest.mark.parametrize(
    ("values", "named", "sentence"),
    [
        ((1, 2, 3), (), "Made takes 2 values, a, b, and got 3"),
        ((1, 2), ("b",), "Made got b twice, by its place and by its name"),
        ((), ("b",), "Made needs a, as in made(a=…)"),
        ((1,), ("from_inside",), "Made has no hyperparameter 'from_inside'; known are: a, b, only_named"),
    ],
)
def test_a_call_that_python_refuses_is_told_by_name(values, named, sentence):
    with pytest.raises(TypeError):
        Made(*values, **dict.fromkeys(named, 0.0))
    assert mistaken_call(Made, values, named) == sentence


def test_a_class_without_places_takes_no_values():
    @dataclass(kw_only=True)
    class Named:
        a: float = 1.0

    assert mistaken_call(Named, [1], []) == "Named takes no values and got 1"


def test_a_name_elsewhere_stands_for_names_that_the_rule_has_all_of():
    assert for_field("betas", ["lr", "beta1", "beta2"]) == "; did you mean 'beta1' and 'beta2'?"
    assert "beta2" not in for_field("betas", ["lr", "beta1"])


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("rules.py", "rules.py"),
        ("clip(../rules.py, norm=1)", "../rules.py"),
        ("clip(inner=/tmp/rules.py)", "/tmp/rules.py"),
    ],
)
def test_the_file_within_a_text_is_named_as_it_is_written(text, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert file_alone(text).startswith(f"write {file}:NAME")


@pytest.mark.parametrize("text", ["adam", "rules.py:Mine", "clip(rules.py:Mine)", "rules.pyc"])
def test_a_text_without_a_lone_file_has_no_such_hint(text):
    assert file_alone(text) == ""


def test_an_average_s_decay_is_its_beta():
    assert for_field("decay", ["begin", "beta", "inner"]) == "; did you mean 'beta'?"
