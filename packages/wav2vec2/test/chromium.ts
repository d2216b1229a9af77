import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** A browser that is installed, if any. */
export const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"].find((name) => {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

type Reply = { id?: number; result?: Record<string, unknown>; error?: { message: string } };

/**
 * A page in a real browser without a window, by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)
 * over a pipe, so that no port and no WebSocket is needed.
 */
export class ChromiumPage {
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #session: string | undefined;
  #next = 1;

  private constructor(
    readonly browser: ChildProcess,
    readonly profile: string,
  ) {
    let text = "";
    (browser.stdio[4] as Readable).setEncoding("utf8").on("data", (piece: string) => {
      const messages = `${text}${piece}`.split("\0");
      text = messages.pop()!;
      for (const message of messages) {
        const reply = JSON.parse(message) as Reply;
        if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
      }
    });
  }

  static async open(url: string, size = { width: 1280, height: 900 }): Promise<ChromiumPage> {
    const profile = await mkdtemp(join(tmpdir(), "chromium-"));
    const options = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--remote-debugging-pipe",
      "--mute-audio",
    ];
    const browser = spawn(CHROMIUM!, [...options, `--user-data-dir=${profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    const page = new ChromiumPage(browser, profile);
    const { targetInfos } = (await page.send("Target.getTargets")) as {
      targetInfos: { targetId: string; type: string }[];
    };
    const { targetId } = targetInfos.find(({ type }) => type === "page")!;
    const { sessionId } = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = sessionId as string;
    await page.resize(size);
    await page.send("Page.navigate", { url });
    // The empty page before it is complete too.
    await page.until("location.href !== 'about:blank' && document.readyState === 'complete'");
    return page;
  }

  async resize(size: { width: number; height: number }): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: false });
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const sent = { id, method, params, ...(this.#session && { sessionId: this.#session }) };
    (this.browser.stdio[3] as Writable).write(`${JSON.stringify(sent)}\0`);
    return new Promise((done, fail) =>
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id);
        if (error) fail(new Error(`${method}: ${error.message}`));
        else done(result ?? {});
      }),
    );
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const reply = await this.send("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    const { result, exceptionDetails } = reply as { result: { value: T }; exceptionDetails?: object };
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Waits until an expression in the page is true. */
  async until(expression: string): Promise<void> {
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`)))
      await new Promise((done) => setTimeout(done, 20));
  }

  /** Presses and releases the mouse in the middle of an element, as a person does. */
  async click(selector: string): Promise<void> {
    // The mouse finds what was last drawn: a scrolled page has to be drawn before.
    const at = await this.evaluate<{ x: number; y: number }>(`(async () => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center", behavior: "instant" });
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      const box = element.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    })()`);
    for (const type of ["mousePressed", "mouseReleased"])
      await this.send("Input.dispatchMouseEvent", { ...at, type, button: "left", clickCount: 1 });
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.browser.once("exit", done));
    this.#session = undefined;
    await this.send("Browser.close").catch(() => this.browser.kill("SIGKILL"));
    await ended;
    await rm(this.profile, { recursive: true, force: true });
  }
}
