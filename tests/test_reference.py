"""The reference page and the README's table are what the code gives; names of other libraries are theirs."""

import re
import tomllib
from pathlib import Path

import pytest
from tools import elsewhere, reference

from spusk import optim
from spusk.lab import methods

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("path", [reference.PAGE, reference.README], ids=lambda path: path.name)
def test_the_page_is_up_to_date(path):
    assert path.read_text() == reference.written()[path], "run python -m tools.reference"


def test_every_method_has_a_section_that_the_contents_lead_to():
    text = reference.PAGE.read_text()
    targets = set(re.findall(r'<a id="(.+?)"></a>', text)) | {"what-a-step-costs"}
    assert set(re.findall(r"\]\(#(.+?)\)", text)) == targets
    for entry in methods.entries():
        assert f"{entry.kind}-{entry.name}" in targets
        assert f"```text\n{entry.formula}\n```" in text


def test_what_is_out_of_date_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "PAGE", tmp_path / "methods.md")
    monkeypatch.setattr("sys.argv", ["reference", "--check"])
    with pytest.raises(SystemExit, match=r"^methods\.md out of date; run python -m tools\.reference$"):
        reference.main()


def test_every_hyperparameter_that_is_named_elsewhere_is_a_field():
    for entry in methods.entries():
        fields = {setting.name for setting in entry.settings}
        for there in entry.elsewhere.values():
            assert set(there.arguments) <= fields


def test_every_initialiser_and_loss_with_a_name_elsewhere_is_ours():
    for kind in ("initialiser", "loss"):
        room, names = elsewhere.KINDS[kind]
        assert set(names) <= set(room)


def test_what_the_same_law_is_called_elsewhere_leads_to_it():
    assert [e.name for e in methods.find("torch.nn.init.kaiming_uniform_")] == [
        "lecununiform", "heuniform", "torchdefault",
    ]  # fmt: skip
    assert [e.name for e in methods.find("GlorotUniform")] == ["xavieruniform"]


def test_a_preset_of_a_library_is_of_a_method_that_it_has():
    for name, cls in optim.CATALOGUE.items():
        (entry,) = [e for e in methods.find(name) if e.kind in ("optimizer", "wrapper")]
        for library in set(cls.presets) & set(elsewhere.MODULES):
            assert library in entry.elsewhere, (
                f"{name}.like({library!r}), but elsewhere.toml does not know where"
            )


@pytest.mark.peers
def test_the_names_are_those_of_the_installed_libraries(peer, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    for module in elsewhere.MODULES:
        peer(module)
    found, kept = tomllib.loads(elsewhere.content()), tomllib.loads(elsewhere.TARGET.read_text())
    for kind in elsewhere.KINDS:
        assert found[kind] == {name: kept[kind].get(name) for name in found[kind]}, (
            "run python -m tools.elsewhere"
        )
