import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM, ChromiumPage } from "../packages/wav2vec2/test/fixtures/chromium.ts";
import { StaticServer } from "../packages/wav2vec2/test/fixtures/static-server.ts";
import { pagesOf } from "./check.mjs";
import { copyPages } from "./copy-of-pages.mjs";
import { buildDocs } from "./docs.mjs";
import { openApiPage } from "./openapi-page.mjs";
import { sitePath } from "./stage.mjs";

// The site as `npm run docs` makes it, given by the simplest of web servers, in a real browser.

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 900 };

/** @type {string} */
let directory;
/** @type {StaticServer} */
let server;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "site-"));
  await buildDocs({ output: join(directory, "built") });
  server = await StaticServer.start(join(directory, "built"));
}, 600_000);
afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** @param {string} path */
const built = (path) => join(directory, "built", path);

/**
 * @param {string} path
 * @param {{ width: number, height: number }} size
 * @param {(page: ChromiumPage) => Promise<void>} body
 */
async function open(path, size, body) {
  const page = await ChromiumPage.open(`${server.url}${path}`, size);
  try {
    await body(page);
  } finally {
    await page.close();
  }
}

/** @returns {string[]} pages as files of the site */
const htmlFiles = () =>
  readdirSync(built(""), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));

describe("the site", () => {
  it("has every page", () => {
    for (const page of pagesOf(ROOT))
      expect(existsSync(built(sitePath(page).replace(/\.md$/, ".html"))), page).toBe(true);
    expect(existsSync(built("openapi.json"))).toBe(true);
  });

  it("has links that lead to its files and their headings, and none to files of the checkout", () => {
    /** @type {Map<string, string>} */
    const pages = new Map(htmlFiles().map((name) => [`/${name}`, readFileSync(built(name), "utf8")]));
    /** @type {string[]} */
    const broken = [];
    let count = 0;
    for (const [name, html] of pages) {
      for (const [, target = ""] of html.matchAll(/ (?:href|src)="([^"]+)"/g)) {
        if (/^(https?:|mailto:|data:)/.test(target)) continue;
        count++;
        const [path = "", anchor] = target.split("#");
        const address = path === "" ? name : posix.join(posix.dirname(name), path);
        const file = decodeURI(path.startsWith("/") ? path : address).replace(/\/$/, "/index.html");
        const holds =
          anchor === undefined
            ? existsSync(built(file))
            : pages.get(file)?.includes(` id="${decodeURIComponent(anchor)}"`);
        if (!holds) broken.push(`${name}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
    expect(count).toBeGreaterThan(10_000);
  });

  it("asks nobody else for anything", () => {
    for (const name of htmlFiles())
      expect(readFileSync(built(name), "utf8"), name).not.toMatch(
        /<(?:script|link|img)\b[^>]*(?:src|href)="https?:/,
      );
    for (const name of readdirSync(built("assets"), { recursive: true, encoding: "utf8" }))
      if (name.endsWith(".css"))
        expect(readFileSync(built(`assets/${name}`), "utf8")).not.toMatch(/url\(["']?https?:/);
  });

  it("names pages by their titles", () => {
    expect(readFileSync(built("data.html"), "utf8")).toMatch(/>Checking a corpus<\/a>/);
    expect(readFileSync(built("data.html"), "utf8")).not.toContain(">data-check.md</a>");
  });
});

describe.skipIf(!CHROMIUM)("in Chromium", () => {
  it("fits a phone and a desktop on every page, with every picture", { timeout: 300_000 }, async () => {
    await open("index.html", PHONE, async (page) => {
      /** @type {string[]} */
      const wrong = [];
      for (const name of htmlFiles().filter((file) => file !== "404.html")) {
        await page.resize(PHONE);
        await page.send("Page.navigate", { url: `${server.url}${name}` });
        await page.until(
          `location.pathname === "/${name}" && document.readyState === "complete" && document.querySelector(".VPDoc h1")`,
        );
        for (const size of [PHONE, DESKTOP]) {
          await page.resize(size);
          const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          if (wider > 0) wrong.push(`${name} is ${wider} pixels wider than ${size.width}`);
          expect(await page.evaluate("innerWidth")).toBe(size.width);
        }
        const missing = await page.evaluate(
          "[...document.images].filter((each) => each.complete && !each.naturalWidth).map(({ src }) => src).join(' ')",
        );
        if (missing !== "") wrong.push(`${name} lacks ${missing}`);
      }
      expect(wrong).toEqual([]);
    });
  });

  it("finds words", async () => {
    await open("index.html", DESKTOP, async (page) => {
      await page.until("document.querySelector('.DocSearch-Button, .VPNavBarSearch button')");
      await page.click(".VPNavBarSearch button");
      await page.until("document.querySelector('.VPLocalSearchBox input')");
      await page.send("Input.insertText", { text: "contrastive loss" });
      await page.until("document.querySelectorAll('.VPLocalSearchBox .result').length > 2");
      const found = await page.evaluate(
        "[...document.querySelectorAll('.VPLocalSearchBox .result')].map((each) => each.getAttribute('href')).join(' ')",
      );
      expect(found).toContain("pretraining");
      await page.evaluate("document.querySelector('.VPLocalSearchBox .result').click()");
      await page.until("location.pathname !== '/index.html'");
    });
  });

  it("follows a link to a heading", async () => {
    await open("transcribing.html", DESKTOP, async (page) => {
      await page.until("document.querySelector('.VPDoc a[href*=\"in-a-server\"]')");
      await page.evaluate("document.querySelector('.VPDoc a[href*=\"in-a-server\"]').click()");
      await page.until("document.querySelector('h1')?.textContent.startsWith('Recognition in a server')");
      await page.evaluate("location.hash = '#errors'");
      await page.until(
        "Math.abs(document.getElementById('errors').getBoundingClientRect().top) < innerHeight",
      );
    });
  });

  it("is light and dark, as the system is and as one chooses", async () => {
    await open("data.html", DESKTOP, async (page) => {
      const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
      await page.until("document.querySelector('.VPSwitchAppearance')");
      const before = await background();
      await page.click(".VPNavBarAppearance .VPSwitchAppearance");
      await page.until("document.documentElement.classList.contains('dark')");
      expect(await background()).not.toBe(before);
      await page.evaluate("window.isBefore = true");
      await page.send("Page.reload");
      await page.until("!window.isBefore && document.documentElement?.classList.contains('dark')"); // it is kept
    });
  });
});

describe("npm run docs", () => {
  it("makes nothing of pages with a link that leads nowhere", async () => {
    const root = join(directory, "broken");
    copyPages(root);
    writeFileSync(
      join(root, "docs/hub.md"),
      `${readFileSync(join(root, "docs/hub.md"), "utf8")}\n[x](gone.md#y)\n`,
    );
    const output = join(directory, "never");
    await expect(buildDocs({ root, output })).rejects.toThrow(
      "docs/hub.md links to gone.md#y, which does not exist.",
    );
    expect(existsSync(output)).toBe(false);
  });
});

describe("openApiPage", () => {
  it("has every path, field and schema of the description", () => {
    const description = JSON.parse(readFileSync(join(ROOT, "docs/openapi.json"), "utf8"));
    const page = openApiPage(description);
    for (const [path, methods] of Object.entries(description.paths))
      for (const method of Object.keys(methods))
        expect(page).toContain(`## ${method.toUpperCase()} ${path}\n`);
    const form =
      description.paths["/v1/audio/transcriptions"].post.requestBody.content["multipart/form-data"].schema;
    for (const name of Object.keys(form.properties)) expect(page).toContain(`| \`${name}\` |`);
    for (const name of Object.keys(description.components.schemas)) expect(page).toContain(`### ${name}\n`);
  });
});
