import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { describeEvaluation } from "../../src/cli/recognition/evaluation-text.js";
import { Random } from "../../src/data/random.js";
import { bootstrapWer } from "../../src/evaluation/comparison/bootstrap.js";
import { compareResults } from "../../src/evaluation/comparison/compare.js";
import type { EvaluatedUtterance, EvaluationResult } from "../../src/evaluation/evaluation.js";
import { writeComparisonReport, writeEvaluationReport } from "../../src/evaluation/report/report.js";
import { embedClips } from "../../src/evaluation/report/report-clips.js";
import {
  bootstrapUnits,
  confusionsOf,
  groupScores,
  scoresOf,
  sumSeconds,
} from "../../src/evaluation/summary.js";
import { textErrors } from "../../src/text/scoring/error-rate.js";
import { CHROMIUM, ChromiumPage } from "../fixtures/chromium.js";
import { toneClip } from "../fixtures/tone-corpus.js";

let directory: string;
const at = (name: string): string => join(directory, name);
const MEAN = '</script><img src=x onerror="document.title=1">';

function resultOf(utterances: EvaluatedUtterance[]): EvaluationResult {
  return {
    model: MEAN,
    data: "corpus",
    split: "dev",
    unit: "word",
    decoding: { beam_width: 100, language_model: "lm/words.arpa", lm_weight: 0.5 },
    textNormalization: [],
    ...scoresOf(utterances),
    werInterval: bootstrapWer(bootstrapUnits(utterances, "utterance"), { resamples: 100 }),
    bootstrap: { by: "utterance", resamples: 100, seed: 0 },
    utteranceCount: utterances.length,
    seconds: sumSeconds(utterances),
    blankShare: 0.5,
    confidence: 0.9,
    ctcLoss: 1,
    groups: groupScores(utterances, 0),
    confusions: confusionsOf(utterances),
    unknownCharacters: { utterances: 1, characters: [{ character: "<", count: 1, example: "u0" }] },
    utterances,
    skipped: [],
  };
}

function utterance(index: number, reference: string, hypothesis: string): EvaluatedUtterance {
  return {
    id: `u${index}`,
    path: at(`u${index % 3}.flac`),
    reference,
    hypothesis,
    speaker: String(index % 4),
    seconds: 0.5 + (index % 7),
    frames: 100,
    blankShare: 0.5,
    confidence: 0.9,
    ...textErrors(reference, hypothesis),
  };
}

let utterances: EvaluatedUtterance[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "evaluation-report-"));
  for (let i = 0; i < 3; i++)
    await writeFile(at(`u${i}.flac`), encodeFlac(toneClip("ABCABCAB", new Random(i, "report")), 16000));
  utterances = Array.from({ length: 130 }, (_, i) =>
    utterance(i, "ONE TWO", i % 5 === 1 ? "ONE" : "ONE TWO"),
  );
  utterances[0] = utterance(0, `THREE ${MEAN} FOUR`, "TREE FIVE SIX FOUR");
});
afterAll(() => rm(directory, { recursive: true }));

describe("the report of an evaluation", () => {
  it("is one page with the worst clips in it, in which text stays text", async () => {
    const { clips, path } = await writeEvaluationReport(at("report.html"), resultOf(utterances), {
      clips: 3,
    });
    expect([...clips.urls.keys()]).toEqual(["u0", "u1", "u6"]);
    const html = await readFile(path, "utf8");
    expect(html.match(/data:audio\/flac;base64,/g)).toHaveLength(3);
    expect(html).not.toContain("<img");
    expect(html.match(/<\/script>/g)).toHaveLength(4);
    expect(html.replaceAll(/data:[^"]*/g, "")).not.toMatch(/https?:|src="|href="|url\(/);
  });

  it("as a directory has its clips beside it, whatever else is in there", async () => {
    await mkdir(at("site"));
    await writeFile(at("site/notes.txt"), "mine");
    const odd = { ...utterances[0]!, id: "../a/b c#?%" };
    const { path } = await writeEvaluationReport(at("site"), resultOf([odd, utterances[1]!]), { clips: 5 });
    expect(path).toBe(at("site/index.html"));
    expect((await readdir(at("site"))).sort()).toEqual(["audio", "index.html", "notes.txt"]);
    expect((await readdir(at("site/audio"))).sort()).toEqual(["1-.._a_b_c___.flac", "2-u1.flac"]);
    expect(await readFile(at("site/audio/2-u1.flac"))).toEqual(await readFile(at("u1.flac")));
  });

  it("leaves out clips that do not fit or are gone, and says so", async () => {
    const one = (await readFile(at("u0.flac"))).length;
    const gone = { ...utterances[2]!, path: at("gone.flac") };
    const { urls, left } = await embedClips(
      [utterances[0]!, gone, utterances[3]!, utterances[6]!],
      2.5 * one,
    );
    expect([[...urls.keys()], left]).toEqual([["u0", "u3"], 2]);
    const { path } = await writeEvaluationReport(at("gone.html"), resultOf([gone]), { clips: 1 });
    expect(await readFile(path, "utf8")).toContain(
      "0 clips can be played; 1 more did not fit or cannot be read.",
    );
  });

  it("has CER first where words are whole sentences, and says so", async () => {
    const japanese = resultOf([utterance(1, "昨日は雨が降っていました", "昨日わ雨が降っていました")]);
    const { path } = await writeEvaluationReport(at("ja.html"), japanese, { clips: 0 });
    const html = await readFile(path, "utf8");
    expect(html).toContain("WER counts whole sentences: 1 of 1 references have no spaces between words.");
    expect(html.indexOf("Character error rate")).toBeLessThan(html.indexOf("Word error rate"));
    expect(html).toContain("<bdi>は</bdi> → <bdi>わ</bdi>"); // characters, not sentences
    const text = describeEvaluation(japanese, 1);
    expect(text.indexOf("CER")).toBeLessThan(text.indexOf("WER"));
    expect(describeEvaluation(resultOf(utterances), 1)).toMatch(/^WER .*\n.*\nCER /);
    const { path: compared } = await writeComparisonReport(
      at("ja-compared.html"),
      compareResults({ ...japanese, file: "a" }, { ...japanese, file: "b" }, { resamples: 10 }),
      { clips: 0 },
    );
    expect(await readFile(compared, "utf8")).toMatch(/whole sentences.*CER of 1.*CER of 2.*WER of 1/s);
  });

  it("counts words that differ in form alone, in text and in the page", async () => {
    const result = resultOf([utterance(0, "caf\u00e9 ONE", "cafe\u0301 ONE"), utterance(1, "ONE", "ONE")]);
    const note = '1 error is of form alone, such as "cafe\u0301" for "caf\u00e9"';
    expect(describeEvaluation(result, 0)).toContain(note);
    const { path } = await writeEvaluationReport(at("form.html"), result, { clips: 0 });
    expect(await readFile(path, "utf8")).toContain(note.replaceAll('"', "&quot;"));
  });

  it.runIf(CHROMIUM)("lays Arabic out from the right (skipped without Chromium)", async () => {
    const arabic = resultOf([
      utterance(0, "ذهب الولد إلى", "ذهب الولد الى"),
      utterance(1, "ONE TWO", "ONE TEN"),
    ]);
    const { path } = await writeEvaluationReport(at("arabic.html"), arabic, { clips: 0 });
    const page = await ChromiumPage.open(pathToFileURL(path).href);
    try {
      const places = (id: string) =>
        page.evaluate<number[]>(
          `[...[...document.querySelectorAll("#list li")].find((e) => e.querySelector("b").textContent === "${id}").querySelectorAll(".words > span")].map((e) => e.getBoundingClientRect().left)`,
        );
      const [first, second, third] = await places("u0");
      expect(first).toBeGreaterThan(second!);
      expect(second).toBeGreaterThan(third!);
      const [one, two] = await places("u1");
      expect(one).toBeLessThan(two!);
      const confused =
        "[...document.querySelector('[data-confusion*=\"إلى\"]').querySelectorAll('bdi')].map((e) => e.getBoundingClientRect().left)";
      const [reference, hypothesis] = await page.evaluate<number[]>(confused);
      expect(reference).toBeLessThan(hypothesis!); // the arrow leads from one to the other
      await page.evaluate(
        `(e => { e.value = "TEN".normalize("NFD"); e.dispatchEvent(new Event("input")); })(document.getElementById("search"))`,
      );
      expect(await page.evaluate("document.querySelectorAll('#list li').length")).toBe(1);
    } finally {
      await page.close();
    }
  });

  it.runIf(CHROMIUM)("compares two systems, word by word (skipped without Chromium)", async () => {
    const [first, second] = [resultOf(utterances), resultOf(utterances)];
    second.model = "second <b>";
    second.utterances = utterances.map((each) => ({ ...each, hypothesis: each.reference }));
    const results = [first, second].map((each) => ({ ...each, file: `${each.model}.json` }));
    const comparison = compareResults(results[0]!, results[1]!, { resamples: 100 });
    const { path, clips } = await writeComparisonReport(at("compared.html"), comparison, { clips: 3 });
    expect(clips.urls.size).toBe(3);
    const page = await ChromiumPage.open(pathToFileURL(path).href);
    try {
      const text = (selector: string) =>
        page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).innerText`);
      const count = () => page.evaluate<number>("document.querySelectorAll('#list li').length");
      expect(await text("h1")).toBe(`${MEAN} and second <b>`);
      expect(await text(".tiles div:nth-child(6) dd")).toBe("27");
      expect(
        await page.evaluate(
          "document.querySelectorAll('section > details .numbers tbody tr, main > details .numbers tbody tr').length",
        ),
      ).toBe(4); // speakers
      expect(await text(".confusions")).toContain("THREE");
      expect(await text("#list b")).toBe("u0");
      const columns =
        "[...document.querySelectorAll('#list li:first-child .words span')].map((e) => e.innerText.split('\\n'))";
      expect(await page.evaluate(columns)).toContainEqual(["THREE", "TREE", "THREE"]);
      expect(await page.evaluate(columns)).toContainEqual(["FOUR", "FOUR", "FOUR"]);
      await page.click("#wrong");
      expect(await count()).toBe(27);
      await page.click("#playable");
      expect(await count()).toBe(3);
      await page.evaluate(
        `document.getElementById("player").addEventListener("playing", () => (window.played = true))`,
      );
      await page.click(".play");
      await page.until("window.played");
    } finally {
      await page.close();
    }
  });

  it.runIf(CHROMIUM)(
    "plays a clip where it is clicked, filters, sorts and shows more (skipped without Chromium)",
    async () => {
      for (const name of ["page.html", "pages"]) {
        const { path } = await writeEvaluationReport(at(name), resultOf(utterances), { clips: 3 });
        const page = await ChromiumPage.open(pathToFileURL(path).href);
        try {
          const count = () => page.evaluate<number>("document.querySelectorAll('#list li').length");
          const first = () => page.evaluate<string>("document.querySelector('#list b').textContent");
          const set = (id: string, value: string) =>
            page.evaluate(
              `(e => { e.value = ${JSON.stringify(value)}; e.dispatchEvent(new Event("input")); })(document.getElementById("${id}"))`,
            );
          expect(await page.evaluate("document.title")).toContain(MEAN);
          expect(await page.evaluate("document.querySelectorAll('img').length")).toBe(0);
          expect([await count(), await first()]).toEqual([100, "u0"]);
          const columns =
            "[...document.querySelectorAll('#list li:first-child .words span')].map((e) => e.innerText.split('\\n'))";
          expect(await page.evaluate(columns)).toContainEqual(["FOUR", "FOUR"]);
          expect(await page.evaluate(columns)).toContainEqual(["THREE", "TREE"]);

          // What happens while it plays is noted in the page: a busy machine may look when it is over.
          await page.evaluate(`{
            const player = document.getElementById("player");
            player.addEventListener("timeupdate", () => {
              if (player.currentTime > 0.05 && !player.ended) window.playing = document.querySelectorAll(".playing").length;
            });
          }`);
          await page.click(".play");
          await page.until("window.playing === 1");
          expect(await page.evaluate("document.getElementById('player').duration")).toBeCloseTo(1.2, 2);
          await page.until("document.getElementById('player').ended && !document.querySelector('.playing')");
          await page.evaluate(`document.getElementById("player").addEventListener("playing", () => {
            document.querySelector(".play.playing").click();
            window.stopped = document.getElementById("player").paused;
          })`);
          await page.click(".play");
          await page.until("window.stopped === true");

          await page.click("#more");
          expect(await count()).toBe(130);
          await page.click("#playable");
          expect(await count()).toBe(3);
          await page.click("#playable");
          await page.click("#wrong");
          expect(await count()).toBe(27);
          await page.click('[data-confusion*="THREE"]');
          expect([await count(), await first()]).toEqual([1, "u0"]);
          await page.click('[data-confusion*="THREE"]');
          await page.click("#wrong");
          await set("order", "id");
          await set("search", "u12");
          expect([await count(), await first()]).toEqual([11, "u12"]);
          await set("speaker", "3");
          expect(await count()).toBe(2);
        } finally {
          await page.close();
        }
      }
    },
  );
});
