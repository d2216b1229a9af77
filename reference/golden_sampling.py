"""What Hugging Face's masks and negatives are like: `sampling.safetensors`, histograms over many draws.

    python reference/golden_sampling.py

For each setting of `_compute_mask_indices` (`masks` of the metadata: probability, length, min_masks, lengths of the rows, the
longest being the width) and each row, int64 counts over DRAWS batches:

    mask.<setting>.<row>.masked  of how many steps are masked, [width + 1]
    mask.<setting>.<row>.runs    of how many stretches without a gap they form, [width + 1]
    mask.<setting>.<row>.first   of the first masked step, [width + 1]; `width` where there is none
    mask.<setting>.<row>.last    of the last one

For each setting of `_sample_negative_indices` (metadata `negatives`: rows of masked frames, width, count):

    negatives.<setting>          of the negatives of each frame, [rows * width, rows * width]
"""

import json

import numpy as np
import torch
from golden_models import GOLDEN
from safetensors.torch import save_file
from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices, _sample_negative_indices

DRAWS = 20_000
# Rows are long enough for as many spans as they want: where they are not, Hugging Face's limit follows the longest
# row of the batch, this project's the row itself.
MASKS = [
    dict(probability=0.65, length=10, min_masks=2, lengths=[99, 99]),
    dict(probability=0.05, length=10, min_masks=2, lengths=[60]),
    dict(probability=0.05, length=10, min_masks=0, lengths=[49]),
    dict(probability=0.3, length=4, min_masks=0, lengths=[40, 29, 13]),
    dict(probability=0.004, length=2, min_masks=0, lengths=[16, 16]),
    dict(probability=0.9, length=1, min_masks=0, lengths=[12]),
    dict(probability=0.5, length=7, min_masks=1, lengths=[7]),
]
NEGATIVES = [
    dict(masked=[[0, 1, 2, 3, 4], [1, 4]], width=5, count=3),
    dict(masked=[[2, 3, 7], [], [0, 5, 6, 7, 8, 9]], width=10, count=4),
]


def mask_histograms(probability, length, min_masks, lengths) -> list[dict[str, np.ndarray]]:
    width = max(lengths)
    attention = torch.tensor([[step < steps for step in range(width)] for steps in lengths]).long()
    names = ("masked", "runs", "first", "last")
    rows = [{name: np.zeros(width + 1, dtype=np.int64) for name in names} for _ in lengths]
    for _ in range(DRAWS):
        masks = _compute_mask_indices((len(lengths), width), probability, length, attention, min_masks)
        for row, mask, own in zip(rows, masks, lengths):
            steps = np.flatnonzero(mask[:own])  # a row without spans has one masked step of padding
            row["masked"][len(steps)] += 1
            row["runs"][np.count_nonzero(np.diff(steps) > 1) + (len(steps) > 0)] += 1
            row["first"][steps[0] if len(steps) else width] += 1
            row["last"][steps[-1] if len(steps) else width] += 1
    return rows


def negative_histogram(masked, width, count) -> np.ndarray:
    mask = np.zeros((len(masked), width), dtype=bool)
    for row, frames in enumerate(masked):
        mask[row, frames] = True
    size = mask.size
    histogram = np.zeros((size, size), dtype=np.int64)
    for _ in range(DRAWS // 4):
        # Hugging Face throws for a row without masked frames, so each row is drawn alone.
        for row in range(len(masked)):
            if not mask[row].any():
                continue
            drawn = _sample_negative_indices((1, width), count, mask[row : row + 1])[0]
            for frame in np.flatnonzero(mask[row]):
                np.add.at(histogram[row * width + frame], row * width + drawn[frame], 1)
    return histogram


np.random.seed(20060)
tensors = {}
for setting, options in enumerate(MASKS):
    for row, histograms in enumerate(mask_histograms(**options)):
        tensors.update({f"mask.{setting}.{row}.{name}": counts for name, counts in histograms.items()})
for setting, options in enumerate(NEGATIVES):
    tensors[f"negatives.{setting}"] = negative_histogram(**options)
metadata = {"golden": json.dumps({"masks": json.dumps(MASKS), "negatives": json.dumps(NEGATIVES)})}
histograms = {name: torch.from_numpy(counts) for name, counts in tensors.items()}
save_file(histograms, GOLDEN / "sampling.safetensors", metadata)
print(f"{len(tensors)} histograms")
