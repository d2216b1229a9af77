import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  BROWSER,
  DashboardProcess,
  WrittenRun,
  writeFinetuning,
  writePretraining,
} from "./dashboard-fixture.js";

// The compiled program, asked over the network, and its page in a real browser.

/** A busy machine draws late. */
const PATIENCE = { timeout: 20_000 };

let outside: string;
let root: string;
const started: DashboardProcess[] = [];
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "dashboard-"));
  root = join(outside, "runs");
  mkdirSync(root);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((dashboard) => dashboard.stop()));
  rmSync(outside, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<DashboardProcess> {
  const dashboard = await DashboardProcess.start(root, args.length > 0 ? args : undefined);
  started.push(dashboard);
  return dashboard;
}

/** Asks for a path as it stands, which `fetch` would tidy up. */
function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    const asking = request({ port, path, headers, host: "127.0.0.1" }, (answer) => {
      let text = "";
      answer.on("data", (part) => {
        text += part;
      });
      answer.on("end", () => done({ status: answer.statusCode!, text }));
    });
    asking.on("error", fail).end();
  });
}

describe("wav2vec2 dashboard", () => {
  it("says where it is, ends with Ctrl+C while someone listens, and takes no port twice", async () => {
    const first = await start();
    expect(first.said).toMatch(/is at http:\/\/127\.0\.0\.1:\d+\/\nCtrl\+C ends it/);
    const second = await start("--port", String(first.port));
    expect(await second.ended).toBe(1);
    expect(second.said).toContain(`Port ${first.port} must be free, but another program listens there`);
    expect(second.said).toContain(`--port ${first.port + 1}`);
    const listening = fetch(`${first.url}api/events?list`)
      .then((answer) => answer.text())
      .catch(() => "cut");
    await fetch(`${first.url}api/runs`);
    expect(await first.stop()).toBe(0);
    await listening;
  });

  it("asks for a token where other machines could come", async () => {
    const dashboard = await start("--port", "0", "--host", "0.0.0.0");
    const token = new URL(dashboard.url).searchParams.get("token")!;
    expect(token.length).toBeGreaterThan(20);
    expect((await ask(dashboard.port, "/api/runs")).status).toBe(401);
    expect((await ask(dashboard.port, "/api/runs", { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it.each([
    [["--port", "99999"], 2, "at most 65535"],
    [["--token", "short"], 2, "at least 8 characters"],
    [["--port", "0", "--host", "192.0.2.1"], 1, "must be an address of this machine"],
  ])("refuses %s", async (args, code, message) => {
    const dashboard = await start(...args);
    expect(await dashboard.ended).toBe(code);
    expect(dashboard.said).toContain(message);
  });

  it("refuses a directory that is missing", async () => {
    const dashboard = await DashboardProcess.start(join(root, "none"));
    expect(await dashboard.ended).toBe(1);
    expect(dashboard.said).toContain("must be a directory with runs, but is missing");
  });

  it("refuses a file", async () => {
    writeFileSync(join(root, "metrics.jsonl"), "");
    const dashboard = await DashboardProcess.start(join(root, "metrics.jsonl"));
    expect(await dashboard.ended).toBe(1);
    expect(dashboard.said).toContain("must be a directory with runs, but is a file");
  });

  it("gives out nothing beside the runs, however it is asked", async () => {
    writeFinetuning(root, "one");
    writeFileSync(join(outside, "secret.flac"), "secret");
    symlinkSync(outside, join(root, "one/clips/up"));
    const { port } = await start();
    const clip = "/api/audio?run=one&clip=";
    expect((await ask(port, `${clip}clips/a.flac`)).status).toBe(200);
    for (const path of [
      "/../secret.flac",
      "/%2e%2e/%2e%2e/secret.flac",
      "/..%2f..%2fsecret.flac",
      "/assets/../../../secret.flac",
      "//etc/passwd",
      `${clip}clips/up/secret.flac`,
      `${clip}clips/../../../secret.flac`,
      `${clip}clips%2f..%2f..%2f..%2fsecret.flac`,
      `${clip}clips/a.flac%00`,
      "/api/audio?run=..&clip=clips/a.flac",
      "/api/run?run=../runs/one",
      "/api/log?run=/etc",
    ]) {
      const { status, text } = await ask(port, path);
      expect(status, path).toBe(404);
      expect(text).not.toContain("secret\n");
    }
    expect((await ask(port, "/api/runs", { host: "evil.example" })).status).toBe(403);
  });
});

describe.skipIf(BROWSER === undefined)("the page (skipped where there is no Chromium)", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: BROWSER!, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());

  /** A page that fails the test where anything goes wrong in it, or comes from elsewhere. */
  async function open(
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on(
      "console",
      (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()),
    );
    page.on("request", (asked) => {
      if (new URL(asked.url()).origin !== new URL(url).origin) complaints.push(`asks for ${asked.url()}`);
    });
    await page.goto(url);
    return { page, complaints };
  }

  const at = (dashboard: DashboardProcess, hash: string): string => new URL(hash, dashboard.url).href;

  it("shows a run while it is written, and stays where one looks", { timeout: 60_000 }, async () => {
    const run = new WrittenRun(root, "live", { task: "finetune", state: "running", steps: 1000 });
    run.append(
      "metrics.jsonl",
      Array.from({ length: 20 }, (_, i) => ({
        step: (i + 1) * 10,
        time: i,
        loss: 3,
        grad_norm: 1,
        learning_rate: 1e-3,
        audio_seconds: 9,
        speed: 1,
      })),
    );
    const dashboard = await start();
    const { page, complaints } = await open(dashboard.url);
    await page.getByText("running").waitFor();
    expect(await page.locator("tbody tr .step").innerText()).toContain("200 of 1,000");
    await page.getByRole("link", { name: "live" }).click();
    await page.getByText("200 of 1,000 steps").waitFor();
    await page.locator(".chart canvas").first().waitFor();
    const chart = page.getByRole("group", { name: /^Training loss by step\. CTC loss: newest 3\./ });
    await chart.waitFor();
    await page.evaluate("scrollTo(0, 300)");
    const before = await page.evaluate("scrollY");
    run.append("metrics.jsonl", [{ step: 210, time: 21, loss: 2.5, grad_norm: 1, audio_seconds: 9 }]);
    await page.getByText("210 of 1,000 steps").waitFor();
    await page.getByRole("group", { name: /^Training loss by step\. CTC loss: newest 2\.5\./ }).waitFor();
    expect(await page.evaluate("scrollY")).toBe(before);

    // A validation brings a new chart, the end a new state.
    run.append("metrics.jsonl", [{ step: 210, time: 22, "eval/wer": 0.42 }]);
    await page.getByText("Best word error rate").waitFor();
    run.write("run.json", JSON.stringify({ name: "live", task: "finetune", state: "finished", steps: 1000 }));
    await page.locator(".badge.finished").waitFor();

    // A resumed run writes its files anew from an earlier step.
    run.write("metrics.jsonl", '{"step":100,"time":9,"loss":1.75}\n');
    await page.getByRole("group", { name: /^Training loss by step\. CTC loss: newest 1\.75\./ }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows everything of finished runs, and clips can be heard", { timeout: 60_000 }, async () => {
    writeFinetuning(root, "digits");
    writePretraining(root, "tiny/pretrained");
    const dashboard = await start();
    const { page, complaints } = await open(at(dashboard, "#run=digits"));
    await page.getByText("1 value was not a finite number, and left out.").waitFor();
    expect(await page.locator(".findings").innerText()).toContain("<b>Lower</b> the learning rate");
    await page.getByRole("tab", { name: "Transcripts" }).click();
    await page.getByText("all right").waitFor();
    await page.getByRole("slider", { name: /^Validation/ }).press("Home");
    await page.getByText("2 errors in 3 words, 66.7 %").waitFor();
    expect(await page.locator(".sample mark, .sample del").allInnerTexts()).toEqual(["TREE", "FOUR", "–"]);
    // Code of the page is text here, as it knows the browser's names and this file does not.
    const seconds = await page.evaluate<number>(`new Promise((done, fail) => {
      const audio = document.querySelector("audio");
      audio.onloadedmetadata = () => done(audio.duration);
      audio.onerror = () => fail(new Error(audio.error.message));
      audio.load();
      audio.preload = "auto";
    })`);
    expect(seconds).toBeGreaterThan(0.3);
    for (const [tab, text] of [
      ["Histograms", "weights/lm_head.weight"],
      ["System", "GPU temperature (°C)"],
      ["Recipe", "learning_rate: 1.0e-3"],
      ["Log", "It begins."],
    ] as const) {
      await page.getByRole("tab", { name: tab }).click();
      await page.getByRole("tabpanel").getByText(text).locator("visible=true").first().waitFor();
    }

    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByRole("link", { name: "pretrained" }).click();
    await page.getByText("Perplexity in validation").waitFor();
    await page.getByRole("tab", { name: "Clips" }).click();
    await page.getByText("50 % of 20 masked frames found").waitFor();
    await page.locator(".tracks").click({ position: { x: 300, y: 30 } });
    await expect
      .poll(() => page.evaluate(`document.querySelector("audio").currentTime`), PATIENCE)
      .toBeGreaterThan(0);
    await page.locator(".playhead:not([hidden])").waitFor();
    await page.getByRole("tab", { name: "Codebooks" }).click();
    await page
      .getByRole("img", { name: /^Use of the entries of codebook 1, step 100 to 400: \d+ of 40/ })
      .waitFor();
    expect(complaints).toEqual([]);
  });

  it("is used by keys alone, and read out", { timeout: 60_000 }, async () => {
    writeFinetuning(root, "digits");
    const dashboard = await start();
    const { page } = await open(dashboard.url);
    await page.getByRole("link", { name: "digits" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("nothing like it");
    await page.getByText("0 of 1 runs").waitFor();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("dig");
    await page.getByRole("link", { name: "digits" }).press("Enter");
    await page.getByRole("tab", { name: "Curves" }).press("ArrowRight");
    await page.getByText("ONE", { exact: true }).first().waitFor();
    await page.keyboard.press("Home");
    const chart = page.getByRole("group", {
      name: /^Error rates in validation by step\. WER: newest 28\.6/,
    });
    await chart.press("End");
    const said = page.locator(".chart", { has: chart }).locator("[aria-live]");
    await expect.poll(() => said.textContent(), PATIENCE).toBe("step 500: WER 28.6 %, CER 14.3 %");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => said.textContent(), PATIENCE).toMatch(/^step (49\d|400): /);
    await page.keyboard.press("t");
    expect(await page.locator(".chart", { has: chart }).getByRole("row").last().innerText()).toMatch(
      /500\s+28\.6 %\s+14\.3 %/,
    );
    await page.keyboard.press("+");
    await page.getByRole("button", { name: "Show all" }).and(page.locator(":enabled")).waitFor();
    await chart.press("0");
    await page.getByRole("button", { name: "Show all" }).and(page.locator(":disabled")).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("h");
    await page.getByRole("heading", { name: "Runs" }).waitFor();
  });

  it("zooms all charts by a drag, and loads what is finer", { timeout: 60_000 }, async () => {
    const run = new WrittenRun(root, "long", { task: "finetune", state: "finished", steps: 50_000 });
    run.append(
      "metrics.jsonl",
      Array.from({ length: 50_000 }, (_, i) => ({ step: i + 1, loss: i === 25_000 ? 70 : 1, grad_norm: 1 })),
    );
    const dashboard = await start();
    const { page } = await open(at(dashboard, "#run=long"));
    await page.getByRole("group", { name: /^Training loss by step\. CTC loss: newest 1\./ }).waitFor();
    const plot = page.locator(".u-over").first();
    const box = (await plot.boundingBox())!;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.mouse.move(box.x + box.width * 0.45, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.55, box.y + 50, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => asked.some((url) => /curves.*from=\d+/.test(url)), PATIENCE).toBe(true);
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByRole("button", { name: "Show all" }).and(page.locator(":disabled")).waitFor();
  });

  it("compares runs: seeds as one or apart, recipes side by side", { timeout: 60_000 }, async () => {
    writeFinetuning(root, "a/seed-0", 0);
    writeFinetuning(root, "a/seed-1", 1);
    const other = writeFinetuning(root, "b", 0);
    other.write(
      "recipe.yaml",
      "task: finetune\nseed: 0\nmax_steps: 500\noptimizer:\n  learning_rate: 5.0e-4\n",
    );
    const dashboard = await start();
    const { page, complaints } = await open(dashboard.url);
    for (const id of ["a/seed-0", "a/seed-1", "b"])
      await page.getByRole("checkbox", { name: `Choose ${id}` }).check();
    await page.getByRole("link", { name: "Compare" }).click();
    await page.getByText("a (2 seeds)").first().waitFor();
    await page.getByRole("checkbox", { name: /^Seeds as one/ }).uncheck();
    await page
      .getByRole("group", { name: /^Training loss by step\. a\/seed-0: .*, a\/seed-1: .*, b: / })
      .waitFor();
    await page.getByRole("tab", { name: "Recipes" }).click();
    expect(await page.getByRole("row").allInnerTexts()).toEqual([
      expect.stringMatching(/a\/seed-0\s+a\/seed-1\s+b/),
      expect.stringMatching(/optimizer\.learning_rate\s+0\.001\s+0\.001\s+0\.0005/),
      expect.stringMatching(/seed\s+0\s+1\s+0/),
    ]);
    await page.getByRole("tab", { name: "Numbers" }).click();
    await page.getByText("Best WER").waitFor();
    await page.getByRole("link", { name: "Leave b out" }).click();
    await page.getByRole("heading", { name: "2 runs compared" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("goes on where the server went away and came again", { timeout: 60_000 }, async () => {
    const run = new WrittenRun(root, "live", { task: "finetune", state: "running", steps: 1000 });
    run.append("metrics.jsonl", [{ step: 10, loss: 3 }]);
    const first = await start();
    const { page } = await open(at(first, "#run=live"));
    await page.getByText("10 of 1,000 steps").waitFor();
    await first.stop();
    await page.getByText("No connection, trying again").waitFor();
    run.append("metrics.jsonl", [{ step: 20, loss: 2 }]);
    await start("--port", String(first.port));
    await page.getByText("20 of 1,000 steps").waitFor();
    await page.getByText("No connection, trying again").waitFor({ state: "detached" });
    run.append("metrics.jsonl", [{ step: 30, loss: 1 }]);
    await page.getByText("30 of 1,000 steps").waitFor();
  });

  it("says that a run is gone, shows torn files as far as they go, and finds new runs", {
    timeout: 60_000,
  }, async () => {
    const run = new WrittenRun(root, "torn", { task: "finetune", state: "running", steps: 100 });
    run.write(
      "metrics.jsonl",
      '{"step":1,"loss":2}\n{"step":2,"l\n{"step":3,"loss":NaN}\n{"step":4,"loss":1.5',
    );
    run.write("run.json", '{"name":"to');
    const dashboard = await start();
    const { page, complaints } = await open(at(dashboard, "#run=torn"));
    await page.getByText("1 value was not a finite number, and left out.").waitFor();
    await page.getByRole("group", { name: /CTC loss: newest 2\./ }).waitFor();
    appendFileSync(join(run.directory, "metrics.jsonl"), "}\n");
    await page.getByRole("group", { name: /CTC loss: newest 1\.5\./ }).waitFor();
    rmSync(run.directory, { recursive: true });
    await page.getByText("The directory of this run is gone").waitFor();
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByText("There is no run here yet").waitFor();
    writeFinetuning(root, "deep/er/new");
    await page.getByRole("link", { name: "new" }).waitFor();
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
  });

  it("asks for the token once", { timeout: 60_000 }, async () => {
    writeFinetuning(root, "digits");
    const dashboard = await start("--port", "0", "--token", "correct horse");
    const { page } = await open(new URL("/", dashboard.url).href);
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByText("but is another").waitFor();
    await page.getByLabel("Token").fill("correct horse");
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByRole("link", { name: "digits" }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "digits" }).waitFor();
    const { page: other } = await open(dashboard.url); // as it is printed, with the token
    await other.getByRole("link", { name: "digits" }).waitFor();
    expect(other.url()).not.toContain("token");
  });

  describe("for everyone", () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const phone: BrowserContextOptions = {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    };

    it.each([
      ["light, on a desktop", { colorScheme: "light" }],
      ["dark, on a desktop", { colorScheme: "dark" }],
      ["light, on a phone", { ...phone, colorScheme: "light", reducedMotion: "reduce" }],
      ["dark, on a phone", { ...phone, colorScheme: "dark" }],
    ] as const)(
      "axe finds nothing, and nothing is wider than the screen: %s",
      { timeout: 120_000 },
      async (_, options) => {
        writeFinetuning(root, "digits");
        writePretraining(root, "tiny/pretrained");
        new WrittenRun(root, "live", { task: "finetune", state: "running", steps: 9 }).append(
          "metrics.jsonl",
          [{ step: 1, loss: 1 }],
        );
        const dashboard = await start();
        const { page } = await open(dashboard.url, options);
        const tabs = ["curves", "transcripts", "histograms", "system", "recipe", "log"].map(
          (tab) => `#run=digits&tab=${tab}`,
        );
        const places = [
          "#",
          ...tabs,
          "#run=tiny%2Fpretrained&tab=clips",
          "#run=tiny%2Fpretrained&tab=codebooks",
          "#run=digits&run=tiny%2Fpretrained",
          "#run=digits&run=live&tab=recipes",
        ];
        for (const place of places) {
          await page.goto(at(dashboard, place));
          await page
            .locator(place === "#" ? "tbody tr" : "[role=tabpanel] :is(canvas, article, pre, table)")
            .first()
            .waitFor();
          await page.evaluate(axe);
          const found = await page.evaluate<string[]>(
            `axe.run().then(({ violations }) =>
            violations.map(({ id, impact, nodes }) => impact + ": " + id + ": " + nodes[0].html))`,
          );
          expect(found, place).toEqual([]);
          const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          expect(wider, place).toBeLessThanOrEqual(0);
        }
      },
    );
  });
});
