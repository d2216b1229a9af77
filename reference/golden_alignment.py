"""Makes packages/wav2vec2/test/golden/alignments.json: labels aligned to emissions as torchaudio does it.

    pip install torchaudio==2.11.0 numpy==2.4.6
    python reference/golden_alignment.py packages/wav2vec2/test/golden/alignments.json

Emissions are random, flat as an untrained network's or peaked as a trained one's, in double precision. Label -1 is the
star of torchaudio's multilingual tutorial: a further token whose ln p is 0 at every frame
(https://docs.pytorch.org/audio/stable/tutorials/forced_alignment_for_multilingual_data_tutorial.html).
Spans are [start, end, mean probability].
"""

import json
import sys

import numpy
import torch
import torchaudio.functional as F

STAR = -1


def labels_of(rng, size, blank, count, stars):
    tokens = [token for token in range(size) if token != blank]
    labels = [int(rng.choice(tokens)) for _ in range(count)]
    for i in range(1, count):
        if rng.random() < 0.2:
            labels[i] = labels[i - 1]
    return [STAR if rng.random() < 0.15 else label for label in labels] if stars else labels


def needed(labels):
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:]))


def logits_of(rng, frames, size, blank, labels):
    """Half of them say the labels, a frame each with blanks between, and half of those say something else too."""
    logits = rng.normal(0, 1, (frames, size))
    kind = rng.random()
    if kind > 0.5:
        logits[:, blank] += 6
        at = numpy.sort(rng.choice(frames, len(labels), replace=False))
        for frame, label in zip(at, labels):
            logits[frame, rng.integers(size) if label == STAR or kind > 0.75 and rng.random() < 0.2 else label] += 12
    return numpy.round(logits, 3)


def case(rng, stars):
    while True:
        size = int(rng.integers(2, 12))
        blank = int(rng.integers(size))
        frames = int(rng.integers(1, 60))
        labels = labels_of(rng, size, blank, int(rng.integers(1, 2 + frames // 2)), stars)
        if needed(labels) <= frames:
            break
    logits = logits_of(rng, frames, size, blank, labels)
    scores = torch.log_softmax(torch.tensor(logits.astype(numpy.float32)).double(), -1)
    scores = torch.cat([scores, torch.zeros(frames, 1)], 1)
    targets = torch.tensor([[size if label == STAR else label for label in labels]])
    path, path_scores = F.forced_align(scores[None], targets, blank=blank)
    spans = F.merge_tokens(path[0], path_scores[0].exp(), blank=blank)
    return {
        "frames": frames,
        "size": size,
        "blank": blank,
        "labels": labels,
        "logits": logits.flatten().tolist(),
        "path": [STAR if token == size else token for token in path[0].tolist()],
        "score": path_scores.sum().item(),
        "spans": [[span.start, span.end, round(span.score, 9)] for span in spans],
    }


def main():
    rng = numpy.random.default_rng(5)
    cases = [case(rng, stars=index % 2 == 1) for index in range(60)]
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in cases) + "\n]\n")


main()
