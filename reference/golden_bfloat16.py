"""Golden tensors of models in bfloat16: `bfloat16-<n>.safetensors`.

    python reference/golden_bfloat16.py

Hugging Face's model.to(torch.bfloat16) on inputs in bfloat16, in evaluation mode; weights and inputs are exact in
bfloat16. A run's outputs are those in bfloat16; `<run>/exact.<name>` are the same in float64, so that the error of
Hugging Face's own bfloat16 is known. Codes of the quantizer are those of both.
"""

import golden_ctc
import torch
from golden_models import (
    INPUTS,
    LENGTHS,
    TINY,
    adapter_frames,
    feature_frames,
    float64_throughout,
    make_model,
    own_frames,
    padded_as,
    write,
)
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC, Wav2Vec2ForPreTraining

STABLE = dict(feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True)
MODELS = [
    (Wav2Vec2ForCTC, "group norm, post-LN", dict()),
    (Wav2Vec2ForCTC, "layer norm, stable", STABLE),
    (
        Wav2Vec2ForCTC,
        "layer norm, stable, attention adapters, adapter 1 x 3/2 to 10",
        dict(**STABLE, adapter_attn_dim=6, add_adapter=True, num_adapter_layers=1, output_hidden_size=10),
    ),
    (Wav2Vec2ForPreTraining, "pre-training, group norm, post-LN", dict()),
    (Wav2Vec2ForPreTraining, "pre-training, layer norm, stable", STABLE),
]


def outputs(model, dtype) -> dict[str, torch.Tensor]:
    model.to(dtype)
    frames = [feature_frames(model.config, samples) for samples in LENGTHS]
    values = INPUTS.bfloat16().to(dtype)
    with torch.no_grad(), float64_throughout(), padded_as(model.wav2vec2, "own", LENGTHS) as attention:
        result = model(values, attention_mask=attention)
        if isinstance(model, Wav2Vec2ForCTC):
            own = [adapter_frames(model.config, count) for count in frames]
            found = {"logits": own_frames(result.logits, own)}
        else:
            found = {
                "projected_states": own_frames(result.projected_states, frames),
                "projected_quantized_states": own_frames(result.projected_quantized_states, frames),
            }
    return found


def losses(model, logits: torch.Tensor) -> dict[str, torch.Tensor]:
    """Both the reference and this project take the logits to float32 for the loss."""
    frames = [adapter_frames(model.config, feature_frames(model.config, samples)) for samples in LENGTHS]
    targets = golden_ctc.make_labels(model.config, frames)
    return {**golden_ctc.ctc_losses(model.config, logits.double(), frames, targets), **targets}


def write_bfloat16(number: int, head, description: str, settings: dict) -> None:
    config = Wav2Vec2Config(**{**TINY, **settings})
    for seed in range(50):
        model = make_model(head, config, 500_000 + 1000 * number + seed)
        model.to(torch.bfloat16)
        state = {f"state.{key}": value.float() for key, value in model.state_dict().items()}
        rounded = {key: value.float() for key, value in outputs(model, torch.bfloat16).items()}
        exact = outputs(model, torch.float64)
        worst = max(((rounded[k] - exact[k]).norm() / exact[k].norm()).item() for k in exact)
        if worst < 0.01:  # above, another code was chosen, or the network amplifies any rounding
            break
    assert worst < 0.01
    tensors = {**rounded, **{f"exact.{key}": value for key, value in exact.items()}}
    if head is Wav2Vec2ForCTC:
        tensors.update(losses(model, rounded["logits"]))
        tensors["exact.loss"] = losses(model, exact["logits"])["loss"]
    run = {"name": "run", "train": False, "lengths": True, "config": {}}
    tensors = {f"run/{key}": value for key, value in tensors.items()}
    write(f"bfloat16-{number}", model, [run], {**state, **tensors}, description)
    print(f"  {worst:.1e} after {seed + 1} draws")


if __name__ == "__main__":
    for number, model in enumerate(MODELS):
        write_bfloat16(number, *model)
