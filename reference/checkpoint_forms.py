"""Model directories in every form in which public wav2vec 2.0, XLS-R, MMS and derived repositories have them.

    python reference/checkpoint_forms.py [PYTHON ...]

Writes packages/wav2vec2/test/golden/forms/<form>/ and forms.json, which checkpoint-forms.test.ts reads: a list of

    form      the directory, and `about`, what is particular
    language  to load it with, where it has several
    logits    Hugging Face's, float32 [frame, token], of the third clip of inputs.safetensors
    normalize do_normalize of its feature extractor
    decodes   [ids of frames, text of Hugging Face's tokenizer]
    error     or the sentence that it is refused with

PYTHON are those of environments with other versions of transformers: a form for each. Configurations are those of public
repositories but for their sizes; weights are random.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from golden_models import GOLDEN, INPUTS, LENGTHS
from safetensors.torch import load_file, save_file
from transformers import (
    Data2VecAudioConfig,
    Data2VecAudioForCTC,
    HubertConfig,
    HubertForCTC,
    UniSpeechSatConfig,
    UniSpeechSatForCTC,
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2ForCTC,
    Wav2Vec2ForPreTraining,
    Wav2Vec2PhonemeCTCTokenizer,
)

FORMS = GOLDEN / "forms"
CLIP = INPUTS[2:3, : LENGTHS[2]]

SIZES = dict(
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=8,
    conv_dim=[4] * 7,
    num_conv_pos_embeddings=4,
    num_conv_pos_embedding_groups=2,
    initializer_range=0.3,
    codevector_dim=4,
    proj_codevector_dim=4,
    num_codevectors_per_group=4,
)
FACEBOOK = ["<pad>", "<s>", "</s>", "<unk>", "|", "E", "T", "A", "'", "O"]
COMMUNITY = ["|", "a", "b", "ä", "ß", "'", "[UNK]", "[PAD]"]
PHONEMES = ["<s>", "<pad>", "</s>", "<unk>", "n", "aɪ", "tʃ", "ɔː", "ə"]
SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
LARGE = dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)

# What is in config.json of facebook/wav2vec2-base-960h and of facebook/wav2vec2-large-xlsr-53 beside sizes.
BASE_960H = dict(
    activation_dropout=0.1, apply_spec_augment=True, attention_dropout=0.1, bos_token_id=1, contrastive_logits_temperature=0.1,
    conv_bias=False, conv_kernel=[10, 3, 3, 3, 3, 2, 2], conv_stride=[5, 2, 2, 2, 2, 2, 2], ctc_loss_reduction="sum",
    ctc_zero_infinity=False, diversity_loss_weight=0.1, do_stable_layer_norm=False, eos_token_id=2, feat_extract_activation="gelu",
    feat_extract_dropout=0.0, feat_extract_norm="group", feat_proj_dropout=0.1, feat_quantizer_dropout=0.0, final_dropout=0.1,
    gradient_checkpointing=False, hidden_act="gelu", hidden_dropout=0.1, hidden_dropout_prob=0.1, layer_norm_eps=1e-05,
    layerdrop=0.1, mask_feature_length=10, mask_feature_prob=0.0, mask_time_length=10, mask_time_prob=0.05,
    num_codevector_groups=2, num_feat_extract_layers=7, num_negatives=100, pad_token_id=0, transformers_version="4.7.0.dev0",
)  # fmt: skip
XLSR_53 = dict(
    activation_dropout=0.0, apply_spec_augment=True, attention_dropout=0.1, conv_bias=True, ctc_loss_reduction="mean",
    ctc_zero_infinity=True, do_stable_layer_norm=True, feat_extract_activation="gelu", feat_extract_dropout=0.0,
    feat_extract_norm="layer", feat_proj_dropout=0.05, final_dropout=0.0, gradient_checkpointing=True, hidden_dropout=0.05,
    layerdrop=0.05, mask_channel_length=10, mask_channel_min_space=1, mask_channel_other=0.0, mask_channel_prob=0.0,
    mask_channel_selection="static", mask_feature_length=10, mask_feature_prob=0.0, mask_time_length=10, mask_time_min_space=1,
    mask_time_other=0.0, mask_time_prob=0.05, mask_time_selection="static", pad_token_id=7, tokenizer_class="Wav2Vec2CTCTokenizer",
    transformers_version="4.5.0.dev0",
)  # fmt: skip


def numbered(tokens):
    return {token: number for number, token in enumerate(tokens)}


def added(content):
    return dict(content=content, lstrip=False, rstrip=False, normalized=False, single_word=False, special=True)


def dump(path, contents):
    path.write_text(json.dumps(contents, ensure_ascii=False) + "\n")


def change(path, **changes):
    contents = json.loads(path.read_text()) if path.exists() else {}
    contents.update(changes)
    dump(path, {key: value for key, value in contents.items() if value is not ...})


def model_of(head=Wav2Vec2ForCTC, configuration=Wav2Vec2Config, seed=1, **settings):
    torch.manual_seed(seed)
    return head(configuration(**{**SIZES, **settings})).eval()


def older(state):
    """Names of a normalised weight before PyTorch 2.0."""
    return {
        key.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v"): value
        for key, value in state.items()
    }


def plain(directory, tokens=FACEBOOK, save=None, config=None, head=Wav2Vec2ForCTC, configuration=Wav2Vec2Config, **settings):
    """A directory of a tiny model with Facebook's vocabulary, in today's form; `config` replaces what config.json says."""
    pad = next((number for number, token in enumerate(tokens) if token in ("<pad>", "[PAD]")), 0)
    model = model_of(head, configuration, vocab_size=len(tokens), **{"pad_token_id": pad, **settings})
    model.save_pretrained(directory)
    if save is not None:
        (directory / "model.safetensors").unlink()
        save(directory, model.state_dict())
    if config is not None:
        dump(directory / "config.json", {**config, **SIZES, "vocab_size": len(tokens), "model_type": "wav2vec2"})
    dump(directory / "vocab.json", numbered(tokens))
    dump(directory / "tokenizer_config.json", {**SPECIAL, "tokenizer_class": "Wav2Vec2CTCTokenizer"})
    dump(
        directory / "preprocessor_config.json",
        dict(
            do_normalize=True, feature_extractor_type="Wav2Vec2FeatureExtractor", feature_size=1, padding_side="right",
            padding_value=0.0, return_attention_mask=False, sampling_rate=16000,
        ),
    )  # fmt: skip
    return model


def community(directory, **settings):
    model = plain(directory, COMMUNITY, **settings)
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "bos_token": None, "eos_token": None}
    dump(directory / "tokenizer_config.json", {**names, "word_delimiter_token": "|", "do_lower_case": False})
    return model


def old_bin(directory, state, zipped=True):
    torch.save(older(state), directory / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)


def shards(directory, state, kind):
    keys = list(state)
    parts = [keys[: len(keys) // 2], keys[len(keys) // 2 :]]
    name, extension = ("model", "safetensors") if kind == "safetensors" else ("pytorch_model", "bin")
    index = {}
    for number, part in enumerate(parts, 1):
        file = f"{name}-{number:05}-of-00002.{extension}"
        tensors = {key: state[key].contiguous().clone() for key in part}
        save_file(tensors, directory / file, {"format": "pt"}) if kind == "safetensors" else torch.save(tensors, directory / file)
        index.update({key: file for key in part})
    dump(directory / f"{name}.{extension}.index.json", {"metadata": {"total_size": 1}, "weight_map": index})


def safetensors(directory, state, dtype=torch.float32, rename=lambda state: state):
    tensors = {key: value.to(dtype).contiguous().clone() for key, value in rename(state).items()}
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})


def fairseq(state):
    """Names as `model` of a fairseq checkpoint has them: convert_wav2vec2_original_pytorch_checkpoint_to_pytorch.py backwards."""
    rules = [
        ("wav2vec2.", ""),
        ("lm_head.", "w2v_encoder.proj."),
        ("masked_spec_embed", "mask_emb"),
        ("feature_projection.layer_norm", "layer_norm"),
        ("feature_projection.projection", "post_extract_proj"),
        ("encoder.pos_conv_embed.conv.", "encoder.pos_conv.0."),
        (".attention.", ".self_attn."),
        (".feed_forward.intermediate_dense", ".fc1"),
        (".feed_forward.output_dense", ".fc2"),
        (".adapter_layer.linear_1.weight", ".adapter_layer.W_a"),
        (".adapter_layer.linear_2.weight", ".adapter_layer.W_b"),
        (".adapter_layer.linear_1.bias", ".adapter_layer.b_a"),
        (".adapter_layer.linear_2.bias", ".adapter_layer.b_b"),
        (".adapter_layer.norm.weight", ".adapter_layer.ln_W"),
        (".adapter_layer.norm.bias", ".adapter_layer.ln_b"),
    ]
    renamed = {}
    for key, value in older(state).items():
        name = key
        if ".layers." in name and ".adapter_layer." not in name:
            name = name.replace(".layer_norm.", ".self_attn_layer_norm.") if ".final_layer_norm." not in name else name
        for ours, theirs in rules:
            name = name.replace(ours, theirs)
        name = name.replace(".conv.", ".0.") if name.startswith("feature_extractor") else name
        if name.startswith("feature_extractor") and ".layer_norm." in name:
            # A group norm is the third module, a layer norm is the second of the third's.
            name = name.replace(".layer_norm.", ".2.1." if "conv_layers.1.layer_norm.weight" in " ".join(state) else ".2.")
        if not name.startswith("w2v_encoder."):
            name = f"w2v_encoder.w2v_model.{name}"
        is_adapter = name.rsplit(".", 1)[-1] in ("W_a", "W_b", "b_a", "b_b", "ln_W", "ln_b")
        renamed[name] = value[None] if is_adapter else value  # of one adapter among several
    return renamed


def mms(directory, kind="safetensors", rename=lambda state: state):
    """Two languages; the directory's own is eng."""
    head = ["<pad>", "<s>", "</s>", "<unk>", "|"]
    vocabularies = {"eng": numbered([*head, *"abc'"]), "deu": numbered([*head, *"äbcde"])}
    for language, seed in (("deu", 5), ("eng", 1)):
        size = len(vocabularies[language])
        model = model_of(**LARGE, adapter_attn_dim=4, vocab_size=size, seed=seed)
        own = {key: value for key, value in model.state_dict().items() if key.startswith("lm_head") or "adapter_layer" in key}
        if kind == "safetensors":
            save_file({key: value.contiguous() for key, value in rename(own).items()}, directory / f"adapter.{language}.safetensors")
        else:
            torch.save(rename(own), directory / f"adapter.{language}.bin")
    model.save_pretrained(directory)
    dump(directory / "vocab.json", vocabularies)
    dump(directory / "tokenizer_config.json", {**SPECIAL, "target_lang": "eng", "tokenizer_class": "Wav2Vec2CTCTokenizer"})
    dump(directory / "preprocessor_config.json", dict(do_normalize=True, sampling_rate=16000))


def with_language_model(directory):
    plain(directory)
    change(directory / "tokenizer_config.json", processor_class="Wav2Vec2ProcessorWithLM")
    change(directory / "preprocessor_config.json", processor_class="Wav2Vec2ProcessorWithLM")
    dump(directory / "alphabet.json", {"labels": ["", "<s>", "</s>", "⁇", " ", *FACEBOOK[5:]], "is_bpe": False})
    (directory / "language_model").mkdir()
    dump(directory / "language_model" / "attrs.json", {"alpha": 0.5, "beta": 1.5, "unk_score_offset": -10.0, "score_boundary": True})
    (directory / "language_model" / "unigrams.txt").write_text("TEA\nEAT\n")
    (directory / "language_model" / "5gram.bin").write_bytes(b"mmap lm http://kheafield.com/code format version 5\n\0")


def tokenizer_json(directory):
    plain(directory)
    vocab = numbered(FACEBOOK)
    (directory / "vocab.json").unlink()
    dump(
        directory / "tokenizer.json",
        {
            "version": "1.0",
            "added_tokens": [{"id": vocab[token], **added(token)} for token in ("<s>", "</s>", "<unk>")],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "|"},
            "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
            "decoder": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
        },
    )


def phonemes(directory, **settings):
    plain(directory, PHONEMES)
    dump(
        directory / "tokenizer_config.json",
        dict(
            **SPECIAL, do_lower_case=False, do_phonemize=False, word_delimiter_token=None, phone_delimiter_token=" ",
            phonemizer_lang="en-us", tokenizer_class="Wav2Vec2PhonemeCTCTokenizer", **settings,
        ),
    )  # fmt: skip


def files(directory, **changes):
    """Today's form with some files' keys changed; `...` removes a key, None the file."""
    plain(directory)
    for name, keys in changes.items():
        path = directory / f"{name}.json"
        path.unlink() if keys is None else change(path, **keys)


def renamed_config(directory, **keys):
    plain(directory)
    change(directory / "config.json", **keys)


def only(directory, *names):
    for path in directory.iterdir():
        if path.name not in names:
            path.unlink()


def foreign_weights(directory, name):
    plain(directory)
    (directory / "model.safetensors").unlink()
    (directory / name).write_bytes(b"\x89HDF\r\n")


def whole_module(directory):
    model = plain(directory)
    (directory / "model.safetensors").unlink()
    torch.save(model.lm_head, directory / "pytorch_model.bin")


def pretrained(directory):
    plain(directory, head=Wav2Vec2ForPreTraining)


def processor_config(directory):
    plain(directory)
    extractor = json.loads((directory / "preprocessor_config.json").read_text())
    (directory / "preprocessor_config.json").unlink()
    dump(directory / "processor_config.json", {"feature_extractor": {**extractor, "do_normalize": False}, "processor_class": "Wav2Vec2Processor"})


def community_added(directory):
    plain(directory, [*COMMUNITY, "<s>", "</s>"], pad_token_id=7)
    dump(directory / "vocab.json", numbered(COMMUNITY))
    dump(directory / "added_tokens.json", {"<s>": 8, "</s>": 9})
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "[UNK]", "pad_token": "[PAD]"}
    dump(directory / "special_tokens_map.json", {**special, "additional_special_tokens": [added("<s>"), added("</s>")]})
    dump(directory / "tokenizer_config.json", {**special, "do_lower_case": False, "word_delimiter_token": "|", "special_tokens_map_file": None})


def tokens_of(directory, tokens, **settings):
    plain(directory, tokens)
    change(directory / "tokenizer_config.json", **settings)


def larger_head(directory):
    plain(directory, [*FACEBOOK, "x", "y"])
    dump(directory / "vocab.json", numbered(FACEBOOK))


# By name: what is particular, and what writes it. Where `error` stands, the sentence it is refused with.
CASES = {
    "base-960h": ("config.json of facebook/wav2vec2-base-960h, pytorch_model.bin with weight_g", lambda d: plain(d, config=BASE_960H, save=old_bin)),
    "xlsr-53": ("keys of facebook/wav2vec2-large-xlsr-53: mask_channel_*, gradient_checkpointing", lambda d: community(d, config=XLSR_53, save=old_bin, **LARGE)),
    "today": ("model.safetensors with parametrizations", plain),
    "layer-norm": ("feat_extract_norm layer, do_stable_layer_norm", lambda d: plain(d, **LARGE)),
    "few-keys": ("config.json without architectures, dropouts, masks, tokens", lambda d: plain(d, config={})),
    "no-vocab-size": ("vocab_size left to its default, 32", lambda d: (plain(d, [*FACEBOOK, *map(chr, range(97, 119))]), change(d / "config.json", vocab_size=...))),
    "null-labels": ("eos_token_id a list, id2label, problem_type", lambda d: renamed_config(d, eos_token_id=[2], id2label={"0": "LABEL_0"}, label2id={"LABEL_0": 0}, problem_type=None, use_bfloat16=False, attn_implementation="sdpa", torchscript=False)),
    "no-mask-vector": ("mask_time_prob 0 when it was saved: no masked_spec_embed", lambda d: (plain(d, mask_time_prob=0.0), change(d / "config.json", mask_time_prob=0.05))),
    "adapter": ("add_adapter, output_hidden_size", lambda d: plain(d, add_adapter=True, num_adapter_layers=1, output_hidden_size=8)),
    "float16": ("float16, torch_dtype", lambda d: (plain(d, save=lambda d, s: safetensors(d, s, torch.float16)), change(d / "config.json", torch_dtype="float16", dtype=...))),
    "bfloat16": ("bfloat16, dtype", lambda d: (plain(d, save=lambda d, s: safetensors(d, s, torch.bfloat16)), change(d / "config.json", dtype="bfloat16"))),
    "weight-g": ("model.safetensors with weight_g and weight_v", lambda d: plain(d, save=lambda d, s: safetensors(d, s, rename=older))),
    "bin-shards": ("pytorch_model.bin.index.json", lambda d: plain(d, save=lambda d, s: shards(d, s, "bin"))),
    "safetensors-shards": ("model.safetensors.index.json", lambda d: plain(d, save=lambda d, s: shards(d, s, "safetensors"))),
    "data-parallel": ("keys with module., as a training script saved them", lambda d: plain(d, save=lambda d, s: safetensors(d, s, rename=lambda s: {f"module.{k}": v for k, v in s.items()}))),
    "fairseq": ("fairseq's names", lambda d: plain(d, save=lambda d, s: safetensors(d, s, rename=fairseq))),
    "fairseq-large": ("fairseq's names, layer norms", lambda d: plain(d, **LARGE, save=lambda d, s: safetensors(d, s, rename=fairseq))),
    "vocabulary-alone": ("vocab.json and no other file of the tokenizer", lambda d: (plain(d), (d / "tokenizer_config.json").unlink())),
    "tokenizer-json": ("tokenizer.json without vocab.json", tokenizer_json),
    "community": ("[PAD] and [UNK] last, bos_token null", community),
    "added-tokens": ("added_tokens.json, special_tokens_map.json with objects", community_added),
    "added-tokens-decoder": ("added_tokens_decoder", lambda d: files(d, tokenizer_config=dict(added_tokens_decoder={str(i): added(FACEBOOK[i]) for i in range(4)}, model_max_length=10**30, clean_up_tokenization_spaces=True))),
    "lower-case": ("do_lower_case", lambda d: files(d, tokenizer_config=dict(do_lower_case=True))),
    "space-delimiter": ("word_delimiter_token is a space", lambda d: tokens_of(d, ["<pad>", "<s>", "</s>", "<unk>", " ", "a", "b"], word_delimiter_token=" ")),
    "no-delimiter": ("word_delimiter_token null: no spaces between words", lambda d: tokens_of(d, ["<pad>", "<s>", "</s>", "<unk>", *"你好世界"], word_delimiter_token=None)),
    "long-tokens": ("tokens of several characters", lambda d: tokens_of(d, ["<pad>", "<s>", "</s>", "<unk>", "|", "a", "s", "ch", "sch", "<ctc>"])),
    "old-tokenizer": ("tokenizer_class Wav2Vec2Tokenizer, do_normalize in tokenizer_config.json", lambda d: files(d, tokenizer_config=dict(tokenizer_class="Wav2Vec2Tokenizer", do_normalize=True, return_attention_mask=False))),
    "no-tokenizer-class": ("no tokenizer_class, name_or_path, replace_word_delimiter_char", lambda d: files(d, tokenizer_config=dict(tokenizer_class=..., name_or_path="./", replace_word_delimiter_char=" ", tokenizer_file=None))),
    "phonemes": ("Wav2Vec2PhonemeCTCTokenizer", phonemes),
    "no-preprocessor": ("no preprocessor_config.json", lambda d: files(d, preprocessor_config=None)),
    "not-normalized": ("do_normalize false, processor_class, no feature_extractor_type", lambda d: files(d, preprocessor_config=dict(do_normalize=False, feature_extractor_type=..., processor_class="Wav2Vec2Processor", return_attention_mask=True))),
    "processor-config": ("processor_config.json of transformers 5 alone", processor_config),
    "language-model": ("Wav2Vec2ProcessorWithLM: alphabet.json, language_model/", with_language_model),
    "mms": ("adapter_attn_dim, adapter.<language>.safetensors, a vocabulary a language", mms),
    "mms-bin": ("adapter.<language>.bin", lambda d: mms(d, "bin")),
    "mms-fairseq": ("adapters under fairseq's names", lambda d: mms(d, rename=fairseq)),
    "hubert": ("HubertForCTC", lambda d: plain(d, head=HubertForCTC, configuration=HubertConfig, **LARGE)),
    "hubert-bin": ("HubertForCTC, pytorch_model.bin with weight_g", lambda d: plain(d, head=HubertForCTC, configuration=HubertConfig, save=old_bin)),
    "hubert-batch-norm": ("HubertForCTC with conv_pos_batch_norm, feat_proj_layer_norm false", lambda d: plain(d, head=HubertForCTC, configuration=HubertConfig, conv_pos_batch_norm=True, feat_proj_layer_norm=False)),
    "data2vec": ("Data2VecAudioForCTC", lambda d: plain(d, head=Data2VecAudioForCTC, configuration=Data2VecAudioConfig, num_conv_pos_embeddings=3, conv_pos_kernel_size=5)),
    "unispeech-sat": ("UniSpeechSatForCTC", lambda d: plain(d, head=UniSpeechSatForCTC, configuration=UniSpeechSatConfig)),
}  # fmt: skip

NETWORKS = 'model_type must be "wav2vec2", "hubert", "data2vec-audio", "unispeech" or "unispeech-sat", but is '
REFUSED = {
    **{
        name: (f"model_type {name}", lambda d, name=name: renamed_config(d, model_type=name), f'{NETWORKS}"{name}", {why}.')
        for name, why in {
            "wavlm": "whose attention is biased by gated relative positions",
            "wav2vec2-conformer": "whose layers are Conformer blocks",
            "wav2vec2-bert": "which reads filter banks instead of samples, with Conformer blocks",
            "sew": "which squeezes frames before its layers",
            "sew-d": "which squeezes frames before its layers, whose attention is disentangled",
            "whisper": "whose text a decoder writes word by word",
            "speech-encoder-decoder": "whose text a decoder writes word by word",
        }.items()
    },
    "bin-legacy": ("pytorch_model.bin of PyTorch before 1.6", lambda d: plain(d, save=lambda d, s: old_bin(d, s, zipped=False)), "must be in the zip format of PyTorch 1.6 and later, but is in the older one. Load it in PyTorch and save it again"),
    "larger-head": ("more outputs than tokens", larger_head, "must have 12 tokens as config.json's vocab_size, but has 10."),
    "8-khz": ("sampling_rate 8000", lambda d: files(d, preprocessor_config=dict(sampling_rate=8000)), "sampling_rate must be 16000, but is 8000."),
    "pre-trained": ("Wav2Vec2ForPreTraining beside a vocabulary", pretrained, "The file has no CTC head, as pre-trained models have none."),
    "tensorflow": ("tf_model.h5 alone", lambda d: foreign_weights(d, "tf_model.h5"), "must hold the weights of a model (model.safetensors"),
    "flax": ("flax_model.msgpack alone", lambda d: foreign_weights(d, "flax_model.msgpack"), "must hold the weights of a model (model.safetensors"),
    "whole-module": ("a module pickled whole instead of its tensors", whole_module, "must hold only tensors, but its pickle names torch.nn.modules.linear.Linear. Nothing of it was run."),
    "other-tokenizer": ("tokenizer_class BertTokenizer", lambda d: files(d, tokenizer_config=dict(tokenizer_class="BertTokenizer")), "tokenizer_class must be Wav2Vec2CTCTokenizer or Wav2Vec2PhonemeCTCTokenizer, but is BertTokenizer."),
    "other-activation": ("hidden_act quick_gelu", lambda d: renamed_config(d, hidden_act="quick_gelu"), 'hidden_act must be "gelu" or "gelu_new" or "relu" or "silu", but is "quick_gelu".'),
    "mms-no-language": ("several languages, target_lang null", lambda d: (mms(d), change(d / "tokenizer_config.json", target_lang=None)), "Choose from deu, eng."),
}  # fmt: skip


def load(directory, language):
    """What Hugging Face makes of a directory, whichever of its names it does not read."""
    config = json.loads((directory / "config.json").read_text())
    head = {"hubert": HubertForCTC, "data2vec-audio": Data2VecAudioForCTC, "unispeech-sat": UniSpeechSatForCTC}
    return head.get(config["model_type"], Wav2Vec2ForCTC).from_pretrained(directory, dtype=torch.float32).eval()


def tokenizer_of(directory, language):
    settings = json.loads((directory / "tokenizer_config.json").read_text()) if (directory / "tokenizer_config.json").exists() else {}
    kind = Wav2Vec2PhonemeCTCTokenizer if "Phoneme" in str(settings.get("tokenizer_class")) else Wav2Vec2CTCTokenizer
    tokenizer = kind.from_pretrained(directory, **({} if language is None else {"target_lang": language}))
    if kind is Wav2Vec2CTCTokenizer:
        tokenizer._word_delimiter_token = settings.get("word_delimiter_token", "|")
    return tokenizer


def decodes(tokenizer, size):
    """Frames without special tokens, whose names Hugging Face keeps or drops together with the blanks."""
    blank = tokenizer.pad_token_id
    silent = {*tokenizer.all_special_tokens} - {tokenizer.pad_token}
    ids = [number for number in range(size) if tokenizer.convert_ids_to_tokens(number) not in silent | {None}]
    generator = random.Random(size)
    result = []
    for _ in range(4):
        labels = generator.choices([*ids, blank, blank], k=12)
        frames = [label for label in labels for _ in range(generator.randint(1, 3))]
        result.append([frames, tokenizer.decode(frames).strip()])
    return result


def expected(name, about, directory, reference=None, language=None):
    """`reference` is the directory in a form that Hugging Face reads, where it does not read this one."""
    model = load(reference or directory, language)
    if language is not None:
        model.load_adapter(language)
    with torch.no_grad():
        logits = model(CLIP).logits[0]
    settings = json.loads(next((p.read_text() for p in [directory / "preprocessor_config.json"] if p.exists()), "{}"))
    if (directory / "processor_config.json").exists():
        settings = json.loads((directory / "processor_config.json").read_text())["feature_extractor"]
    return {
        "form": name,
        "about": about,
        **({} if language is None else {"language": language}),
        "logits": [[round(float(value), 7) for value in frame] for frame in logits],
        "normalize": settings.get("do_normalize", True),
        "decodes": [] if name == "tokenizer-json" else decodes(tokenizer_of(directory, language), logits.shape[1]),
    }


# What Hugging Face reads instead: the same tensors under today's names.
TWINS = {"data-parallel": plain, "fairseq": plain, "fairseq-large": lambda d: plain(d, **LARGE), "mms-fairseq": mms, "mms-bin": mms}


def made(name, about, write, languages=(None,)):
    directory = FORMS / name
    directory.mkdir(parents=True)
    write(directory)
    with tempfile.TemporaryDirectory() as twin:
        reference = None
        if name in TWINS:
            reference = Path(twin)
            TWINS[name](reference)
        return [expected(name, about, directory, reference, language) for language in languages]


def of_version(python):
    version = subprocess.run([python, "-c", "import transformers; print(transformers.__version__)"], capture_output=True, text=True, check=True).stdout.strip()
    directory = FORMS / f"transformers-{version}"
    directory.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        settings, vocabulary = Path(scratch) / "settings.json", Path(scratch) / "vocab.json"
        dump(settings, {**SIZES, "vocab_size": len(FACEBOOK)})
        dump(vocabulary, numbered(FACEBOOK))
        subprocess.run([python, str(Path(__file__).with_name("checkpoint_forms_old.py")), str(directory), str(settings), str(vocabulary)], check=True, capture_output=True)
    state = model_of(vocab_size=len(FACEBOOK)).state_dict()
    old_bin(directory, state) if int(version.split(".")[1]) < 35 and version[0] == "4" else safetensors(directory, state)
    return [expected(directory.name, f"config.json, tokenizer and preprocessor as transformers {version} writes them", directory)]


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    shutil.rmtree(FORMS, ignore_errors=True)
    forms = []
    for name, (about, write) in CASES.items():
        forms += made(name, about, write, ("eng", "deu") if name.startswith("mms") else (None,))
    for python in [sys.executable, *sys.argv[1:]]:
        forms += of_version(python)
    for name, (about, write, sentence) in REFUSED.items():
        (FORMS / name).mkdir()
        write(FORMS / name)
        forms.append({"form": name, "about": about, "error": sentence})
    lines = ",\n".join(json.dumps(form, ensure_ascii=False) for form in forms)
    (FORMS / "forms.json").write_text(f"[\n{lines}\n]\n")
    print(len(forms), "forms")
