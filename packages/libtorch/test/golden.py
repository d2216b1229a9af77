#!/usr/bin/env python3
"""Writes golden.json: layers and optimisers as PyTorch computes them. Run with any PyTorch 2: python3 golden.py"""
import json
import pathlib

import torch
from torch import nn

torch.manual_seed(0)


def flat(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().double().flatten().tolist()]


def layer(module, x):
    """Input, parameters, output, and the gradients of sum(output * ramp)."""
    parameters = dict(module.named_parameters())
    for parameter in parameters.values():
        nn.init.normal_(parameter)
    differentiable = x.is_floating_point()
    x.requires_grad_(differentiable)
    output = module(x)
    ramp = torch.arange(output.numel(), dtype=torch.float32).reshape(output.shape) / output.numel()
    (output * ramp).sum().backward()
    return {
        "input": flat(x),
        "inputShape": list(x.shape),
        "parameters": {name: flat(value) for name, value in parameters.items()},
        "output": flat(output),
        "outputShape": list(output.shape),
        "inputGradient": flat(x.grad) if differentiable else None,
        "gradients": {name: flat(value.grad) for name, value in parameters.items()},
    }


def weight_norm():
    convolution = nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3, groups=2), dim=2)
    norms = convolution.parametrizations.weight
    return {
        "weight": flat(convolution.weight),
        "original0": flat(norms.original0),
        "original0Shape": list(norms.original0.shape),
        "original1": flat(norms.original1),
    }


def adamw():
    """Two groups, a parameter without gradient, a learning rate that changes."""
    parameters = [nn.Parameter(torch.randn(2, 3)), nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(2))]
    groups = [
        {"params": [parameters[0], parameters[2]], "weight_decay": 0.1},
        {"params": [parameters[1]], "weight_decay": 0.0, "lr": 0.005},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.98), eps=1e-6)
    start = [flat(p) for p in parameters]
    gradients, after = [], []
    for step in range(5):
        gradients.append([])
        for parameter in parameters[:2]:
            parameter.grad = torch.randn_like(parameter)
            gradients[-1].append(flat(parameter.grad))
        for group, base in zip(optimiser.param_groups, (0.01, 0.005)):
            group["lr"] = base * (1 - step / 10)
        optimiser.step()
        after.append([flat(p) for p in parameters])
    return {"start": start, "gradients": gradients, "after": after}


def clip():
    parameters = [nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4))]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    before = [flat(p.grad) for p in parameters]
    norm = torch.nn.utils.clip_grad_norm_(parameters, 0.5).item()
    return {"before": before, "norm": norm, "after": [flat(p.grad) for p in parameters]}


golden = {
    "linear": layer(nn.Linear(3, 4), torch.randn(2, 3)),
    "linearWithoutBias": layer(nn.Linear(3, 2, bias=False), torch.randn(2, 2, 3)),
    "conv1d": layer(nn.Conv1d(2, 3, 3, stride=2, padding=1), torch.randn(2, 2, 7)),
    "conv1dGrouped": layer(nn.Conv1d(4, 4, 2, groups=2, bias=False), torch.randn(1, 4, 5)),
    "layerNorm": layer(nn.LayerNorm(4), torch.randn(2, 3, 4)),
    "groupNorm": layer(nn.GroupNorm(2, 4), torch.randn(2, 4, 3)),
    "embedding": layer(nn.Embedding(5, 3), torch.tensor([[4, 0], [4, 2]])),
    "gelu": layer(nn.GELU(), torch.randn(2, 4)),
    "weightNorm": weight_norm(),
    "adamw": adamw(),
    "clip": clip(),
}
pathlib.Path(__file__).with_name("golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
