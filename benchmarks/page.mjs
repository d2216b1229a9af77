// How long the page that recognises in the browser takes from opening to ready, in Chromium: at the first visit of a browser, and
// again with what its service worker has kept; how long it then takes to recognise; and what the browser's processes compute
// meanwhile. Each run is a browser of its own.
//   npm run build && node benchmarks/page.mjs [DIRECTORY OF AN EXPORT|small|base] [--runs 5] [--headers] [--speech 30] [--site DIR]
// --headers has the server send what threads need, else it computes in one; --speech recognises that many seconds; --site measures a
// site that is there, such as that of another version: with several, they take turns. Weights of small and base are random: times
// and bytes are those of a trained model of the size.
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { loadavg, tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { makeModel, recording } from "./server-load.mjs";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    headers: { type: "boolean", default: false },
    speech: { type: "string", default: "0" },
    site: { type: "string", multiple: true },
    browser: { type: "string", default: "/usr/bin/chromium" },
  },
});
const [model = "small"] = positionals;

/** The simplest of web servers. */
function serve(site, headers) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const file = join(site, path.endsWith("/") ? `${path}index.html` : path);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) return response.writeHead(404).end();
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "Content-Length": size, ...headers });
    createReadStream(file).pipe(response);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

/** In the page: notes when it says that it is ready. */
function watchReady() {
  const look = () => {
    if (document.querySelector(".badge.finished")) window.readyAfter ??= performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
}

/** Milliseconds from when the page was asked for to when it is ready. */
async function visit(page, url) {
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction("window.readyAfter", undefined, { timeout: 120_000, polling: 50 });
  return await page.evaluate("window.readyAfter");
}

/** Seconds that all processes of a program have computed: /proc/PID/stat, fields 14 to 17 in hundredths. */
function processorSeconds(root) {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const [, parent, ...rest] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1].split(" ");
        const times = rest.slice(9, 13).map(Number); // of itself, and of children that have ended
        return [
          { id: Number(name), parent: Number(parent), seconds: times.reduce((a, b) => a + b, 0) / 100 },
        ];
      } catch {
        return []; // it has ended
      }
    });
  const own = new Set([root]);
  for (let before = 0; before < own.size; ) {
    before = own.size;
    for (const { id, parent } of processes) if (own.has(parent)) own.add(id);
  }
  return processes.reduce((sum, { id, seconds }) => sum + (own.has(id) ? seconds : 0), 0);
}

/** Of a recording: seconds from when it is opened to its whole transcript, and what was computed meanwhile. */
async function recognize(page, flac, processor) {
  const [begin, before] = [performance.now(), processor()];
  const file = { name: "speech.flac", mimeType: "audio/flac", buffer: flac };
  await page.locator("input[aria-label=Recording]").setInputFiles(file);
  await page.getByText(/times as fast as it was said|No speech was found/).waitFor({ timeout: 1_800_000 });
  return { seconds: (performance.now() - begin) / 1000, processor: processor() - before };
}

async function measure(url, visits, flac) {
  const program = await chromium.launchServer({ executablePath: options.browser, args: ["--no-sandbox"] });
  const browser = await chromium.connect(program.wsEndpoint());
  const processor = () => processorSeconds(program.process().pid);
  const context = await browser.newContext();
  await context.addInitScript(watchReady);
  const page = await context.newPage();
  const timed = async () => {
    const before = processor();
    const ready = await visit(page, url);
    return { ready, processor: processor() - before };
  };
  visits.first.push(await timed());
  // Before the service worker gives the page threads.
  if (flac) visits.speech.push(await recognize(page, flac, processor));
  await page.evaluate("navigator.serviceWorker.ready.then(() => undefined)");
  await visit(page, url); // what comes now is kept
  visits.again.push(await timed());
  await browser.close();
  await program.close();
}

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];

const directory = await mkdtemp(join(tmpdir(), "page-"));
const servers = [];
try {
  const sites = options.site ?? [join(directory, "site")];
  if (options.site === undefined) {
    const { writePage } = await import("wav2vec2");
    const isSize = model === "small" || model === "base";
    if (isSize) await makeModel(join(directory, model), model);
    await writePage([isSize ? join(directory, model) : model], sites[0]);
  }
  const headers = options.headers ? (await import("wav2vec2")).PAGE_HEADERS : {};
  const all = [];
  for (const site of sites) {
    const server = await serve(site, headers);
    servers.push(server);
    all.push({
      site,
      url: `http://localhost:${server.address().port}/`,
      visits: { first: [], again: [], speech: [] },
    });
  }
  const length = Number(options.speech);
  const { encodeFlac } = await import("wav2vec2/recognition");
  const flac = length > 0 ? Buffer.from(encodeFlac(recording(length), 16000)) : undefined;
  for (let run = 0; run < Number(options.runs); run++)
    for (const { url, visits } of all) await measure(url, visits, flac);
  console.log(
    "| site | visit | ready after s, median | of each run | processor s, median |\n|---|---|---|---|---|",
  );
  const told = (ms) => (ms / 1000).toFixed(2);
  for (const { site, visits } of all)
    for (const [kind, runs] of Object.entries({ first: visits.first, again: visits.again })) {
      const times = runs.map(({ ready }) => ready);
      const computed = median(runs.map(({ processor }) => processor)).toFixed(2);
      console.log(
        `| ${site} | ${kind} | ${told(median(times))} | ${times.map(told).join(", ")} | ${computed} |`,
      );
    }
  if (flac)
    console.log(
      "\n| site | s for a second of speech, median | of each run | processor s for it |\n|---|---|---|---|",
    );
  for (const { site, visits } of flac ? all : []) {
    const shares = visits.speech.map(({ seconds }) => seconds / length);
    const computed = median(visits.speech.map(({ processor }) => processor / length)).toFixed(2);
    const each = shares.map((share) => share.toFixed(2)).join(", ");
    console.log(`| ${site} | ${median(shares).toFixed(2)} | ${each} | ${computed} |`);
  }
  console.log(`load ${loadavg()[0].toFixed(1)}`);
} finally {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
}
