"""Where the names of `spusk.optim` stand: for each, the module of its package.

These tables are the list of all rules, in the order in which they are shown; a new rule gets a line here, and
one among the imports for type checkers in its package.
"""

LECTURE = {
    "GradientDescent": "gradient_descent",
    "SGD": "sgd",
    "Momentum": "momentum",
    "Nesterov": "nesterov",
    "Adagrad": "adagrad",
    "RMSprop": "rmsprop",
    "Adadelta": "adadelta",
    "Adam": "adam",
    "AdaMax": "adamax",
    "Nadam": "nadam",
    "RAdam": "radam",
    "Lookahead": "wrappers",
    "CyclicalLR": "wrappers",
}
"""The lecture's optimizers, in its order."""

FIELD = {
    "AMSGrad": "amsgrad",
    "AdaBelief": "adabelief",
    "AdamW": "adamw",
    "SGDW": "sgdw",
    "SignSGD": "signsgd",
    "Lion": "lion",
    "LaProp": "laprop",
    "Yogi": "yogi",
    "Adan": "adan",
    "ADOPT": "adopt",
    "AdEMAMix": "ademamix",
    "Rprop": "rprop",
    "FTRL": "ftrl",
    "MADGRAD": "madgrad",
    "MARS": "mars",
    "Grams": "grams",
    "NovoGrad": "novograd",
    "ASGD": "asgd",
    "ScheduleFreeSGD": "schedule_free",
    "ScheduleFreeAdamW": "schedule_free",
    "Prodigy": "prodigy",
    "DAdaptAdam": "dadapt_adam",
    "DAdaptSGD": "dadapt_sgd",
    "DoG": "dog",
    "DoWG": "dog",
}
"""What the field has added."""

LAYERWISE_AND_MATRIX = {
    "LARS": "lars",
    "LAMB": "lamb",
    "Muon": "muon",
    "Adafactor": "adafactor",
    "Shampoo": "shampoo",
    "SOAP": "soap",
    "PSGDKron": "psgd_kron",
}
"""Rules that look at a whole layer."""

SECOND_ORDER = {
    "AdaHessian": "adahessian",
    "SophiaH": "sophia_h",
}
"""Rules that look at second derivatives."""

WRAPPERS = {
    "Clip": "clip",
    "AGC": "agc",
    "WeightDecay": "weight_decay",
    "Accumulate": "accumulate",
    "EMA": "ema",
    "SWA": "swa",
    "SkipNonFinite": "skip_non_finite",
    "Cautious": "cautious",
    "SAM": "sam",
    "Partition": "partition",
    "Mask": "mask",
    "LayerRates": "layer_rates",
    "LayerwiseDecay": "layer_rates",
    "Plateau": "plateau",
    "CyclicalLR": "cyclical_lr",
    "Lookahead": "lookahead",
}
"""Optimizers around optimizers, in `spusk.optim.wrappers`."""

SCHEDULES = {
    "Constant": "constant",
    "StepDecay": "step_decay",
    "ExponentialDecay": "exponential_decay",
    "Cosine": "cosine",
    "WarmUp": "warm_up",
    "OneCycle": "one_cycle",
    "Triangular": "triangular",
    "Triangular2": "triangular2",
    "ExpRange": "exp_range",
    "MultiStep": "multi_step",
    "Polynomial": "polynomial",
    "WarmRestarts": "warm_restarts",
    "InverseSqrt": "inverse_sqrt",
    "InverseTime": "inverse_time",
    "WSD": "wsd",
    "REX": "rex",
    "Piecewise": "piecewise",
    "Join": "join",
}
"""Hyperparameters as functions of the step number, in `spusk.optim.schedules`."""

RULES = {**LECTURE, **FIELD, **LAYERWISE_AND_MATRIX, **SECOND_ORDER, **dict.fromkeys(WRAPPERS, "wrappers")}
"""Every optimizer."""

PARTS = {
    "CATALOGUE": "catalogue",
    "LECTURE": "catalogue",
    "SCHEDULES": "catalogue",
    "get": "catalogue",
    "Hyper": "hyper",
    "Schedule": "hyper",
    "Gradients": "objective",
    "Objective": "objective",
    "Optimizer": "optimizer",
    "SecondOrder": "second_order",
    "LBFGS": "solvers",
    "SOLVERS": "solvers",
    "Solver": "solvers",
    "TrustRegion": "solvers",
    "solver": "solvers",
    "State": "state",
    "Wrapper": "wrappers",
    "schedules": "schedules",
    "wrappers": "wrappers",
}
"""What is no method itself: base classes, catalogues, solvers of `sp.minimize`."""
