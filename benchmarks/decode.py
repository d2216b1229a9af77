#!/usr/bin/env python3
"""One measurement of benchmarks/decode.mjs: soundfile and numpy, as transformers' feature extractor normalises."""
import json
import pathlib
import sys
import time

import numpy as np
import soundfile


def measure(files):
    samples, reading, start = 0, 0.0, time.perf_counter()
    for file in files:
        begin = time.perf_counter()
        clip, rate = soundfile.read(file, dtype="float32")
        reading += time.perf_counter() - begin
        assert rate == 16000
        samples += len((clip - clip.mean()) / np.sqrt(clip.var() + 1e-7))
    return {"samples": samples, "reading": reading, "seconds": time.perf_counter() - start}


files = sorted(pathlib.Path(sys.argv[1]).rglob("*.flac"))
measure(files)
print(json.dumps(measure(files)))
