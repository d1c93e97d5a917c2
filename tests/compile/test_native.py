"""Native programs: threads, lanes, Ctrl-C, errors, memory, other users of the process."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk import data, init, nn, optim
from spusk.compile import Program
from spusk.compile.blas import one_blas_thread
from spusk.compile.lanes import lanes
from spusk.errors import InputError
from spusk.init import initialise
from spusk.train.programs import Programs


def halving(dtype: str = "float64", **options) -> Program:
    x = sp.input("x", (), dtype)
    return Program({"x": x / 2, "seen": x}, {"x": x}, carry={"x": "x"}, **options)


def training(layers=(64, 32, 10), batch=32, dtype="float32", rows=600, backend="native"):
    """A training step, its first values, and batches for 40 steps."""
    rng = np.random.default_rng(0)
    hidden = [part for n, m in pairwise(layers[:-1]) for part in (nn.Linear(n, m), nn.ReLU())]
    net = nn.Sequential(*hidden, nn.Linear(*layers[-2:]))
    x, y = rng.normal(size=(rows, layers[0])).astype(dtype), rng.integers(0, layers[-1], rows)
    split = data.arrays(x, y).split(0.2, 0, np.dtype(dtype))
    weights = initialise(net.parameters(), init.HeNormal(), seed=0, dtype=np.dtype(dtype))
    rule = optim.Adam(lr=0.01)
    step = Programs(net, nn.losses.cross_entropy, backend).step(weights, split, rule, batch)
    values = step.first_values(weights, rule)
    values |= {"x": split.train_x, "y": split.train_y, "key": np.array([1, 2], "uint32")}
    order = rng.integers(0, len(split.train_x), (40, batch))
    return step.program, values, order


def bits(loop) -> bytes:
    return b"".join(
        np.ascontiguousarray(v).tobytes() for v in (*loop.values.values(), *loop.collected.values())
    )


def test_a_loop_runs_natively_step_after_step():
    loop = halving().run({"x": 8.0}, steps=3)
    assert loop.collected["seen"].tolist() == [8, 4, 2]
    assert float(loop.values["x"]) == 1
    assert (loop.steps, loop.status) == (3, "finished")


def test_no_steps_leave_everything_as_it_was():
    loop = halving().run({"x": 8.0}, steps=0)
    assert float(loop.values["x"]) == 8
    assert loop.collected["seen"].shape == (0,)


def test_the_loop_ends_at_the_step_whose_watched_value_is_not_finite():
    x = sp.input("x", (), "float32")
    growing = Program({"x": x * 1e10, "seen": x + 0}, {"x": x}, carry={"x": "x"})
    for watch in ("seen", "x"):
        loop = growing.run({"x": 1.0}, steps=50, watch=watch)
        interpreted = Program(growing.outputs, growing.inputs, growing.carry, backend="numpy")
        reference = interpreted.run({"x": 1.0}, steps=50, watch=watch)
        assert (loop.status, loop.steps) == ("diverged", reference.steps)
        assert loop.collected["seen"].tolist() == reference.collected["seen"].tolist()


def test_carried_values_can_change_places():
    a, b = sp.input("a", (3,)), sp.input("b", (3,))
    program = Program({"a": b, "b": a}, {"a": a, "b": b}, carry={"a": "a", "b": "b"})
    loop = program.run({"a": np.zeros(3), "b": np.ones(3)}, steps=3)
    assert loop.values["a"].tolist() == [1, 1, 1]
    assert loop.values["b"].tolist() == [0, 0, 0]


def test_the_callers_arrays_are_never_written():
    program, values, order = training()
    before = {name: np.array(v) for name, v in values.items()}
    program.run(values, steps=5, each={"rows": order})
    for name, array in before.items():
        np.testing.assert_array_equal(values[name], array)


def test_inputs_and_outputs_may_share_names():
    a, b = sp.input("a", (2,)), sp.input("b", (2,))
    found = Program({"a": a + b, "b": a * b}, {"a": a, "b": b})({"a": [1, 2], "b": [3, 4]})
    assert found["a"].tolist() == [4, 6]
    assert found["b"].tolist() == [3, 8]


def test_an_index_outside_of_its_axis_is_an_error_and_touches_nothing():
    x, i = sp.input("x", (3,), "float64"), sp.input("i", (2,), "int64")
    program = Program({"y": snp.take(x, i)}, {"x": x, "i": i})
    assert program({"x": [1, 2, 3], "i": [-3, 2]})["y"].tolist() == [1, 3]
    with pytest.raises(
        InputError, match=r"take got an index outside of an axis of length 3 \(test_native.py:"
    ):
        program({"x": [1, 2, 3], "i": [0, 3]})


def test_whole_numbers_have_no_negative_powers():
    x, y = sp.input("x", (2,), "int64"), sp.input("y", (2,), "int64")
    program = Program({"z": x**y}, {"x": x, "y": y})
    assert program({"x": [2, -3], "y": [5, 3]})["z"].tolist() == [32, -27]
    with pytest.raises(InputError, match=r"negative exponent for whole numbers; use floats \(test_native"):
        program({"x": [2, 3], "y": [5, -1]})


# --- the same bits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("size", ["in tiles", "by BLAS"])
def test_lanes_give_the_bits_of_a_training_alone(count, size):
    program, values, order = training() if size == "in tiles" else training((900, 300, 10), batch=300)
    assert program.native.uses_blas == (size == "by BLAS")
    rates = [10.0**-k for k in range(1, 6)]

    def run(lr: float):
        return lr, bits(program.run({**values, "hyper/lr": lr}, steps=40, each={"rows": order}))

    alone = {lr: run(lr)[1] for lr in rates}
    assert dict(lanes(run, rates, count)) == alone
    assert len(set(alone.values())) == len(rates)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_inside_a_training_give_the_same_bits(dtype):
    program, values, order = training((200, 256, 10), batch=64, dtype=dtype)
    assert any(call.split for call in program.native.stages.modules.calls)
    found = {bits(program.run(values, steps=40, each={"rows": order}, threads=n)) for n in (1, 2, 3, 5)}
    assert len(found) == 1


def test_large_loops_are_split_and_reduced_alike():
    x = sp.input("x", (300, 400), "float64")
    outputs = {"a": snp.tanh(x), "b": x.sum(axis=1), "c": x.sum(axis=0), "d": snp.max(x), "e": x.T + 1}
    array = np.random.default_rng(0).normal(size=x.shape)
    native, reference = Program(outputs, {"x": x}), Program(outputs, {"x": x}, backend="numpy")
    expected = reference({"x": array})
    for threads in (1, 2, 3, 301):
        loop = native.run({"x": array}, steps=1, threads=threads)
        for name, value in expected.items():
            np.testing.assert_allclose(loop.collected[name][0], value, rtol=1e-12, atol=1e-12)


def test_the_number_of_threads_must_be_positive():
    with pytest.raises(InputError, match="threads is 0"):
        halving().run({"x": 1.0}, steps=1, threads=0)


def test_several_python_threads_may_run_one_program():
    program, values, order = training()
    expected = bits(program.run(values, steps=40, each={"rows": order}))
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(program.run, values, steps=40, each={"rows": order}) for _ in range(12)]
    assert {bits(f.result()) for f in futures} == {expected}


def test_several_python_threads_may_compile_at_once():
    def compiled(n: int) -> float:
        x = sp.input("x", (n,), "float64")
        return float(Program({"y": (x * n).sum()}, {"x": x})({"x": np.ones(n)})["y"])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(compiled, range(1, 13))) == [n * n for n in range(1, 13)]


# --- Ctrl-C -------------------------------------------------------------------------------------------


def test_ctrl_c_ends_a_native_loop_within_a_second_and_keeps_its_steps():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.perf_counter()
    x = sp.input("x", (), "float64")
    program = Program({"x": x + 1}, {"x": x}, carry={"x": "x"})
    loop = program.run({"x": 0.0}, steps=10**10)
    assert time.perf_counter() - began < 5  # a busy machine; half a second on an idle one
    assert loop.status == "interrupted"
    assert float(loop.values["x"]) == loop.steps > 1000


def test_a_run_that_diverges_at_once_does_not_make_the_next_slice_long():
    """The slice of 10⁹ steps ended in the first one: a step still takes as long as it took."""
    x, w = sp.input("x", (), "float64"), sp.input("w", (200, 200), "float64")
    out = {"x": x * 2, "w": snp.sin(w), "loss": x}
    program = Program(out, {"x": x, "w": w}, carry={"x": "x", "w": "w"})
    start = {"x": 1.0, "w": np.ones((200, 200))}
    assert program.run(start, steps=300, watch="loss").status == "finished"
    usual = program.native.seconds
    for _ in range(3):
        program.native.seconds = usual
        assert program.run({**start, "x": np.inf}, steps=1000, watch="loss").steps == 1
        assert program.native.seconds > usual / 10


def test_lanes_stop_when_nobody_asks_for_more():
    x = sp.input("x", (), "float64")
    program = Program({"x": x + 1}, {"x": x}, carry={"x": "x"})
    running = lanes(lambda n: program.run({"x": 0.0}, steps=10 if n < 3 else 10**10), range(6), 2)
    assert [next(running).steps for _ in range(3)] == [10, 10, 10]
    began = time.perf_counter()
    running.close()
    assert time.perf_counter() - began < 5
    assert not [t for t in threading.enumerate() if t.name.startswith("spusk-lane")]


def test_an_error_in_a_lane_is_the_callers():
    with pytest.raises(ZeroDivisionError):
        list(lanes(lambda n: 1 // n, [1, 0, 1], 2))


# --- memory and other users of the process ------------------------------------------------------------


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux
def test_memory_stays_constant_over_ten_million_steps():
    x = sp.input("x", (8,), "float64")
    program = Program({"x": snp.cos(x)}, {"x": x}, carry={"x": "x"})
    program.run({"x": np.ones(8)}, steps=1000)
    before = resident()
    loop = program.run({"x": np.ones(8)}, steps=10_000_000)
    assert loop.steps == 10_000_000
    assert resident() - before < 2**20


@linux
def test_dropped_programs_give_their_memory_back():
    def compiled(n: int) -> None:
        x = sp.input("x", (2,), "float64")
        assert Program({"y": x * n}, {"x": x})({"x": [1, 2]})["y"].tolist() == [n, 2 * n]

    def grown(numbers) -> int:
        for n in numbers:
            compiled(n)
        gc.collect()
        return resident()

    first = grown(range(100, 300))  # pools and caches fill up
    assert grown(range(300, 500)) - first < 8 * 2**20


@pytest.mark.fuzz
@linux
def test_a_thousand_dropped_programs_give_their_memory_back():
    def compiled(n: int) -> None:
        x = sp.input("x", (2,), "float64")
        Program({"y": snp.sin(x * n).sum()}, {"x": x})({"x": [1, 2]})

    for n in range(200):
        compiled(n)
    before = resident()
    for n in range(200, 1200):
        compiled(n)
    gc.collect()
    assert resident() - before < 16 * 2**20


def _child(queue) -> None:
    program, values, order = training((200, 256, 10), batch=64)
    queue.put(bits(program.run(values, steps=40, each={"rows": order}, threads=2)))


@linux
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_native_code_works_in_a_forked_child():
    program, values, order = training((200, 256, 10), batch=64)
    expected = bits(program.run(values, steps=40, each={"rows": order}, threads=2))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    assert queue.get(timeout=120) == expected
    child.join(timeout=30)
    assert child.exitcode == 0


def test_blas_has_one_thread_whichever_thread_asks():
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads():
        return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}

    def inside(_: int):
        with one_blas_thread():
            return threads()

    with threadpool_limits(limits=2, user_api="blas"):
        inside(0)  # from now on, this thread is the one that threadpoolctl listens to
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(inside, range(6))) == [{1}] * 6
        assert threads() == {2}
    with threadpool_limits(limits=1, user_api="blas"):
        assert threads() == {1}


def test_a_process_keeps_its_own_blas_threads():
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads():
        return sorted(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")

    x = sp.input("x", (900, 900), "float64")
    product = Program({"y": x @ x}, {"x": x})
    a = np.random.default_rng(0).normal(size=(900, 900))
    expected = product({"x": a})["y"]  # loads SciPy's BLAS
    assert "sgemm" in product.explain(ir=False) or "dgemm" in product.explain(ir=False)
    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        with ThreadPoolExecutor(3) as pool:
            ours = [pool.submit(product, {"x": a}) for _ in range(6)]
            theirs = [pool.submit(np.matmul, a, a) for _ in range(6)]
        assert {f.result()["y"].tobytes() for f in ours} == {expected.tobytes()}
        for f in theirs:
            np.testing.assert_allclose(f.result(), expected, rtol=1e-9, atol=1e-9)
        assert threads() == before


@pytest.mark.peers
def test_it_works_in_a_process_that_has_imported_torch(peer):
    peer("torch")
    script = (
        "import torch, numpy as np, spusk as sp; torch.ones(600, 600) @ torch.ones(600, 600);"
        "x = sp.input('x', (600, 600)); p = sp.compile.Program({'y': x @ x}, {'x': x});"
        "assert (p({'x': np.ones((600, 600))})['y'] == 600).all();"
        "torch.ones(600, 600) @ torch.ones(600, 600); print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "fine\n", done.stderr


# --- found by review ----------------------------------------------------------------------------------


def test_an_index_that_is_counted_is_checked_too():
    x = sp.input("x", (3,), "float64")
    with pytest.raises(InputError, match="take got an index outside of an axis of length 3"):
        Program({"y": snp.take(x, snp.arange(6))}, {"x": x})({"x": [1, 2, 3]})


def test_two_carried_pads_keep_their_contents():
    a, b = sp.input("a", (6,), "float64"), sp.input("b", (6,), "float64")
    outputs = {"a": snp.pad(a[1:], [(1, 0)]), "b": snp.pad(b[1:], [(1, 0)])}
    values = {"a": np.arange(1.0, 7), "b": np.arange(7.0, 13)}
    loop = Program(outputs, {"a": a, "b": b}, {"a": "a", "b": "b"}).run(values, steps=1)
    assert loop.values["a"].tolist() == [0, 2, 3, 4, 5, 6]
    assert loop.values["b"].tolist() == [0, 8, 9, 10, 11, 12]


def test_whole_numbers_are_always_finite():
    n = sp.input("n", (), "int64")
    loop = Program({"n": n - 1, "seen": n + 0}, {"n": n}, {"n": "n"}).run({"n": 2}, steps=5, watch="seen")
    assert (loop.status, loop.steps) == ("finished", 5)


def test_a_stop_iteration_in_a_lane_is_the_callers():
    with pytest.raises((StopIteration, RuntimeError)):
        list(lanes(lambda n: next(iter(())), [1], 1))


# --- found by review ----------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_no_index_is_wrong_where_nothing_is_read(backend):
    x, n = sp.input("x", (0, 4), "float64"), sp.input("n", (), "int64")
    program = Program({"y": snp.take(x, n, axis=1)}, {"x": x, "n": n}, backend=backend)
    assert program({"x": np.zeros((0, 4)), "n": 9})["y"].shape == (0,)
    m = sp.input("m", (0,), "int64")
    power = Program({"y": m**n}, {"m": m, "n": n}, backend=backend)
    assert power({"m": np.zeros(0, int), "n": -1})["y"].shape == (0,)


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_a_loop_of_no_steps_has_the_values_that_it_was_given(backend):
    x, r = sp.input("x", (), "float64"), sp.input("r", (), "float64")
    program = Program({"x": x + r}, {"x": x, "r": r}, carry={"x": "x"}, backend=backend)
    loop = program.run({"x": 1.0}, steps=0, each={"r": np.zeros(0)})
    assert loop.values == {"x": 1.0}


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_results_are_the_callers_own(backend):
    w = sp.input("w", (2,), "float64")
    given = np.ones(2)
    program = Program({"r": snp.reshape(w, (1, 2)), "w": w}, {"w": w}, backend=backend)
    found = program({"w": given})
    found["r"][...], found["w"][...] = 7, 8
    assert given.tolist() == [1.0, 1.0]
