// Made-up speech that a tiny network learns something of in seconds: words of two or three tones with noise behind them.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeFlac, Random } from "wav2vec2";

const RATE = 16000;
const LETTER = 0.12 * RATE;
/** Two partials a letter, as vowels have two formants. */
const LETTERS = { A: [300, 900], B: [420, 2100], C: [650, 1300], D: [800, 2600], E: [520, 1700] };

/**
 * @param {string} root
 * @param {Record<string, number>} splits clips of each, in LibriSpeech's layout
 */
export function writeSpeech(root, splits) {
  const random = new Random(1, "speech");
  for (const [split, count] of Object.entries(splits)) {
    const directory = join(root, split, "1", "1");
    mkdirSync(directory, { recursive: true });
    const lines = [];
    for (let clip = 0; clip < count; clip++) {
      const words = Array.from({ length: 3 + random.integer(5) }, () =>
        Array.from({ length: 2 + random.integer(3) }, () => Object.keys(LETTERS)[random.integer(5)]).join(""),
      );
      const text = words.join(" ");
      const id = `1-1-${String(clip).padStart(4, "0")}`;
      lines.push(`${id} ${text}\n`);
      writeFileSync(join(directory, `${id}.flac`), encodeFlac(speak(text, random), RATE));
    }
    writeFileSync(join(directory, "1-1.trans.txt"), lines.join(""));
  }
}

function speak(text, random) {
  const samples = new Float32Array(text.length * LETTER);
  for (const [place, character] of [...text].entries()) {
    const pitch = 1 + 0.04 * (random.uniform() - 0.5);
    for (let t = 0; t < LETTER; t++) {
      const envelope = Math.sin((Math.PI * t) / LETTER);
      const tones = LETTERS[character] ?? [];
      const sum = tones.reduce(
        (value, hertz) => value + Math.sin((2 * Math.PI * hertz * pitch * t) / RATE),
        0,
      );
      samples[place * LETTER + t] = 0.2 * envelope * sum + 0.01 * (random.uniform() - 0.5);
    }
  }
  return samples;
}
