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

from typing import TYPE_CHECKING

from spusk.init import where
from spusk.lazy import lazy

if TYPE_CHECKING:
    from spusk.init.assign import Init as Init
    from spusk.init.assign import fitted as fitted
    from spusk.init.assign import initialise as initialise
    from spusk.init.catalogue import CATALOGUE as CATALOGUE
    from spusk.init.catalogue import get as get
    from spusk.init.constant import Constant as Constant
    from spusk.init.constant import Ones as Ones
    from spusk.init.constant import Zeros as Zeros
    from spusk.init.he import HeNormal as HeNormal
    from spusk.init.he import HeUniform as HeUniform
    from spusk.init.identity import Identity as Identity
    from spusk.init.initialiser import Initialiser as Initialiser
    from spusk.init.lecun import LeCunNormal as LeCunNormal
    from spusk.init.lecun import LeCunUniform as LeCunUniform
    from spusk.init.lsuv import LSUV as LSUV
    from spusk.init.normal import Normal as Normal
    from spusk.init.normal import TruncatedNormal as TruncatedNormal
    from spusk.init.orthogonal import Orthogonal as Orthogonal
    from spusk.init.torch_default import TorchDefault as TorchDefault
    from spusk.init.uniform import Uniform as Uniform
    from spusk.init.variance_scaling import VarianceScaling as VarianceScaling
    from spusk.init.xavier import XavierNormal as XavierNormal
    from spusk.init.xavier import XavierUniform as XavierUniform
else:
    __all__, __getattr__, __dir__ = lazy(__name__, {**where.INITIALISERS, **where.PARTS})
