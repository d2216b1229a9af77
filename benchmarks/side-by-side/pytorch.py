"""One measurement of transformers or torchaudio on PyTorch, in a process of its own:
  python pytorch.py '{"kind": "inference", "program": "transformers", ...}'
"""
import json
import sys
import time

import numpy
import torch
import transformers
from timing import repeat, tell

request = json.loads(sys.argv[1])
program, precision = request["program"], request["precision"]
dtype = getattr(torch, precision)
torch.set_num_threads(request["threads"])
torch.manual_seed(0)
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


def read(name, kind):
    return torch.from_numpy(numpy.fromfile(request["inputs"][name], dtype=kind))


def audio():
    return read("audio", numpy.float32).view(request["inputs"]["clips"], request["inputs"]["samples"])


def compiled(module):
    return torch.compile(module) if program.endswith("compiled") else module


def loading():
    began = time.perf_counter()
    model = transformers.Wav2Vec2ForCTC.from_pretrained(request["directory"]).eval()
    for parameter in model.parameters():
        parameter.detach().sum().item()
    return {"seconds": [time.perf_counter() - began]}


def inference():
    model = transformers.Wav2Vec2ForCTC.from_pretrained(request["directory"], dtype=dtype).eval()
    samples = audio().to(dtype)
    if program == "torchaudio":
        from torchaudio.models.wav2vec2.utils import import_huggingface_model

        network = import_huggingface_model(model).eval()
        del model
        forward = lambda: network(samples)[0]
    else:
        network = compiled(model)
        forward = lambda: network(samples).logits
    values = None

    def run():
        nonlocal values
        with torch.inference_mode():
            values = forward().float().numpy()

    measured = repeat(run, request)
    values.tofile(request["logits"])
    return measured


def finetune():
    model = transformers.Wav2Vec2ForCTC.from_pretrained(request["directory"])
    if request["frozen"]:
        model.freeze_feature_encoder()
    inputs = request["inputs"]
    labels = read("labels", numpy.int32).long().view(inputs["clips"], inputs["labelsAClip"])
    return steps(model, {"input_values": audio(), "labels": labels})


def pretrain():
    model = transformers.Wav2Vec2ForPreTraining.from_pretrained(request["directory"])
    inputs = request["inputs"]
    shape = inputs["clips"], inputs["frames"]
    return steps(
        model,
        {
            "input_values": audio(),
            "mask_time_indices": read("mask", numpy.uint8).bool().view(shape),
            "sampled_negative_indices": read("negatives", numpy.int32).long().view(*shape, inputs["negativesAFrame"]),
        },
    )


def steps(model, inputs):
    """As transformers' Trainer makes them on a CPU: autocast, gradients clipped to a norm of 1, fused AdamW."""
    model.train()
    network = compiled(model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, fused=True)
    # The sum over masked frames is divided by their number, as transformers' example does.
    parts = int(inputs["mask_time_indices"].sum()) if "mask_time_indices" in inputs else 1
    value = None

    def run():
        nonlocal value
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = network(**inputs).loss
        (loss / parts).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.item()

    return {**repeat(run, request), "loss": value}


tell({"loading": loading, "inference": inference, "finetune": finetune, "pretrain": pretrain}[request["kind"]]())
