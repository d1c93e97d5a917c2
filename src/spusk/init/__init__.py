"""Weight initialisers: what a network's parameters are before the first step.

Why it matters which: **zeros keep neurons identical.** Let a layer's neurons all start with the same
weights, zeros or any other constant. Then each computes the same output h from the same input x, and each
reaches the next layer through the same weight v, so backpropagation hands each the same gradient,
`∂L/∂w = (∂L/∂y · v · f′(w·x)) · x`. Equal weights minus equal steps are equal weights: after any number of
steps of any optimizer that treats weights alike, a hundred neurons are still one neuron, a hundred times.
With zeros it is worse: v = 0 makes that gradient 0, and for tanh or ReLU h = 0 makes v's gradient 0 as
well, so that only the last bias learns. Random weights break the symmetry; the laws here differ in how large
they draw them, so that signals and gradients neither fade nor blow up with depth. Biases may start at zero:
the weights have broken the symmetry.

`initialise(parameters, init, seed=...)` draws all of a network's parameters, choosing by name where asked
to. An initialiser is a frozen dataclass; convolution weights are (kh, kw, in, out).
"""

from spusk.init.assign import Init, fitted, initialise
from spusk.init.catalogue import CATALOGUE, get
from spusk.init.constant import Constant, Ones, Zeros
from spusk.init.he import HeNormal, HeUniform
from spusk.init.identity import Identity
from spusk.init.initialiser import Initialiser
from spusk.init.lecun import LeCunNormal, LeCunUniform
from spusk.init.lsuv import LSUV
from spusk.init.normal import Normal, TruncatedNormal
from spusk.init.orthogonal import Orthogonal
from spusk.init.torch_default import TorchDefault
from spusk.init.uniform import Uniform
from spusk.init.variance_scaling import VarianceScaling
from spusk.init.xavier import XavierNormal, XavierUniform

__all__ = [
    "CATALOGUE",
    "LSUV",
    "Constant",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Init",
    "Initialiser",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TorchDefault",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "fitted",
    "get",
    "initialise",
]
