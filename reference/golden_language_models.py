"""Language models of a small text by KenLM's lmplz, and what KenLM's query says of sentences in them.

Writes packages/wav2vec2/test/golden/language-models.json.gz for the tests beside src/text/language-model.
KenLM: pip install kenlm for the query; lmplz from the same source distribution (cmake, needs Boost).

    python reference/golden_language_models.py PATH_TO_LMPLZ
"""

import gzip
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import kenlm

TARGET = Path(__file__).parent.parent / "packages/wav2vec2/test/golden/language-models.json.gz"

NOUNS = "ship harbour light keeper storm boat rope sail wave gull lamp letter".split()
# Many rare ones, of which discounts are estimated.
NOUNS += [a + b for a in "bar mel tor fen gil sor".split() for b in "ow ick and eth umble ine".split()]
NAMES = "Ada Tom Ines Öykü".split()
VERBS = "sees mends hears follows leaves finds paints".split()
WHERE = "at dawn;by the sea;in the rain;behind the old wall;again;near the light".split(";")


def sentence(draw):
    def thing():
        return f"the {NOUNS[int(len(NOUNS) * draw.random() ** 3)]}"

    who = draw.choice(NAMES[: draw.randint(1, 4)]) if draw.random() < 0.5 else thing()
    words = f"{who} {draw.choice(VERBS[: draw.randint(1, 7)])} {thing()}"
    if draw.random() < 0.4:
        words += f" {draw.choice(WHERE)}"
    if draw.random() < 0.15:
        words += f" and {sentence(draw)}"
    return words


MODELS = {
    "order 1": {"order": 1},
    "order 2": {"order": 2},
    "order 3": {"order": 3, "fallback": [0.5, 1, 1.5]},
    "too small": {"order": 3},
    "order 5": {"order": 5, "fallback": [0.5, 1, 1.5]},
    "pruned": {"order": 4, "prune": [0, 0, 1], "fallback": [0.4, 0.9]},
    "pruned words": {"order": 2, "prune": [1, 2]},
    "vocabulary": {"order": 3, "vocabulary": ["the", "sees", *NOUNS[:6], *NAMES[:2], "elsewhere"], "fallback": [0.5, 1, 1.5]},
}


def arguments(options, vocabulary):
    yield from ["-o", str(options["order"]), "-S", "64M"]
    for name, option in [("prune", "--prune"), ("fallback", "--discount_fallback")]:
        if name in options:
            yield from [option, *map(str, options[name])]
    if "vocabulary" in options:
        vocabulary.write_text("\n".join(options["vocabulary"]))
        yield from ["--limit_vocab_file", str(vocabulary)]


def queries(model, sentences):
    for text in sentences:
        yield [[p, length, oov] for p, length, oov in model.full_scores(text)]


def main(lmplz):
    draw = random.Random(6)
    lines = [sentence(draw) for _ in range(220)]
    lines[17] = ""  # a line without words is a sentence to lmplz
    lines[40] = "  the\tship   sees the ship "
    asked = [sentence(draw) for _ in range(12)]
    asked += ["", "the the the", "nobody sees the dragon", "Ada Ada sees again dawn", "ship unknown unknown ship"]
    golden = {"text": lines, "sentences": asked, "models": {}}
    with tempfile.TemporaryDirectory() as directory:
        for name, options in MODELS.items():
            arpa = Path(directory) / "model.arpa"
            command = [lmplz, *arguments(options, Path(directory) / "vocabulary"), "-T", directory]
            text = "".join(f"{line}\n" for line in lines).encode()
            done = subprocess.run(command, input=text, capture_output=True)
            if done.returncode != 0:
                assert b"--discount_fallback" in done.stderr, done.stderr
                golden["models"][name] = {"options": options, "arpa": None, "scores": None}
                continue
            arpa.write_bytes(done.stdout)
            golden["models"][name] = {
                "options": options,
                "arpa": done.stdout.decode(),
                # KenLM's query needs bigrams.
                "scores": list(queries(kenlm.Model(str(arpa)), asked)) if options["order"] > 1 else None,
            }
    TARGET.write_bytes(gzip.compress(json.dumps(golden).encode(), mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
