#!/usr/bin/env python3
"""One measurement of benchmarks/resample.mjs: soxr's highest quality on a file of float32 samples."""
import sys
import time

import numpy as np
import soxr

rate, source, target = int(sys.argv[1]), sys.argv[2], sys.argv[3]
samples = np.fromfile(source, dtype=np.float32)
seconds = float("inf")
for _ in range(5):
    start = time.perf_counter()
    resampled = soxr.resample(samples, rate, 16000, quality="VHQ")
    seconds = min(seconds, time.perf_counter() - start)
resampled.tofile(target)
print(seconds)
