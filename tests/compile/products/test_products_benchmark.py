"""`python -m benchmarks products` runs and prints its table; what it measures is not tested."""

from __future__ import annotations

import json

from benchmarks import products
from benchmarks.__main__ import main


def test_the_products_benchmark_prints_a_row_for_each_shape_and_dtype(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(products, "SHAPES", products.SHAPES[:2])
    monkeypatch.setattr(products, "ROUND_SECONDS", 1e-5)
    main(["products", "--quick", "--json", str(tmp_path / "products.json")])
    assert "| digits, layer 1, A·B | float64 | 32 × 32 × 64 |" in capsys.readouterr().out
    figures = json.loads((tmp_path / "products.json").read_text())["products"]
    assert len(figures) == 4
    assert all(row["tiles"] > 0 and row["blas"] > 0 and row["rule"] == "tiles" for row in figures)
