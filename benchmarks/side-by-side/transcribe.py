"""FLAC files to text, one by one, as transformers' documentation does it:
  python transcribe.py THREADS DIRECTORY FILE...
"""
import json
import re
import sys

import soundfile
import torch
import transformers

threads, directory, *files = sys.argv[1:]
torch.set_num_threads(int(threads))
transformers.utils.logging.disable_progress_bar()
processor = transformers.Wav2Vec2Processor.from_pretrained(directory)
model = transformers.Wav2Vec2ForCTC.from_pretrained(directory).eval()
texts = []
for file in files:
    samples, rate = soundfile.read(file, dtype="float32")
    inputs = processor(samples, sampling_rate=rate, return_tensors="pt")
    with torch.inference_mode():
        logits = model(inputs.input_values).logits
    # Random weights choose tokens that are no text, too.
    text = re.sub(r"<(/?s|unk)>", "", processor.batch_decode(logits.argmax(-1))[0])
    texts.append({"file": file, "text": text})
print(json.dumps(texts))
