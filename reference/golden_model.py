"""Golden tensors of tiny random wav2vec 2.0 models, made by Hugging Face's implementation.

    python reference/golden_model.py

Two files in packages/wav2vec2/test/golden, each a batch of three utterances of different lengths:

    ctc-group-norm.safetensors  norm on the first convolution only, post-LN layers, no convolution bias (BASE).
                                Such models see no attention mask, so padding would change their output: every
                                utterance is computed alone.
    ctc-layer-norm.safetensors  norm on every convolution, pre-LN layers, convolution bias (LARGE).
                                Computed as one padded batch with attention mask.

Tensors (frames behind an utterance's own are 0 in all outputs: they have no defined value):

    state.<key>             float32, the state dict under Hugging Face's keys
    input_values            float32 [utterance, sample], 0 behind an utterance's own samples
    lengths, frame_lengths  int64 [utterance]
    labels                  int64 [utterance, label], -100 behind an utterance's own labels
    conv_features           [utterance, frame, channel], output of the convolutions
    extract_features        the same after LayerNorm, what the quantizer reads
    hidden_states.<i>       [utterance, frame, hidden], output of transformer layer i
    last_hidden_state       output of Wav2Vec2Model
    logits                  [utterance, frame, token]
    loss_sum, loss_mean     CTC loss under both reductions of ctc_loss_reduction
    grad.<key>              gradient of loss_mean
    mask_time_indices       bool [utterance, frame]
    masked_last_hidden_state  output of Wav2Vec2Model with these frames masked

Weights and inputs are float32. Outputs (kept as float64) and gradients (rounded to float32) were computed from
them in float64, so that what a comparison shows is the error of the compared side alone.
Metadata: `config`, the text of config.json.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import ctc_loss, log_softmax, pad
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

GOLDEN = Path(__file__).parent.parent / "packages" / "wav2vec2" / "test" / "golden"
LENGTHS = [6400, 4700, 2345]
LABELS = [[3, 3, 7, 1, 11, 5], [2, 9, 9, 4], [8, 1]]

# No randomness in training mode either: no dropout, no LayerDrop, no SpecAugment.
COMMON = dict(
    architectures=["Wav2Vec2ForCTC"],
    vocab_size=12,
    num_hidden_layers=2,
    conv_dim=[16] * 7,
    hidden_dropout=0.0,
    activation_dropout=0.0,
    attention_dropout=0.0,
    feat_proj_dropout=0.0,
    feat_quantizer_dropout=0.0,
    final_dropout=0.0,
    layerdrop=0.0,
    apply_spec_augment=False,
    initializer_range=0.2,
    codevector_dim=16,
    proj_codevector_dim=16,
)
MODELS = {
    "ctc-group-norm": dict(
        hidden_size=24,
        num_attention_heads=2,
        intermediate_size=40,
        num_conv_pos_embeddings=16,  # even: the convolution's last frame is dropped
        num_conv_pos_embedding_groups=4,
        feat_extract_norm="group",
        conv_bias=False,
        do_stable_layer_norm=False,
        ctc_loss_reduction="mean",
    ),
    "ctc-layer-norm": dict(
        hidden_size=32,
        num_attention_heads=4,
        intermediate_size=48,
        num_conv_pos_embeddings=9,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm="layer",
        conv_bias=True,
        do_stable_layer_norm=True,
        ctc_loss_reduction="sum",
    ),
}


def make_model(config: Wav2Vec2Config) -> Wav2Vec2ForCTC:
    model = Wav2Vec2ForCTC._from_config(config, attn_implementation="eager")
    with torch.no_grad():  # a bias of 0 or a norm's weight of 1 would hide a missing one
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def make_batch() -> dict[str, torch.Tensor]:
    """Noise under a few moving tones, zero mean and unit variance over each utterance's own samples."""
    batch = {
        "input_values": torch.zeros(len(LENGTHS), max(LENGTHS)),
        "lengths": torch.tensor(LENGTHS),
        "labels": torch.full((len(LABELS), max(map(len, LABELS))), -100),
    }
    for row, (length, labels) in enumerate(zip(LENGTHS, LABELS)):
        time = torch.arange(length, dtype=torch.float64) / 16000
        wave = 0.3 * torch.randn(length, dtype=torch.float64)
        for tone in range(3):
            wave += torch.sin(2 * torch.pi * (150 * (tone + 1) + 400 * time * (row + 1)) * time)
        wave = (wave - wave.mean()) / torch.sqrt(wave.var(unbiased=False) + 1e-7)
        batch["input_values"][row, :length] = wave.float()
        batch["labels"][row, : len(labels)] = torch.tensor(labels)
    return batch


def attention_mask() -> torch.Tensor:
    """1 over an utterance's own samples, int64 [utterance, sample]."""
    return (torch.arange(max(LENGTHS))[None, :] < torch.tensor(LENGTHS)[:, None]).long()


def forward(model, values, mask, **masks) -> dict[str, torch.Tensor]:
    """Every stage's output, [utterance, frame, ...]."""
    stages = {}

    def keep(name):
        def hook(module, inputs, output):
            stages[name] = output[0] if isinstance(output, tuple) else output

        return hook

    base = model.wav2vec2
    hooks = [base.feature_extractor.register_forward_hook(keep("conv_features"))]
    for index, layer in enumerate(base.encoder.layers):
        hooks.append(layer.register_forward_hook(keep(f"hidden_states.{index}")))
    output = base(values, attention_mask=mask, **masks)
    for hook in hooks:
        hook.remove()
    stages["conv_features"] = stages["conv_features"].transpose(1, 2)
    stages["extract_features"] = output.extract_features
    stages["last_hidden_state"] = output.last_hidden_state
    stages["logits"] = model.lm_head(output.last_hidden_state)
    return stages


def forward_all(model, batch, frames, mask_time_indices=None) -> dict[str, torch.Tensor]:
    """The batch padded where the model sees an attention mask, one by one where it does not."""
    values = batch["input_values"].double()
    masks = {} if mask_time_indices is None else {"mask_time_indices": mask_time_indices}
    if model.config.feat_extract_norm == "layer":
        stages = forward(model, values, attention_mask(), **masks)
    else:
        alone = []
        for row, length in enumerate(LENGTHS):
            own = {name: mask[row : row + 1, : frames[row]] for name, mask in masks.items()}
            alone.append(forward(model, values[row : row + 1, :length], None, **own))
        stages = {
            name: torch.cat([pad(one[name], (0, 0, 0, max(frames) - one[name].shape[1])) for one in alone])
            for name in alone[0]
        }
    valid = torch.arange(max(frames))[None, :] < torch.tensor(frames)[:, None]
    return {name: stage * valid[:, :, None] for name, stage in stages.items()}


def losses(logits: torch.Tensor, labels: torch.Tensor, frames: list[int]) -> dict[str, torch.Tensor]:
    log_probabilities = log_softmax(logits, dim=-1).transpose(0, 1)
    targets = labels.masked_select(labels >= 0)
    lengths = torch.tensor(frames), (labels >= 0).sum(-1)
    return {
        f"loss_{reduction}": ctc_loss(log_probabilities, targets, *lengths, blank=0, reduction=reduction)
        for reduction in ("sum", "mean")
    }


def check_against_float32(config, state, batch, golden) -> None:
    """Wav2Vec2ForCTC's own forward pass, as a user calls it, gives the same numbers."""
    for reduction in ("sum", "mean"):
        config.ctc_loss_reduction = reduction
        model = Wav2Vec2ForCTC._from_config(config, attn_implementation="eager").eval()
        model.load_state_dict(state)
        model.train()
        if config.feat_extract_norm == "layer":
            loss = model(batch["input_values"], attention_mask=attention_mask(), labels=batch["labels"]).loss
        else:
            alone = [
                model(batch["input_values"][i : i + 1, :n], labels=batch["labels"][i : i + 1]).loss
                for i, n in enumerate(LENGTHS)
            ]
            loss = torch.stack(alone).sum() / (len(LENGTHS) if reduction == "mean" else 1)
        torch.testing.assert_close(loss.double(), golden[f"loss_{reduction}"], rtol=1e-5, atol=0)
    loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, golden[f"grad.{name}"], rtol=1e-3, atol=1e-5)


def write_golden(name: str, settings: dict) -> None:
    torch.manual_seed(20060)
    config = Wav2Vec2Config(**COMMON, **settings)
    text = json.dumps(json.loads(config.to_json_string(use_diff=False)), sort_keys=True)
    model = make_model(config)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    batch = make_batch()
    frames = [int(n) for n in model._get_feat_extract_output_lengths(batch["lengths"])]

    model.double()
    stages = forward_all(model, batch, frames)
    golden = {**stages, **losses(stages["logits"], batch["labels"], frames)}
    golden["loss_mean"].backward()
    for key, parameter in model.named_parameters():
        # masked_spec_embed takes no part while nothing is masked
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        golden[f"grad.{key}"] = gradient.float()

    check_against_float32(config, state, batch, golden)

    mask = torch.zeros(len(frames), max(frames), dtype=torch.bool)
    for row, (start, end) in enumerate([(2, 7), (0, 3), (4, frames[2])]):
        mask[row, start:end] = True
    model.config.apply_spec_augment = True
    masked = forward_all(model, batch, frames, mask)["last_hidden_state"]

    tensors = {
        **{f"state.{key}": value for key, value in state.items()},
        **batch,
        **golden,
        "frame_lengths": torch.tensor(frames),
        "mask_time_indices": mask,
        "masked_last_hidden_state": masked,
    }
    path = GOLDEN / f"{name}.safetensors"
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, path, {"config": text})
    loss = " ".join(f"{key} {golden[key].item():.6f}" for key in ("loss_sum", "loss_mean"))
    print(f"{path.name}: {path.stat().st_size} bytes, frames {frames}, {loss}")


torch.set_num_threads(1)  # the order of sums, and so the last bit, depends on it
for name, settings in MODELS.items():
    write_golden(name, settings)
