// How quick the dashboard is, in a real browser (Chromium) on this machine:
//   node benchmarks/dashboard.mjs [STEPS] [POINTS]
// Told are the size of its page; of a run of STEPS steps (100,000) with a line of metrics each, when the page first paints
// something, and when its curves stand there, where the server has not read the run before and where it has; how long a
// line takes from the file to the screen; of a run of POINTS steps (1,000,000) what a frame of panning and zooming takes; and
// how long a list of 1,000 runs takes.
import { spawn } from "node:child_process";
import { appendFileSync, createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const PROGRAM = fileURLToPath(new URL("../packages/wav2vec2/bin/wav2vec2.js", import.meta.url));
const [steps = 100_000, points = 1_000_000] = process.argv.slice(2).map(Number);
const UPDATES = 20;
const FRAMES = 60;
const RUNS = 1000;

const root = mkdtempSync(join(tmpdir(), "dashboard-benchmark-"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  await pageSize();
  await firstPaint();
  await updates();
  await frames();
  await manyRuns();
} finally {
  await browser.close();
  rmSync(root, { recursive: true });
}

function tell(what, value) {
  console.log(`${what.padEnd(76)} ${value}`);
}

function ms(value) {
  return `${value.toFixed(0)} ms`;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function line(step) {
  return `${JSON.stringify({
    step,
    time: 1.7e9 + step * 0.5,
    loss: 3 * Math.exp((-3 * step) / steps) + 0.3 * Math.random(),
    learning_rate: 3e-4 * (1 - step / (2 * steps)),
    grad_norm: 1 + Math.random(),
    audio_seconds: 95 + Math.random(),
    audio_seconds_per_second: 190 + Math.random(),
    data_wait_share: 0.01 * Math.random(),
    memory_mb: 4000 + Math.random(),
  })}\n`;
}

async function writeRun(name, count) {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "recipe.yaml"), `task: finetune\nmax_steps: ${count * 2}\n`);
  const file = createWriteStream(join(directory, "metrics.jsonl"));
  for (let step = 1; step <= count; step++) {
    if (!file.write(line(step))) await new Promise((done) => file.once("drain", done));
  }
  await new Promise((done) => file.end(done));
  return directory;
}

async function withServer(directory, work) {
  const server = spawn(process.execPath, [PROGRAM, "dashboard", directory, "--port", "0"]);
  try {
    const url = await new Promise((done) =>
      server.stdout.on("data", (text) => done(/http:\S+/.exec(String(text))[0])),
    );
    return await work(url);
  } finally {
    server.kill("SIGINT");
  }
}

async function pageSize() {
  mkdirSync(join(root, "none"));
  await withServer(join(root, "none"), async (url) => {
    const html = await (await fetch(url)).text();
    const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name);
    for (const encoding of ["br", "gzip"]) {
      let bytes = 0;
      for (const name of ["/", ...names]) {
        const answer = await fetch(new URL(name, url), { headers: { "accept-encoding": encoding } });
        await answer.arrayBuffer();
        bytes += Number(answer.headers.get("content-length"));
      }
      tell(`The whole page, ${encoding}`, `${(bytes / 1e3).toFixed(1)} KB`);
    }
  });
}

/** @returns milliseconds since the navigation: of the first paint, of the first curve, and of all in view */
async function paintTimes(url) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 960 } });
  await page.goto(url);
  const curves = await page.evaluate(`new Promise((done) => {
    const look = () =>
      document.querySelector('[aria-label*=": newest"]:not([aria-label*=": newest –"])')
        ? requestAnimationFrame(() => done(performance.now()))
        : requestAnimationFrame(look);
    look();
  })`);
  const first = await page.evaluate(`performance.getEntriesByName("first-contentful-paint")[0].startTime`);
  await page.close();
  return { first, curves };
}

async function firstPaint() {
  await writeRun("long/run", steps);
  const [cold, warm] = [[], []];
  for (let time = 0; time < 5; time++) {
    await withServer(join(root, "long"), async (url) => {
      cold.push(await paintTimes(`${url}#run=run`));
      warm.push(await paintTimes(`${url}#run=run`));
    });
  }
  for (const [how, times] of Object.entries({ "not read before": cold, "read before": warm })) {
    tell(`${steps} steps, ${how}: first paint (median of 5)`, ms(median(times.map(({ first }) => first))));
    tell(`${steps} steps, ${how}: curves stand there`, ms(median(times.map(({ curves }) => curves))));
  }
}

async function updates() {
  const directory = join(root, "long/run");
  await withServer(join(root, "long"), async (url) => {
    const page = await browser.newPage({ viewport: { width: 1400, height: 960 } });
    await page.goto(`${url}#run=run`);
    await page
      .getByText(`${steps.toLocaleString("en")} of`)
      .first()
      .waitFor();
    await after(1500);
    const [numbers, curves] = [[], []];
    for (let update = 1; update <= UPDATES; update++) {
      const step = (steps + update).toLocaleString("en");
      const loss = (100 + update).toString();
      const seen = page.evaluate(`new Promise((done) => {
        const times = {};
        const look = () => {
          if (!times.number && document.querySelector(".run-progress")?.textContent.startsWith("${step} ")) times.number = Date.now();
          if (!times.curve && document.querySelector('[aria-label*="newest ${loss}."]')) times.curve = Date.now();
          if (times.number && times.curve) done(times); else requestAnimationFrame(look);
        };
        look();
      })`);
      await after(300 + Math.random() * 500);
      const written = Date.now();
      appendFileSync(
        join(directory, "metrics.jsonl"),
        `{"step":${steps + update},"time":${1.8e9 + update},"loss":${loss}}\n`,
      );
      const { number, curve } = await seen;
      numbers.push(number - written);
      curves.push(curve - written);
    }
    tell(
      `A line of metrics, from the file to the page's head: median, most of ${UPDATES}`,
      `${ms(median(numbers))}, ${ms(Math.max(...numbers))}`,
    );
    tell("The same to the curve", `${ms(median(curves))}, ${ms(Math.max(...curves))}`);
    await page.close();
  });
}

async function frames() {
  await writeRun("huge/run", points);
  await withServer(join(root, "huge"), async (url) => {
    const begin = performance.now();
    await paintTimes(`${url}#run=run`);
    tell(`${points} steps (7 curves), not read before: curves stand there`, ms(performance.now() - begin));
    const page = await browser.newPage({ viewport: { width: 1400, height: 960 } });
    await page.goto(`${url}#run=run`);
    await page.locator('[aria-label*=": newest"]').first().waitFor();
    await after(1500);
    const box = await page.locator(".u-over").first().boundingBox();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" }); // of this thread alone, however busy the machine
    const busy = async () => {
      const { metrics } = await cdp.send("Performance.getMetrics");
      return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
    };
    const y = box.y + 60;
    const measure = async (what, act) => {
      await page.evaluate(`(() => {
        window.intervals = [];
        let last = performance.now();
        const next = (now) => { window.intervals.push(now - last); last = now; window.frame = requestAnimationFrame(next); };
        window.frame = requestAnimationFrame(next);
      })()`);
      const before = await busy();
      await act();
      const spent = (await busy()) - before;
      const intervals = await page.evaluate("(cancelAnimationFrame(window.frame), window.intervals)");
      tell(
        `${points} steps, ${what}: between frames, median and worst of ${intervals.length}; work a step`,
        `${ms(median(intervals))}, ${ms(Math.max(...intervals))}; ${(spent / FRAMES).toFixed(1)} ms`,
      );
    };
    await measure("zooming", async () => {
      await page.mouse.move(box.x + box.width / 2, y);
      await page.keyboard.down("Control");
      for (let step = 0; step < FRAMES; step++) await page.mouse.wheel(0, -12);
      await page.keyboard.up("Control");
    });
    await measure("panning", async () => {
      await page.keyboard.down("Shift");
      await page.mouse.move(box.x + box.width * 0.7, y);
      await page.mouse.down();
      for (let step = 0; step < FRAMES; step++) await page.mouse.move(box.x + box.width * 0.7 - step * 3, y);
      await page.mouse.up();
      await page.keyboard.up("Shift");
    });
    const asked = performance.now();
    await (
      await fetch(
        `${url}api/curves?run=run&name=loss&name=grad_norm&columns=1000&smoothing=0.9&from=400000&to=420000`,
      )
    ).json();
    tell(`${points} steps: two curves of a part, from the server`, ms(performance.now() - asked));
    await page.close();
  });
}

async function manyRuns() {
  for (let run = 0; run < RUNS; run++) {
    const directory = join(root, "many", `group-${run % 20}`, `run-${run}`);
    mkdirSync(join(directory, "checkpoints/step-1"), { recursive: true });
    writeFileSync(
      join(directory, "metrics.jsonl"),
      Array.from({ length: 100 }, (_, step) => line(step + 1)).join(""),
    );
    writeFileSync(
      join(directory, "run.json"),
      JSON.stringify({ name: `run-${run}`, task: "finetune", state: "finished", steps: 100 }),
    );
    writeFileSync(join(directory, "recipe.yaml"), "task: finetune\n");
  }
  await after(3000); // directories that have just changed are not trusted to stay
  await withServer(join(root, "many"), async (url) => {
    const times = [];
    for (let time = 0; time < 6; time++) {
      const begin = performance.now();
      const { runs } = await (await fetch(`${url}api/runs`)).json();
      times.push(performance.now() - begin);
      if (runs.length !== RUNS) throw new Error(`the list must have ${RUNS} runs, but has ${runs.length}`);
    }
    tell(`A list of ${RUNS} runs: the first time, later`, `${ms(times[0])}, ${ms(median(times.slice(1)))}`);
    const page = await browser.newPage();
    await page.goto(url);
    await page.locator("tbody tr").first().waitFor();
    tell(`A list of ${RUNS} runs: stands there after`, ms(await page.evaluate("performance.now()")));
    await page.close();
  });
}
