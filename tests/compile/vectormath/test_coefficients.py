"""The polynomials are those that the tool finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spusk.compile.vectormath import coefficients

TOOL = Path(__file__).parents[3] / "tools" / "vectormath_coefficients.py"


@pytest.mark.fuzz
def test_the_coefficients_are_what_the_tool_prints():
    done = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True, check=True)
    printed: dict[str, object] = {}
    exec(done.stdout, printed)
    names = [name for name in vars(coefficients) if name.isupper()]
    assert {name: printed[name] for name in names} == {name: getattr(coefficients, name) for name in names}
