"""Golden tensors of a batch of 30 s and half a second: `long-<n>.safetensors`.

    python reference/golden_long.py

The input is a formula, the same here and in the test: sample n of clip c is ((3 c + 1) n^2 + 7 n mod 2^16) / 2^15 - 1,
a sawtooth whose pitch rises until it is noise. Outputs are every 50th frame of the 30 s and every frame of the rest:

    run/logits.<clip>      [frame, token]
    run/sums.<clip>        sums of all frames' logits, [token]
    run/losses, run/loss   CTC losses; labels are 1, 2, 3, ..., 100 and 1, 2, 3 modulo the tokens
    run/grad.<key>         of run/loss

CTC is in float64 here even where the network is in float32. Hugging Face computes it in float32, and behind 1,499
frames its gradient is then wrong by 4e-4 to 4e-3: it is the exponential of a difference of numbers in the thousands.
"""

import torch
from golden_ctc import ctc_losses
from golden_models import (
    TINY,
    attention_mask,
    feature_frames,
    gradients,
    make_model,
    one_by_one,
    well_conditioned,
    write,
)
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

LENGTHS = [480_000, 8_000]
EVERY = 50
MODELS = [
    ("group norm, post-LN", dict(num_conv_pos_embeddings=128, num_conv_pos_embedding_groups=16)),
    ("layer norm, stable", dict(feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True)),
]


def wave(clip: int, samples: int) -> torch.Tensor:
    n = torch.arange(samples)
    return (((3 * clip + 1) * n * n + 7 * n) % 2**16) / 2**15 - 1


def make_labels(config) -> dict[str, torch.Tensor]:
    lengths = [100, 3]
    labels = [1 + i % (config.vocab_size - 1) for count in lengths for i in range(count)]
    return {"labels": torch.tensor(labels), "label_lengths": torch.tensor(lengths)}


def run(model, dtype, targets) -> dict[str, torch.Tensor]:
    model.to(dtype)
    values = torch.zeros(len(LENGTHS), max(LENGTHS), dtype=dtype)
    for clip, samples in enumerate(LENGTHS):
        values[clip, :samples] = wave(clip, samples)
    frames = [feature_frames(model.config, samples) for samples in LENGTHS]
    with one_by_one(model.wav2vec2, LENGTHS):
        logits = model(values, attention_mask=attention_mask(LENGTHS)).logits
    losses = ctc_losses(model.config, logits.double(), frames, targets)
    clips = [logits[clip, :count] for clip, count in enumerate(frames)]
    golden = {
        "frames": torch.tensor(frames),
        "logits.0": clips[0][::EVERY],
        "logits.1": clips[1],
        **{f"sums.{clip}": values.sum(0) for clip, values in enumerate(clips)},
        **losses,
        **gradients(model, losses["loss"]),
    }
    model.float()
    return golden


def write_long(number: int, description: str, settings: dict) -> None:
    config = Wav2Vec2Config(**{**TINY, **settings})
    targets = make_labels(config)

    def make(seed):
        model = make_model(Wav2Vec2ForCTC, config, 600_000 + 1000 * number + seed)
        return model, lambda name, dtype: run(model, dtype, targets)

    model, passes, errors = well_conditioned(["run"], make, draws=2)
    line = {"name": "run", "train": False, "lengths": True, "config": {}, "float32_error": errors["run"]}
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    tensors = {f"run/{key}": value for key, value in passes["run"].items()}
    write(f"long-{number}", model, [line], {**state, **targets, **tensors}, f"30 s and half a second, {description}")


if __name__ == "__main__":
    for number, (description, settings) in enumerate(MODELS):
        write_long(number, description, settings)
