import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resample } from "../../src/audio/resampling/resample.js";
import { exportOnnx } from "../../src/export/export-onnx.js";
import { networkFile } from "../../src/export/onnx/dtypes.js";
import { PAGE_HEADERS, pageFiles } from "../../src/page/page-files.js";
import { writePage } from "../../src/page/write-page.js";
import type { CtcModel } from "../../src/pretrained/ctc-directory.js";
import { loadOnnxRecognizer } from "../../src/recognition/load-onnx-recognizer.js";
import { Recognizer } from "../../src/recognition/recognizer.js";
import { transcriptWriter } from "../../src/text/formats/formats.js";
import { loadLanguageModel } from "../../src/text/language-model/load-language-model.js";
import { changingSound, exportedModel } from "../fixtures/exported-model.js";
import { StaticServer } from "../fixtures/static-server.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";
import { BROWSER } from "../tracking/dashboard-fixture.js";

// The site that `wav2vec2 page` writes, in a real browser.

/** A busy machine is slow. */
const PATIENCE = { timeout: 90_000 };
const SLOW = { timeout: 240_000 };
/** A microphone that plays a file, and a user who lets pages have it. */
const MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

let directory: string;
let site: string;
let ctc: CtcModel;
let server: StaticServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "page-"));
  site = join(directory, "site");
  const first = await exportedModel(directory, "one");
  const second = await exportedModel(directory, "two", 8);
  ({ ctc } = first);
  await writePage([first.directory, second.directory], site);
  await writeFile(join(directory, "clip.wav"), wav(changingSound(4), 16_000));
  server = await StaticServer.start(site);
}, 240_000);
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

function wav(samples: Float32Array, rate: number): Buffer {
  const head = Buffer.alloc(44);
  head.write("RIFF");
  head.writeUInt32LE(36 + 2 * samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(2 * samples.length, 40);
  const pcm = Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
  return Buffer.concat([head, Buffer.from(pcm.buffer)]);
}

describe("the site", () => {
  it("is written whole, again in the same place, and never over other files", async () => {
    const names = await readdir(site);
    expect(names.sort()).toEqual([
      ..."assets capture.js icon.svg index.html models models.json offline.js ort theme.js".split(" "),
    ]);
    const list = JSON.parse(await readFile(join(site, "models.json"), "utf8"));
    expect(list.models.map(({ name }: { name: string }) => name)).toEqual(["one", "two"]);
    expect(list.webgpu).toBe(false);
    const again = await temporaryDirectory("page-again");
    await writePage([join(directory, "one")], join(again, "site"));
    await writePage([join(directory, "two")], join(again, "site"));
    const other = JSON.parse(await readFile(join(again, "site/models.json"), "utf8"));
    expect(other.models.map(({ name }: { name: string }) => name)).toEqual(["two"]);
    await writeFile(join(again, "site/notes.txt"), "mine");
    await expect(writePage([join(directory, "two")], join(again, "site"))).rejects.toThrow(
      "holds other files, which would be lost: notes.txt",
    );
    await expect(pageFiles([{ name: "none", directory: again }])).rejects.toThrow(
      "must be a directory that export wrote, but holds no network",
    );
  });

  it("lists every file with its media type, and the GPU's engine where it is wanted", async () => {
    const files = await pageFiles([{ name: "one", directory: join(directory, "one") }], { webgpu: true });
    const types = new Map(files.map(({ path, type }) => [path, type]));
    expect(types.get("index.html")).toBe("text/html; charset=utf-8");
    expect(types.get("ort/ort-wasm-simd-threaded.wasm")).toBe("application/wasm");
    expect(types.get("ort/ort.webgpu.bundle.min.mjs")).toBe("text/javascript; charset=utf-8");
    expect(files.filter(({ isLasting }) => isLasting).map(({ path }) => path.split("/")[0])).toContain(
      "models",
    );
  });
});

describe.skipIf(BROWSER === undefined)("the page (where Chromium is installed)", () => {
  async function launch(args: string[] = []): Promise<Browser> {
    const options = { executablePath: BROWSER!, args: ["--no-sandbox", ...args] };
    const browser = await chromium.launch(options);
    return browser;
  }

  async function open(
    browser: Browser,
    url = server.url,
    options: BrowserContextOptions = {},
  ): Promise<Page> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  const ready = (page: Page) => page.getByText("Ready").first().waitFor(PATIENCE);
  const words = (page: Page) => page.locator(".word").allTextContents();

  it(
    "reads a file as transcribe does, corrects it, plays from a word, and saves each format",
    SLOW,
    async () => {
      await using browser = await launch();
      const page = await open(browser);
      await ready(page);
      const [chooser] = await Promise.all([
        page.waitForEvent("filechooser"),
        page.getByRole("button", { name: "Open a recording" }).click(),
      ]);
      await chooser.setFiles(join(directory, "clip.wav"));
      await page.getByRole("button", { name: "SRT" }).waitFor(PATIENCE);
      const expected = await new Recognizer(ctc).transcribe(join(directory, "clip.wav"), { words: true });
      expect(expected.words.length).toBeGreaterThan(3);
      expect(await words(page)).toEqual(expected.words.map(({ text }) => text));
      const save = async (name: string): Promise<string> => {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name, exact: true }).click(),
        ]);
        expect(download.suggestedFilename()).toBe(`clip.${name.toLowerCase()}`);
        return await readFile(await download.path(), "utf8");
      };
      for (const [label, format] of [
        ["TXT", "text"],
        ["SRT", "srt"],
        ["VTT", "vtt"],
        ["JSON", "json"],
      ] as const) {
        const writer = transcriptWriter(format, "clip.wav");
        const parts = [writer.begin(), ...expected.segments.map((piece) => writer.add(piece)), writer.end()];
        expect(await save(label), format).toBe(parts.join(""));
      }
      await page.locator(".word").nth(2).click();
      await expect
        .poll(() => page.evaluate<number>("document.querySelector('audio').currentTime"), PATIENCE)
        .toBeGreaterThan(expected.words[2]!.start);
      await page.getByRole("button", { name: "Correct" }).click();
      await page.getByLabel("Text from 0:00.0").fill("CORRECTED");
      await page.getByRole("button", { name: "Done" }).click();
      expect(await words(page)).toEqual(["CORRECTED"]);
      expect(await save("TXT")).toContain("CORRECTED");
    },
  );

  it.each(["q8", "q4"])("runs a network in %s, and none but that is in the site", SLOW, async (dtype) => {
    const own = await temporaryDirectory(`page-${dtype}`);
    const small = join(own, "model");
    await exportOnnx(ctc, small, { dtype: ["float32", dtype], longest: 1 });
    await writePage([small], join(own, "site"), { dtype });
    const names = await readdir(join(own, "site/models"), { recursive: true });
    expect(names.filter((name) => name.endsWith(".onnx")).map((name) => basename(name))).toEqual([
      basename(networkFile(dtype as "q8")),
    ]);
    const recognizer = await loadOnnxRecognizer(small, { dtype });
    const { text } = await recognizer.transcribe(join(directory, "clip.wav"));
    await recognizer.close();
    const whole = await StaticServer.start(join(own, "site"));
    await using browser = await launch();
    const page = await open(browser, whole.url);
    await ready(page);
    await page.getByLabel("Recording").setInputFiles(join(directory, "clip.wav"));
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect((await words(page)).join(" ")).toBe(text);
    await whole.stop();
  });

  it("opens a recording by O, and decodes with a language model that is chosen in it", SLOW, async () => {
    const known = ["A", "B", "C", "D", "E", "AB", "BE", "CE", "DEED"];
    const arpa = (lines: string[]) =>
      `\\data\\\nngram 1=${lines.length}\n\n\\1-grams:\n${lines.join("\n")}\n\n\\end\\\n`;
    const path = join(directory, "words.arpa");
    const lines = ["<s>", "</s>", "<unk>", ...known].map((word) => `-1.0\t${word}`);
    await writeFile(path, arpa(lines));
    await writeFile(join(directory, "other.arpa"), arpa(["-1.0\tZÜRICH"]));
    const clip = join(directory, "clip.wav");
    const languageModel = await loadLanguageModel(path);
    const expected = await new Recognizer(ctc, { languageModel }).transcribe(clip);
    const without = await new Recognizer(ctc).transcribe(clip);
    expect(expected.text).not.toBe(without.text);
    await using browser = await launch();
    const page = await open(browser);
    await ready(page);
    // One listener for all: Playwright takes a moment to intercept the dialogue anew.
    page.on("filechooser", (chooser) => void chooser.setFiles(clip));
    const recognizes = async (key: string, text: string): Promise<void> => {
      await page.locator("button:enabled", { hasText: "Open a recording" }).waitFor(PATIENCE);
      await page.keyboard.press(key);
      await expect.poll(async () => (await words(page)).join(" "), PATIENCE).toBe(text);
    };
    await recognizes("o", without.text);
    await page.getByText("Options").click();
    await page.getByLabel("Language model").setInputFiles(path);
    await page.getByText("words.arpa helps with recordings from now on.").waitFor(PATIENCE);
    await recognizes("O", expected.text);
    await page.getByLabel("Language model").setInputFiles(join(directory, "other.arpa"));
    await page
      .getByText(/other\.arpa|language model must|spell/i)
      .first()
      .waitFor(PATIENCE);
    await page.getByLabel("Language model").setInputFiles([]);
    await page.getByText("words.arpa helps").waitFor({ ...PATIENCE, state: "detached" });
    await recognizes("o", without.text);
  });

  it("writes while somebody speaks, also in the background, and is settled when it stops", SLOW, async () => {
    const samples = changingSound(6);
    await writeFile(join(directory, "speech.wav"), wav(resample(samples, 16_000, 48_000), 48_000));
    await using browser = await launch([
      ...MICROPHONE,
      `--use-file-for-fake-audio-capture=${join(directory, "speech.wav")}`,
    ]);
    const page = await open(browser);
    await ready(page);
    await page.keyboard.press("r");
    const shown = () => page.locator(".transcript").innerText();
    await expect.poll(shown, PATIENCE).toMatch(/[A-E]/);
    const before = (await shown()).length;
    const other = await page.context().newPage();
    await other.goto("about:blank");
    await other.bringToFront();
    await expect.poll(async () => (await shown()).length, PATIENCE).toBeGreaterThan(before);
    await page.bringToFront();
    await page.getByRole("button", { name: /^Stop/ }).click();
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect((await words(page)).length).toBeGreaterThan(1);
    expect(await page.locator(".partial").textContent()).toBe("");
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  });

  it("says what to do where the microphone is refused, or there is none, and works on", SLOW, async () => {
    await using browser = await launch(["--use-fake-device-for-media-stream", "--deny-permission-prompts"]);
    const refused = await open(browser);
    await ready(refused);
    await refused.getByRole("button", { name: "Speak" }).click();
    await refused.getByText("Allow it in the browser's settings of this page").waitFor(PATIENCE);
    await refused.locator("input[aria-label=Recording]").setInputFiles(join(directory, "clip.wav"));
    await refused.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);

    await using without = await launch(["--use-fake-ui-for-media-stream"]);
    const page = await open(without);
    await ready(page);
    await page.getByRole("button", { name: "Speak" }).click();
    await page.getByText("There is no microphone. Connect one").waitFor(PATIENCE);
  });

  it("says what is wrong with a model, a file and a GPU that is not there", SLOW, async () => {
    const broken = await temporaryDirectory("page-broken");
    await writePage([join(directory, "one")], join(broken, "site"), { webgpu: true });
    const [{ directory: place }] = JSON.parse(await readFile(join(broken, "site/models.json"), "utf8"))
      .models as [{ directory: string }];
    const whole = await StaticServer.start(join(broken, "site"));
    await using browser = await launch();
    const page = await open(browser, whole.url);
    await ready(page);
    await page.locator("input[aria-label=Recording]").setInputFiles({
      name: "notes.wav",
      mimeType: "audio/wav",
      buffer: Buffer.from("These are notes, and no sound. ".repeat(9)),
    });
    await page.getByText("notes.wav must be FLAC, WAV, MP3").waitFor(PATIENCE);
    await page.getByText("Options").click();
    await page.getByLabel("Runs on").selectOption("the GPU");
    await page
      .getByText("This browser has no WebGPU adapter. Choose the processor instead.")
      .waitFor(PATIENCE);
    await page.getByLabel("Runs on").selectOption("the processor");
    await ready(page);
    await writeFile(join(broken, "site", place, "onnx/model.onnx"), "no network");
    const other = await open(browser, whole.url); // of a visitor who has nothing kept
    await other.getByText("must be a network that runs here, but is not").waitFor(PATIENCE);
    expect(await other.getByRole("button", { name: "Speak" }).isDisabled()).toBe(true);
    await whole.stop();
  });

  it("is there without a network once it was seen, then in several threads", SLOW, async () => {
    const own = await StaticServer.start(site);
    await using browser = await launch();
    const page = await open(browser, own.url);
    await ready(page);
    expect(await page.evaluate("crossOriginIsolated")).toBe(false);
    await page.evaluate("navigator.serviceWorker.ready.then(() => undefined)");
    await page.reload(); // by the service worker, which keeps what it fetches
    await ready(page);
    await page.getByText(/threads$/).waitFor(PATIENCE);
    expect(await page.evaluate("crossOriginIsolated")).toBe(true);
    await own.stop();
    await page.reload();
    await ready(page);
    await page.locator("input[aria-label=Recording]").setInputFiles(join(directory, "clip.wav"));
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect((await words(page)).length).toBeGreaterThan(3);
  });

  it(
    "asks no other server for anything, and has threads at once where the server allows it",
    SLOW,
    async () => {
      const isolated = await StaticServer.start(site, PAGE_HEADERS);
      await using browser = await launch();
      const context = await browser.newContext({ serviceWorkers: "block" });
      const page = await context.newPage();
      const foreign: string[] = [];
      page.on("request", (request) => {
        if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(isolated.url))
          foreign.push(request.url());
      });
      await page.goto(isolated.url);
      await page.getByText(/threads$/).waitFor(PATIENCE);
      await page.locator("input[aria-label=Recording]").setInputFiles(join(directory, "clip.wav"));
      await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
      expect(foreign).toEqual([]);
      await isolated.stop();
    },
  );

  const axe = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const phone: BrowserContextOptions = {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  };
  it.each([
    ["light, on a desktop", { colorScheme: "light" }],
    ["dark, on a phone", { ...phone, colorScheme: "dark" }],
  ] as const)("axe finds nothing, and nothing is wider than the screen: %s", SLOW, async (_, options) => {
    await using browser = await launch();
    const page = await open(browser, server.url, options);
    await ready(page);
    const check = async (what: string): Promise<void> => {
      await page.evaluate(await axe);
      const found = await page.evaluate<string[]>(
        `axe.run().then(({ violations }) =>
        violations.map(({ id, impact, nodes }) => impact + ": " + id + ": " + nodes[0].html))`,
      );
      expect(found, what).toEqual([]);
      expect(
        await page.evaluate("document.documentElement.scrollWidth - innerWidth"),
        what,
      ).toBeLessThanOrEqual(0);
    };
    await check("before");
    await page.getByText("Options").click();
    await page.getByLabel("Compare with").selectOption("two");
    await page.getByText(/two, on/).waitFor(PATIENCE);
    await page.locator("input[aria-label=Recording]").setInputFiles(join(directory, "clip.wav"));
    await page.getByRole("button", { name: "TXT" }).waitFor(PATIENCE);
    expect(await page.locator(".reading").count()).toBe(2);
    expect(await page.locator(".word.other").count()).toBeGreaterThan(0);
    await check("two models compared");
    // From word to word by keys.
    await page.locator(".word").first().focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate("document.activeElement.textContent")).toBe((await words(page))[1]);
    await page.getByRole("button", { name: "Correct" }).click();
    await check("correcting");
  });
});
