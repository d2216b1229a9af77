"""One measurement of onnxruntime or CTranslate2, in a process of its own:
  python runtimes.py '{"program": "onnxruntime", "model": "model.onnx", ...}'
"""
import json
import sys

import numpy
from timing import repeat, tell

request = json.loads(sys.argv[1])
inputs = request["inputs"]
audio = numpy.fromfile(inputs["audio"], dtype=numpy.float32).reshape(inputs["clips"], inputs["samples"])


def onnxruntime():
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    session = runtime.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(["logits"], {name: audio})[0]


def ctranslate2():
    import ctranslate2 as runtime

    model = runtime.models.Wav2Vec2(request["model"], intra_threads=request["threads"], compute_type="float32")
    return lambda: numpy.array(model.encode(runtime.StorageView.from_array(audio[:, None]), to_cpu=True))


forward = {"onnxruntime": onnxruntime, "ctranslate2": ctranslate2}[request["program"].split("-")[0]]()
values = None


def run():
    global values
    values = forward()


measured = repeat(run, request)
values.astype(numpy.float32).tofile(request["logits"])
tell(measured)
