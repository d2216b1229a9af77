// From scores of characters to words, with a language model and a hotword: node examples/11-decode.mjs
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CtcDecoder, CtcTokenizer, loadLanguageModel, Vocabulary } from "wav2vec2";

const tokenizer = new CtcTokenizer(new Vocabulary(["<pad>", "|", "C", "A", "T", "B"]));
const { size, blankId } = tokenizer.vocabulary;

// Scores of 7 frames for "CAT" and, almost as high, for "BAT".
const scores = new Float32Array(7 * size);
const idOf = Object.fromEntries(tokenizer.vocabulary.tokens.map((token, id) => [token, id]));
for (const [frame, token] of ["<pad>", "C", "<pad>", "A", "<pad>", "T", "<pad>"].entries())
  scores[frame * size + idOf[token]] = 6;
scores[1 * size + idOf.B] = 5.5;

const directory = await mkdtemp(join(tmpdir(), "decode-"));
const path = join(directory, "words.arpa");
await writeFile(
  path,
  "\\data\\\nngram 1=5\n\n\\1-grams:\n-2 <unk>\n-99 <s>\n-1 </s>\n-3 CAT\n-0.5 BAT\n\n\\end\\\n",
);
const languageModel = await loadLanguageModel(path);
await rm(directory, { recursive: true });

const ways = {
  "likeliest token of each frame": { beamWidth: 1 },
  "all alignments together": { beamWidth: 16 },
  "where BAT is more usual": { languageModel },
  "and CAT is expected": { languageModel, hotwords: ["CAT"] },
};
console.log(`blank is token ${blankId}`);
for (const [name, options] of Object.entries(ways)) {
  const { text, score } = new CtcDecoder(tokenizer, options).decode(scores, 7);
  console.log(`${name.padEnd(28)} ${text}  ${score.toFixed(2)}`);
}
