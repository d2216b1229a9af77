"""What Hugging Face's Wav2Vec2CTCTokenizer makes of tokenizer files as model directories on the Hub have them.

    python reference/tokenizer_files.py

Writes packages/wav2vec2/test/golden/tokenizer-files.json, which tokenizer-files.test.ts reads: a list of directories,
each with

    files     contents by file name
    language  what to choose of a multilingual vocabulary, where it is not the directory's own
    tokens    token of each id
    encodes   [text, ids]; characters outside the vocabulary become the unknown token
    decodes   [ids, text] with repeats collapsed, less the names of special tokens
"""

import json
import random
import tempfile
from pathlib import Path

from transformers import Wav2Vec2CTCTokenizer

GOLDEN = Path(__file__).parent.parent / "packages" / "wav2vec2" / "test" / "golden"

FACEBOOK = {token: i for i, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"])}
COMMUNITY = {token: i for i, token in enumerate(["|", *"abcdeäöß'", "[UNK]", "[PAD]"])}
NAMES = {"pad_token": "[PAD]", "unk_token": "[UNK]"}


def added(content, **settings):
    plain = dict(content=content, lstrip=False, rstrip=False, normalized=False, single_word=False, special=True)
    return plain | settings


def numbered(*tokens):
    return {token: i for i, token in enumerate(tokens)}


HEAD = ("<pad>", "<s>", "</s>", "<unk>", "|")
MMS = {"eng": numbered(*HEAD, *"abc'"), "deu": numbered(*HEAD, *"äbc", "ß", "-"), "cmn": numbered(*HEAD, *"你好")}

DIRECTORIES = {
    "vocabulary alone": {"vocab.json": FACEBOOK},
    "Facebook's": {
        "vocab.json": FACEBOOK,
        "tokenizer_config.json": {
            "unk_token": "<unk>",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "do_lower_case": False,
            "return_attention_mask": False,
            "do_normalize": True,
        },
        "special_tokens_map.json": {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
    },
    "lower case": {"vocab.json": FACEBOOK, "tokenizer_config.json": {"do_lower_case": True}},
    "added behind, by no file": {"vocab.json": COMMUNITY, "tokenizer_config.json": NAMES},
    "added behind, by added_tokens.json": {
        "vocab.json": COMMUNITY,
        "special_tokens_map.json": {
            "pad_token": added("[PAD]"),
            "unk_token": added("[UNK]"),
            "bos_token": "<s>",
            "eos_token": "</s>",
            "additional_special_tokens": ["<s>", "</s>", "<s>"],
        },
        "added_tokens.json": {"</s>": 12, "<s>": 13},
    },
    "added behind, by added_tokens_decoder": {
        "vocab.json": COMMUNITY,
        "tokenizer_config.json": NAMES
        | {
            "added_tokens_decoder": {
                "10": added("[UNK]", lstrip=True, rstrip=True, special=False),
                "11": added("[PAD]", lstrip=True, rstrip=True, special=False),
                "12": added("<s>"),
                "13": added("</s>"),
            },
        },
        "special_tokens_map.json": {"pad_token": "a", "bos_token": "b"},  # not read beside added_tokens_decoder
    },
    "nothing added": {"vocab.json": COMMUNITY, "tokenizer_config.json": NAMES | {"bos_token": None, "eos_token": None}},
    "special_tokens_map.json over tokenizer_config.json": {
        "vocab.json": COMMUNITY,
        "tokenizer_config.json": {"pad_token": "a", "unk_token": "b", "bos_token": "<s>"},
        "special_tokens_map.json": NAMES | {"bos_token": None, "eos_token": None},
    },
    "unusual names": {
        "vocab.json": numbered("blank", "_", "a", "b", "|", "?", "begin", "end"),
        "tokenizer_config.json": {
            "pad_token": "blank",
            "unk_token": "?",
            "word_delimiter_token": "_",
            "bos_token": "begin",
            "eos_token": "end",
            "replace_word_delimiter_char": "-",
        },
    },
    "space as delimiter": {
        "vocab.json": numbered("<pad>", "<unk>", " ", *"ab's"),
        "tokenizer_config.json": {"word_delimiter_token": " ", "bos_token": None, "eos_token": None},
    },
    "no delimiter": {
        "vocab.json": numbered("<pad>", "<unk>", *"你好世界"),
        "tokenizer_config.json": {"word_delimiter_token": "", "bos_token": None, "eos_token": None},
    },
    "no unknown token": {
        "vocab.json": numbered("<pad>", "|", "a", "b"),
        "tokenizer_config.json": {"unk_token": None, "bos_token": None, "eos_token": None},
    },
    "tokens of several characters": {
        "vocab.json": numbered(*HEAD, "a", "s", "c", "h", "ch", "sch", "a.", "kk"),
    },
    "several languages": {"vocab.json": MMS, "tokenizer_config.json": {"target_lang": "eng"}},
    "several languages, another": {"vocab.json": MMS, "tokenizer_config.json": {"target_lang": "eng"}, "language": "cmn"},
    "several languages, tokens added to the first": {
        "vocab.json": MMS,
        "tokenizer_config.json": {
            "target_lang": "deu",
            "added_tokens_decoder": {"7": added("<x>"), "1": added("<s>"), "0": added("<pad>")},
        },
    },
}


def random_text(tokenizer, tokens, generator):
    """Words of the vocabulary's characters and one that it lacks, without the names of special tokens."""
    special = {*tokenizer.all_special_tokens, "|", "_", " "}
    letters = [token.lower() if tokenizer.do_lower_case else token for token in tokens if token not in special]
    if tokenizer.unk_token is not None:
        letters.append("Ж")
    # transformers takes the spaces from around a token of several characters, and cannot encode them with no delimiter
    spaced = tokenizer.word_delimiter_token and all(len(letter) == 1 for letter in letters)
    words = ["".join(generator.choices(letters, k=generator.randint(1, 6))) for _ in range(generator.randint(1, 4) if spaced else 1)]
    return " ".join(words)


def decode(tokenizer, ids):
    text = tokenizer.decode(ids)
    for token in tokenizer.all_special_tokens:
        if token not in (tokenizer.word_delimiter_token, tokenizer.pad_token):
            text = text.replace(token.lower() if tokenizer.do_lower_case else token, "")
    return text.strip()


def golden(name, files):
    generator = random.Random(name)
    language = files.pop("language", None)
    with tempfile.TemporaryDirectory() as directory:
        for file, contents in files.items():
            (Path(directory) / file).write_text(json.dumps(contents))
        options = {} if language is None else {"target_lang": language}
        tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(directory, **options)
    # transformers 5.23 takes it for a special token on the way and forgets what the file says
    tokenizer._word_delimiter_token = files.get("tokenizer_config.json", {}).get("word_delimiter_token", "|")
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer.decoder | tokenizer.added_tokens_decoder)))
    texts = [random_text(tokenizer, tokens, generator) for _ in range(8)]
    weights = [4 if token in (tokenizer.pad_token, tokenizer.word_delimiter_token) else 1 for token in tokens]
    sequences = [generator.choices(range(len(tokens)), weights, k=generator.randint(1, 24)) for _ in range(12)]
    frames = [[i for i in ids for _ in range(generator.randint(1, 3))] for ids in sequences]
    return {
        "name": name,
        "files": files,
        **({} if language is None else {"language": language}),
        "tokens": tokens,
        "encodes": [[text, tokenizer(text).input_ids] for text in texts],
        "decodes": [[ids, decode(tokenizer, ids)] for ids in frames],
    }


cases = [golden(name, dict(files)) for name, files in DIRECTORIES.items()]
lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
(GOLDEN / "tokenizer-files.json").write_text(f"[\n{lines}\n]\n")
