"""Operations become kernels.

An operation joins a loop nest over the same elements that already holds one of its inputs, if that nest
runs after everything else the operation needs. Operations on nothing but leaves and earlier results float:
they are placed with the first operation that uses them. Values that no other kernel reads never touch
memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from spusk.compile.flow import Flow, Op
from spusk.compile.kernels import (
    ArgMaxKernel,
    CheckKernel,
    Complaint,
    Compute,
    DotKernel,
    Gather,
    Kernel,
    Literal,
    Load,
    LoopKernel,
    Operand,
    RandomKernel,
    Reduce,
    ScatterKernel,
    Schedule,
    Store,
    Value,
)
from spusk.compile.views import MOVES, View, row_major, whole
from spusk.graph.elementwise import StopGradient
from spusk.graph.leaves import Constant
from spusk.graph.primitive import Shape
from spusk.graph.products import ScatterAdd, Take
from spusk.graph.shaping import ArgMax, Concatenate, Max, Pad, Sum

LEAVES = ("input", "constant", "iota")
LARGEST = 80  # operations in one loop's body: the optimiser's time grows faster than the body
DEEPEST = 4  # floating operations that depend on each other
TINY = 16  # elements: below, one loop nest more costs more than its work


def fuse(flow: Flow) -> Schedule:
    """The flow's operations as kernels in an order in which they can run."""
    fuser = _Fuser(flow)
    for number in _small_first(flow):
        fuser.place(number, flow.ops[number])
    return fuser.finished()


def _small_first(flow: Flow) -> list[int]:
    """The operations in an order in which they can run, those first that need only a few numbers.

    A hyperparameter is then known before any large loop begins, which need not end to wait for it.
    """
    small: set[int] = set()
    for number, op in enumerate(flow.ops):
        if math.prod(op.shape) <= TINY and small.issuperset(op.inputs):
            small.add(number)
    return [*sorted(small), *(number for number in range(len(flow.ops)) if number not in small)]


@dataclass
class _Draft:
    """A loop kernel in the making."""

    space: Shape
    body: list[Compute] = field(default_factory=list[Compute])
    stores: list[Store] = field(default_factory=list[Store])
    reductions: list[Reduce] = field(default_factory=list[Reduce])

    @property
    def full(self) -> bool:
        return len(self.body) + len(self.stores) + len(self.reductions) >= LARGEST

    def done(self) -> LoopKernel:
        return LoopKernel(self.space, tuple(self.body), tuple(self.stores), tuple(self.reductions))


class _Fuser:
    """The kernels so far, where each operation is computed, and how its value can be read."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.ops: list[Op] = list(flow.ops)
        self.kernels: list[_Draft | Kernel] = []
        self.latest: dict[Shape, int] = {}  # the last loop kernel over each space
        self.touched: dict[tuple[Shape, int], int] = {}  # the last kernel over a space that holds a value
        self.floating: dict[int, int] = {}  # operations not yet placed, and the first kernel they could be in
        self.depth: dict[int, int] = {}  # of a floating operation: how many float below it, itself included
        self.position: dict[int, int] = {}  # the kernel after which a value is known; -1: from the start
        self.views: dict[int, View] = {}
        self.computed: set[int] = set()  # values that live inside a kernel, until somebody needs their view
        self.complaints: list[Complaint] = []
        self.checked: dict[tuple[View, int, int], int] = {}

    # --- reading values ---------------------------------------------------------------------------

    def view(self, x: int) -> View:
        """How a value can be read by later kernels; one that lives inside a kernel is stored from now on."""
        if x in self.floating:
            op = self.ops[x]
            self._compute(x, self.loop(op.shape, self._bound(x), (x,)))
        if x in self.computed:
            self.computed.discard(x)
            self.views[x] = whole(x, self.ops[x])
            store = Store(Value(x), self.views[x], self.ops[x].dtype)
            self.draft(self.position[x]).stores.append(store)
        return self.views[x]

    def _literal(self, x: int) -> Literal | None:
        view = self.views.get(x)
        primitive = self.ops[x if view is None else view.buffer].primitive
        if not isinstance(primitive, Constant) or primitive.value.size != 1:
            return None
        return Literal(primitive.value.reshape(()).item(), self.ops[x].dtype)

    def operand(self, x: int, space: Shape, kernel: int) -> Operand:
        """The value of x inside a kernel over `space`."""
        literal = self._literal(x)
        if literal is not None:
            return literal
        if x in self.floating and self.ops[x].shape == space:
            self._compute(x, kernel)
        self.touched[space, x] = kernel
        if self._inside(x, space) and self.position[x] == kernel:
            return Value(x)
        return Load(self.view(x).broadcast(space))

    def _inside(self, x: int, space: Shape) -> bool:
        """Whether x is computed element by element over this space, so that the same kernel can use it."""
        op = self.ops[x]
        return op.shape == space and (op.primitive.elementwise or op.name == "take")

    def earliest(self, inputs: tuple[int, ...], space: Shape) -> int:
        """The first kernel in which something of these inputs over `space` can be computed."""
        bounds = [0]
        for x in inputs:
            inside = self._inside(x, space)
            if x in self.floating and not inside:
                self.view(x)
            bounds.append(self._bound(x) if x in self.floating else self.position[x] + (not inside))
        return max(bounds)

    def _bound(self, x: int) -> int:
        """The first kernel that a floating operation can be in now: what it needs may have been placed."""
        return max(self.floating[x], self.earliest(self.ops[x].inputs, self.ops[x].shape))

    # --- making kernels ---------------------------------------------------------------------------

    def loop(self, space: Shape, earliest: int, inputs: tuple[int, ...]) -> int:
        """A loop kernel over `space` that runs no sooner than `earliest`.

        It is the last one that holds one of the inputs (or of what floats with them), or a new one. Tiny
        spaces share kernels anyway.
        """
        found = [self.touched.get((space, x), -1) for x in self._with_floating(inputs, space)]
        if math.prod(space) <= TINY:
            found.append(self.latest.get(space, -1))
        usable = [k for k in found if k >= earliest and not self.draft(k).full]
        if usable:
            return max(usable)
        self.latest[space] = self.add(_Draft(space))
        return self.latest[space]

    def _with_floating(self, inputs: tuple[int, ...], space: Shape) -> list[int]:
        found, waiting = list[int](), list(inputs)
        while waiting:
            x = waiting.pop()
            found.append(x)
            if x in self.floating and self.ops[x].shape == space:
                waiting += self.ops[x].inputs
        return found

    def add(self, kernel: _Draft | Kernel) -> int:
        self.kernels.append(kernel)
        return len(self.kernels) - 1

    def draft(self, kernel: int) -> _Draft:
        draft = self.kernels[kernel]
        assert isinstance(draft, _Draft)
        return draft

    def alone(self, number: int, kernel: Kernel) -> None:
        """A kernel that is no loop nest; its result has a buffer of its own."""
        self.views[number] = whole(number, self.ops[number])
        self.position[number] = self.add(kernel)

    # --- one operation ----------------------------------------------------------------------------

    def place(self, number: int, op: Op) -> None:
        """Put one operation into a kernel."""
        if op.name in LEAVES:
            self.views[number] = whole(number, op)
            self.position[number] = -1
        elif op.primitive.elementwise:
            self._elementwise(number, op)
        elif op.name in MOVES:
            self._move(number, op)
        else:
            getattr(self, f"_{op.name}")(number, op)

    def _elementwise(self, number: int, op: Op) -> None:
        earliest = max(self.earliest(op.inputs, op.shape), self._check_exponent(op) + 1)
        same = [x for x in op.inputs if self.ops[x].shape == op.shape]
        depth = 1 + max([self.depth[x] for x in same if x in self.floating], default=0)
        if depth > DEEPEST or any(x in self.computed for x in same):
            self._compute(number, self.loop(op.shape, earliest, op.inputs))
        else:
            self.floating[number], self.depth[number] = earliest, depth

    def _compute(self, number: int, kernel: int) -> None:
        op = self.ops[number]
        self.floating.pop(number, None)
        self._computed(number, kernel, tuple([self.operand(x, op.shape, kernel) for x in op.inputs]))

    def _computed(self, number: int, kernel: int, operands: tuple[Operand, ...]) -> None:
        draft = self.draft(kernel)
        draft.body.append(Compute(number, operands))
        self.touched[draft.space, number] = kernel
        self.position[number] = kernel
        self.computed.add(number)

    def _move(self, number: int, op: Op) -> None:
        (x,) = op.inputs
        if x not in self.floating and self._literal(x) is not None:
            self.views[number] = View(self.views[x].buffer, op.shape, (0,) * len(op.shape))
            self.position[number] = self.position[x]
            return
        moved = self.view(x).moved(op.primitive, op.shape)
        if moved is None:
            shape = self.ops[x].shape
            kernel = self.loop(shape, self.earliest(op.inputs, shape), op.inputs)
            into = View(number, shape, row_major(shape))
            self.draft(kernel).stores.append(Store(self.operand(x, shape, kernel), into, op.dtype))
            self.views[number], self.position[number] = whole(number, op), kernel
        else:
            self.views[number], self.position[number] = moved, self.position[x]

    def _sum(self, number: int, op: Op) -> None:
        assert isinstance(op.primitive, Sum | Max)
        (x,), axes = op.inputs, op.primitive.axes
        space = self.ops[x].shape
        kernel = self.loop(space, self.earliest(op.inputs, space), op.inputs)
        strides = iter(row_major(op.shape))
        view = View(number, space, tuple(0 if a in axes else next(strides) for a in range(len(space))))
        value = self.operand(x, space, kernel)
        self.draft(kernel).reductions.append(Reduce(number, op.name, value, axes, view, op.dtype))
        self.views[number], self.position[number] = whole(number, op), kernel

    _max = _sum

    def _take(self, number: int, op: Op) -> None:
        assert isinstance(op.primitive, Take)
        x, indices = op.inputs
        axis, source, index = op.primitive.axis, self.view(x), self.view(indices)
        length, rank = source.shape[axis], len(index.shape)
        after = len(source.shape) - axis - 1
        strides = (*source.strides[:axis], *(0,) * rank, *source.strides[axis + 1 :])
        spread = View(index.buffer, op.shape, (*(0,) * axis, *index.strides, *(0,) * after), index.offset)
        values = View(source.buffer, op.shape, strides, source.offset)
        earliest = max(self.position[x], self.position[indices], self._check(index, length, op, op.size)) + 1
        kernel = self.loop(op.shape, earliest, ())
        self._computed(number, kernel, (Gather(values, spread, source.strides[axis], length),))

    def _check(self, index: View, length: int, op: Op, used: int) -> int:
        """The kernel that ends the run if an index does not lie on its axis, before others trust it.

        `used` is how many elements are read or written by the indices; without any, nobody minds.
        """
        if not used:
            return -1
        sentence = f"{op.name} got an index outside of an axis of length {length}"
        return self._within(index, -length, length, Complaint(sentence, op.origin))

    def _check_exponent(self, op: Op) -> int:
        """The same for whole powers of whole numbers, which have no negative exponents."""
        if op.name != "pow" or op.dtype.kind != "i" or not op.size:
            return -1
        literal = self._literal(op.inputs[1]) if op.inputs[1] not in self.floating else None
        if literal is not None and literal.value >= 0:
            return -1
        complaint = Complaint("pow got a negative exponent for whole numbers; use floats", op.origin)
        return self._within(self.view(op.inputs[1]), 0, 2**63, complaint)

    def _within(self, view: View, low: int, high: int, complaint: Complaint) -> int:
        if math.prod(view.shape) == 0:
            return -1
        if (view, low, high) not in self.checked:
            self.complaints.append(complaint)
            check = CheckKernel(view, low, high, len(self.complaints) - 1)
            self.checked[view, low, high] = self.add(check)
        return self.checked[view, low, high]

    def _scatter_add(self, number: int, op: Op) -> None:
        assert isinstance(op.primitive, ScatterAdd)
        x, indices, updates = op.inputs
        axis, index, shape = op.primitive.axis, self.view(indices), self.ops[updates].shape
        rank, after = len(index.shape), len(op.shape) - axis - 1
        self._check(index, op.shape[axis], op, self.ops[updates].size)
        into = self.loop(op.shape, self.earliest((x,), op.shape), (x,))
        own = whole(number, op)
        self.draft(into).stores.append(Store(self.operand(x, op.shape, into), own, op.dtype))
        spread = View(index.buffer, shape, (*(0,) * axis, *index.strides, *(0,) * after), index.offset)
        out = View(number, shape, (*own.strides[:axis], *(0,) * rank, *own.strides[axis + 1 :]))
        source = self.view(updates)
        kernel = ScatterKernel(number, source, spread, out, own.strides[axis], op.shape[axis], op.dtype)
        self.alone(number, kernel)

    def _dot(self, number: int, op: Op) -> None:
        a, b = (self.view(x) for x in op.inputs)
        self.alone(number, DotKernel(number, a, b, whole(number, op), op.dtype))

    def copied(self, x: int) -> int:
        """A new operation with the value of x and a buffer of its own."""
        op = self.ops[x]
        number = len(self.ops)
        self.ops.append(Op(StopGradient(), (x,), op.shape, op.dtype, op.origin))
        kernel = self.loop(op.shape, self.earliest((x,), op.shape), (x,))
        self._computed(number, kernel, (self.operand(x, op.shape, kernel),))
        self.view(number)
        return number

    def _pad(self, number: int, op: Op) -> None:
        assert isinstance(op.primitive, Pad)
        (x,), pad, own = op.inputs, op.primitive, whole(number, op)
        zero = False if op.dtype.kind == "b" else 0.0 if op.dtype.kind == "f" else 0
        self.add(_Draft(op.shape, stores=[Store(Literal(zero, op.dtype), own, op.dtype)]))
        shape = self.ops[x].shape
        strides = tuple(s * (between + 1) for s, between in zip(own.strides, pad.interior, strict=True))
        offset = sum(low * s for low, s in zip(pad.low, own.strides, strict=True))
        kernel = self.add(_Draft(shape))
        value = self.operand(x, shape, kernel)
        self.draft(kernel).stores.append(Store(value, View(number, shape, strides, offset), op.dtype))
        self.views[number], self.position[number] = own, kernel

    def _concatenate(self, number: int, op: Op) -> None:
        assert isinstance(op.primitive, Concatenate)
        axis, own, start, last = op.primitive.axis, whole(number, op), 0, 0
        for x in op.inputs:
            shape = self.ops[x].shape
            kernel = self.loop(shape, self.earliest((x,), shape), (x,))
            part = View(number, shape, own.strides, start * own.strides[axis])
            self.draft(kernel).stores.append(Store(self.operand(x, shape, kernel), part, op.dtype))
            start, last = start + shape[axis], max(last, kernel)
        self.views[number], self.position[number] = own, last

    def _argmax(self, number: int, op: Op) -> None:
        assert isinstance(op.primitive, ArgMax)
        x = self.view(op.inputs[0])
        self.alone(number, ArgMaxKernel(number, x, op.primitive.axis, whole(number, op)))

    def _random_bits(self, number: int, op: Op) -> None:
        key, counter = (self.view(x) for x in op.inputs)
        self.alone(number, RandomKernel(number, key, counter, whole(number, op)))

    # --- the end ----------------------------------------------------------------------------------

    def finished(self) -> Schedule:
        """Give every output a buffer of its own, then decide where carried outputs are computed."""
        outputs: dict[str, int] = {}
        taken: set[int] = set()
        for name, number in self.flow.outputs.items():
            kept = self.flow.carry.get(name)
            if kept is not None and self.flow.inputs[kept] == number:
                outputs[name] = number  # carried unchanged
                continue
            is_own = self.ops[number].name not in LEAVES and number not in taken
            is_own = is_own and self.view(number).buffer == number
            outputs[name] = number if is_own else self.copied(number)
            taken.add(outputs[name])
        flow = Flow(tuple(self.ops), self.flow.inputs, outputs, self.flow.carry, self.flow.lent)
        kernels = tuple(k.done() if isinstance(k, _Draft) else k for k in self.kernels)
        return Schedule(flow, kernels, complaints=tuple(self.complaints))
