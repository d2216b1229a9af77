"""Writes a Wav2Vec2ForCTC directory as torch.onnx exports it, with batch and samples free:
  python export_onnx.py DIRECTORY FILE.onnx
"""
import sys

import torch
import transformers


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_values):
        return self.model(input_values).logits


directory, path = sys.argv[1:]
model = transformers.Wav2Vec2ForCTC.from_pretrained(directory).eval()
torch.onnx.export(
    Logits(model).eval(),
    (torch.randn(2, 32000),),
    path,
    input_names=["input_values"],
    output_names=["logits"],
    dynamic_shapes={"input_values": {0: torch.export.Dim("batch"), 1: torch.export.Dim("samples", min=4000)}},
    dynamo=True,
)
