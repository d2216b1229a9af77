"""Golden tensors of Wav2Vec2ForPreTraining: `pretraining-<n>.safetensors`, every pair of switches that may interact.

    python reference/golden_pretraining.py

One run a file, in training or evaluation mode, padded as `own`, `mask` or `none` of golden_models.padded_as says.
Given: mask_time_indices, sampled_negative_indices and, in training mode, gumbel_noise [clip, frame, group, entry].
Outputs: the stages of golden_ctc.py, codes [clip, frame, group], codevector_perplexity and the groups' perplexities,
projected_states, projected_quantized_states, contrastive_loss, diversity_loss, feature_penalty, masked_frames, loss,
and the gradient of every parameter.

fairseq's gradient scale and feature penalty, which Hugging Face does not have, are added here by hand:
https://github.com/facebookresearch/fairseq/blob/main/fairseq/models/wav2vec/wav2vec2.py (Wav2Vec2Model.forward).
"""

import contextlib

import torch
from golden_models import (
    INPUTS,
    LENGTHS,
    TINY,
    Unsuitable,
    all_pairs,
    caught,
    feature_frames,
    flatten,
    float64_throughout,
    gradients,
    make_model,
    own_frames,
    padded_as,
    padding_run,
    stages,
    well_conditioned,
    write,
)
from torch.nn.functional import gumbel_softmax, softmax
from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining

FACTORS = dict(
    feat_extract_norm=["group", "layer"],
    conv_bias=[False, True],
    do_stable_layer_norm=[False, True],
    codebooks=[
        dict(num_codevector_groups=1, num_codevectors_per_group=3, codevector_dim=6),
        dict(num_codevector_groups=2, num_codevectors_per_group=5, codevector_dim=8),
        dict(num_codevector_groups=4, num_codevectors_per_group=8, codevector_dim=12),
    ],
    proj_codevector_dim=[5, 12],
    diversity_loss_weight=[0.1, 1.0],
    contrastive_logits_temperature=[0.1, 0.5],
    negatives=[1, 4, 11],
    gumbel=[dict(train=True, temperature=2.0), dict(train=True, temperature=0.5), dict(train=False, temperature=2.0)],
    padding=["own", "mask", "none"],
    feature_grad_mult=[1.0, 0.1],
    feature_penalty_weight=[0.0, 10.0],
    last_clip_masked=[True, False],
)


@contextlib.contextmanager
def given_noise(noise: torch.Tensor):
    """torch.nn.functional.gumbel_softmax with this noise, [clip, frame, group, entry], instead of its own."""

    def gumbel_softmax_with_noise(logits, tau=1, hard=False):
        assert hard
        gumbels = (logits + noise.reshape(logits.shape)) / tau
        y_soft = gumbels.softmax(-1)
        index = y_soft.max(-1, keepdim=True)[1]
        y_hard = torch.zeros_like(logits).scatter_(-1, index, 1.0)
        return y_hard - y_soft.detach() + y_soft

    torch.nn.functional.gumbel_softmax = gumbel_softmax_with_noise
    try:
        yield
    finally:
        torch.nn.functional.gumbel_softmax = gumbel_softmax


def check_gumbel_softmax() -> None:
    """The formula is torch's own: with the noise that torch draws it gives the same."""
    logits = torch.randn(7, 5)
    torch.manual_seed(1)
    expected = gumbel_softmax(logits, tau=0.7, hard=True)
    torch.manual_seed(1)
    noise = -torch.empty_like(logits).exponential_().log()
    with given_noise(noise):
        assert torch.equal(torch.nn.functional.gumbel_softmax(logits, tau=0.7, hard=True), expected)


def make_masks(frames: list[int], last_clip_masked: bool) -> torch.Tensor:
    mask = torch.zeros(len(frames), max(frames), dtype=torch.bool)
    for row, count in enumerate(frames[: 3 if last_clip_masked else 2]):
        mask[row, :count] = torch.rand(count) < 0.6
        mask[row, torch.randperm(count)[:3]] = True
    return mask


def make_negatives(mask: torch.Tensor, count: int) -> torch.Tensor:
    """int64 [clip, frame, count] into all frames one after another; other masked frames of the same clip."""
    rows, width = mask.shape
    negatives = torch.zeros(rows, width, count, dtype=torch.int64)
    for row in range(rows):
        candidates = mask[row].nonzero().flatten()
        for frame in candidates:
            others = candidates[candidates != frame]
            negatives[row, frame] = row * width + others[torch.randint(len(others), (count,))]
    return negatives


def make_given(config, frames: list[int], last_clip_masked: bool, negatives: int) -> dict[str, torch.Tensor]:
    mask = make_masks(frames, last_clip_masked)
    shape = *mask.shape, config.num_codevector_groups, config.num_codevectors_per_group
    return {
        "mask_time_indices": mask,
        "sampled_negative_indices": make_negatives(mask, negatives),
        "gumbel_noise": -torch.empty(shape).exponential_().log(),
    }


def quantized(model, features, mask, noise):
    """Codes [clip, frame, group], and each group's perplexity as Hugging Face's quantizer sums them up."""
    quantizer = model.quantizer
    logits = quantizer.weight_proj(features).view(*features.shape[:2], quantizer.num_groups, -1)
    noisy = logits if noise is None else logits + noise
    best = noisy.topk(2, dim=-1).values
    if (best[..., 0] - best[..., 1])[mask].min() < 1e-3:
        raise Unsuitable
    codes = noisy.argmax(-1)
    if noise is None:
        probabilities = torch.nn.functional.one_hot(codes, quantizer.num_vars).to(logits.dtype)
    else:
        probabilities = softmax(logits, dim=-1)
    mean = probabilities[mask].mean(0)
    return codes, torch.exp(-torch.xlogy(mean, mean).sum(-1))


def equal_negatives(values, mask, negatives) -> torch.Tensor:
    """Which negatives of masked frames have their positive's values."""
    return (values.flatten(0, 1)[negatives] == values[:, :, None]).all(-1)[mask]


def run(model, dtype, padding: str, train: bool, own: dict, given: dict) -> dict[str, torch.Tensor]:
    """Every output and gradient."""
    lengths = LENGTHS if padding != "none" else [max(LENGTHS)] * len(LENGTHS)
    frames = [feature_frames(model.config, samples) for samples in lengths]
    mask, noise = given["mask_time_indices"], given["gumbel_noise"].to(dtype)
    base = model.wav2vec2

    def scale_gradient(module, inputs, output):
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient * own["feature_grad_mult"])

    model.to(dtype).train(train)
    with float64_throughout(), given_noise(noise), padded_as(base, padding, LENGTHS) as attention:
        hook = base.feature_extractor.register_forward_hook(scale_gradient)
        with caught(base.feature_extractor) as features, caught(base.feature_projection) as projected:
            output = model(
                INPUTS.to(dtype),
                attention_mask=attention,
                mask_time_indices=mask,
                sampled_negative_indices=given["sampled_negative_indices"],
                output_hidden_states=True,
                output_attentions=True,
            )
        hook.remove()
    extracted = projected[0][1]
    codes, perplexities = quantized(model, model.dropout_features(extracted), mask, noise if train else None)
    torch.testing.assert_close(perplexities.sum(), output.codevector_perplexity, rtol=1e-5, atol=0)
    if output.diversity_loss < 0.05 * mask.sum():  # a difference of nearly equal numbers
        raise Unsuitable
    own_features = torch.cat([row[:, :count].flatten() for row, count in zip(features[0], frames)])
    penalty = own_features.pow(2).mean() * mask.sum()
    loss = output.loss + own["feature_penalty_weight"] * penalty
    golden = {
        **stages(base, output, features[0], lengths),
        "frames": torch.tensor(frames),
        "extract_features": own_frames(extracted, frames),
        "projected_states": own_frames(output.projected_states, frames),
        "projected_quantized_states": own_frames(output.projected_quantized_states, frames),
        "codes": own_frames(codes, frames),
        "codevector_perplexity": output.codevector_perplexity,
        "perplexities": perplexities,
        "contrastive_loss": output.contrastive_loss,
        "diversity_loss": output.diversity_loss,
        "feature_penalty": penalty,
        "masked_frames": mask.sum(),
        "loss": loss,
        **gradients(model, loss),
    }
    model.float().eval()
    negatives = given["sampled_negative_indices"]
    # Hugging Face takes two vectors of the same codes for different ones where the rows of a matrix product are
    # rounded differently; this project compares codes. The golden data is such that both mean the same.
    by_vector, by_code = (
        equal_negatives(values, mask, negatives) for values in (output.projected_quantized_states, codes)
    )
    if not torch.equal(by_vector, by_code):
        raise Unsuitable
    return golden


def describe(config, run: dict, padding: str, last_clip_masked: bool) -> str:
    parts = [
        f"{config.feat_extract_norm} norm",
        "stable" if config.do_stable_layer_norm else "post-LN",
        f"convolutions {'with' if config.conv_bias else 'without'} bias",
        f"{config.num_codevector_groups} x {config.num_codevectors_per_group} entries",
        f"compared in {config.proj_codevector_dim}",
        f"diversity {config.diversity_loss_weight:g}",
        f"kappa {config.contrastive_logits_temperature:g}",
        f"{config.num_negatives} negatives",
        f"training at {run['temperature']:g}" if run["train"] else "evaluation",
        {"own": "no padding seen", "mask": "reference padding, mask", "none": "reference padding, no mask"}[padding],
        f"gradient x {run['config']['feature_grad_mult']:g}",
        f"penalty {run['config']['feature_penalty_weight']:g}",
    ]
    return ", ".join(parts + ([] if last_clip_masked else ["a clip without masks"]))


def write_pretraining(number: int, settings: dict) -> None:
    flat = flatten(settings)
    own = {key: flat.pop(key) for key in ("feature_grad_mult", "feature_penalty_weight")}
    train, temperature, count, padding, last = (
        flat.pop(key) for key in ("train", "temperature", "negatives", "padding", "last_clip_masked")
    )
    config = Wav2Vec2Config(**{**TINY, "num_negatives": count, **flat})
    frames = [feature_frames(config, samples) for samples in LENGTHS]

    def make(seed):
        model = make_model(Wav2Vec2ForPreTraining, config, 200_000 + 1000 * number + seed)
        model.set_gumbel_temperature(temperature)
        given = make_given(config, frames, last, count)
        return model, lambda name, dtype: {**given, **run(model, dtype, padding, train, own, given)}

    model, passes, errors = well_conditioned(["run"], make)
    golden = passes["run"]
    if not train:
        del golden["gumbel_noise"]
    changes = padding_run(padding)
    line = {
        "name": "run",
        "train": train,
        "temperature": temperature,
        "lengths": changes["lengths"],
        "config": {**changes["config"], **own},
        "float32_error": errors["run"],
    }
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    tensors = {f"run/{key}": value for key, value in golden.items()}
    write(f"pretraining-{number:02}", model, [line], {**state, **tensors}, describe(config, line, padding, last))


if __name__ == "__main__":
    check_gumbel_softmax()
    for number, settings in enumerate(all_pairs(FACTORS, seed=5)):
        write_pretraining(number, settings)
