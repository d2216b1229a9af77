"""Golden tensors of the classification heads: `heads-<n>.safetensors`.

    python reference/golden_heads.py

One model of Wav2Vec2ForSequenceClassification, Wav2Vec2ForAudioFrameClassification or Wav2Vec2ForXVector a file, each with
and without the weighted sum of layers, over both kinds of feature encoder and of transformer layers. Runs of a model, each
with its outputs, the loss and the gradient of every parameter:

    own       Hugging Face's clips one by one, each alone in its batch, with the loss of all their outputs together
    masked    the same in training mode with given frames masked
    reference.mask, reference.none  Hugging Face's own padded batch with and without its attention mask, as its forward
              pass with labels computes it: what stands in the padding takes part in group norms, in the frames' loss and
              in the X-vector's statistics

`labels` are ids, int64 [clip], or for frames 0 and 1, int64 [clip, frame, label]. In the runs own and masked a frame behind
a clip's end does not count.
"""

import contextlib

import torch
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
from torch.nn.functional import cross_entropy, pad
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2ForAudioFrameClassification,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2ForXVector,
)

BASE = dict(feat_extract_norm="group", do_stable_layer_norm=False)
LARGE = dict(feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True)
TDNN = dict(tdnn_dim=[6, 8, 7], tdnn_kernel=[3, 2, 1], tdnn_dilation=[1, 2, 1], xvector_output_dim=10)
# 18 frames and more instead of 5: half of the last convolutions' strides
LONG = dict(conv_dim=[8] * 6, conv_kernel=[10, 3, 3, 3, 2, 2], conv_stride=[5, 2, 2, 2, 2, 1])

CASES = [
    (Wav2Vec2ForSequenceClassification, dict(**BASE, use_weighted_layer_sum=False, classifier_proj_size=9), 5),
    (Wav2Vec2ForSequenceClassification, dict(**BASE, use_weighted_layer_sum=True, classifier_proj_size=12), 3),
    (Wav2Vec2ForSequenceClassification, dict(**LARGE, use_weighted_layer_sum=False, classifier_proj_size=12), 2),
    (Wav2Vec2ForSequenceClassification, dict(**LARGE, use_weighted_layer_sum=True, classifier_proj_size=9), 7),
    (Wav2Vec2ForAudioFrameClassification, dict(**BASE, use_weighted_layer_sum=True), 2),
    (Wav2Vec2ForAudioFrameClassification, dict(**BASE, use_weighted_layer_sum=False), 4),
    (Wav2Vec2ForAudioFrameClassification, dict(**LARGE, use_weighted_layer_sum=False), 3),
    (Wav2Vec2ForAudioFrameClassification, dict(**LARGE, use_weighted_layer_sum=True), 3),
    (Wav2Vec2ForXVector, dict(**BASE, **LONG, **TDNN, use_weighted_layer_sum=False), 4),
    (Wav2Vec2ForXVector, dict(**BASE, **LONG, **TDNN, use_weighted_layer_sum=True), 3),
    (Wav2Vec2ForXVector, dict(**LARGE, **LONG, **TDNN, use_weighted_layer_sum=True), 6),
    (Wav2Vec2ForXVector, dict(**LARGE, **LONG, use_weighted_layer_sum=False, tdnn_dim=[8, 6], tdnn_kernel=[2, 3], tdnn_dilation=[2, 1], xvector_output_dim=6), 5),
]  # fmt: skip


def make_labels(head, config) -> torch.Tensor:
    count = config.num_labels
    if head is not Wav2Vec2ForAudioFrameClassification:
        return torch.tensor([(2 * clip + 1) % count for clip in range(len(LENGTHS))])
    frames = feature_frames(config, max(LENGTHS))
    ids = torch.tensor([[(clip + frame // 2) % count for frame in range(frames)] for clip in range(len(LENGTHS))])
    return torch.nn.functional.one_hot(ids, count)


@contextlib.contextmanager
def masked_with(base, mask):
    """Heads do not hand `mask_time_indices` to the network."""
    forward = base.forward
    if mask is not None:
        base.forward = lambda *given, **named: forward(*given, **named, mask_time_indices=mask)
    try:
        yield
    finally:
        base.forward = forward


def outputs_of(result) -> dict[str, torch.Tensor]:
    outputs = {"logits": result.logits}
    if "embeddings" in result:
        outputs["embeddings"] = result.embeddings
    return outputs


def one_by_one(model, dtype, labels, mask) -> dict[str, torch.Tensor]:
    frames = [feature_frames(model.config, samples) for samples in LENGTHS]
    clips = []
    for row, samples in enumerate(LENGTHS):
        own = None if mask is None else mask[row : row + 1, : frames[row]]
        with masked_with(model.wav2vec2, own):
            clips.append(outputs_of(model(INPUTS[row : row + 1, :samples].to(dtype))))
    if labels.dim() == 3:
        rows = [clip["logits"][0] for clip in clips]
        targets = torch.cat([labels[row, :count].argmax(1) for row, count in enumerate(frames)])
        loss = cross_entropy(torch.cat(rows), targets)
        padded = [pad(row, (0, 0, 0, max(frames) - len(row))) for row in rows]
        return {"logits": torch.stack(padded), "loss": loss}
    outputs = {name: torch.cat([clip[name] for clip in clips]) for name in clips[0]}
    is_xvector = isinstance(model, Wav2Vec2ForXVector)
    loss = model.objective(outputs["logits"], labels) if is_xvector else cross_entropy(outputs["logits"], labels)
    return {**outputs, "loss": loss}


def padded_batch(model, dtype, labels, padding) -> dict[str, torch.Tensor]:
    mask = attention_mask(LENGTHS) if padding == "mask" else None
    result = model(INPUTS.to(dtype), attention_mask=mask, labels=labels)
    lengths = LENGTHS if padding == "mask" else [max(LENGTHS)] * len(LENGTHS)
    outputs = outputs_of(result)
    if labels.dim() == 3:
        outputs["logits"] = own_frames(outputs["logits"], [feature_frames(model.config, count) for count in lengths])
    return {**outputs, "loss": result.loss}


def run(model, dtype, padding, labels, mask=None, train=False) -> dict[str, torch.Tensor]:
    lengths = LENGTHS if padding != "none" else [max(LENGTHS)] * len(LENGTHS)
    model.to(dtype).train(train)
    with float64_throughout(), configured(model, {"apply_spec_augment": mask is not None}):
        if padding == "own":
            outputs = one_by_one(model, dtype, labels, mask)
        else:
            outputs = padded_batch(model, dtype, labels, padding)
    golden = {
        **({} if mask is None else {"mask_time_indices": mask}),
        "frames": torch.tensor([feature_frames(model.config, samples) for samples in lengths]),
        **outputs,
        **gradients(model, outputs["loss"]),
    }
    model.float().eval()
    return golden


def describe(head, config) -> str:
    parts = [
        head.__name__,
        f"{config.feat_extract_norm} norm",
        "stable" if config.do_stable_layer_norm else "post-LN",
        "sum of layers" if config.use_weighted_layer_sum else "last layer",
        f"{config.num_labels} labels",
    ]
    if head is Wav2Vec2ForXVector:
        layers = zip(config.tdnn_dim, config.tdnn_kernel, config.tdnn_dilation)
        parts.append("TDNN " + " ".join(f"{dim}:{kernel}/{dilation}" for dim, kernel, dilation in layers))
    return ", ".join(parts)


def write_heads(number: int, head, settings: dict, count: int) -> None:
    labels = {f"label {chr(97 + id)}": id for id in range(count)}
    flat = {**TINY, "num_attention_heads": 2, **settings}
    config = Wav2Vec2Config(
        **flat,
        num_feat_extract_layers=len(flat["conv_dim"]),
        id2label={id: label for label, id in labels.items()},
        label2id=labels,
    )
    frames = [feature_frames(config, samples) for samples in LENGTHS]
    targets = make_labels(head, config)
    mask = torch.zeros(len(frames), max(frames), dtype=torch.bool)
    for row, (start, end) in enumerate([(2, 5), (0, 3), (1, 2)]):
        mask[row, start:end] = True
    runs = {
        "own": ("own", targets),
        "masked": ("own", targets, mask, True),
        "reference.mask": ("mask", targets),
        "reference.none": ("none", targets),
    }

    def make(seed):
        model = make_model(head, config, 7000 + 1000 * number + seed)
        return model, lambda name, dtype: run(model, dtype, *runs[name])

    model, passes, errors = well_conditioned(runs, make)
    lines = [
        {"name": name, "train": name == "masked", **padding_run(given[0]), "float32_error": errors[name]}
        for name, given in runs.items()
    ]
    tensors = {f"{name}/{key}": value for name, golden in passes.items() for key, value in golden.items()}
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    write(f"heads-{number:02}", model, lines, {**state, "labels": targets, **tensors}, describe(head, config))


if __name__ == "__main__":
    for number, (head, settings, count) in enumerate(CASES):
        write_heads(number, head, settings, count)
