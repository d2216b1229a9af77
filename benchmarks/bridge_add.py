"""The Python side of bridge-add.mjs: for every line of input, one line with the seconds of COUNT calls."""
import sys
import time

import torch

torch.set_num_threads(1)
a = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
b = torch.tensor([1.0, 2.0, 3.0, 4.0])
print(torch.__version__, flush=True)
for line in sys.stdin:
    count = int(line)
    start = time.perf_counter()
    for _ in range(count):
        a + b
    print(time.perf_counter() - start, flush=True)
