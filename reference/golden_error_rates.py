"""Makes packages/wav2vec2/test/golden/error-rates.json: random pairs of texts and their errors as jiwer counts them.

    pip install jiwer==4.0.0
    python reference/golden_error_rates.py packages/wav2vec2/test/golden/error-rates.json

Each pair is [reference, hypothesis, [words, substitutions, deletions, insertions], the same four of characters].
jiwer refuses empty references among others, but counts them alone.
"""

import json
import random
import sys

import jiwer

ALPHABETS = ["ab", "abcde", "abcdefghijklmnopqrstuvwxyz'", "äöüßéè", "домкт", "日本語話", "😀😃🎙", "e\u0301a\u0308n\u0303"]
LENGTHS = [0, 0, 1, 2, 3, 5, 8, 13, 30]


def word(rng, alphabet):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 6)))


def sentence(rng, words):
    return [rng.choice(words) for _ in range(rng.choice(LENGTHS))]


def distort(rng, words, vocabulary):
    heard = []
    for each in words:
        draw = rng.random()
        if draw < 0.1:
            continue
        if draw < 0.2:
            heard.append(rng.choice(vocabulary))
        elif draw < 0.3 and len(each) > 1:
            cut = rng.randrange(len(each))
            heard.append(each[:cut] + rng.choice(vocabulary)[:1] + each[cut + 1 :])
        else:
            heard.append(each)
        if rng.random() < 0.1:
            heard.append(rng.choice(vocabulary))
    return heard


def spaced(rng, words):
    """Now and then with two spaces, which CTC decoding may write, and with one at an end."""
    text = "".join(each + (" " if rng.random() < 0.95 else "  ") for each in words)
    return text if rng.random() < 0.05 else text.strip()


def four(output):
    total = output.hits + output.substitutions + output.deletions
    return [total, output.substitutions, output.deletions, output.insertions]


def main():
    rng = random.Random(7)
    pairs = []
    for _ in range(1500):
        alphabet = rng.choice(ALPHABETS)
        vocabulary = [word(rng, alphabet) for _ in range(rng.choice([2, 4, 10, 40]))]
        reference = sentence(rng, vocabulary)
        hypothesis = distort(rng, reference, vocabulary) if rng.random() < 0.7 else sentence(rng, vocabulary)
        texts = [spaced(rng, reference), spaced(rng, hypothesis)]
        pairs.append([*texts, four(jiwer.process_words(*texts)), four(jiwer.process_characters(*texts))])
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs) + "\n]\n")


main()
