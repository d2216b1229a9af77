"""Golden tensors of networks that are wav2vec 2.0's under other names: `relatives-<n>.safetensors`.

    python reference/golden_relatives.py

HubertForCTC, Data2VecAudioForCTC, UniSpeechForCTC and UniSpeechSatForCTC, over what their configurations change. Runs of a
model, each with its outputs, the loss and the gradient of every parameter:

    own       Hugging Face's clips one by one, each alone in its batch, with the loss of all of them together
    masked    the same in training mode with given frames masked; a batch norm keeps to its statistics, as here
    reference.mask, reference.none  Hugging Face's own padded batch with and without its attention mask

The state is under the keys of Hugging Face's class, gradients are under those of this project.
"""

import contextlib

import torch
from golden_ctc import ctc_losses, make_labels
from golden_models import (
    INPUTS,
    LENGTHS,
    TINY,
    attention_mask,
    configured,
    feature_frames,
    float64_throughout,
    gradients,
    make_model,
    own_frames,
    padding_run,
    well_conditioned,
    write,
)
from torch.nn.functional import pad
from transformers import (
    Data2VecAudioConfig,
    Data2VecAudioForCTC,
    HubertConfig,
    HubertForCTC,
    UniSpeechConfig,
    UniSpeechForCTC,
    UniSpeechSatConfig,
    UniSpeechSatForCTC,
)

GROUP = dict(feat_extract_norm="group", do_stable_layer_norm=False)
LAYER = dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)
EVEN = dict(num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4)

CASES = [
    (HubertForCTC, HubertConfig, dict(**GROUP)),
    (HubertForCTC, HubertConfig, dict(**LAYER, **EVEN)),
    (HubertForCTC, HubertConfig, dict(**GROUP, feat_proj_layer_norm=False)),
    (HubertForCTC, HubertConfig, dict(**GROUP, **EVEN, conv_pos_batch_norm=True)),
    (HubertForCTC, HubertConfig, dict(**LAYER, conv_pos_batch_norm=True, feat_proj_layer_norm=False)),
    (HubertForCTC, HubertConfig, dict(**LAYER, adapter_attn_dim=6)),
    (Data2VecAudioForCTC, Data2VecAudioConfig, dict(num_conv_pos_embeddings=5, conv_pos_kernel_size=5)),
    (Data2VecAudioForCTC, Data2VecAudioConfig, dict(num_conv_pos_embeddings=2, conv_pos_kernel_size=4)),
    (Data2VecAudioForCTC, Data2VecAudioConfig, dict(num_conv_pos_embeddings=3, conv_bias=True, hidden_act="relu")),
    (UniSpeechForCTC, UniSpeechConfig, dict(**GROUP)),
    (UniSpeechForCTC, UniSpeechConfig, dict(**LAYER, **EVEN)),
    (UniSpeechSatForCTC, UniSpeechSatConfig, dict(**GROUP, **EVEN)),
    (UniSpeechSatForCTC, UniSpeechSatConfig, dict(**LAYER)),
]


def base_of(model):
    return getattr(model, model.base_model_prefix)


@contextlib.contextmanager
def mode(model, train: bool):
    """Training mode, but for the statistics of a batch norm, in which a clip would depend on its batch."""
    model.train(train)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()
    try:
        yield
    finally:
        model.eval()


def passed(model, values, attention, mask) -> dict[str, list]:
    base = base_of(model)
    given = {} if mask is None else {"mask_time_indices": mask}
    output = base(values, attention_mask=attention, output_hidden_states=True, output_attentions=True, **given)
    logits = model.lm_head(model.dropout(output.last_hidden_state))
    result = {"last_hidden_state": output.last_hidden_state, "logits": logits}
    for index, state in enumerate(output.hidden_states):
        result[f"hidden_states.{index}"] = state
    for index, weights in enumerate(output.attentions):
        result[f"attentions.{index}"] = weights.transpose(1, 2)  # [clip, frame, head, frame]
    return result


def one_by_one(model, dtype, frames, mask) -> dict[str, torch.Tensor]:
    longest = max(frames)
    clips = []
    for row, samples in enumerate(LENGTHS):
        own = None if mask is None else mask[row : row + 1, : frames[row]]
        clip = passed(model, INPUTS[row : row + 1, :samples].to(dtype), None, own)
        behind = longest - frames[row]
        clips.append(
            {
                key: pad(value, (0, behind, 0, 0, 0, behind) if value.dim() == 4 else (0, 0, 0, behind))
                for key, value in clip.items()
            }
        )
    return {key: torch.cat([clip[key] for clip in clips]) for key in clips[0]}


def run(model, dtype, padding: str, targets, mask=None, train=False) -> dict[str, torch.Tensor]:
    config = model.config
    lengths = LENGTHS if padding != "none" else [max(LENGTHS)] * len(LENGTHS)
    frames = [feature_frames(config, samples) for samples in lengths]
    model.to(dtype)
    with float64_throughout(), mode(model, train), configured(model, {"apply_spec_augment": mask is not None}):
        if padding == "own":
            outputs = one_by_one(model, dtype, frames, mask)
        else:
            attention = attention_mask(LENGTHS) if padding == "mask" else None
            outputs = passed(model, INPUTS.to(dtype), attention, None)
    losses = ctc_losses(config, outputs["logits"], frames, targets)
    whole = {key: own_frames(value, frames) for key, value in outputs.items()}
    whole = {key: value.transpose(1, 2) if key.startswith("attentions") else value for key, value in whole.items()}
    prefix = f"grad.{model.base_model_prefix}."
    golden = {
        **({} if mask is None else {"mask_time_indices": mask}),
        "frames": torch.tensor(frames),
        **whole,
        **losses,
        **{
            key.replace(prefix, "grad.wav2vec2."): value for key, value in gradients(model, losses["loss"]).items()
        },
    }
    model.float().eval()
    return golden


def with_statistics(model):
    """A batch norm as one that has seen batches."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(7)
    return model


def write_relative(number: int, head, configuration, settings: dict) -> None:
    positions = {"num_conv_pos_embeddings", "num_conv_pos_embedding_groups"}
    config = configuration(**{**TINY, **settings}, num_feat_extract_layers=7)
    frames = [feature_frames(config, samples) for samples in LENGTHS]
    targets = make_labels(config, frames)
    mask = torch.zeros(len(frames), max(frames), dtype=torch.bool)
    for row, (start, end) in enumerate([(2, 7), (0, 3), (1, 2)]):
        mask[row, start:end] = True
    runs = {
        "own": ("own", targets),
        "masked": ("own", targets, mask, True),
        "reference.mask": ("mask", targets),
        "reference.none": ("none", targets),
    }

    def make(seed):
        model = with_statistics(make_model(head, config, 40_000 + 1000 * number + seed))
        return model, lambda name, dtype: run(model, dtype, *runs[name])

    model, passes, errors = well_conditioned(runs, make)
    lines = [
        {"name": name, "train": name == "masked", **padding_run(given[0]), "float32_error": errors[name]}
        for name, given in runs.items()
    ]
    tensors = {f"{name}/{key}": value for name, golden in passes.items() for key, value in golden.items()}
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    said = [f"{key} {value}" for key, value in settings.items() if key not in positions or "Data2Vec" in head.__name__]
    write(f"relatives-{number:02}", model, lines, {**state, **targets, **tensors}, ", ".join([head.__name__, *said]))


if __name__ == "__main__":
    for number, (head, configuration, settings) in enumerate(CASES):
        write_relative(number, head, configuration, settings)
