import { Random } from "../../packages/wav2vec2/dist/data/random.js";
import { trainingVoices, unseenVoices } from "./voices.mjs";

/** @typedef {import("./voices.mjs").Voice} Voice */
/** @typedef {{ id: string, text: string, pauses: boolean, rate: number, before: number, after: number }} Clip rate in words a minute, before and after in seconds of silence */
/** @typedef {{ split: string, directory: string, name: string, clips: Clip[] }} Chapter directory relative to the corpus; name begins its files */
/** @typedef {{ voice: Voice, pitch: number, range: number, chapters: Chapter[] }} Speaker pitch and range as espeak-ng's 0 to 99 */

const words = ["ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE"];
const TRAINING_CLIPS_A_VOICE = 42;
const OTHER_CLIPS_A_VOICE = 5;
const DEV_VOICES = 12;
const SEEN_TEST_VOICES = 10;

/**
 * What is said by whom: 1,008 clips of 24 voices to train on, 60 to validate, 100 to test, half of them by voices
 * that training never hears. No digit string occurs twice in the whole corpus.
 * @param {number} seed
 * @returns {Speaker[]}
 */
export function planCorpus(seed) {
  const random = new Random(seed, "quickstart corpus");
  /** @type {Set<string>} */
  const used = new Set();
  const unusedText = () => {
    for (;;) {
      const text = Array.from(
        { length: 2 + random.integer(6) },
        () => words[random.integer(words.length)],
      ).join(" ");
      if (used.has(text)) continue;
      used.add(text);
      return text;
    }
  };
  /** @param {string} split @param {number} speaker @param {number} count @returns {Chapter} */
  const chapter = (split, speaker, count) => {
    // A chapter number for each split keeps ids unique over the whole corpus.
    const name = `${speaker}-${["train", "dev", "test"].indexOf(split) + 1}`;
    return {
      split,
      directory: `LibriSpeech/${split}/${name.replace("-", "/")}`,
      name,
      clips: Array.from({ length: count }, (_, index) => ({
        id: `${name}-${String(index).padStart(4, "0")}`,
        text: unusedText(),
        pauses: random.uniform() < 0.3,
        rate: 130 + random.integer(61),
        before: 0.1 + 0.3 * random.uniform(),
        after: 0.1 + 0.3 * random.uniform(),
      })),
    };
  };
  /** @param {Voice} voice @param {Chapter[]} chapters @returns {Speaker} */
  const speaker = (voice, chapters) => ({
    voice,
    pitch: 35 + random.integer(31),
    range: 40 + random.integer(21),
    chapters,
  });
  const seen = trainingVoices.map((voice, index) => {
    const number = 101 + index;
    const chapters = [chapter("train", number, TRAINING_CLIPS_A_VOICE)];
    if (index < DEV_VOICES) chapters.push(chapter("dev", number, OTHER_CLIPS_A_VOICE));
    if (index >= trainingVoices.length - SEEN_TEST_VOICES) {
      chapters.push(chapter("test", number, OTHER_CLIPS_A_VOICE));
    }
    return speaker(voice, chapters);
  });
  const unseen = unseenVoices.map((voice, index) =>
    speaker(voice, [chapter("test", 201 + index, OTHER_CLIPS_A_VOICE)]),
  );
  return [...seen, ...unseen];
}
