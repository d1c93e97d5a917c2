"""A saved model reads tables the way the one it was trained on was read."""

import numpy as np
import pytest

import spusk as sp
from spusk import data, nn
from spusk.errors import InputError

ROWS = [("Oslo", "01", 3.0, "true", "2024-01-05", 20.5), ("Bergen", "02", 5.0, "false", "2024-02-05", 31.25),
        ("Oslo", "02", 4.0, "true", "2024-03-05", 24.5), ("Molde", "01", 9.0, "false", "2024-04-05", 50.25),
        ("Molde", "x", 1.0, "true", "2024-05-05", 11.5)]  # fmt: skip
HEAD = "town,fuel,age,new,sold,price"


def text(rows, head=HEAD, separator=","):
    return "\n".join([head.replace(",", separator), *(separator.join(map(str, r)) for r in rows)]) + "\n"


@pytest.fixture
def saved(tmp_path):
    """Train on a table, save, load."""

    def train(target="price", *, table=None, **options):
        path = tmp_path / "train.csv"
        path.write_text(table or text(ROWS * 4))
        cars = data.table(path, target, **options)
        net = nn.Sequential(nn.Linear(cars.n_features, 4), nn.ReLU(), nn.Linear(4, cars.n_classes or 1))
        run = sp.train(net, cars, epochs=3, batch_size=4, progress=False, backend="numpy")
        return sp.load(run.save(tmp_path / "cars.safetensors")), cars

    return train


@pytest.fixture
def new(tmp_path):
    def write(content, name="new.csv"):
        (tmp_path / name).write_text(content)
        return tmp_path / name

    return write


def test_the_rows_of_a_table_are_predicted_as_in_training(saved, new, tmp_path):
    model, cars = saved()
    assert (model.predict_table(tmp_path / "train.csv") == model.predict(cars.x)).all()


def test_a_single_row_without_target_in_another_order_means_the_same(saved, new):
    model, cars = saved()
    head, rows = "sold,age,town,extra,new,fuel", [(r[4], r[2], r[0], "?", r[3], r[1]) for r in ROWS]
    for i, row in enumerate(rows):
        found = model.predict_table(new(text([row], head)))
        np.testing.assert_allclose(found, model.predict(cars.x[i : i + 1]), rtol=1e-6)
    np.testing.assert_array_equal(model.read_table(new(text(rows, head, ";"))), cars.x[: len(ROWS)])


def test_json_and_csv_are_read_alike(saved, new):
    model, cars = saved()
    rows = (
        f'{{"town": "{a}", "fuel": "{b}", "age": {c:g}, "new": {d}, "sold": "{e}"}}'
        for a, b, c, d, e, _ in ROWS
    )
    np.testing.assert_array_equal(model.read_table(new("\n".join(rows), "new.jsonl")), cars.x[: len(ROWS)])


def test_classes_are_predicted_by_name(saved, new):
    model, _ = saved("town")
    assert set(model.predict_table(new(text(ROWS)))) <= {"Oslo", "Bergen", "Molde"}


def test_a_gap_is_filled_where_training_filled_gaps_and_refused_elsewhere(saved, new):
    gap = text([("Oslo", "01", "", "true", "2024-01-05", 20.5)])
    model, _ = saved()
    with pytest.raises(
        InputError, match=r"column 'age', row 1 \(line 2\), is missing; a model trained with --missing mean"
    ):
        model.predict_table(new(gap))
    model, _ = saved(table=text([*ROWS * 4, ("Oslo", "", "", "true", "2024-01-05", 20.5)]), missing="mean")
    assert np.isfinite(model.predict_table(new(gap))).all()
    with pytest.raises(
        InputError, match=r"column 'town', row 1 .*, is missing; the model knows 'Bergen', 'Molde'"
    ):
        model.predict_table(new(text([("", "01", 1, "true", "2024-01-05", 1)])))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            ("Paris", "01", 3, "true", "2024-01-05"),
            r"'town', row 2 \(line 3\), is 'Paris'; the model knows 'Bergen'",
        ),
        (
            ("Oslo", "01", "old", "true", "2024-01-05"),
            r"'age', row 2 \(line 3\), is 'old'; it must be a number",
        ),
        (("Oslo", "01", "2024-01-05", "true", "2024-01-05"), r"'age', row 2 .*; it must be a number"),
        (("Oslo", "01", "inf", "true", "2024-01-05"), r"'age', row 2 \(line 3\), is infinite"),
        (
            ("Oslo", "01", 3, "yes", "2024-01-05"),
            r"'new', row 2 \(line 3\), is 'yes'; it must be true or false",
        ),
        (
            ("Oslo", "01", 3, "true", "soon"),
            r"'sold', row 2 \(line 3\), is 'soon'; it must be a date or time",
        ),
    ],
)
def test_what_the_model_cannot_read_is_told_with_row_and_column(saved, new, row, sentence):
    model, _ = saved()
    with pytest.raises(InputError, match=sentence):
        model.predict_table(new(text([ROWS[0][:5], row], "town,fuel,age,new,sold")))


def test_a_missing_column_is_named_with_the_closest(saved, new):
    model, _ = saved()
    with pytest.raises(InputError, match="no column 'age', which the model needs; did you mean 'aged'"):
        model.predict_table(new(text(ROWS, HEAD.replace("age", "aged"))))


def test_a_model_without_a_table_knows_no_columns(saved, new):
    net = nn.Sequential(nn.Linear(4, 3))
    model = sp.train(net, data.iris(), epochs=0, progress=False).model
    with pytest.raises(InputError, match="was not trained on a table"):
        model.predict_table(new(text(ROWS)))
    table_model, _ = saved()
    with pytest.raises(InputError, match="needs numbers; for the rows of a table use predict_table"):
        table_model.predict([["Oslo", "01"]])


def test_a_damaged_description_of_the_columns_is_refused(saved, tmp_path):
    saved()
    file = tmp_path / "cars.safetensors"
    content = file.read_bytes()
    assert content.count(b'\\"fields\\"') == 1
    file.write_bytes(content.replace(b'\\"fields\\"', b'\\"feilds\\"'))
    with pytest.raises(InputError, match="its description of the table's columns cannot be read"):
        sp.load(file)


def test_dates_of_parquet_and_csv_are_the_same(saved, tmp_path):
    import duckdb

    model, cars = saved()
    source, copy = tmp_path / "train.csv", tmp_path / "new.parquet"
    types = "types={'fuel': 'VARCHAR', 'sold': 'TIMESTAMP', 'new': 'BOOLEAN'}"
    duckdb.execute(f"COPY (SELECT * EXCLUDE price FROM read_csv('{source}', {types})) TO '{copy}'")
    np.testing.assert_array_equal(model.read_table(copy), cars.x)
