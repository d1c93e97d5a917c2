"""Where the names of `spusk.init` stand: for each, the module of the package.

These tables are the list of all initialisers, in the order in which they are shown; a new one gets a line
here, and one among the imports for type checkers in the package.
"""

INITIALISERS = {
    "Zeros": "constant",
    "Ones": "constant",
    "Constant": "constant",
    "Normal": "normal",
    "Uniform": "uniform",
    "TruncatedNormal": "normal",
    "Orthogonal": "orthogonal",
    "Identity": "identity",
    "LeCunUniform": "lecun",
    "LeCunNormal": "lecun",
    "XavierUniform": "xavier",
    "XavierNormal": "xavier",
    "HeNormal": "he",
    "HeUniform": "he",
    "VarianceScaling": "variance_scaling",
    "TorchDefault": "torch_default",
    "LSUV": "lsuv",
}
"""Every initialiser."""

PARTS = {
    "CATALOGUE": "catalogue",
    "get": "catalogue",
    "Init": "assign",
    "fitted": "assign",
    "initialise": "assign",
    "Initialiser": "initialiser",
}
"""What is no initialiser itself."""
