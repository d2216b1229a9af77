import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadTensors, noGrad } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { exportHuggingFace } from "../../src/export/export-hugging-face.js";
import { type CtcModel, loadCtcModel } from "../../src/pretrained/ctc-directory.js";
import { Recognizer } from "../../src/recognition/recognizer.js";
import { changingSound, exportedModel } from "../fixtures/exported-model.js";
import { HubServer } from "../model/hub-server.js";
import { PROGRAM } from "../training/training-process.js";

const PYTORCH_FILE = fileURLToPath(new URL("../golden/forms/base-960h", import.meta.url));
const python = process.env.TRANSFORMERS_PYTHON;

let directory: string;
let ctc: CtcModel;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "hf-"));
  ({ ctc } = await exportedModel(directory));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("a directory for Hugging Face transformers", () => {
  it("holds the model's weights bit for bit, or rounded to half, and recognises the same", async () => {
    const sound = changingSound(3);
    const { text } = await new Recognizer(ctc).transcribe(sound);
    const sizes: number[] = [];
    for (const dtype of ["float32", "float16"]) {
      const to = join(directory, dtype);
      const { bytes, difference } = await exportHuggingFace(ctc, to, { dtype });
      sizes.push(bytes);
      expect(statSync(join(to, "model.safetensors")).size).toBe(bytes);
      if (dtype === "float32") expect(difference).toBe(0);
      else expect(difference).toBeLessThan(0.02);
      const { tensors } = await loadTensors(join(to, "model.safetensors"));
      for (const [key, values] of ctc.model.stateDict()) {
        const there = tensors.get(key)!;
        expect(there.dtype, key).toBe(dtype);
        expect(there.equal(values.to({ dtype: dtype as "float32" })), key).toBe(true);
      }
      const again = await new Recognizer(await loadCtcModel(to)).transcribe(sound);
      if (dtype === "float32") expect(again.text).toBe(text);
    }
    expect(sizes[1]! / sizes[0]!).toBeLessThan(0.6);
    const config = JSON.parse(readFileSync(join(directory, "float16/config.json"), "utf8"));
    expect(config).toMatchObject({ torch_dtype: "float16", architectures: ["Wav2Vec2ForCTC"] });
  });

  it("is never the model's own, whose weights would be rounded", async () => {
    const model = join(directory, "own");
    await exportHuggingFace(ctc, model);
    const before = readFileSync(join(model, "model.safetensors"));
    await expect(exportHuggingFace(model, `${model}/`, { dtype: "float16" })).rejects.toThrow(
      `The directory to write must be another than the model's, but both are ${model}/`,
    );
    expect(readFileSync(join(model, "model.safetensors")).equals(before)).toBe(true);
  });

  it("comes from PyTorch's files too", () => {
    const to = join(directory, "converted");
    const printed = execFileSync(
      process.execPath,
      [PROGRAM, "export", PYTORCH_FILE, "--format", "hf", "--to", to],
      {
        encoding: "utf8",
      },
    );
    expect(printed).toMatch(
      /is written: model\.safetensors in float32 \(.*\), which gives the model's logits to 0\.0e\+0/,
    );
    expect(readdirSync(to)).toContain("model.safetensors");
  });

  it("comes from the Hub too", async () => {
    const hub = await HubServer.start();
    onTestFinished(() => hub.close());
    const best = join(directory, "for-hub");
    await exportHuggingFace(ctc, best);
    hub.commit("someone/recogniser", () =>
      Object.fromEntries(readdirSync(best).map((name) => [name, readFileSync(join(best, name))])),
    );
    const to = join(directory, "from-hub");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [PROGRAM, "export", "someone/recogniser", "--format", "hf", "--to", to, "--json"],
      { env: { ...process.env, HF_ENDPOINT: hub.url, HF_HOME: join(directory, "huggingface") } },
    );
    expect(JSON.parse(stdout)).toMatchObject({ directory: to, dtype: "float32", difference: 0 });
    expect(
      readFileSync(join(to, "model.safetensors")).equals(readFileSync(join(best, "model.safetensors"))),
    ).toBe(true);
  });

  it("is not written where a weight is too large, the dtype is another, or an option is ONNX's", async () => {
    const to = join(directory, "refused");
    const { ctc: large } = await exportedModel(directory, "large");
    noGrad(() => large.model.lmHead.weight.mul_(1e6));
    await expect(exportHuggingFace(large, to, { dtype: "float16" })).rejects.toThrow(
      /Weights must be at most 65504 in float16, but lm_head\.weight has one of/,
    );
    await expect(exportHuggingFace(ctc, to, { dtype: "q8" })).rejects.toThrow(
      "dtype of a Hugging Face directory must be float32 or float16, but is q8. Export it as ONNX instead.",
    );
    const run = (...options: string[]) =>
      execFileSync(process.execPath, [PROGRAM, "export", "x", "--format", "hf", "--to", to, ...options], {
        encoding: "utf8",
        stdio: "pipe",
      });
    expect(() => run("--longest", "3")).toThrow("--longest must stand without --format hf");
    expect(() => run("--dtype", "float32", "float16")).toThrow("--dtype of --format hf must be one");
    expect(existsSync(to)).toBe(false);
  });
});

describe.skipIf(python === undefined)("transformers itself (where TRANSFORMERS_PYTHON names one)", () => {
  it("loads it in half and gives the same numbers", async () => {
    const to = join(directory, "for-python");
    await exportHuggingFace(ctc, to, { dtype: "float16" });
    const program = `
import json, sys, torch, transformers
model, info = transformers.Wav2Vec2ForCTC.from_pretrained(sys.argv[1], output_loading_info=True, dtype="auto")
processor = transformers.Wav2Vec2Processor.from_pretrained(sys.argv[1])
half = str(model.dtype)
t = torch.arange(16000, dtype=torch.float64) / 5
with torch.no_grad():
    logits = model.float().eval()(torch.sin(t)[None].float()).logits
print(json.dumps([half, sorted(info["missing_keys"]), sorted(info["unexpected_keys"]), logits.flatten().tolist()]))
`;
    const [half, missing, unexpected, logits] = JSON.parse(
      execFileSync(python!, ["-c", program, to], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
    expect([half, missing, unexpected]).toEqual(["torch.float16", [], []]);
    const { model } = await loadCtcModel(to);
    const { tensor } = await import("@wav2vec2/libtorch");
    const samples = Float32Array.from({ length: 16000 }, (_, t) => Math.sin(t / 5));
    const own = noGrad(() => model.forward({ input: tensor(samples, [1, 16000]), lengths: [16000] }).logits);
    const difference = own.flatten().sub(tensor(logits)).abs().amax().item();
    expect(difference).toBeLessThan(1e-3);
  });
});
