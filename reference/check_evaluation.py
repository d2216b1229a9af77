"""Checks that `wav2vec2 evaluate` says of a model what transformers and jiwer say.

    npx wav2vec2 evaluate MODEL --data DIR --split NAME --beam-width 1 --output RESULT.json
    python reference/check_evaluation.py RESULT.json [COUNT]

Reads the first COUNT clips of the result (default: all) from where it says they are, one at a time since Hugging Face's
group norm sees padding, and takes the likeliest token of each frame with the processor in the model's directory.
transformers writes out special tokens such as <unk>, which are no text and dropped here. Prints what differs, then a
line; exits with 1 where a transcript or a count differs.
"""

import json
import sys
from pathlib import Path

import jiwer
import soundfile
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor
from transformers.utils import logging

WORDS = {"substitutions": "substitutions", "deletions": "deletions", "insertions": "insertions"}
CHARACTERS = {
    "substitutions": "characterSubstitutions",
    "deletions": "characterDeletions",
    "insertions": "characterInsertions",
}


def transcribe(model, processor, path):
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 16000 and samples.ndim == 1, f"{path} must be mono at 16 kHz"
    inputs = processor(samples, sampling_rate=rate, return_tensors="pt")
    with torch.no_grad():
        logits = model(inputs.input_values).logits
    text = processor.batch_decode(logits.argmax(-1))[0]
    for token in processor.tokenizer.all_special_tokens:
        text = text.replace(token, "")
    return text.strip()


def main():
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    result = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    utterances = result["utterances"][: int(sys.argv[2]) if len(sys.argv) > 2 else None]
    model = Wav2Vec2ForCTC.from_pretrained(result["model"]).eval()
    processor = Wav2Vec2Processor.from_pretrained(result["model"])
    differences = 0
    totals = {"words": jiwer.process_words, "characters": jiwer.process_characters}
    counts = {"words": [0] * 4, "characters": [0] * 4}
    for utterance in utterances:
        heard = transcribe(model, processor, utterance["path"])
        if heard != utterance["hypothesis"]:
            differences += 1
            print(f"{utterance['id']}: {utterance['hypothesis']!r} here, {heard!r} in transformers")
        for unit, process in totals.items():
            output = process(utterance["reference"], heard)
            for place, kind in enumerate(WORDS):
                counts[unit][place] += getattr(output, kind)
            counts[unit][3] += output.hits + output.substitutions + output.deletions
    for unit, names in (("words", WORDS), ("characters", CHARACTERS)):
        for place, name in enumerate([*names.values(), unit]):
            here = sum(utterance[name] for utterance in utterances)
            if here != counts[unit][place]:
                differences += 1
                print(f"{name}: {here} here, {counts[unit][place]} in jiwer")
    wer, cer = (sum(counts[unit][:3]) / counts[unit][3] for unit in ("words", "characters"))
    print(f"{len(utterances)} clips, {differences} differences: WER {wer:.6f}, CER {cer:.6f}")
    sys.exit(1 if differences else 0)


main()
