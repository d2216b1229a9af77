#!/usr/bin/env python3
"""One measurement of benchmarks/load.mjs: transformers' from_pretrained on a directory."""
import json
import pathlib
import re
import sys
import time

import torch
import transformers
from transformers import Wav2Vec2ForCTC

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


def resident(name):
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024


torch.zeros(1).add(1).item()
before = resident("VmRSS")
pathlib.Path("/proc/self/clear_refs").write_text("5")
start = time.perf_counter()
model = Wav2Vec2ForCTC.from_pretrained(sys.argv[1]).eval()
seconds = time.perf_counter() - start
for parameter in model.parameters():
    parameter.detach().sum().item()
read = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "read": read, "growth": resident("VmHWM") - before}))
