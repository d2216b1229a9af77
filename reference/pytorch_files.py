#!/usr/bin/env python3
"""Writes packages/libtorch/test/pytorch-files: what PyTorch saves, and files that must be refused. Run with
reference/requirements.txt installed. The values are counted up, so that the tests know them without a file beside."""
import collections
import io
import json
import os
import pathlib
import zipfile

import torch
from safetensors.torch import save_file

DIRECTORY = pathlib.Path(__file__).parent.parent / "packages/libtorch/test/pytorch-files"
DIRECTORY.mkdir(exist_ok=True)


def path(name):
    return str(DIRECTORY / name)


def counted(*shape, dtype=torch.float32):
    count = torch.Size(shape).numel()
    return torch.arange(count).reshape(shape).to(dtype)


base = counted(4, 6)
state = collections.OrderedDict(
    float32=counted(2, 3) / 4,
    float64=counted(3, dtype=torch.float64) / 8,
    float16=counted(2, 2, dtype=torch.float16) / 2,
    bfloat16=counted(5, dtype=torch.bfloat16) / 2,
    int64=counted(3, dtype=torch.int64) - 2**40,
    int32=counted(3, dtype=torch.int32) - 1,
    uint8=counted(4, dtype=torch.uint8) + 250,
    bool=torch.tensor([True, False, True]),
    scalar=torch.tensor(2.5),
    empty=torch.empty(0, 4),
    transposed=counted(2, 3).t(),
    permuted=counted(2, 3, 4, dtype=torch.int64).permute(2, 0, 1),
    whole=base,
    rows=base[1:3],
    column=base[:, 2],
    steps=base[::2, 1::3],
    parameter=torch.nn.Parameter(counted(3) + 1),
)
state._metadata = collections.OrderedDict({"": {"version": 1}})
torch.save(state, path("state.bin"))
torch.save(state, path("protocol4.bin"), pickle_protocol=4)
torch.save({"a": counted(30, 40, dtype=torch.uint8)[::7, ::9].t()}, path("dict.bin"))

# Two shards of either kind, and the index that transformers writes beside them.
shards = [{"first.weight": counted(2, 2), "first.bias": counted(2)}, {"second.weight": counted(3, 2) + 10}]
for extension, save in (("bin", torch.save), ("safetensors", lambda t, p: save_file(t, p, {"format": "pt"}))):
    stem = "pytorch_model" if extension == "bin" else "model"
    weight_map = {}
    for i, shard in enumerate(shards):
        file = f"{stem}-{i + 1:05}-of-00002.{extension}"
        save(shard, path(file))
        weight_map |= dict.fromkeys(shard, file)
    index = {"metadata": {"total_size": 48}, "weight_map": weight_map}
    (DIRECTORY / f"{stem}.{extension}.index.json").write_text(json.dumps(index, indent=2) + "\n")


class Command:
    """What a malicious pickle does: a call of anything."""

    def __reduce__(self):
        return os.system, ("touch executed",)


class Evaluation:
    def __reduce__(self):
        return eval, ("1 + 1",)


# Refused, each for what its name says.
torch.save({"a": Command()}, path("system.bin"))
torch.save({"a": Evaluation()}, path("eval.bin"), pickle_protocol=4)
torch.save({"model": {"a": counted(2)}, "step": 3}, path("nested.bin"))
torch.save({"a": counted(2), "step": 3}, path("number.bin"))
torch.save({1: counted(2)}, path("key.bin"))
torch.save([counted(2)], path("list.bin"))
torch.save(torch.nn.Linear(2, 2), path("module.bin"))
torch.save({"a": counted(2).to_sparse()}, path("sparse.bin"))
torch.save({"a": torch.empty(1).expand(1000)}, path("expanded.bin"))
torch.save({"a": torch.complex(counted(2), counted(2)).conj()}, path("conjugated.bin"))
torch.save({"a": counted(2)}, path("legacy.bin"), _use_new_zipfile_serialization=False)
torch.jit.script(torch.nn.Linear(2, 2)).save(path("script.bin"))


def repack(name, change=lambda members: members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    torch.save({"a": counted(2)}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path(name), "w", compression) as archive:
        for member, data in change(members).items():
            archive.writestr(zipfile.ZipInfo(member), data, compression)


repack("compressed.bin", compression=zipfile.ZIP_DEFLATED)
repack("big-endian.bin", lambda members: members | {"archive/byteorder": b"big"})
repack("no-storage.bin", lambda members: {k: v for k, v in members.items() if k != "archive/data/0"})
repack("short-storage.bin", lambda members: members | {"archive/data/0": b"1234"})
repack("no-pickle.bin", lambda members: {k: v for k, v in members.items() if not k.endswith(".pkl")})
repack("old.bin", lambda members: {k: members[k] for k in ("archive/data.pkl", "archive/data/0", "archive/version")})
