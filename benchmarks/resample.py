#!/usr/bin/env python3
"""One measurement of benchmarks/resample.mjs: soxr on a file of float32 samples."""
import sys
import time

import numpy as np
import soxr

quality, rate, source, target = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
samples = np.fromfile(source, dtype=np.float32)
seconds = float("inf")
for _ in range(10):
    start = time.perf_counter()
    resampled = soxr.resample(samples, rate, 16000, quality=quality)
    seconds = min(seconds, time.perf_counter() - start)
resampled.tofile(target)
print(seconds)
