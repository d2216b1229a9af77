"""Golden tensors of Wav2Vec2ForCTC: `ctc-<n>.safetensors`, every pair of switches that may interact.

    python reference/golden_ctc.py

Runs of a model, each with every stage, the loss and the gradient of every parameter:

    own       a batch without its padding: equal to Hugging Face's clips one by one, which is checked here
    masked    the same in training mode with given frames masked
    reference.mask, reference.none  Hugging Face's own padded batch with and without its attention mask, where the
              padding makes a difference; without the hidden states
Outputs: conv_features, extract_features, hidden_states.<i>, attentions.<i>, last_hidden_state, logits, losses of the
clips, loss, feature_frames and frames (behind the adapter).

`ctc-loss.safetensors` has the loss alone: both reductions, zero_infinity with a clip that has too many labels.
"""

import torch
from golden_models import (
    INPUTS,
    LENGTHS,
    TINY,
    adapter_frames,
    all_pairs,
    attention_mask,
    caught,
    configured,
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
from torch.nn.functional import ctc_loss, log_softmax
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

FACTORS = dict(
    feat_extract_norm=["group", "layer"],
    conv_bias=[False, True],
    do_stable_layer_norm=[False, True],
    convolutions=[
        dict(),
        dict(conv_dim=[6, 8, 10, 7], conv_kernel=[10, 8, 4, 3], conv_stride=[5, 4, 4, 4]),
    ],
    positions=[
        dict(num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4),
        dict(num_conv_pos_embeddings=9, num_conv_pos_embedding_groups=2),
        dict(num_conv_pos_embeddings=5, num_conv_pos_embedding_groups=1),
        dict(num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=16),
    ],
    num_attention_heads=[1, 2, 4],
    adapter_attn_dim=[None, 6],  # read by stable layers only
    adapter=[
        dict(add_adapter=False),
        dict(add_adapter=True, num_adapter_layers=1, output_hidden_size=16),
        dict(add_adapter=True, num_adapter_layers=3, output_hidden_size=10),
        dict(add_adapter=True, num_adapter_layers=2, output_hidden_size=20, adapter_stride=1),
        dict(add_adapter=True, num_adapter_layers=1, output_hidden_size=16, adapter_kernel_size=4),
    ],
    hidden_act=["gelu", "relu", "silu", "gelu_new"],
    feat_extract_activation=["gelu", "relu", "silu", "gelu_new"],
    layer_norm_eps=[1e-5, 1e-2],
    mask_time_prob=[0.05, 0.0],  # without, there is no vector for masked frames
    ctc_loss_reduction=["mean", "sum"],
    vocabulary=[dict(vocab_size=12, pad_token_id=0), dict(vocab_size=19, pad_token_id=18)],
)


def make_labels(config, frames: list[int]) -> dict[str, torch.Tensor]:
    """As many labels as half a clip's frames, the first two alike where there is room for the blank between them."""
    tokens = [token for token in range(config.vocab_size) if token != config.pad_token_id]
    rows = []
    for row, count in enumerate(frames):
        labels = [tokens[(5 * row + 3 * i) % len(tokens)] for i in range(max(1, min(6, count // 2)))]
        if len(labels) > 1 and count > len(labels) + 1:
            labels[1] = labels[0]
        rows.append(labels)
    return {
        "labels": torch.tensor(sum(rows, [])),
        "label_lengths": torch.tensor([len(labels) for labels in rows]),
    }


def ctc_losses(config, logits, frames, targets) -> dict[str, torch.Tensor]:
    """As ForCTCLoss of transformers, which brings the logits to float32 first."""
    log_probabilities = log_softmax(logits, dim=-1).transpose(0, 1)

    def loss(reduction, zero_infinity):
        lengths = torch.tensor(frames), targets["label_lengths"]
        return ctc_loss(
            log_probabilities, targets["labels"], *lengths, config.pad_token_id, reduction, zero_infinity
        )

    return {"loss": loss(config.ctc_loss_reduction, config.ctc_zero_infinity), "losses": loss("none", False)}


def run(model, dtype, padding: str, targets, mask=None, train=False) -> dict[str, torch.Tensor]:
    base, config = model.wav2vec2, model.config
    lengths = LENGTHS if padding != "none" else [max(LENGTHS)] * len(LENGTHS)
    frames = [feature_frames(config, samples) for samples in lengths]
    if not (train and config.layerdrop == 1):  # which skips the adapter's layers too
        frames = [adapter_frames(config, count) for count in frames]
    given = {} if mask is None else {"mask_time_indices": mask}
    model.to(dtype).train(train)
    with float64_throughout(), padded_as(base, padding, LENGTHS) as attention:
        with caught(base.feature_extractor) as features:
            output = base(
                INPUTS.to(dtype),
                attention_mask=attention,
                output_hidden_states=True,
                output_attentions=True,
                **given,
            )
        logits = model.lm_head(model.dropout(output.last_hidden_state))
    losses = ctc_losses(config, logits, frames, targets)
    golden = {
        **given,
        **stages(base, output, features[0], lengths),
        "extract_features": own_frames(
            output.extract_features, [feature_frames(config, samples) for samples in lengths]
        ),
        "frames": torch.tensor(frames),
        "last_hidden_state": own_frames(output.last_hidden_state, frames),
        "logits": own_frames(logits, frames),
        **losses,
        **gradients(model, losses["loss"]),
    }
    model.float().eval()
    return golden


def check_one_by_one(model, golden) -> None:
    """A batch without its padding is what Hugging Face gives for each clip alone."""
    model.double()
    for row, samples in enumerate(LENGTHS):
        alone = model(INPUTS[row : row + 1, :samples].double()).logits[0]
        torch.testing.assert_close(golden["logits"][row, : len(alone)], alone, rtol=1e-10, atol=1e-10)
    model.float()


def check_own_loss(model, golden, targets, attention) -> None:
    """Wav2Vec2ForCTC's own forward pass in float32, as a user calls it, gives the same loss."""
    rows = targets["labels"].split(targets["label_lengths"].tolist())
    labels = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-100)
    loss = model(INPUTS, attention_mask=attention, labels=labels).loss
    torch.testing.assert_close(loss.double(), golden["loss"], rtol=1e-5, atol=0)


def describe(config) -> str:
    parts = [
        f"{config.feat_extract_norm} norm",
        "stable" if config.do_stable_layer_norm else "post-LN",
        f"{len(config.conv_dim)} convolutions {'with' if config.conv_bias else 'without'} bias",
        f"positions {config.num_conv_pos_embeddings} in {config.num_conv_pos_embedding_groups} groups",
        f"{config.num_attention_heads} heads",
        f"{config.feat_extract_activation}/{config.hidden_act}",
        f"eps {config.layer_norm_eps:g}",
        f"blank {config.pad_token_id}",
        config.ctc_loss_reduction,
    ]
    if config.mask_time_prob == 0:
        parts.append("no mask vector")
    if config.adapter_attn_dim:
        parts.append("attention adapters")
    if config.add_adapter:
        kernel, stride = config.adapter_kernel_size, config.adapter_stride
        parts.append(f"adapter {config.num_adapter_layers} x {kernel}/{stride} to {config.output_hidden_size}")
    return ", ".join(parts)


def plan(config, targets, frames: list[int]) -> dict[str, tuple]:
    """The runs of a configuration: padding, and masks and mode of training where frames are masked."""
    runs = {"own": ("own", targets)}
    if config.mask_time_prob > 0:
        mask = torch.zeros(len(frames), max(frames), dtype=torch.bool)
        for row, (start, end) in enumerate([(2, 7), (0, 3), (1, 2)]):
            mask[row, start:end] = True
        runs["masked"] = ("own", targets, mask, True)
    if config.feat_extract_norm == "group" or config.add_adapter:
        runs.update({f"reference.{padding}": (padding, targets) for padding in ("mask", "none")})
    return runs


def write_ctc(number: int, settings: dict) -> None:
    flat = flatten(settings)
    config = Wav2Vec2Config(**{**TINY, **flat}, num_feat_extract_layers=len(flat.get("conv_dim", [0] * 7)))
    frames = [feature_frames(config, samples) for samples in LENGTHS]
    targets = make_labels(config, [adapter_frames(config, count) for count in frames])
    runs = plan(config, targets, frames)

    def make(seed):
        model = make_model(Wav2Vec2ForCTC, config, 1000 * number + seed)
        return model, lambda name, dtype: run(model, dtype, *runs[name])

    model, passes, errors = well_conditioned(runs, make)
    check_one_by_one(model, passes["own"])
    if config.adapter_kernel_size == 3:  # Hugging Face's lengths are wrong behind others
        if "reference.mask" in runs:
            check_own_loss(model, passes["reference.none"], targets, None)
        batch = passes.get("reference.mask", passes["own"])
        check_own_loss(model, batch, targets, attention_mask(LENGTHS))
    lines = [
        {
            "name": name,
            "train": name == "masked",
            **padding_run(given[0]),
            "float32_error": errors[name],
        }
        for name, given in runs.items()
    ]
    inner = ("hidden_states", "attentions")
    tensors = {
        f"{name}/{key}": value
        for name, golden in passes.items()
        for key, value in golden.items()
        if not (name.startswith("reference") and key.startswith(inner))
    }
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    write(f"ctc-{number:02}", model, lines, {**state, **targets, **tensors}, describe(config))


def write_loss() -> None:
    """Clips 0 and 2 fit their labels; clip 1 has more than frames, so that its loss is infinite."""
    config = Wav2Vec2Config(**TINY)
    frames = [feature_frames(config, samples) for samples in LENGTHS]
    fitting = make_labels(config, frames)
    long = [4, 4, 7, 7, 1, 2, 3, 3, 5, 5]
    first, _, last = fitting["labels"].split(fitting["label_lengths"].tolist())
    impossible = {
        "labels": torch.cat([first, torch.tensor(long), last]),
        "label_lengths": torch.tensor([len(first), len(long), len(last)]),
    }
    runs = {
        f"{kind}.{reduction}": (targets, dict(ctc_loss_reduction=reduction, ctc_zero_infinity=zero_infinity))
        for reduction in ("sum", "mean")
        for kind, targets, zero_infinity in (("fitting", fitting, False), ("impossible", impossible, True))
    }

    def loss_of(model, name, dtype):
        targets, changes = runs[name]
        with configured(model, changes):
            golden = run(model, dtype, "own", targets)
        return {key: value for key, value in golden.items() if key.startswith(("loss", "grad.", "frames"))}

    def make(seed):
        model = make_model(Wav2Vec2ForCTC, config, 100_000 + seed)
        return model, lambda name, dtype: loss_of(model, name, dtype)

    model, passes, errors = well_conditioned(runs, make)
    lines = [
        {"name": name, "train": False, "lengths": True, "config": changes, "float32_error": errors[name]}
        for name, (_, changes) in runs.items()
    ]
    tensors = {f"{name}/{key}": v for name in runs for key, v in {**passes[name], **runs[name][0]}.items()}
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    write("ctc-loss", model, lines, {**state, **tensors}, "both reductions, zero_infinity with too many labels")


if __name__ == "__main__":
    for number, settings in enumerate(all_pairs(FACTORS, seed=3)):
        write_ctc(number, settings)
    write_loss()
