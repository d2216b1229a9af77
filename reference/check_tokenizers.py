"""Checks that directories written here read the same in Python.

    python reference/check_tokenizers.py CASES

CASES is a JSON list of {directory, size, delimiter, decodes: [[ids, text]], encodes: [[text, ids]]}. Every text and
every sequence is checked with tokenizers.Tokenizer and transformers' PreTrainedTokenizerFast on tokenizer.json, and
with AutoTokenizer and Wav2Vec2Processor on the directory; prints a line a difference. tokenizer-python.test.ts runs it.
"""

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast, Wav2Vec2CTCTokenizer, Wav2Vec2Processor


def expect(what, expected, found):
    if found != expected:
        print(f"{what} must be {expected!r}, but is {found!r}")


def check(case):
    directory = case["directory"]
    file = f"{directory}/tokenizer.json"
    plain = Tokenizer.from_file(file)
    fast = PreTrainedTokenizerFast(tokenizer_file=file)
    decoder = json.loads(Path(file).read_text())["decoder"]
    expect(f"{directory}: decoder", "CTC", decoder.get("decoders", [decoder])[0]["type"])
    expect(f"{directory}: tokens of tokenizer.json", case["size"], plain.get_vocab_size())
    readers = [
        ("tokenizers", lambda text: plain.encode(text).ids, lambda ids: plain.decode(ids)),
        ("fast", lambda text: fast(text).input_ids, lambda ids: fast.decode(ids, skip_special_tokens=True)),
    ]
    slow = [AutoTokenizer.from_pretrained(directory), Wav2Vec2Processor.from_pretrained(directory).tokenizer]
    for tokenizer in slow:
        expect(f"{directory}: class", Wav2Vec2CTCTokenizer, type(tokenizer))
        expect(f"{directory}: tokens", case["size"], len(tokenizer))
        # transformers 5.23 forgets the delimiter that tokenizer_config.json names, if it is not "|"
        if case["delimiter"] == "|":
            readers.append(("slow", lambda text, t=tokenizer: t(text).input_ids, lambda ids, t=tokenizer: t.decode(ids)))
    for name, encode, decode in readers:
        for ids, text in case["decodes"]:
            expect(f"{directory}: {name}'s text of {ids}", text, decode(ids).strip())
        for text, ids in case["encodes"]:
            expect(f"{directory}: {name}'s ids of {text!r}", ids, encode(text))


for case in json.loads(Path(sys.argv[1]).read_text()):
    check(case)
