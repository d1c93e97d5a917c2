"""Optimizers of other packages, registered as entry points of the group `spusk.optimizers`."""

import subprocess
import sys
import warnings

import pytest

import spusk as sp
from spusk import data, lab, nn, optim
from spusk.cli import main
from spusk.errors import InputError
from spusk.lab import methods
from spusk.optim import plugins
from spusk.optim.text import read, written

RULES = '''\
from dataclasses import dataclass
from spusk.optim import Hyper, Optimizer

@dataclass(frozen=True)
class Slide(Optimizer):
    """Slide: plain descent under another name.

        w ← w − αg

    Source: Nobody, 2024, "Sliding", eq. 1.

    Args:
        lr: the learning rate α > 0; default 0.5.
    """

    lr: Hyper = 0.5

    def update(self, w, g, s, t):
        return w - self.lr * g, s


@dataclass(frozen=True)
class Adam(Slide):
    pass


number = 3
'''


def install(folder, package, points, module=None, source=RULES):
    """What pip leaves in a folder on sys.path: the module, and the package's metadata."""
    module = module or package.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("[spusk.optimizers]\n" + "\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on sys.path; what is installed there is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.forget()
    before = set(sys.modules)
    yield tmp_path
    plugins.forget()
    for name in set(sys.modules) - before:
        if (tmp_path / f"{name}.py").exists():
            del sys.modules[name]


@pytest.fixture
def slide(site):
    install(site, "spusk-slide", {"slide": "spusk_slide:Slide"})
    return site


def test_a_name_of_another_package_works_like_ours(slide):
    rule = optim.get("Slide")
    assert (type(rule).__name__, rule.lr) == ("Slide", 0.5)
    assert read("lookahead(slide(lr=0.25), k=2)").inner == type(rule)(lr=0.25)
    assert read(written(type(rule)(lr=0.25))) == type(rule)(lr=0.25)
    assert sp.minimize(lambda x: x * x, 1.0, "slide", steps=1).x == 0
    net = nn.Sequential(nn.Linear(4, 3))
    assert (
        sp.train(net, data.iris(), optimizer="slide(lr=0.1)", epochs=1, progress=False).status == "finished"
    )
    study = lab.compare(
        net, data.iris(), optimizers=["sgd", "slide"], lrs=[0.1], seeds=2, epochs=1, progress=False, jobs=1
    )
    assert {run.optimizer for run in study.records} == {"sgd", "slide"}


def test_it_is_listed_with_its_package(slide, monkeypatch, capsys):
    (entry,) = methods.find("slide")
    assert (entry.kind, entry.package, entry.formula) == ("optimizer", "spusk-slide", "w ← w − αg")
    assert entry in methods.entries()
    for arguments in (["methods"], ["methods", "slide"]):
        monkeypatch.setattr(sys, "argv", ["spusk", *arguments])
        with pytest.raises(SystemExit):
            main()
        assert "package spusk-slide" in capsys.readouterr().out


def test_a_misspelt_name_is_corrected_to_it(slide):
    with pytest.raises(InputError, match="unknown optimizer 'slyde'; did you mean 'slide'"):
        optim.get("slyde")
    with pytest.raises(InputError, match="unknown optimizer 'slyde'; did you mean 'slide'"):
        optim.get("lookahead(slyde)")


BROKEN = {
    "a module that is not there": (
        {"slide": "nowhere:Slide"},
        "package 'spusk-broken' registers the optimizer 'slide', which cannot be loaded from nowhere:Slide: "
        "ModuleNotFoundError: No module named 'nowhere'; it is left out",
    ),
    "a name that is not there": (
        {"slide": "spusk_broken:Slyde"},
        "package 'spusk-broken' registers the optimizer 'slide', which cannot be loaded from spusk_broken:Slyde: "
        "AttributeError: module 'spusk_broken' has no attribute 'Slyde'; it is left out",
    ),
    "no optimizer": (
        {"slide": "spusk_broken:number"},
        "package 'spusk-broken' registers the optimizer 'slide', which stands for spusk_broken:number, which is no "
        "subclass of spusk.optim.Optimizer; it is left out",
    ),
    "another name than the class's": (
        {"glide": "spusk_broken:Slide"},
        "package 'spusk-broken' registers the optimizer 'glide', which stands for the class Slide; its name must be "
        "that of the class, 'slide', as tables show it; it is left out",
    ),
    "a name of ours": (
        {"Adam": "spusk_broken:Adam"},
        "package 'spusk-broken' registers the optimizer 'Adam', which is the name of a method of spusk; it is left out",
    ),
    "a schedule's name": (
        {"cosine": "spusk_broken:Slide"},
        "package 'spusk-broken' registers the optimizer 'cosine', which is the name of a method of spusk; it is left out",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_package_is_named_in_one_warning_and_left_out(case, site):
    points, sentence = BROKEN[case]
    install(site, "spusk-broken", points)
    ours = len(optim.CATALOGUE)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(3):
            listed = [e for e in methods.entries() if e.kind in ("optimizer", "wrapper")]
            assert len(listed) == ours
            assert optim.get("adam") == optim.Adam()
            for name in ("slide", "glide"):
                with pytest.raises(InputError, match="unknown optimizer"):
                    optim.get(name)
    assert [str(w.message) for w in told] == [sentence]
    assert told[0].category is plugins.PluginWarning
    assert told[0].filename == plugins.__file__  # since no line of the user's is to be changed


def test_of_two_packages_with_one_name_the_first_in_the_alphabet_has_it(site):
    install(site, "spusk-b", {"slide": "spusk_b:Slide"})
    install(site, "spusk-a", {"slide": "spusk_a:Slide"})
    with pytest.warns(
        plugins.PluginWarning,
        match=r"^package 'spusk-b' .*already taken by package 'spusk-a'; it is left out$",
    ):
        assert type(optim.get("slide")).__module__ == "spusk_a"


def test_the_command_line_warns_in_one_line_and_goes_on(site):
    install(site, "spusk-broken", BROKEN["a module that is not there"][0])
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from spusk.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "methods"], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0
    assert done.stderr == f"spusk: {BROKEN['a module that is not there'][1]}\n"


def test_packages_are_not_looked_for_before_they_are_needed(slide):
    code = (
        f"import sys; sys.path.insert(0, {str(slide)!r}); import spusk; from spusk import optim; optim.get('adam');"
        "from spusk.optim.text import read; read('lookahead(sgd)');"
        "print('spusk_slide' in sys.modules, 'importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "False"
    plain = subprocess.run(
        [sys.executable, "-c", "import sys, numpy; print('importlib.metadata' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[1] == plain.stdout.strip()


def test_a_mistake_in_a_packages_rule_names_its_line(site):
    install(
        site,
        "spusk-wrong",
        {"slide": "spusk_wrong:Slide"},
        source=RULES.replace("w - self.lr * g, s", "None"),
    )
    with pytest.raises(InputError, match=r"^Slide\.update returned nothing; .* \(spusk_wrong\.py:19\)$"):
        sp.minimize(lambda x: x * x, 1.0, "slide", steps=1)
