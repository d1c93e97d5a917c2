"""Optimizers as text: what can be written can be read back, and nothing else is evaluated."""

import dataclasses
import sys

import numpy as np
import pytest
from optim.test_rules import RULES

import spusk as sp
from spusk import optim
from spusk.errors import InputError
from spusk.optim.text import is_given, read, written


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_what_is_written_is_read_back(rule):
    assert read(written(rule)) == rule
    assert optim.get(written(rule)) == rule


def test_what_is_in_tuples_is_written_too():
    rule = optim.SGD(lr=optim.Join((0.1, optim.Cosine(0.5, 90)), (10,)))
    assert written(rule) == "sgd(lr=join(schedules=(0.1, cosine(initial=0.5, steps=90)), boundaries=(10,)))"
    assert read(written(rule)) == rule


@pytest.mark.parametrize("name", optim.LECTURE)
def test_defaults_are_written_as_the_name_alone(name):
    inside = {"lookahead": "(adam)", "cyclicallr": "(momentum)"}.get(name, "")
    assert written(optim.get(name)) == name + inside


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (optim.Lookahead(), "lookahead(adam)"),
        (optim.Clip(optim.RAdam(), global_norm=1.0), "clip(radam, global_norm=1.0)"),
        (optim.Plateau(optim.Lookahead(k=3)), "plateau(lookahead(adam, k=3))"),
        (optim.Partition(), "partition((('*', adam),))"),
        (optim.Clip.like("torch", norm=1.0), "clip(adam, norm=1.0, eps=1e-06)"),
    ],
)
def test_what_is_inside_is_always_written(rule, text):
    assert written(rule) == text
    assert read(text) == rule


def test_a_preset_is_written_as_one():
    assert written(optim.Adam.like("keras")) == 'adam.like("keras")'
    assert written(optim.Lookahead(optim.Adam.like("keras", lr=0.1))) == (
        'lookahead(adam.like("keras", lr=0.1))'
    )
    assert written(optim.Nadam(eps=1e-7)) == "nadam(eps=1e-07)"
    assert written(optim.Lion(lr=0.001)) == "lion(lr=0.001)"
    assert written(optim.Lion.like("keras"), ["keras"]) == 'lion.like("keras")'


@pytest.mark.parametrize(
    "rule", [cls.like(x) for cls in optim.CATALOGUE.values() for x in cls.presets], ids=repr
)
def test_every_preset_is_read_back(rule):
    assert read(written(rule)) == rule
    assert read(written(rule, ["torch", "optax", "keras", "timm", "pytorch_optimizer"])) == rule


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
        (
            "partition({'0.*': adam, '*': sgd(lr=0.1)})",
            optim.Partition({"0.*": optim.Adam(), "*": optim.SGD(lr=0.1)}),
        ),
        (
            "sgd(lr=join((0.1, cosine(0.5, 90)), boundaries=[10]))",
            optim.SGD(lr=optim.Join((0.1, optim.Cosine(0.5, 90)), (10,))),
        ),
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
        ("sgd(lr=cosine)", r"^Cosine needs initial and steps, as in cosine\(initial=…, steps=…\)$"),
        ("lookahead(cosine)", "^Cosine needs initial and steps"),
        ("warmup(adam)", "^WarmUp needs steps, as in warmup\\(then=…, steps=…\\)$"),
        ('partition({"*bias": sgd}, adam)', "^Partition takes one value, rules, and got 2$"),
        ("sgd(0.1, 0.2)", "^SGD takes one value, lr, and got 2$"),
        ("sgd(0.1, lr=0.2)", "^SGD got lr twice, by its place and by its name$"),
        ("ADMA", "did you mean 'adam'"),
        ("adam.keras", r'did you mean adam\.like\("keras"\)\?'),
        ("lookahead(adam.like(keras))", r'adam\.like takes a library in quotes: adam\.like\("keras"\)'),
        ("adam(betas=(0.9, 0.99))", "did you mean 'beta1' and 'beta2'"),
        ("adam(learning_rate=0.1)", "did you mean 'lr'"),
        ("sgd(momentum=0.9)", r"SGD has no hyperparameter 'momentum'; write momentum\(mu=…\)"),
        ("rmsprop(mu=0.9)", "RMSprop has no hyperparameter 'mu'"),
        ("adam(weight_decay=0.1)", "write weightdecay\\(…\\) around it"),
        ("AdamWScheduleFree", "did you mean 'schedulefreeadamw'"),
        ("heavyball", "did you mean 'momentum'"),
        ("Ranger", r"did you mean 'lookahead\(radam\)'"),
        ("sgd(lr=cosin(0.1, steps=3))", "did you mean 'cosine'"),
        (
            "sgd(lr=cosine(0.1, decay_steps=3))",
            "Cosine has no hyperparameter 'decay_steps'; did you mean 'steps'",
        ),
        ("bfgs", "did you mean 'l-bfgs' or 'trust-ncg'"),
        ("lbgfs", "did you mean 'lbfgs'"),
        ("zzz(lr=1)", "unknown optimizer 'zzz'; 'spusk methods' lists all$"),
        ('adam.like("torhc")', "Adam has no preset 'torhc'; did you mean 'torch'"),
        ('sgd(lr=cosine.like("torch"))', "cannot be read"),
        ("cosine(0.1, steps=9)", "is not an optimizer"),
        ("adam(", r"cannot be read \(.+\); write a name"),
        ("clip(adam(**{}))", r"cannot be read \(at adam\(\*\*{}\)\)"),
        ("partition({**{}})", "cannot be read"),
        ("adam(lr=1/10)", r"cannot be read \(at 1 / 10\); write a name, or e.g. momentum\(mu=0.99\)$"),
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


OWN = """
from __future__ import annotations
from dataclasses import dataclass
from spusk.optim import Hyper, Optimizer
from neighbour import SCALE

@dataclass(frozen=True)
class Mine(Optimizer):
    lr: Hyper = 0.01
    mu: Hyper = 0.5
    def update(self, w, g, s, t):
        return w - SCALE * self.lr * g, s

halved = Mine(lr=0.005)

class Bare(Optimizer):
    lr: Hyper = 0.1

number = 3
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "neighbour.py").write_text("SCALE = 2.0\n")
    (tmp_path / "mine.py").write_text(OWN)
    return tmp_path / "mine.py"


def test_a_rule_of_ones_own_is_read_from_its_file(mine):
    assert optim.get(f"{mine}:Mine").lr == 0.01
    assert optim.get(f"{mine}:halved").lr == 0.005
    assert optim.get(f"{mine}:Mine(mu=0.25)").mu == 0.25
    wrapped = optim.get(f"lookahead({mine}:Mine(lr=0.5), k=3)")
    assert (wrapped.inner.lr, wrapped.k, wrapped.inner.label) == (0.5, 3, "mine")
    assert sp.minimize(lambda x: x * x, 1.0, f"{mine}:Mine(lr=0.25)", steps=1).x == 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Mien", "mine.py does not define 'Mien'; did you mean 'Mine'"),
        ("number", "number is no Optimizer; derive it"),
        ("Mine(nu=1)", "Mine has no hyperparameter 'nu'"),
    ],
)
def test_what_is_not_in_the_file_is_told(mine, name, sentence):
    with pytest.raises(InputError, match=sentence):
        optim.get(f"{mine}:{name}")


def test_errors_in_ones_own_file_are_told_with_its_line(mine):
    with pytest.raises(InputError, match=r"nowhere\.py: no such file"):
        optim.get("./nowhere.py:Mine")
    undecorated = r"Bare has the field lr and is no dataclass; .* \(mine\.py:16\)$"
    with pytest.raises(InputError, match=undecorated):
        optim.get(f"{mine}:Bare")
    mine.write_text("x = 1\nimport neighbour\ny = neighbour.z\n")
    with pytest.raises(InputError, match=r"mine\.py:3: AttributeError: .*'z'"):
        optim.get(f"{mine}:Mine")
    mine.with_name("neighbour2.py").write_text("a = 1\nb = = 2\n")
    mine.write_text("import neighbour2\n")
    with pytest.raises(InputError, match=r"neighbour2\.py:2: SyntaxError"):
        optim.get(f"{mine}:Mine")


@dataclasses.dataclass(frozen=True)
class Mine(optim.Optimizer):
    known: float = dataclasses.field(init=False, default=1.0)
    lr: optim.Hyper = 0.01
    mu: optim.Hyper = dataclasses.field(kw_only=True, default=0.5)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("mine(0.1)", {"lr"}),
        ("clip(MINE(lr=0.1), norm=1)", {"lr"}),
        ("mine(mu=0.1)", {"mu"}),
        ("mine(0.1, mu=0.1)", {"lr", "mu"}),
        ('mine.like("torch")', set()),
        ('mine.like("torch", 0.1)', {"lr"}),
        ('mine.like("torch", mu=0.1)', {"mu"}),
        ("mine", set()),
        ("adam(lr=0.1)", set()),
        ("adam(0.1)", set()),
    ],
)
def test_what_a_text_gives_by_place_or_by_name(text, given):
    assert {name for name in ("known", "lr", "mu") if is_given(text, Mine(), name)} == given


def test_a_class_of_ones_own_may_be_called_by_another_name(mine):
    mine.write_text(f"{OWN}\nAlias = Mine\nclass Other(Mine): pass\n")
    rule = optim.get(f"{mine}:Alias(lr=0.1)")
    assert is_given(f"{mine}:Alias(lr=0.1)", rule, "lr")
    assert not is_given(f"{mine}:Alias(mu=0.1)", rule, "lr")
    assert not is_given(f"{mine}:Other(lr=0.1)", rule, "lr")


@pytest.mark.parametrize("beside", ["beside.py", "beside/__init__.py", "beside/scale.py"])
def test_each_file_imports_the_modules_of_its_own_folder(tmp_path, beside):
    module = beside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    text = OWN.replace("from neighbour", f"from {module}")
    text = text.replace("        return w -", "        import beside\n        return w -")
    rules = {}
    try:
        for folder, scale in (("one", 2.0), ("two", 4.0)):
            file = tmp_path / folder / beside
            file.parent.mkdir(parents=True)
            file.write_text(f"SCALE = {scale}\n")
            (tmp_path / folder / "mine.py").write_text(text)
            rules[folder] = optim.get(f"{tmp_path}/{folder}/mine.py:Mine(lr=0.25)")
        found = [sp.minimize(lambda x: x, 0.0, rule, steps=1).x.item() for rule in rules.values()]
        assert found == [-0.5, -1.0]
        assert str(tmp_path / "one") in repr(sys.modules[module])  # as it was before the other file
    finally:
        for name in [name for name in sys.modules if name.startswith("beside")]:
            del sys.modules[name]


def test_what_is_installed_is_not_hidden_by_a_file_of_its_name(tmp_path):
    (tmp_path / "numpy.py").write_text("raise RuntimeError")
    (tmp_path / "mine.py").write_text(OWN.replace("from neighbour import SCALE", "import numpy\nSCALE = 1.0"))
    assert optim.get(f"{tmp_path}/mine.py:Mine").lr == 0.01
    assert sys.modules["numpy"] is np


def test_an_update_without_state_is_told_what_to_return(tmp_path):
    class Forgetful(optim.Optimizer):
        def update(self, w, g, s, t):
            return w - g

    with pytest.raises(InputError, match=r"Forgetful.update returned a Tensor; it must return the pair"):
        sp.minimize(lambda x: x * x, 1.0, Forgetful(), steps=1)


def test_nan_and_infinity_can_be_written():
    for number in ("nan", "inf", "-inf"):
        with pytest.raises(InputError, match=rf"^Adam\(lr={number}\): lr must be finite$"):
            optim.get(f"adam(lr={number})")
    with pytest.raises(InputError, match=r"^unknown optimizer 'nan'"):
        optim.get("nan")


def test_a_file_alone_is_told_what_is_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.py").write_text("class A: ...\nclass B: ...\nraise SystemExit\n")
    for text in ("./two.py", "lookahead(./two.py)"):
        with pytest.raises(InputError, match=r"write \./two\.py:NAME; it defines A, B$"):
            optim.get(text)
    with pytest.raises(InputError, match=r"write gone\.py:NAME, with the name of a rule in that file"):
        optim.get("gone.py")


def test_every_hint_names_what_there_is():
    from spusk.optim import hints

    for alias, meant in hints.RULES.items():
        assert alias not in optim.CATALOGUE
        for part in meant.split("' or '"):
            assert part in {*optim.CATALOGUE, *optim.SCHEDULES, *optim.SOLVERS} or read(part)
    used = {
        f.name
        for cls in (*optim.CATALOGUE.values(), *optim.SCHEDULES.values())
        for f in dataclasses.fields(cls)
    }
    assert used >= {field for ours in hints.FIELDS.values() for field in ours}


def test_an_unknown_field_of_a_schedule_is_told_in_a_sentence():
    with pytest.raises(
        InputError, match="Cosine has no hyperparameter 'lr'; known are: final, initial, steps"
    ):
        optim.Cosine(lr=0.1, steps=3)


def test_a_hint_does_not_need_a_name_that_can_be_read():
    with pytest.raises(InputError, match="did you mean 'schedulefreeadamw'"):
        optim.get("schedule-free")


def test_a_name_that_is_given_twice_is_told():
    for text in ("adam(lr=0.1, lr=0.2)", "clip(adam(lr=0.1, beta1=0.5, lr=0.2), norm=1.0)"):
        with pytest.raises(InputError, match="gives lr twice"):
            read(text)


def test_what_a_rule_holds_by_default_is_not_written_but_for_what_it_is_around():
    assert [written(read(text)) for text in ("muon", "lookahead")] == ["muon", "lookahead(adam)"]
    assert written(read("muon(rest=lion)")) == "muon(rest=lion)"
