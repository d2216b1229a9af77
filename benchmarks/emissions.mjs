// Made-up emissions of a CTC model over given texts, as noisy as a fine-tuned model's on hard speech: letters take 3.5
// frames at 50 a second on average, of which one or two are the letter's and the others the blank's; each letter is
// mixed with others that sound alike, lost in the blank or spread over its neighbours.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../packages/wav2vec2/dist/data/random.js";

/** Facebook's vocabulary. */
export const TOKENS = ["<pad>", "<s>", "</s>", "<unk>", "|", ..."ETAONIHSRDLUMWCFGYPBVK'XJQZ"];
const BLANK = 0;
const DELIMITER = 4;
const LETTERS = TOKENS.slice(5);
const ALIKE = ["AEIOU", "TDPBK", "MN", "SZCXF", "VFWB", "LRW", "GKCJQ", "HEA", "YIE", "UOW"];

/** @returns logits, [frames * 32] */
export function emissionsOf(text, random) {
  const rows = [];
  const add = () => {
    const row = Float32Array.from(TOKENS, (_, id) => normal(random) - (id >= 1 && id <= 3 ? 5 : 0));
    row[BLANK] = 11 + normal(random);
    rows.push(row);
    return row;
  };
  add();
  for (const character of text) {
    const id = character === " " ? DELIMITER : TOKENS.indexOf(character);
    const [first, frames] = [rows.length, 2 + random.integer(4)];
    for (let frame = 0; frame < frames; frame++) add();
    const others = alike(character, random);
    const middle = first + random.integer(frames);
    const length = random.uniform() < 0.2 ? 2 : 1;
    const strength = 11.5 + 1.8 * normal(random);
    for (let frame = Math.max(0, middle - 1); frame <= Math.min(rows.length - 1, middle + length); frame++) {
      const inside = frame >= middle && frame < middle + length;
      const row = rows[frame];
      const scale = inside ? 1 : 0.5;
      row[id] = Math.max(row[id], scale * strength + 0.5 * normal(random));
      for (const [other, score] of others) row[other] = Math.max(row[other], scale * score);
      if (inside) row[BLANK] = 6 + 2 * normal(random);
    }
  }
  add();
  const logits = new Float32Array(rows.length * TOKENS.length);
  for (const [frame, row] of rows.entries()) logits.set(row, frame * TOKENS.length);
  return logits;
}

/** Other letters that may be heard, with their scores. */
function alike(character, random) {
  if (character === " ") return [];
  const near = ALIKE.filter((letters) => letters.includes(character)).join("");
  return Array.from({ length: 3 }, (_, i) => {
    const letters = i < 2 && near ? near : LETTERS.join("");
    const letter = letters[random.integer(letters.length)];
    return [TOKENS.indexOf(letter), letter === character ? 0 : 5.5 + 2.5 * normal(random)];
  });
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

/** Writes emissions of texts, one behind the other, and how many frames each has. */
export function writeEmissions(directory, texts, seed = 1) {
  const random = new Random(seed, "emissions");
  const all = texts.map((text) => emissionsOf(text, random));
  writeFileSync(join(directory, "emissions"), Buffer.concat(all.map(({ buffer }) => Buffer.from(buffer))));
  writeFileSync(
    join(directory, "frames.json"),
    JSON.stringify(all.map(({ length }) => length / TOKENS.length)),
  );
}
