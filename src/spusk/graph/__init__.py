"""The computational graph: nodes, primitives, backpropagation, the interpreter, gradient checks.

A `Tensor` is an immutable node. `backprop` turns a graph into the graph of its gradients. The interpreter
evaluates any graph with NumPy or another array namespace.
"""

from spusk.graph.tensor import Tensor, node  # isort: skip  (first: it completes the cycle with ops)
from spusk.graph.backprop import backprop
from spusk.graph.check import GradientCheck, check_gradient
from spusk.graph.interpret import Evaluator, evaluate
from spusk.graph.leaves import as_tensor, constant, input, iota, random_bits, scalar
from spusk.graph.ops import scatter_add, stop_gradient
from spusk.graph.place import Place
from spusk.graph.primitive import Elementwise, Primitive
from spusk.graph.printer import graph_text
from spusk.graph.transforms import grad, hvp, jacobian, value_and_grad
from spusk.graph.walk import topological

__all__ = [
    "Elementwise",
    "Evaluator",
    "GradientCheck",
    "Place",
    "Primitive",
    "Tensor",
    "as_tensor",
    "backprop",
    "check_gradient",
    "constant",
    "evaluate",
    "grad",
    "graph_text",
    "hvp",
    "input",
    "iota",
    "jacobian",
    "node",
    "random_bits",
    "scalar",
    "scatter_add",
    "stop_gradient",
    "topological",
    "value_and_grad",
]
