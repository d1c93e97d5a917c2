"""Every method with its formula, hyperparameters, presets, paper and cost, read from the code."""

from spusk.lab.methods.costs import Slot, StepCost, step_cost
from spusk.lab.methods.entry import Entry, Preset, entries, entry_of, find
from spusk.lab.methods.settings import Setting

__all__ = ["Entry", "Preset", "Setting", "Slot", "StepCost", "entries", "entry_of", "find", "step_cost"]
