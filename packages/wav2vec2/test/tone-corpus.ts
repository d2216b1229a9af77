import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeFlac } from "../src/audio/flac/flac-writer.js";
import { Random } from "../src/data/random.js";

/** "Speech" that a tiny network learns in seconds: each letter is a tone of its own. */
const TONES: Record<string, number> = { A: 500, B: 900, C: 1600, " ": 0 };

export function toneClip(text: string, random: Random): Float32Array {
  const letter = 2400; // 150 ms
  const samples = new Float32Array(text.length * letter);
  for (const [i, character] of [...text].entries()) {
    const frequency = TONES[character]! * (1 + 0.02 * (random.uniform() - 0.5));
    for (let t = 0; t < letter; t++) {
      const tone =
        frequency && t > 400 && t < 2000 ? 0.3 * Math.sin((2 * Math.PI * frequency * t) / 16000) : 0;
      samples[i * letter + t] = tone + 0.01 * (random.uniform() - 0.5);
    }
  }
  return samples;
}

/** Writes splits of tone clips in LibriSpeech layout. */
export async function writeToneCorpus(root: string, splits: Record<string, number>, seed = 1): Promise<void> {
  const random = new Random(seed, "tones");
  for (const [split, count] of Object.entries(splits)) {
    const directory = join(root, split, "1", "1");
    await mkdir(directory, { recursive: true });
    const lines: string[] = [];
    for (let i = 0; i < count; i++) {
      const words = Array.from({ length: 1 + random.integer(2) }, () =>
        Array.from({ length: 1 + random.integer(3) }, () => "ABC"[random.integer(3)]).join(""),
      );
      const id = `1-1-${String(i).padStart(4, "0")}`;
      lines.push(`${id} ${words.join(" ")}`);
      await writeFile(join(directory, `${id}.flac`), encodeFlac(toneClip(words.join(" "), random), 16000));
    }
    await writeFile(join(directory, "1-1.trans.txt"), `${lines.join("\n")}\n`);
  }
}

/** A network of a few thousand parameters with 20 ms frames. */
export const TINY_MODEL = {
  conv_dim: [16, 16, 24],
  conv_kernel: [20, 8, 8],
  conv_stride: [10, 4, 8],
  do_stable_layer_norm: true,
  hidden_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 48,
  num_conv_pos_embeddings: 4,
  num_conv_pos_embedding_groups: 4,
  hidden_dropout: 0.1,
  layerdrop: 0.1,
  mask_time_prob: 0.05,
  mask_time_length: 2,
} as const;
