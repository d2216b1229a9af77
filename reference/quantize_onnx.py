"""Quantises the matrix products of an ONNX file as onnxruntime's own tool does, signed weights a channel each:
  python reference/quantize_onnx.py FILE.onnx QUANTIZED.onnx
Besides requirements.txt it needs onnx and onnxruntime; what torch.onnx writes with weights outside is read too.
"""
import sys

from onnxruntime.quantization import QuantType, quantize_dynamic

source, target = sys.argv[1:]
quantize_dynamic(
    source, target, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
)
