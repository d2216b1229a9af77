// How long a corpus of LibriSpeech's size takes to start: 281,241 utterances in 5,831 chapters of 2,484 speakers, made in
// a temporary directory as FLAC headers with transcripts (1.4 GB on most file systems, most of it rounding to blocks):
//   npm run build && node benchmarks/index.mjs [--utterances N] [--directory DIR]
// Every measurement is a process of its own: the first start, which reads every header; starts with all sizes and
// modification times checked; starts after 100 files were added and 100 changed; and one without transcripts. The longest
// time that the event loop stood still is told too: that long a progress line or Ctrl+C waits. What a start must give is
// compared with what was made. Files are in the page cache, as they are after unpacking.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Random } from "../packages/wav2vec2/dist/data/random.js";

const CORPUS = new URL("../packages/wav2vec2/dist/data/corpus/corpus.js", import.meta.url);
const SPLITS = { "train-clean-100": 28539, "train-clean-360": 104014, "train-other-500": 148688 };
const SPEAKERS = 2484;
const CHAPTERS = 5831;
const ALL = Object.keys(SPLITS).join("+");
const RATE = 16000;

if (process.argv[2] === "--start") await start(...process.argv.slice(3));
else compare();

async function start(root, cache, transcripts) {
  const { readCorpus } = await import(CORPUS);
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const begin = performance.now();
  const { utterances } = await readCorpus(root, ALL, { cache, transcripts });
  const seconds = (performance.now() - begin) / 1000;
  delays.disable();
  const samples = utterances.reduce((sum, utterance) => sum + utterance.samples, 0);
  const characters = utterances.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
  const cpu = (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
  const peak = process.resourceUsage().maxRSS / 1024;
  const longest = delays.max / 1e6;
  console.log(JSON.stringify({ seconds, cpu, peak, longest, count: utterances.length, samples, characters }));
}

function compare() {
  const { values } = parseArgs({
    options: { utterances: { type: "string" }, directory: { type: "string", default: tmpdir() } },
  });
  const share = Number(values.utterances ?? 281241) / 281241;
  const root = mkdtempSync(join(values.directory, "librispeech-"));
  const cache = join(root, "cache");
  const measure = (what, expected, transcripts = "required") => {
    const arguments_ = [fileURLToPath(import.meta.url), "--start", root, cache, transcripts];
    const result = JSON.parse(execFileSync(process.execPath, arguments_, { encoding: "utf8" }));
    const characters = transcripts === "none" ? 0 : expected.characters;
    if (
      result.count !== expected.count ||
      result.samples !== expected.samples ||
      result.characters !== characters
    )
      throw new Error(`${what} gave ${JSON.stringify(result)}, but ${JSON.stringify(expected)} was made.`);
    const { seconds, cpu, peak, longest } = result;
    console.log(
      `| ${what} | ${seconds.toFixed(1)} s | ${cpu.toFixed(1)} s | ${peak.toFixed(0)} MB | ${longest.toFixed(0)} ms |`,
    );
  };
  try {
    const began = performance.now();
    const made = makeCorpus(root, share);
    console.error(`made ${made.count} utterances in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    console.log("| start | time | processor time | peak memory | longest pause |\n|---|---|---|---|---|");
    measure("first", made);
    for (let i = 1; i <= 3; i++) measure(`again (${i})`, made);
    addAndChange(made);
    measure("100 added, 100 changed", made);
    measure("again", made);
    measure("again, without transcripts", made, "none");
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Lengths and transcripts as LibriSpeech's: 1.4 to 24.5 s, 12.3 s on average, 15 characters a second. */
function makeCorpus(root, share) {
  const random = new Random(1, "corpus");
  const made = { count: 0, samples: 0, characters: 0, chapters: [] };
  const total = Object.values(SPLITS).reduce((sum, count) => sum + count, 0);
  let speaker = 14;
  for (const [split, full] of Object.entries(SPLITS)) {
    const count = Math.round(full * share);
    const chapters = Math.max(1, Math.round((CHAPTERS * share * full) / total));
    const speakers = Math.max(1, Math.round((SPEAKERS * share * full) / total));
    for (let c = 0; c < chapters; c++) {
      if (Math.floor((c * speakers) / chapters) !== Math.floor(((c - 1) * speakers) / chapters)) speaker += 3;
      const chapter = 100000 + c;
      const directory = join(root, "LibriSpeech", split, String(speaker), String(chapter));
      mkdirSync(directory, { recursive: true });
      const utterances = Math.floor(((c + 1) * count) / chapters) - Math.floor((c * count) / chapters);
      const place = { directory, name: `${speaker}-${chapter}`, utterances: 0, lines: [] };
      for (let u = 0; u < utterances; u++) addUtterance(place, made, random);
      writeTranscripts(place);
      made.chapters.push(place);
    }
  }
  return made;
}

function addUtterance(place, made, random) {
  const seconds = random.uniform() < 0.75 ? 10 + 7 * random.uniform() : 1.4 + 14 * random.uniform();
  const samples = Math.round(seconds * RATE);
  const id = `${place.name}-${String(place.utterances++).padStart(4, "0")}`;
  writeFileSync(join(place.directory, `${id}.flac`), header(samples));
  let text = "";
  while (text.length < seconds * 15)
    text += `${"ETAOINSHRDLUCMFWYP".slice(random.uniform() * 12).slice(0, 1 + random.uniform() * 8)} `;
  place.lines.push(`${id} ${text.trim()}`);
  made.count++;
  made.samples += samples;
  made.characters += text.trim().length;
}

function writeTranscripts({ directory, name, lines }) {
  writeFileSync(join(directory, `${name}.trans.txt`), lines.map((line) => `${line}\n`).join(""));
}

function addAndChange(made) {
  const random = new Random(2, "corpus");
  for (let i = 0; i < 100; i++) {
    const place = made.chapters[random.integer(made.chapters.length)];
    addUtterance(place, made, random);
    writeTranscripts(place);
  }
  for (let i = 0; i < 100; i++) {
    const { directory, name } = made.chapters[Math.floor((i * made.chapters.length) / 100)];
    const file = join(directory, `${name}-0000.flac`);
    writeFileSync(file, header(readFileSync(file).readUInt32BE(22) + 160));
    made.samples += 160;
  }
}

/** "fLaC" and STREAMINFO of 16-bit mono at 16 kHz: https://www.rfc-editor.org/rfc/rfc9639#name-streaminfo. */
function header(samples) {
  const bytes = Buffer.alloc(42);
  bytes.write("fLaC");
  bytes.writeUInt32BE(0x80000022, 4);
  bytes.writeUInt16BE(4096, 8);
  bytes.writeUInt16BE(4096, 10);
  bytes.writeUInt32BE(((RATE << 12) | (15 << 4)) >>> 0, 18);
  bytes.writeUInt32BE(samples, 22);
  return bytes;
}
