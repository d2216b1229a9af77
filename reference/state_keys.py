"""The names under which checkpoints hold the parameters of wav2vec 2.0.

    python reference/state_keys.py

Writes packages/wav2vec2/test/golden/state-keys.json, which state-keys.test.ts reads:

    huggingface[norm][class]   the state dict's keys of a tiny model of Hugging Face's, for both kinds of feature
                               encoder; `adapted` is Wav2Vec2ForCTC with attention and convolution adapters
    adapter                    the keys of the adapted model's adapter.<lang>.safetensors
    fairseq[norm][stage]       fairseq's keys of the same network, pre-trained and fine-tuned with CTC, as the modules
                               of fairseq/models/wav2vec/wav2vec2.py and wav2vec2_asr.py (0.12.2) name them

Two layers and two convolutions: more only repeat the names.
"""

import json
from pathlib import Path

from transformers import (
    Wav2Vec2Config,
    Wav2Vec2ForAudioFrameClassification,
    Wav2Vec2ForCTC,
    Wav2Vec2ForPreTraining,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2ForXVector,
    Wav2Vec2Model,
)

GOLDEN = Path(__file__).parent.parent / "packages" / "wav2vec2" / "test" / "golden"
CLASSES = (
    Wav2Vec2Model,
    Wav2Vec2ForPreTraining,
    Wav2Vec2ForCTC,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2ForAudioFrameClassification,
    Wav2Vec2ForXVector,
)
LAYERS = CONVOLUTIONS = 2


def config(norm, **changes):
    return Wav2Vec2Config(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=[8] * CONVOLUTIONS,
        conv_kernel=[10, 3],
        conv_stride=[5, 2],
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        codevector_dim=8,
        proj_codevector_dim=8,
        num_codevectors_per_group=4,
        feat_extract_norm=norm,
        conv_bias=norm == "layer",
        do_stable_layer_norm=norm == "layer",
        use_weighted_layer_sum=True,
        tdnn_dim=[4, 4],
        tdnn_kernel=[2, 1],
        tdnn_dilation=[1, 1],
        xvector_output_dim=4,
        **changes,
    )


def linear(name):
    return [f"{name}.weight", f"{name}.bias"]


def fairseq_network(norm):
    keys = ["mask_emb", *linear("layer_norm"), *linear("post_extract_proj")]
    for i in range(CONVOLUTIONS):
        convolution = f"feature_extractor.conv_layers.{i}"
        keys.append(f"{convolution}.0.weight")
        if norm == "layer":
            keys += [f"{convolution}.0.bias", *linear(f"{convolution}.2.1")]
        elif i == 0:
            keys += linear(f"{convolution}.2")
    keys += [f"encoder.pos_conv.0.{name}" for name in ("bias", "weight_g", "weight_v")]
    for i in range(LAYERS):
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            keys += linear(f"encoder.layers.{i}.self_attn.{name}")
        for name in ("self_attn_layer_norm", "fc1", "fc2", "final_layer_norm"):
            keys += linear(f"encoder.layers.{i}.{name}")
    return keys + linear("encoder.layer_norm")


def fairseq_pretrained(norm):
    heads = ["quantizer.vars", *linear("quantizer.weight_proj"), *linear("project_q"), *linear("final_proj")]
    return fairseq_network(norm) + heads


def fairseq_finetuned(norm):
    return [f"w2v_encoder.w2v_model.{key}" for key in fairseq_network(norm)] + linear("w2v_encoder.proj")


def huggingface(norm):
    keys = {cls.__name__: sorted(cls(config(norm)).state_dict()) for cls in CLASSES}
    if norm == "layer":
        keys["adapted"] = sorted(adapted.state_dict())
    return keys


adapted = Wav2Vec2ForCTC(config("layer", adapter_attn_dim=4, add_adapter=True, output_hidden_size=8, num_adapter_layers=1))
golden = {
    "huggingface": {norm: huggingface(norm) for norm in ("group", "layer")},
    "adapter": sorted(adapted._get_adapters()),
    "fairseq": {
        norm: {"pretrained": fairseq_pretrained(norm), "finetuned": fairseq_finetuned(norm)} for norm in ("group", "layer")
    },
}
(GOLDEN / "state-keys.json").write_text(json.dumps(golden, indent=2) + "\n")
