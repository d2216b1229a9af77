"""The other side of packages/wav2vec2/test/model/transformers.test.ts.

    python reference/exchange.py JOBS.json

JOBS is a list of {"class", "directory", "input", "output", "saved"}. Each directory is loaded as its class (one of
Wav2Vec2Model, Wav2Vec2ForPreTraining, Wav2Vec2ForCTC, the classes with a classification head, and those of HuBERT and the like) and run on the tensor `input` of the input file; the output goes
to the output file, and the model is saved again below `saved` in every file format. A JSON list on stdout says for each
which keys did not fit and what was warned of.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file


class Recorder(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def compare(job: dict, recorder: Recorder):
    recorder.messages.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, info = getattr(transformers, job["class"]).from_pretrained(job["directory"], output_loading_info=True)
        if job["class"].endswith("ForCTC"):
            processor = transformers.Wav2Vec2Processor.from_pretrained(job["directory"])
            assert len(processor.tokenizer) == model.config.vocab_size, len(processor.tokenizer)
        with torch.no_grad():
            result = model.eval()(load_file(job["input"])["input"])
    output = {"Model": "last_hidden_state", "ForPreTraining": "projected_quantized_states"}
    named = next((name for end, name in output.items() if job["class"].endswith(end)), None)
    tensor = getattr(result, named or ("embeddings" if "embeddings" in result else "logits"))
    save_file({"output": tensor.contiguous()}, job["output"])
    report = {key: sorted(map(str, info[key])) for key in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    report["warnings"] = recorder.messages + [str(warning.message) for warning in caught]
    return model, report


def save(model, directory: Path, form: str) -> None:
    model.save_pretrained(directory, max_shard_size="20KB" if form == "sharded" else "5GB")
    single = directory / "model.safetensors"
    if form in ("safetensors", "sharded"):
        return
    state = load_file(single)
    if form == "weight_g":  # the names that PyTorch before 2.0 gave to a normalised weight
        names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
        for new, old in names.items():
            state = {key.replace(new, old): value for key, value in state.items()}
        save_file(state, single, {"format": "pt"})
        return
    single.unlink()
    if form == "bin":
        torch.save(state, directory / "pytorch_model.bin")
        return
    files = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    weight_map = {key: files[index % 2] for index, key in enumerate(sorted(state))}
    for file in files:
        torch.save({key: value for key, value in state.items() if weight_map[key] == file}, directory / file)
    index = {"metadata": {"total_size": sum(value.nbytes for value in state.values())}, "weight_map": weight_map}
    (directory / "pytorch_model.bin.index.json").write_text(json.dumps(index))


recorder = Recorder()
transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.disable_default_handler()
transformers.utils.logging.add_handler(recorder)
reports = []
for job in json.loads(Path(sys.argv[1]).read_text()):
    model, report = compare(job, recorder)
    reports.append(report)
    for form in ("safetensors", "sharded", "bin", "sharded-bin", "weight_g"):
        save(model, Path(job["saved"]) / form, form)
print(json.dumps(reports))
