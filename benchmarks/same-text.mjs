// Whether a recogniser says the same wherever it runs: by libtorch, by onnxruntime in Node.js, through `serve` and in the page, in
// Chromium. Texts and times of words of every recording of a split are compared.
//   npm install --prefix DIR onnxruntime-node                   with ONNXRUNTIME_NODE_INSTALL=skip, for the processor alone
//   npm run build && node benchmarks/same-text.mjs MODEL --data DATA [--split NAME] [--dtype float32,int8] [--node DIR]
// Without DIR onnxruntime-web runs in Node.js too. A network in float32 is compared with libtorch, one in other numbers with
// what it says by onnxruntime in Node.js: what its numbers cost is another question, which `evaluate` answers.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const PROGRAM = fileURLToPath(new URL("../packages/wav2vec2/bin/wav2vec2.js", import.meta.url));
const PATIENCE = { timeout: 600_000 };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    split: { type: "string" },
    dtype: { type: "string", default: "float32" },
    node: { type: "string" },
    browser: { type: "string", default: "/usr/bin/chromium" },
  },
});
const [model] = positionals;

const place = options.node && join(resolve(options.node), "node_modules");
// Node.js reads the variable once, when it starts.
if (place && process.env.NODE_PATH !== place)
  process.exitCode = spawnSync(process.execPath, process.argv.slice(1), {
    stdio: "inherit",
    env: { ...process.env, NODE_PATH: place },
  }).status;
else await compare();

async function compare() {
  const { exportOnnx, loadOnnxRecognizer, loadRecognizer, readCorpus } = await import("wav2vec2");
  const { utterances } = await readCorpus(options.data, options.split, { transcripts: "none" });
  const paths = utterances.map(({ path }) => path);
  const directory = mkdtempSync(join(tmpdir(), "same-text-"));
  try {
    const torch = await all(paths, await loadRecognizer(model, { device: "cpu" }));
    console.log(
      "| network | run by | compared with | recordings | words | other texts | other times |\n|---|---|---|---|---|---|---|",
    );
    for (const dtype of options.dtype.split(",")) {
      const exported = join(directory, dtype);
      await exportOnnx(model, exported, { dtype, longest: 1 });
      const recognizer = await loadOnnxRecognizer(exported);
      const node = await all(paths, recognizer);
      await recognizer.close();
      tell(dtype, "onnxruntime in Node.js", node, "libtorch", torch);
      const [name, expected] = dtype === "float32" ? ["libtorch", torch] : ["onnxruntime in Node.js", node];
      for (const [where, said] of Object.entries(await served(paths, exported)))
        tell(dtype, where, said, name, expected);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Words and times as the format json has them. */
async function all(paths, recognizer) {
  const said = [];
  for (const path of paths) {
    const { words } = await recognizer.transcribe(path, { words: true });
    said.push(
      words.map(({ text, start, end }) => ({ text, start: thousandths(start), end: thousandths(end) })),
    );
  }
  return said;
}

/** What clients of `serve` get, and its page. */
async function served(paths, exported) {
  const args = [PROGRAM, "serve", exported, "--engine", "onnx", "--page", "--port", "0"];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const url = await new Promise((found, failed) => {
      server.stdout.on("data", (line) => {
        const address = /http:\S+(?=v1)/.exec(String(line));
        if (address) found(address[0]);
      });
      server.once("exit", (code) => failed(new Error(`The server ended with ${code}.`)));
    });
    return {
      serve: await asked(paths, url),
      page: await opened(paths, url.replace("127.0.0.1", "localhost")),
    };
  } finally {
    server.kill();
  }
}

async function asked(paths, url) {
  const said = [];
  for (const path of paths) {
    const form = new FormData();
    form.append("file", new Blob([readFileSync(path)]), basename(path));
    form.append("response_format", "verbose_json");
    form.append("timestamp_granularities[]", "word");
    const response = await fetch(`${url}v1/audio/transcriptions`, { method: "POST", body: form });
    const { words } = await response.json();
    said.push(words.map(({ word, start, end }) => ({ text: word, start, end })));
  }
  return said;
}

async function opened(paths, url) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: options.browser, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.locator(".badge.finished").waitFor(PATIENCE);
    const said = [];
    for (const path of paths) {
      await page.getByLabel("Recording", { exact: true }).setInputFiles(path);
      await page.locator("strong.name", { hasText: basename(path) }).waitFor(PATIENCE);
      const save = page.getByRole("button", { name: "JSON", exact: true });
      await save.waitFor(PATIENCE);
      const [download] = await Promise.all([page.waitForEvent("download", PATIENCE), save.click()]);
      said.push(JSON.parse(readFileSync(await download.path(), "utf8")).words);
    }
    return said;
  } finally {
    await browser.close();
  }
}

function tell(dtype, where, said, name, expected) {
  const differing = (of) => said.filter((words, i) => of(words) !== of(expected[i])).length;
  const texts = differing((words) => words.map(({ text }) => text).join(" "));
  const times = differing((words) => JSON.stringify(words.map(({ start, end }) => [start, end])));
  const words = said.flat().length;
  console.log(`| ${dtype} | ${where} | ${name} | ${said.length} | ${words} | ${texts} | ${times} |`);
}

function thousandths(seconds) {
  return Math.round(1000 * seconds) / 1000;
}
