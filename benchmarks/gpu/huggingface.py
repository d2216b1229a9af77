# The same training step by transformers: forward and backward pass under autocast in bfloat16 and one step of AdamW.
#   python huggingface.py '{"task": "pretrain", "shape": {...}, "clips": 7, "samples": 196800, "batches": 10, "device": "cuda"}'
import json
import resource
import sys
import time

import torch
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC, Wav2Vec2ForPreTraining
from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices, _sample_negative_indices

request = json.loads(sys.argv[1])
device = torch.device(request["device"])
torch.manual_seed(0)
config = Wav2Vec2Config(**request["shape"], mask_time_prob=0.65, mask_time_length=10, ctc_zero_infinity=True)
pretraining = request["task"] == "pretrain"
model = (Wav2Vec2ForPreTraining if pretraining else Wav2Vec2ForCTC)(config)
if not pretraining:
    model.freeze_feature_encoder()
model.to(device).train()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=device.type == "cuda")
clips, samples = request["clips"], request["samples"]
frames = int(model._get_feat_extract_output_lengths(samples))
audio = torch.rand(clips, samples, device=device) - 0.5
labels = torch.randint(1, config.vocab_size, (clips, int(samples / 16000 * 14)), device=device)


def step():
    inputs = {"input_values": audio}
    if pretraining:
        # Made anew for every batch, on the host, as its data collator makes them.
        mask = _compute_mask_indices((clips, frames), 0.65, 10, min_masks=2)
        negatives = _sample_negative_indices((clips, frames), config.num_negatives, mask)
        inputs["mask_time_indices"] = torch.from_numpy(mask).to(device)
        inputs["sampled_negative_indices"] = torch.from_numpy(negatives).to(device)
    else:
        inputs["labels"] = labels
    with torch.autocast(device.type, dtype=torch.bfloat16):
        loss = model(**inputs).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss


def wait(loss):
    loss.item()
    if device.type == "cuda":
        torch.cuda.synchronize()


for _ in range(3):
    wait(step())
times = []
for _ in range(request["batches"]):
    began = time.perf_counter()
    wait(step())
    times.append(time.perf_counter() - began)
cuda = device.type == "cuda"
peak = torch.cuda.max_memory_allocated() if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"stepSeconds": sorted(times)[len(times) // 2], "memoryMb": peak / 1e6, "torch": torch.__version__}))
