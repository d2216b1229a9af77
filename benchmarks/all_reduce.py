"""Times torch.distributed's all-reduce over Gloo, for all-reduce.mjs. Prints a JSON list of seconds in rank 0."""

import json
import sys
import time

import torch
import torch.distributed as dist

rank, size, port, count, repeats = (int(word) for word in sys.argv[1:6])
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=size)
values = torch.ones(count)
times = []
for _ in range(repeats):
    dist.barrier()
    began = time.perf_counter()
    dist.all_reduce(values)
    times.append(time.perf_counter() - began)
    values.fill_(1)
if rank == 0:
    print(json.dumps(times))
dist.destroy_process_group()
