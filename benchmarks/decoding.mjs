// How fast and how well emissions are decoded, beside pyctcdecode and flashlight-text on the same emissions:
//   node benchmarks/decoding.mjs TEXT ARPA [CLIPS] [ROUNDS] [PYTHON]
// TEXT holds transcripts as LibriSpeech has them, a line each behind its id; CLIPS of them, spread evenly, are made
// emissions of (benchmarks/emissions.mjs). ARPA is a language model, best of other text. With PYTHON, one that has
// pyctcdecode, kenlm and flashlight-text, those are measured beside (benchmarks/decoding.py). Each measurement is a
// process of its own; they take turns. It goes over all clips twice and counts the second time, in seconds of processor
// time: other work on the computer does not count.
//
// "Behind" compares scores: each text's own is computed anew from all its alignments and what the language model says of
// it, and set beside the best of all decoders' with the same settings. The mean is of all clips.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CtcDecoder } from "../packages/wav2vec2/dist/text/decoding/ctc-decoder.js";
import { loadLanguageModel } from "../packages/wav2vec2/dist/text/language-model/load-language-model.js";
import { ErrorRate } from "../packages/wav2vec2/dist/text/scoring/error-rate.js";
import { CtcTokenizer } from "../packages/wav2vec2/dist/text/tokenizer.js";
import { Vocabulary } from "../packages/wav2vec2/dist/text/vocabulary.js";
import { TOKENS, writeEmissions } from "./emissions.mjs";

const SELF = fileURLToPath(import.meta.url);
const FRAME_RATE = 50;
const tokenizer = new CtcTokenizer(new Vocabulary(TOKENS));

/** Ours, then what the Python side is asked for; those of a group share their scores. */
const TASKS = [
  { group: "", name: "greedy", options: { beamWidth: 1 } },
  { group: "no language model", name: "wav2vec2, beam 16", options: {} },
  { group: "no language model", name: "pyctcdecode, beam 16", python: { beam: 16 } },
  { group: "4-gram", name: "wav2vec2, beam 100", options: { lm: true } },
  {
    group: "4-gram",
    name: "wav2vec2, beam 100, pyctcdecode's pruning",
    options: { lm: true, tokenMinLogp: -5, beamPruneLogp: -10 },
  },
  { group: "4-gram", name: "wav2vec2, beam 30", options: { lm: true, beamWidth: 30 } },
  { group: "4-gram", name: "wav2vec2, beam 500", options: { lm: true, beamWidth: 500 } },
  { group: "4-gram", name: "pyctcdecode, beam 100", python: { lm: true, beam: 100 } },
  { group: "4-gram", name: "pyctcdecode, beam 500", python: { lm: true, beam: 500 } },
  { group: "4-gram, its words alone", name: "wav2vec2, beam 100", options: { lm: true, only: true } },
  {
    group: "4-gram, its words alone",
    name: "flashlight, beam 100",
    python: { flashlight: true, beam: 100, threshold: 15 },
  },
  {
    group: "4-gram, its words alone",
    name: "flashlight, beam 500",
    python: { flashlight: true, beam: 500, threshold: 25 },
  },
];

const [first, ...rest] = process.argv.slice(2);
if (!first || (first !== "--decode" && !rest[0]))
  throw new Error(
    "Give texts and a language model: node benchmarks/decoding.mjs TEXT ARPA [CLIPS] [ROUNDS] [PYTHON]",
  );
if (first === "--decode") await measure(rest[0], rest[1], JSON.parse(rest[2]));
else await compare(first, rest[0], Number(rest[1] ?? 100), Number(rest[2] ?? 3), rest[3]);

async function decoderOf(arpa, { lm, only, ...options }) {
  return new CtcDecoder(tokenizer, {
    ...options,
    ...(lm && { languageModel: await loadLanguageModel(arpa) }),
    ...(only && { unknownScore: Number.NEGATIVE_INFINITY }),
  });
}

async function measure(directory, arpa, options) {
  const clips = readEmissions(directory);
  const decoder = await decoderOf(arpa, options);
  const pass = () => clips.map(({ logits, frames }) => decoder.decode(logits, frames).text);
  pass();
  const start = process.cpuUsage();
  const texts = pass();
  const { user, system } = process.cpuUsage(start);
  const memory = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ texts, seconds: (user + system) / 1e6, memory }));
}

async function compare(textFile, arpa, count, rounds, python) {
  const lines = readFileSync(textFile, "utf8").trim().split("\n");
  const texts = Array.from({ length: count }, (_, i) => lines[Math.floor((i * lines.length) / count)]).map(
    (line) => line.slice(line.indexOf(" ") + 1),
  );
  const directory = mkdtempSync(join(tmpdir(), "wav2vec2-decoding-"));
  writeEmissions(directory, texts);
  const clips = readEmissions(directory);
  const seconds = clips.reduce((sum, { frames }) => sum + frames, 0) / FRAME_RATE;
  const tasks = TASKS.filter((task) => python || task.options);
  const runs = tasks.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, task] of tasks.entries()) {
      const command = task.options
        ? [process.execPath, SELF, "--decode", directory, arpa, JSON.stringify(task.options)]
        : [python, join(SELF, "../decoding.py"), directory, arpa, JSON.stringify(task.python)];
      const output = execFileSync(command[0], command.slice(1), {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      runs[i].push(JSON.parse(output.trim().split("\n").at(-1)));
    }
  rmSync(directory, { recursive: true });

  console.log(`${count} clips, ${(seconds / 60).toFixed(1)} min, ${rounds} rounds`);
  for (const group of new Set(tasks.map((task) => task.group))) {
    const members = tasks
      .map((task, i) => ({ ...task, runs: runs[i] }))
      .filter((task) => task.group === group);
    const scores = await scoresOf(members, clips, arpa);
    console.log(
      `\n| ${group || " "} | times real time | WER | CER | behind the best (nats) | best or equal | memory |`,
    );
    console.log("|---|---|---|---|---|---|---|");
    for (const [i, { name, runs }] of members.entries()) {
      const speeds = runs.map((run) => seconds / run.seconds).sort((a, b) => a - b);
      const rate = new ErrorRate();
      for (const [clip, text] of texts.entries()) rate.add(text, runs[0].texts[clip]);
      const gaps = clips.map((_, clip) => Math.max(...scores.map((all) => all[clip])) - scores[i][clip]);
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / clips.length;
      const best = gaps.filter((gap) => gap < 1e-6).length;
      console.log(
        `| ${name} | ${speeds[speeds.length >> 1].toFixed(0)} (${speeds[0].toFixed(0)} to ${speeds.at(-1).toFixed(0)}) | ` +
          `${percent(rate.wer)} | ${percent(rate.cer)} | ${mean.toFixed(3)} | ${best} | ` +
          `${Math.max(...runs.map(({ memory }) => memory)).toFixed(0)} MB |`,
      );
    }
  }
}

/** What a text's own alignments and words come to, for each decoder and clip. */
async function scoresOf(members, clips, arpa) {
  const { lm } = members[0].options ?? {};
  const model = lm && (await loadLanguageModel(arpa));
  return members.map(({ runs }) =>
    clips.map(({ logits, frames }, clip) => {
      const text = runs[0].texts[clip];
      return acousticScore(logits, frames, text) + (model ? wordsScore(model, text) : 0);
    }),
  );
}

function wordsScore(model, text) {
  let score = 0;
  let state = model.begin;
  for (const word of text.split(" ").filter(Boolean)) {
    const id = model.wordId(word);
    score += 0.5 * model.score(state, id) + 1.5 + (id === model.unknownWord ? 0.5 * Math.LN10 * -10 : 0);
    state = model.next(state, id);
  }
  return score + 0.5 * model.end(state);
}

/** ln P of a text: its alignments, with any number of word delimiters in a row (CTC's forward algorithm). */
function acousticScore(logits, frames, text) {
  const labels = tokenizer.encode(text);
  const { blankId, delimiterId } = tokenizer.vocabulary;
  const states = 2 * labels.length + 1;
  const label = (state) => (state % 2 === 0 ? blankId : labels[state >> 1]);
  const loose = (state) =>
    state % 2 === 0 && (state === 0 || state === states - 1 || label(state - 1) === delimiterId);
  let forward = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
  for (let frame = 0; frame < frames; frame++) {
    const row = logits.subarray(frame * TOKENS.length, (frame + 1) * TOKENS.length);
    const norm = row.reduce(logAdd, Number.NEGATIVE_INFINITY);
    forward = forward.map((before, state) => {
      let sum = label(state) === delimiterId ? Number.NEGATIVE_INFINITY : before;
      if (state > 0) sum = logAdd(sum, forward[state - 1]);
      if (state > 1 && state % 2 === 1 && label(state) !== label(state - 2))
        sum = logAdd(sum, forward[state - 2]);
      if (frame === 0) sum = state < 2 ? 0 : Number.NEGATIVE_INFINITY;
      const own = loose(state) ? logAdd(row[blankId], row[delimiterId]) : row[label(state)];
      return sum + own - norm;
    });
  }
  return states > 1 ? logAdd(forward.at(-1), forward.at(-2)) : forward[0];
}

function logAdd(a, b) {
  const high = Math.max(a, b);
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

function readEmissions(directory) {
  const bytes = readFileSync(join(directory, "emissions"));
  let at = 0;
  return JSON.parse(readFileSync(join(directory, "frames.json"), "utf8")).map((frames) => {
    const logits = new Float32Array(bytes.buffer, bytes.byteOffset + 4 * at, frames * TOKENS.length);
    at += logits.length;
    return { logits, frames };
  });
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}
