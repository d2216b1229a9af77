"""What pyctcdecode and flashlight-text make of small emissions: `decoding.json`.

    python -m venv .venv-decoding
    .venv-decoding/bin/pip install numpy==1.26.4 pyctcdecode==0.5.0 kenlm==0.3.0 flashlight-text==0.0.7
    .venv-decoding/bin/python reference/golden_decoding.py

`arpa` is a language model, `tokens` the vocabulary and `emissions` logits, [case][frame][token]. Then

    exhaustive  pyctcdecode without any pruning: settings, and for each case the best texts with their scores
    long        pyctcdecode with a wide beam, on longer emissions: the best text
    lexicon     flashlight's lexicon decoder, which allows the language model's words alone: the best text

pyctcdecode scores an empty word behind a space at the end, and in an empty text, as an unknown one (its `score` is called
with "" there). That is mended here, in EmptyWords.
"""

import json
import logging
import math
import pathlib
import tempfile

import kenlm
import numpy as np
from flashlight.lib.text.decoder import (
    CriterionType,
    LexiconDecoder,
    LexiconDecoderOptions,
    SmearingMode,
    Trie,
)
from flashlight.lib.text.decoder.kenlm import KenLM
from flashlight.lib.text.dictionary import create_word_dict
from pyctcdecode import BeamSearchDecoderCTC
from pyctcdecode.alphabet import Alphabet
from pyctcdecode.language_model import LanguageModel

logging.disable(logging.WARNING)
GOLDEN = pathlib.Path(__file__).parent.parent / "packages/wav2vec2/test/golden"
TOKENS = ["<pad>", "|", "A", "B", "C"]
WORDS = ["A", "AB", "BA", "CAB", "ABC", "BB", "CABAC"]
ARPA = """\\data\\
ngram 1=10
ngram 2=8
ngram 3=3

\\1-grams:
-1.8\t<unk>\t0
-99\t<s>\t-0.4
-1.1\t</s>
-0.7\tA\t-0.3
-0.9\tAB\t-0.2
-1.0\tBA\t-0.5
-1.2\tCAB\t-0.1
-1.3\tABC\t-0.3
-1.5\tBB\t0
-1.6\tCABAC\t-0.2

\\2-grams:
-0.3\t<s> A\t-0.2
-0.6\t<s> CAB\t-0.1
-0.4\tA BA\t-0.3
-0.5\tAB </s>
-0.2\tBA AB\t-0.1
-0.8\tCAB A\t0
-0.6\tABC </s>
-0.4\tCABAC BB\t-0.2

\\3-grams:
-0.1\t<s> A BA
-0.2\tA BA AB
-0.3\tCAB A BA

\\end\\
"""
SETTINGS = [
    dict(),
    dict(alpha=0.5, beta=1.5, unk_score_offset=-10.0),
    dict(alpha=1.7, beta=-0.5, unk_score_offset=-0.4),
    dict(hotwords=["CB", "AB"], hotword_weight=1.5),
    dict(alpha=0.9, beta=0.6, unk_score_offset=-2.0, hotwords=["ACA", "BB"], hotword_weight=2.5),
]


# Where unknown words cost next to nothing whole sentences become one, and the search decides.
LONG_SETTINGS = [*SETTINGS[:2], dict(alpha=0.9, beta=2.0, unk_score_offset=-3.0), *SETTINGS[3:]]


class EmptyWords(LanguageModel):
    def score(self, prev_state, word, is_last_word=False):
        if word:
            return super().score(prev_state, word, is_last_word)
        end = self._get_raw_end_score(prev_state) if is_last_word else 0.0
        return self.alpha * end * math.log(10), prev_state


def decode(model, emissions, settings, **pruning):
    weights = {name: settings[name] for name in ("alpha", "beta", "unk_score_offset") if name in settings}
    language_model = EmptyWords(model, WORDS, **weights) if weights else None
    decoder = BeamSearchDecoderCTC(Alphabet(["", " ", *TOKENS[2:]], False), language_model)
    hot = {name: settings[name] for name in ("hotwords", "hotword_weight") if name in settings}
    beams = decoder.decode_beams(emissions.astype(np.float64), **hot, **pruning)
    return [dict(text=beam[0], acoustic=float(beam[3]), score=float(beam[4])) for beam in beams]


def lexicon_decode(path, emissions):
    dictionary = create_word_dict({**{word: [] for word in WORDS}, "<unk>": []})
    model = KenLM(path, dictionary)
    trie = Trie(len(TOKENS), 1)
    for word in WORDS:
        index = dictionary.get_index(word)
        trie.insert(
            [TOKENS.index(letter) for letter in word] + [1], index, model.score(model.start(False), index)[1]
        )
    trie.smear(SmearingMode.MAX)
    options = LexiconDecoderOptions(
        beam_size=2000,
        beam_size_token=len(TOKENS),
        beam_threshold=200,
        lm_weight=0.5 * math.log(10),  # its scores are log10
        word_score=1.5,
        unk_score=-math.inf,
        sil_score=0,
        log_add=True,
        criterion_type=CriterionType.CTC,
    )
    decoder = LexiconDecoder(options, trie, model, 1, 0, dictionary.get_index("<unk>"), [], False)
    logp = np.ascontiguousarray(
        emissions - np.logaddexp.reduce(emissions, axis=1, keepdims=True), dtype=np.float32
    )
    best = decoder.decode(logp.ctypes.data, *logp.shape)[0]
    return " ".join(dictionary.get_entry(word) for word in best.words if word >= 0)


def spoken(random, frames):
    """Emissions that follow some words, with doubts."""
    labels = [0]
    while len(labels) < frames - 2:
        for token in [TOKENS.index(letter) for letter in random.choice(WORDS)] + [1]:
            labels += [token, 0] if random.random() < 0.7 else [token, token, 0]
    labels = labels[: frames - 2] + [1, 0]
    logits = random.normal(0, 1.5, (frames, len(TOKENS)))
    logits[np.arange(frames), labels] += random.normal(4.5, 1.5, frames)
    logits[-2:] = [[-9, 9, -9, -9, -9], [9, -9, -9, -9, -9]]  # flashlight's words end with a delimiter
    return logits


def main():
    random = np.random.default_rng(3)
    short = [np.round(random.normal(0, 2, (6, len(TOKENS))), 3).astype(np.float32) for _ in range(6)]
    long = [np.round(spoken(random, 40), 2).astype(np.float32) for _ in range(12)]
    with tempfile.TemporaryDirectory() as directory:
        path = str(pathlib.Path(directory) / "lm.arpa")
        pathlib.Path(path).write_text(ARPA)
        model = kenlm.Model(path)
        everything = dict(beam_width=100_000, beam_prune_logp=-1000.0, token_min_logp=-1000.0)
        exhaustive = [
            dict(settings=settings, best=[decode(model, case, settings, **everything)[:6] for case in short])
            for settings in SETTINGS
        ]
        wide = dict(beam_width=1000, beam_prune_logp=-30.0, token_min_logp=-30.0)
        sentences = [
            dict(settings=settings, best=[decode(model, case, settings, **wide)[0]["text"] for case in long])
            for settings in LONG_SETTINGS
        ]
        lexicon = [lexicon_decode(path, case) for case in long]
    rounded = [
        {
            **run,
            "best": [
                [
                    {**beam, "acoustic": round(beam["acoustic"], 6), "score": round(beam["score"], 6)}
                    for beam in case
                ]
                for case in run["best"]
            ],
        }
        for run in exhaustive
    ]
    values = lambda cases: [
        [[round(float(x), 3) for x in row] for row in case] for case in cases
    ]  # noqa: E731
    golden = dict(
        arpa=ARPA,
        tokens=TOKENS,
        emissions=dict(short=values(short), long=values(long)),
        exhaustive=rounded,
        long=sentences,
        lexicon=lexicon,
    )
    (GOLDEN / "decoding.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
