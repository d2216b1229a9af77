#!/usr/bin/env python3
"""One measurement of benchmarks/decoding.mjs: pyctcdecode or flashlight-text on emissions of Facebook's vocabulary."""

import json
import logging
import math
import pathlib
import resource
import sys
import time

import numpy as np

TOKENS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
ALPHA, BETA = 0.5, 1.5


def unigrams(arpa):
    with open(arpa) as lines:
        for line in lines:
            if line.startswith("\\2-grams:"):
                return
            fields = line.rstrip("\n").split("\t")
            if len(fields) > 1 and not fields[1].startswith("<"):
                yield fields[1]


def pyctcdecode(arpa, beam, lm=False):
    from pyctcdecode import build_ctcdecoder

    logging.disable(logging.WARNING)
    labels = ["", "<s>", "</s>", "⁇", " ", *TOKENS[5:]]
    model = dict(kenlm_model_path=arpa, unigrams=list(unigrams(arpa)), alpha=ALPHA, beta=BETA) if lm else {}
    decoder = build_ctcdecoder(labels, **model)
    return lambda logits: decoder.decode(logits, beam_width=beam)


def flashlight(arpa, beam, threshold):
    from flashlight.lib.text.decoder import (
        CriterionType,
        LexiconDecoder,
        LexiconDecoderOptions,
        SmearingMode,
        Trie,
    )
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import create_word_dict

    words = list(unigrams(arpa))
    dictionary = create_word_dict({**{word: [] for word in words}, "<unk>": []})
    model = KenLM(arpa, dictionary)
    delimiter = TOKENS.index("|")
    trie = Trie(len(TOKENS), delimiter)
    for word in words:
        index = dictionary.get_index(word)
        spelling = [TOKENS.index(letter) for letter in word] + [delimiter]
        trie.insert(spelling, index, model.score(model.start(False), index)[1])
    trie.smear(SmearingMode.MAX)
    options = LexiconDecoderOptions(
        beam_size=beam,
        beam_size_token=len(TOKENS),
        beam_threshold=threshold,
        lm_weight=ALPHA * math.log(10),  # its scores are log10
        word_score=BETA,
        unk_score=-math.inf,
        sil_score=0,
        log_add=True,
        criterion_type=CriterionType.CTC,
    )
    decoder = LexiconDecoder(options, trie, model, delimiter, 0, dictionary.get_index("<unk>"), [], False)

    def decode(logits):
        logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        best = decoder.decode(np.ascontiguousarray(logp, dtype=np.float32).ctypes.data, *logp.shape)[0]
        return " ".join(dictionary.get_entry(word) for word in best.words if word >= 0)

    return decode


directory, arpa, options = pathlib.Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
emissions = np.fromfile(directory / "emissions", dtype=np.float32).reshape(-1, len(TOKENS))
frames = json.loads((directory / "frames.json").read_text())
clips = np.split(emissions, np.cumsum(frames)[:-1])
decode = (flashlight if options.pop("flashlight", False) else pyctcdecode)(arpa, **options)
for clip in clips[: len(clips) // 4]:
    decode(clip)
start = time.process_time()
texts = [decode(clip) for clip in clips]
seconds = time.process_time() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"texts": texts, "seconds": seconds, "memory": memory}))
