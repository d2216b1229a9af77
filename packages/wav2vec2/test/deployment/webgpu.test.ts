import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { exportOnnx } from "../../src/export/export-onnx.js";
import { writePage } from "../../src/page/write-page.js";
import type { CtcModel } from "../../src/pretrained/ctc-directory.js";
import { Recognizer } from "../../src/recognition/recognizer.js";
import { changingSound, exportedModel } from "../fixtures/exported-model.js";
import { StaticServer } from "../fixtures/static-server.js";
import { BROWSER } from "../tracking/dashboard-fixture.js";

// The network on WebGPU, beside the same on the processor. Chromium computes WebGPU on the processor too where it is told to
// (SwiftShader): slow, but by the same shaders as on a GPU.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const SWIFTSHADER = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const PATIENCE = { timeout: 120_000 };
const SLOW = { timeout: 300_000 };
/** Of logits of about 10. */
const CLOSE = 1e-3;

let directory: string;
let ctc: CtcModel;
let server: StaticServer;
let browser: Browser;
/** Its features, or undefined where the browser gives none. */
let adapter: string[] | undefined;

beforeAll(async () => {
  if (BROWSER === undefined) return;
  directory = await mkdtemp(join(tmpdir(), "webgpu-"));
  ({ ctc } = await exportedModel(directory));
  const dtype = ["float32", "float16", "q4"];
  await exportOnnx(ctc, join(directory, "model"), { dtype, longest: 1 });
  await writeSite("site", "float32");
  await writeSite("half", "float16");
  await writeFile(join(directory, "clip.flac"), encodeFlac(changingSound(4), 16000));
  await writeFile(join(directory, "long.flac"), encodeFlac(changingSound(70), 16000));
  await writeOwnPage();
  server = await StaticServer.start(directory);
  browser = await launch(SWIFTSHADER);
  const page = await browser.newPage();
  await page.goto(`${server.url}own.html`);
  adapter = await page.evaluate<string[] | undefined>(
    "navigator.gpu?.requestAdapter().then((adapter) => adapter ? [...adapter.features] : undefined)",
  );
  await page.close();
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

async function launch(args: string[] = []): Promise<Browser> {
  return await chromium.launch({ executablePath: BROWSER!, args: ["--no-sandbox", ...args] });
}

/** A page that takes its model for one that is large enough for the GPU. */
async function writeSite(name: string, dtype: string): Promise<void> {
  const site = join(directory, name);
  await writePage([join(directory, "model")], site, { webgpu: true, dtype });
  const list = JSON.parse(await readFile(join(site, "models.json"), "utf8"));
  list.models[0].bytes = 200e6;
  await writeFile(join(site, "models.json"), JSON.stringify(list));
}

/** A page with the recogniser alone, of the packages' builds as projects have them, beside the model and onnxruntime. */
async function writeOwnPage(): Promise<void> {
  await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
  const input = join(directory, "own.mjs");
  await copyFile(join(ROOT, "packages/wav2vec2/test/deployment/webgpu-page.mjs"), input);
  const bundle = await rolldown({ input, platform: "browser", external: [/^module$/] });
  await bundle.write({ dir: directory, entryFileNames: "own.js", format: "esm" });
  await bundle.close();
  await symlink(join(directory, "site/ort"), join(directory, "ort"));
  await writeFile(
    join(directory, "own.html"),
    '<!doctype html><title>WebGPU</title><script type="module" src="own.js"></script>',
  );
}

/** Skips the test where the browser has no WebGPU, and says why. @returns the features that there are */
function requireAdapter({ skip }: TestContext): readonly string[] {
  return adapter ?? skip("this browser gives no WebGPU adapter");
}

const words = (page: Page) => page.locator(".word").allTextContents();

async function textOf(name: string): Promise<string> {
  return (await new Recognizer(ctc).transcribe(join(directory, name))).text;
}

describe.skipIf(BROWSER === undefined)("WebGPU (where Chromium is installed)", () => {
  async function score(page: Page, engine: "wasm" | "webgpu", dtype: string) {
    return await page.evaluate<{ text: string; logits: number[] }>(
      `recognize("${engine}", "${dtype}", ${JSON.stringify([...changingSound(4)])})`,
    );
  }

  it.for(["float32", "q4", "float16"])("reads the same as the processor in %s", SLOW, async (dtype, test) => {
    const hasHalf = requireAdapter(test).includes("shader-f16");
    const page = await browser.newPage();
    await page.goto(`${server.url}own.html`);
    await page.waitForFunction("window.recognize");
    const onProcessor = await score(page, "wasm", dtype);
    if (dtype === "float16" && !hasHalf)
      await expect(score(page, "webgpu", dtype)).rejects.toThrow("which this GPU does not (shader-f16)");
    else {
      const onGpu = await score(page, "webgpu", dtype);
      expect(onProcessor.text.length).toBeGreaterThan(20);
      expect(onGpu.text).toBe(onProcessor.text);
      expect(onGpu.logits).toHaveLength(onProcessor.logits.length);
      const farthest = Math.max(...onGpu.logits.map((value, i) => Math.abs(value - onProcessor.logits[i]!)));
      expect(farthest).toBeLessThan(dtype === "float16" ? 0.1 : CLOSE);
    }
    await page.close();
  });

  it("is what the page takes for a large model, and the processor where it is lost", SLOW, async (test) => {
    requireAdapter(test);
    await using own = await launch(SWIFTSHADER); // its GPU's process is ended
    const page = await own.newPage();
    await page.goto(`${server.url}site/`);
    await page.getByText("model, on the GPU").waitFor(PATIENCE);
    await page.locator("input[aria-label=Recording]").setInputFiles(join(directory, "clip.flac"));
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect((await words(page)).join(" ")).toBe(await textOf("clip.flac"));

    await page.locator("input[aria-label=Recording]").setInputFiles(join(directory, "long.flac"));
    await page.locator(".word, .partial:not(:empty)").first().waitFor(PATIENCE);
    await (await own.newBrowserCDPSession()).send("Browser.crashGpuProcess");
    await page.getByText(/model, on .*thread.*, not on the GPU: The GPU .* was lost/).waitFor(PATIENCE);
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect((await words(page)).join(" ")).toBe(await textOf("long.flac"));
  });

  it("is left for the processor by a page in float16 where it has no such numbers", SLOW, async (test) => {
    if (requireAdapter(test).includes("shader-f16")) test.skip("this adapter computes in float16");
    const page = await browser.newPage();
    await page.goto(`${server.url}half/`);
    await page.getByText(/model, on .*thread.*, not on the GPU: .*\(shader-f16\)/).waitFor(PATIENCE);
    await page.locator("input[aria-label=Recording]").setInputFiles(join(directory, "clip.flac"));
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect((await words(page)).length).toBeGreaterThan(3);
    await page.close();
  });

  it("is said to be missing where the browser has none, and the processor reads", SLOW, async () => {
    await using without = await launch(["--disable-gpu", "--disable-features=WebGPU"]);
    const page = await without.newPage();
    await page.goto(`${server.url}site/`);
    await page.getByText("not on the GPU: This browser has no WebGPU adapter.").waitFor(PATIENCE);
    await page.locator("input[aria-label=Recording]").setInputFiles(join(directory, "clip.flac"));
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect((await words(page)).join(" ")).toBe(await textOf("clip.flac"));
  });
});
