"""The laboratory: many trainings side by side, and what they say."""

from spusk.lab.compare import compare, default_init
from spusk.lab.grid import log_grid
from spusk.lab.study import Record, Study, Summary

__all__ = ["Record", "Study", "Summary", "compare", "default_init", "log_grid"]
