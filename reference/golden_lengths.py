"""How many frames so many samples give: `lengths.safetensors`.

    python reference/golden_lengths.py

    samples       int64, every length from 0 to 2,000 and 500 random ones to 500,000
    <n>.frames    behind the convolutions of configuration n, by Hugging Face's formula
    <n>.adapted   behind its adapter, which is what the convolutions give: Hugging Face's formula, wrong for other
                  kernels than 3, is only checked here where it holds
    metadata      `configs`, a list of config.json's contents

Lengths that are too short are 0 here; the formula makes them negative.
"""

import json

import torch
from golden_models import GOLDEN, adapter_frames
from safetensors.torch import save_file
from torch.nn.functional import conv1d
from transformers import Wav2Vec2Config, Wav2Vec2Model

TINY = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, num_conv_pos_embeddings=4)
UNEVEN = dict(conv_kernel=[12, 5, 4, 1], conv_stride=[4, 5, 3, 2], num_feat_extract_layers=4)
CONFIGS = [
    dict(**TINY, conv_dim=[4] * 7),
    dict(**TINY, **UNEVEN, conv_dim=[4, 3, 5, 4]),
    dict(**TINY, conv_dim=[4] * 7, add_adapter=True),
    dict(**TINY, **UNEVEN, conv_dim=[4] * 4, add_adapter=True, num_adapter_layers=1, adapter_stride=3),
    dict(**TINY, conv_dim=[4] * 7, add_adapter=True, num_adapter_layers=2, adapter_kernel_size=5),
]


def through_convolutions(config, samples: int) -> int:
    """Frames by running the convolutions; on the meta device only shapes are computed."""
    values = torch.empty(1, 1, samples, device="meta")
    for kernel, stride in zip(config.conv_kernel, config.conv_stride):
        values = conv1d(values, torch.empty(1, 1, kernel, device="meta"), stride=stride)
    return values.shape[2]


def through_adapter(config, frames: int) -> int:
    values = torch.empty(1, 1, frames, device="meta")
    for _ in range(config.num_adapter_layers):
        kernel = torch.empty(1, 1, config.adapter_kernel_size, device="meta")
        values = conv1d(values, kernel, stride=config.adapter_stride, padding=1)
    return values.shape[2]


torch.manual_seed(0)
samples = torch.cat([torch.arange(2001), torch.randint(2001, 500_001, (500,))])
tensors = {"samples": samples}
configs = [Wav2Vec2Config(**settings) for settings in CONFIGS]
for number, config in enumerate(configs):
    model = Wav2Vec2Model(config)
    frames = model._get_feat_extract_output_lengths(samples, add_adapter=False).clamp(min=0)
    adapted = torch.tensor([adapter_frames(config, count) if count > 0 else 0 for count in frames.tolist()])
    adapted = adapted.clamp(min=0)
    if config.add_adapter and config.adapter_kernel_size == 3:
        assert torch.equal(adapted[frames > 0], model._get_feat_extract_output_lengths(samples)[frames > 0])
    for length, count, behind in zip(samples.tolist(), frames.tolist(), adapted.tolist()):
        if count > 0:
            assert through_convolutions(config, length) == count
        if config.add_adapter and behind > 0:
            assert through_adapter(config, count) == behind
    tensors.update({f"{number}.frames": frames, f"{number}.adapted": adapted})
contents = json.dumps([json.loads(config.to_json_string(use_diff=False)) for config in configs])
save_file(tensors, GOLDEN / "lengths.safetensors", {"golden": json.dumps({"configs": contents})})
print(f"{len(samples)} lengths, {len(configs)} configurations")
