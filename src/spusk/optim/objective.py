"""What a rule descends on: the loss as a function of the parameters, inside the graph of the step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from spusk.errors import InputError
from spusk.graph import Tensor, backprop, ops
from spusk.graph.draws import draw_bits, draw_signs
from spusk.graph.leaves import Input

Parameters = Mapping[str, Tensor]


class Gradients(Mapping[str, Tensor]):
    """Gradients by parameter name, with the loss and perhaps the curvature of the point they belong to.

    Attributes:
        loss: the objective where the gradient was taken, a scalar.
        curvature: an estimate of the Hessian's diagonal by parameter name, each of its parameter's shape;
            None for rules of first order.
        watched: what must be finite for a training to go on, a scalar; the loss, unless a rule bears one
            that is not.
    """

    def __init__(
        self,
        gradients: Parameters,
        loss: Tensor,
        curvature: Parameters | None = None,
        watched: Tensor | None = None,
    ) -> None:
        self._gradients = dict(gradients)
        self.loss = loss
        self.curvature = None if curvature is None else dict(curvature)
        self.watched = loss if watched is None else watched

    def __getitem__(self, name: str) -> Tensor:
        return self._gradients[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._gradients)

    def __len__(self) -> int:
        return len(self._gradients)

    def replaced(self, gradients: Parameters) -> Gradients:
        """Other gradients with the same loss and curvature, e.g. clipped ones."""
        return Gradients(gradients, self.loss, self.curvature, self.watched)

    def with_curvature(self, curvature: Parameters) -> Gradients:
        """The same gradients with a curvature."""
        return Gradients(self._gradients, self.loss, curvature, self.watched)

    def with_loss(self, loss: Tensor) -> Gradients:
        """The same gradients with another loss to report."""
        watched = None if self.watched is self.loss else self.watched
        return Gradients(self._gradients, loss, self.curvature, watched)

    def watching(self, watched: Tensor) -> Gradients:
        """The same gradients of a training that goes on while `watched` is finite."""
        return Gradients(self._gradients, self.loss, self.curvature, watched)

    def part(self, names: Iterable[str]) -> Gradients:
        """Those of some parameters only."""
        names = list(names)
        curvature = (
            None if self.curvature is None else {n: self.curvature[n] for n in names if n in self.curvature}
        )
        return Gradients({n: self._gradients[n] for n in names}, self.loss, curvature, self.watched)


def replaced(old: Parameters, new: Parameters) -> Parameters:
    """New gradients in place of old ones, with whatever else these came with."""
    return old.replaced(new) if isinstance(old, Gradients) else new


def some(tensors: Parameters, names: Iterable[str]) -> Parameters:
    """Those of some parameters only; gradients come with whatever else they had."""
    return tensors.part(names) if isinstance(tensors, Gradients) else {name: tensors[name] for name in names}


def while_moving(moving: Parameters, name: str, change: Tensor) -> Tensor:
    """A parameter's change in a step, 0 where it is passed over; `moving` is what `moving_all` says."""
    return ops.where(moving[name], change, 0) if name in moving else change


def joined(parts: list[Gradients], loss: Tensor, names: list[str]) -> Gradients:
    """The gradients of all parts; the training goes on while every part bears what it has seen."""
    gradients: dict[str, Tensor] = {}
    curvature: dict[str, Tensor] = {}
    for part in parts:
        gradients |= dict(part)
        curvature |= part.curvature or {}
    whole = Gradients({name: gradients[name] for name in names}, loss, curvature or None)
    if all(part.watched is part.loss for part in parts):
        return whole
    watched = parts[0].watched
    for part in parts[1:]:
        watched = watched + part.watched
    return whole.watching(watched)


class Objective:
    """The loss of one step as a function of the parameters: a rule may ask for it at any points.

    All points see the same batch and the same dropout masks. What was computed at a point is computed once.

    Args:
        loss: from parameters by name to the scalar to minimise.
        t: the number of the step, a scalar.
        key: uint32 [2], from which random numbers are drawn; None if there are none to draw.

    >>> from spusk.graph import input, scalar
    >>> w = input("w", (2,), "float64")
    >>> f = Objective(lambda p: (p["w"] ** 3).sum(), scalar(1.0))
    >>> loss, gradients = f.loss_and_gradients({"w": w})
    >>> gradients["w"].numpy({w: [1.0, 2.0]})
    array([ 3., 12.])
    >>> f.hvp({"w": w}, {"w": w})["w"].numpy({w: [1.0, 2.0]})
    array([ 6., 24.])
    """

    def __init__(self, loss: Callable[[dict[str, Tensor]], Tensor], t: Tensor, key: Tensor | None = None):
        self._loss = loss
        self._t = t
        self._key = key
        self._known: dict[tuple[tuple[str, int], ...], tuple[dict[str, Tensor], Gradients]] = {}
        self._drawn = [False]  # shared with the views

    @property
    def draws(self) -> bool:
        """Whether random numbers were drawn."""
        return self._drawn[0]

    # --- other views of it ------------------------------------------------------------------------

    def shifted(self, by: Parameters) -> Objective:
        """The objective as seen from beside: its value at w is that of this one at w + by.

        Args:
            by: the displacement by name of the parameters that are displaced. It counts as a constant, even
                if it depends on the parameters.
        """
        fixed = {name: ops.stop_gradient(d) for name, d in by.items()}

        def loss(parameters: dict[str, Tensor]) -> Tensor:
            return self._loss({n: w + fixed[n] if n in fixed else w for n, w in parameters.items()})

        return self._view(loss)

    def part(self, names: Iterable[str], elsewhere: Parameters) -> Objective:
        """The objective as a function of some parameters, while all others stay where they are.

        Args:
            names: of the parameters that it is a function of.
            elsewhere: where every parameter is, by name. At that point, gradients are those of the whole
                objective, which are computed once for all parts.
        """
        mine = list(names)
        fixed = {name: w for name, w in elsewhere.items() if name not in mine}

        def loss(parameters: dict[str, Tensor]) -> Tensor:
            given = {**fixed, **parameters}
            return self._loss({name: given[name] for name in elsewhere})

        view = self._view(loss)
        variables, gradients = self._at(elsewhere)
        point = _signature({name: elsewhere[name] for name in mine})
        view._known[point] = ({name: variables[name] for name in mine}, gradients.part(mine))
        return view

    def _view(self, loss: Callable[[dict[str, Tensor]], Tensor]) -> Objective:
        view = Objective(loss, self._t, self._key)
        view._drawn = self._drawn
        return view

    # --- derivatives ------------------------------------------------------------------------------

    def loss(self, parameters: Parameters) -> Tensor:
        """The scalar to minimise, without derivatives."""
        return self._loss(dict(parameters))

    def loss_and_gradients(self, parameters: Parameters) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its gradients by parameter name."""
        found = self.gradients(parameters)
        return found.loss, dict(found)

    def gradients(self, parameters: Parameters) -> Gradients:
        """The gradients by parameter name, with the loss."""
        return self._at(parameters)[1]

    def hvp(self, parameters: Parameters, vectors: Parameters) -> dict[str, Tensor]:
        """The product of the Hessian, over all parameters together, with a vector.

        It differentiates the scalar ⟨∇L, v⟩; the cost is a few times that of the gradient. Pearlmutter,
        1994, "Fast exact multiplication by the Hessian".

        Args:
            parameters: the point.
            vectors: the parts of the vector by parameter name, each of its parameter's shape. They count as
                constants, even if they depend on the parameters.
        """
        variables, gradients = self._at(parameters)
        parts = [ops.sum(g * ops.stop_gradient(vectors[name])) for name, g in gradients.items()]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return dict(zip(variables, backprop(total, list(variables.values())), strict=True))

    def hessian_diagonal(
        self, parameters: Parameters, samples: int = 1, name: str = "curvature"
    ) -> dict[str, Tensor]:
        """Hutchinson's estimate of the Hessian's diagonal: the mean of z·(Hz) over vectors z of random signs.

        Its expectation is the diagonal, and it is exact, whatever the signs, where the Hessian is diagonal.
        Hutchinson, 1990, "A stochastic estimator of the trace of the influence matrix"; Bekas, Kokiopoulou,
        Saad, 2007, "An estimator for the diagonal of a matrix".

        Args:
            parameters: the point.
            samples: how many vectors, ≥ 1.
            name: of the random numbers; see `signs`.
        """
        if samples < 1:
            raise InputError(f"hessian_diagonal got samples={samples}; it needs 1 or more")
        total: dict[str, Tensor] = {}
        for i in range(samples):
            signs = self.signs(parameters, f"{name} {i}")
            found = self.hvp(parameters, signs)
            for key, product in found.items():
                estimate = signs[key] * product
                total[key] = total[key] + estimate if key in total else estimate
        return total if samples == 1 else {key: summed / samples for key, summed in total.items()}

    def _at(self, parameters: Parameters) -> tuple[dict[str, Tensor], Gradients]:
        """The variables at a point, and the gradients by them; computed once."""
        point = _signature(parameters)
        if point not in self._known:
            # One parameter's point may be a function of another parameter: it is not to be differentiated.
            plain = all(isinstance(w.primitive, Input) for w in parameters.values())
            variables = {name: w if plain else ops.alias(w) for name, w in parameters.items()}
            loss = self._loss(dict(variables))
            found = backprop(loss, list(variables.values()))
            self._known[point] = (variables, Gradients(dict(zip(variables, found, strict=True)), loss))
        return self._known[point]

    # --- random numbers ---------------------------------------------------------------------------

    def random_bits(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Uniform 32-bit words, uint32: others in every step and for every name, the same on every backend.

        They follow from the seed of the run, the number of the step and the name.
        """
        return draw_bits(self._drawn_from(), self._t, name, shape)

    def signs(self, parameters: Parameters, name: str = "signs") -> dict[str, Tensor]:
        """−1 or 1 at random for every element of every parameter, in its shape and dtype.

        Args:
            parameters: the Tensors to be like.
            name: tells apart the draws of one step.
        """
        key = self._drawn_from()
        return {
            path: draw_signs(key, self._t, f"{name}/{path}", w.shape, w.dtype)
            for path, w in parameters.items()
        }

    def _drawn_from(self) -> Tensor:
        if self._key is None:
            raise InputError("the rule draws random numbers, and this objective was given no key")
        self._drawn[0] = True
        return self._key


def _signature(parameters: Parameters) -> tuple[tuple[str, int], ...]:
    return tuple((name, w.serial) for name, w in parameters.items())
