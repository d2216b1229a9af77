#!/usr/bin/env python3
"""Writes packages/libtorch/test/optimizers.json: weights that PyTorch's optimisers and schedules make.

Run with the PyTorch of requirements.txt: python3 reference/golden_optimizers.py
"""
import json
import pathlib

import torch

torch.manual_seed(0)
STEPS = 6


def flat(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().double().flatten().tolist()]


START = [torch.randn(2, 3), torch.randn(3), torch.randn(2)]
# The third parameter has no gradient in the first two steps, as a layer that learns late.
GRADIENTS = [[torch.randn(2, 3), torch.randn(3), torch.randn(2) if step > 1 else None] for step in range(STEPS)]


def trained(make, **options):
    """Two groups: the second has a decay and a learning rate of its own, and all rates fall."""
    parameters = [torch.nn.Parameter(values.clone()) for values in START]
    groups = [
        {"params": [parameters[0], parameters[2]]},
        {"params": [parameters[1]], "weight_decay": 0.3, "lr": 0.05},
    ]
    optimiser = make(groups, lr=0.1, foreach=False, **options)
    after = []
    for step, gradients in enumerate(GRADIENTS):
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = None if gradient is None else gradient.clone()
        for group, base in zip(optimiser.param_groups, (0.1, 0.05)):
            group["lr"] = base * (1 - step / 10)
        optimiser.step()
        after.append([flat(p) for p in parameters])
    return after


METRICS = [1, 0.9, 0.95, 0.94, 0.89999, 0.91, 0.5, 0.6, 0.55, 0.51, float("nan"), 0.52, 0.53, 0.4, 0.5, 0.6, 0.7, 0.8]


def rates(schedule, metrics=None):
    """The learning rate before each of some steps."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = schedule(optimiser)
    after = []
    for metric in metrics or range(18):
        after.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step(*([metric] if metrics else []))
    return after + [optimiser.param_groups[0]["lr"]]


S = torch.optim.lr_scheduler


def warm_up_and_decay(optimiser):
    parts = [S.LinearLR(optimiser, 0.1, 1.0, 4), S.CosineAnnealingLR(optimiser, 9), S.StepLR(optimiser, 2)]
    return S.SequentialLR(optimiser, parts, [4, 12])


schedules = {
    "lambda": rates(lambda o: S.LambdaLR(o, lambda epoch: 0.95**epoch)),
    "step": rates(lambda o: S.StepLR(o, 4, 0.5)),
    "linear": rates(lambda o: S.LinearLR(o)),
    "linearDown": rates(lambda o: S.LinearLR(o, 1.0, 0.0, 10)),
    "cosine": rates(lambda o: S.CosineAnnealingLR(o, 7, 0.01)),
    "oneCycle": rates(lambda o: S.OneCycleLR(o, 0.5, 18, cycle_momentum=False)),
    "oneCycleThreePhase": rates(
        lambda o: S.OneCycleLR(
            o, 0.5, 20, three_phase=True, anneal_strategy="linear", pct_start=0.4, div_factor=10,
            final_div_factor=100, cycle_momentum=False,
        )
    ),
    "sequential": rates(warm_up_and_decay),
    "plateau": rates(lambda o: S.ReduceLROnPlateau(o, patience=2), METRICS),
    "plateauMax": rates(
        lambda o: S.ReduceLROnPlateau(
            o, "max", factor=0.5, patience=1, threshold=0.05, threshold_mode="abs", cooldown=2, min_lr=0.02
        ),
        METRICS,
    ),
}


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
golden = {
    "start": [flat(values) for values in START],
    "gradients": [[None if g is None else flat(g) for g in gradients] for gradients in GRADIENTS],
    "runs": [
        {"optimizer": make.__name__, "options": options, "after": trained(make, **options)}
        for make, options in [
            (SGD, {}),
            (SGD, {"weight_decay": 0.1}),
            (SGD, {"momentum": 0.9}),
            (SGD, {"momentum": 0.9, "weight_decay": 0.1, "dampening": 0.3}),
            (SGD, {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
            (SGD, {"momentum": 0.9, "maximize": True, "weight_decay": 0.1}),
            (Adam, {}),
            (Adam, {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
            (Adam, {"amsgrad": True, "betas": (0.5, 0.6)}),
            (Adam, {"maximize": True, "weight_decay": 0.1}),
            (AdamW, {}),
            (AdamW, {"amsgrad": True, "betas": (0.5, 0.6), "weight_decay": 0.1}),
            (AdamW, {"maximize": True}),
        ]
    ],
    "metrics": [None if metric != metric else metric for metric in METRICS],
    "schedules": schedules,
}
target = pathlib.Path(__file__).parent.parent / "packages/libtorch/test/optimizers.json"
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
