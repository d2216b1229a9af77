"""Golden tensors of what is random in training, made certain: `randomness-<model>.safetensors`.

    python reference/golden_randomness.py

Every dropout in turn at probability 1 shows its place, LayerDrop at 1 skips every layer (of an adapter too, whose
output then stays long), spans of length 1 at probability 1 mask every frame or every channel. Runs and outputs are
those of golden_ctc.py and golden_pretraining.py, in training mode, named after the key that is changed.
"""

import golden_ctc
import golden_pretraining
from golden_models import LENGTHS, TINY, adapter_frames, feature_frames, make_model, well_conditioned, write
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC, Wav2Vec2ForPreTraining

DROPOUTS = ["hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout", "final_dropout"]
CHANGES = {
    **{key: {key: 1.0} for key in DROPOUTS},
    "layerdrop": {"layerdrop": 1.0},
    "mask_time_prob": {"mask_time_prob": 1.0, "mask_time_length": 1},
    "mask_feature_prob": {"mask_feature_prob": 1.0, "mask_feature_length": 1},
    "apply_spec_augment": {
        "apply_spec_augment": False,
        **{"mask_time_prob": 1.0, "mask_time_length": 1, "mask_feature_prob": 1.0, "mask_feature_length": 1},
    },
}
QUIET = dict(mask_time_prob=0.0, mask_time_min_masks=0, mask_feature_prob=1e-9)  # has the vector, masks nothing
MODELS = {
    "post": dict(feat_extract_norm="group", do_stable_layer_norm=False),
    "stable": dict(
        feat_extract_norm="layer",
        conv_bias=True,
        do_stable_layer_norm=True,
        adapter_attn_dim=6,
        add_adapter=True,
        num_adapter_layers=1,
        output_hidden_size=10,
    ),
}


def changed(head, config: Wav2Vec2Config, state, changes: dict):
    """Dropout modules take their probability when they are made, so a changed model is a new one."""
    model = head._from_config(Wav2Vec2Config(**{**config.to_dict(), **changes}), attn_implementation="eager")
    model.load_state_dict(state)
    return model


def write_ctc(name: str, settings: dict) -> None:
    config = Wav2Vec2Config(**{**TINY, **QUIET, **settings})
    frames = [feature_frames(config, samples) for samples in LENGTHS]
    targets = golden_ctc.make_labels(config, [adapter_frames(config, count) for count in frames])

    def make(seed):
        model = make_model(Wav2Vec2ForCTC, config, 300_000 + seed)
        state = model.state_dict()

        def run(name, dtype):
            other = changed(Wav2Vec2ForCTC, config, state, CHANGES[name])
            return golden_ctc.run(other, dtype, "own", targets, train=True)

        return model, run

    model, golden, errors = well_conditioned(CHANGES, make)
    runs = [
        {"name": key, "train": True, "lengths": True, "config": changes, "float32_error": errors[key]}
        for key, changes in CHANGES.items()
    ]
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    kept = ("conv_features", "hidden_states.0", "extract_features")
    tensors = {
        f"{run}/{key}": value
        for run, outputs in golden.items()
        for key, value in outputs.items()
        if not key.startswith(kept)
    }
    write(f"randomness-{name}", model, runs, {**state, **targets, **tensors}, f"{name}, each in turn at 1")


def write_pretraining() -> None:
    """Without features every frame has the same logits but for the noise; masks and negatives are given."""
    config = Wav2Vec2Config(**TINY)
    changes = {"feat_quantizer_dropout": 1.0}
    frames = [feature_frames(config, samples) for samples in LENGTHS]
    own = dict(feature_grad_mult=1.0, feature_penalty_weight=0.0)

    def make(seed):
        base = make_model(Wav2Vec2ForPreTraining, config, 400_000 + seed)
        base.quantizer.weight_proj.bias.data.normal_()  # all that is left of the logits
        given = golden_pretraining.make_given(config, frames, last_clip_masked=True, negatives=4)
        model = changed(Wav2Vec2ForPreTraining, config, base.state_dict(), changes)

        def run(name, dtype):
            return {**given, **golden_pretraining.run(model, dtype, "own", True, own, given)}

        return base, run

    model, passes, errors = well_conditioned(changes, make)
    run = {
        "name": "feat_quantizer_dropout",
        "train": True,
        "temperature": 2.0,
        "lengths": True,
        "config": changes,
        "float32_error": errors["feat_quantizer_dropout"],
    }
    state = {f"state.{key}": value for key, value in model.state_dict().items()}
    tensors = {f"{name}/{key}": v for name, golden in passes.items() for key, v in golden.items()}
    write("randomness-quantizer", model, [run], {**state, **tensors}, "pre-training, feat_quantizer_dropout at 1")


if __name__ == "__main__":
    for name, settings in MODELS.items():
        write_ctc(name, settings)
    write_pretraining()
