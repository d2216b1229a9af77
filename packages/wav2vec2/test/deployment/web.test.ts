import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import type { CtcModel } from "../../src/pretrained/ctc-directory.js";
import { Recognizer } from "../../src/recognition/recognizer.js";
import { transcriptWriter } from "../../src/text/formats/formats.js";
import { changingSound, exportedModel } from "../fixtures/exported-model.js";
import { StaticServer } from "../fixtures/static-server.js";
import { BROWSER } from "../tracking/dashboard-fixture.js";

// The numbered example, bundled as docs/browser.md says, in a real browser: the text is that of libtorch in Node.js.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const ENGINE = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
const PATIENCE = { timeout: 60_000 };

let site: string;
let ctc: CtcModel;
let server: StaticServer;
let browser: Browser;
beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), "web-"));
  ({ ctc } = await exportedModel(site));
  await mkdir(join(site, "ort"));
  const page = await readFile(join(ROOT, "docs/browser.md"), "utf8");
  for (const [, name] of page.matchAll(/node_modules\/onnxruntime-web\/dist\/(\S+)/g))
    await copyFile(join(ENGINE, name!), join(site, "ort", name!));
  await writeFile(
    join(site, "index.html"),
    '<!doctype html><title>Example</title><body><script type="module" src="page.js"></script>',
  );
  // As in a project that has the packages: their builds, not their sources.
  await symlink(join(ROOT, "node_modules"), join(site, "node_modules"));
  await copyFile(join(ROOT, "examples/20-browser.mjs"), join(site, "20-browser.mjs"));
  const bundle = await rolldown({
    input: join(site, "20-browser.mjs"),
    platform: "browser",
    external: [/^module$/],
  });
  await bundle.write({ dir: site, entryFileNames: "page.js", format: "esm" });
  await bundle.close();
  server = await StaticServer.start(site);
  if (BROWSER) browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(site, { recursive: true, force: true });
});

describe.skipIf(BROWSER === undefined)("a page that is bundled (where Chromium is installed)", () => {
  it("writes of a file what transcribe does, with its times", { timeout: 180_000 }, async () => {
    const samples = changingSound(31); // more than a window
    const flac = encodeFlac(samples, 16000);
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", ({ message }) => faults.push(message));
    await page.goto(server.url);
    await page.locator("input:enabled").waitFor(PATIENCE);
    await page
      .locator("input")
      .setInputFiles({ name: "clip.flac", mimeType: "audio/flac", buffer: Buffer.from(flac) });
    await page.getByText("WEBVTT").waitFor(PATIENCE);
    const written = await page.locator("pre").textContent();
    const transcript = await new Recognizer(ctc).transcribe(new Uint8Array(flac), { words: true });
    const subtitles = transcriptWriter("vtt", "clip.flac");
    expect(transcript.text.length).toBeGreaterThan(30);
    expect(written).toBe(
      subtitles.begin() + transcript.segments.map((piece) => subtitles.add(piece)).join(""),
    );
    expect(faults).toEqual([]);
    await page.close();
  });

  it("says what is wrong with a model that is damaged, missing or another's", {
    timeout: 180_000,
  }, async () => {
    const page = await browser.newPage();
    const refusal = async (path: string, body: string | undefined): Promise<string> => {
      await page.route(`**/model/${path}`, (route) =>
        body === undefined ? route.fulfill({ status: 404 }) : route.fulfill({ body }),
      );
      const failed = page.waitForEvent("pageerror", PATIENCE);
      await page.goto(server.url);
      const { message } = await failed;
      await page.unroute(`**/model/${path}`);
      return message;
    };
    expect(await refusal("config.json", undefined)).toContain("but has no config.json. Correct the address.");
    expect(await refusal("onnx/model.onnx", undefined)).toContain("but the server answers 404");
    expect(await refusal("onnx/model.onnx", "This is no network.")).toContain(
      "must be a network that runs here, but is not",
    );
    expect(await refusal("vocab.json", '{"<pad>": 0, "|": 1}')).toContain("must have 10 tokens");
    await page.close();
  });
});
