import { counted } from "../../counted.js";
import type { TranscribedUtterance } from "../../data/utterance.js";
import { UserError } from "../../errors.js";
import { hasTokenizer } from "../../files/hub/model-files.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { hasCtcHead } from "../../pretrained/ctc-directory.js";
import { CtcTokenizer, WRITE_PHONEMES } from "../../text/tokenizer.js";
import { Vocabulary } from "../../text/vocabulary.js";
import type { Tracker } from "../../tracking/tracker.js";
import { codePoints, formDifference } from "../../unicode/unicode-forms.js";
import { describeSeveral, describeSpelledOut, WrittenForms } from "../../unicode/written-forms.js";
import type { Recipe } from "../recipe/recipe.js";

/** Characters that a message names. */
const SHOWN = 10;

/** What a recogniser is trained and validated on. */
interface Clips {
  train: readonly TranscribedUtterance[];
  held: readonly TranscribedUtterance[];
}

/** The letters that a recogniser is trained for. */
export interface ChosenTokenizer {
  tokenizer: CtcTokenizer;
  /** Whether the output layer begins anew, whatever the directory has. */
  newHead: boolean;
  /** A transcript with each letter in the one form that the vocabulary has. */
  inForm: (text: string) => string;
}

/**
 * The model's own vocabulary where its output layer has learned it, or one of the transcripts: where there is no model,
 * where it has no output layer and its letters are not those of the transcripts, for a language's adapters, and where
 * the recipe says so.
 *
 * @throws UserError naming the characters that the model's vocabulary lacks
 */
export async function chooseTokenizer(
  { vocabulary, train }: Pick<Recipe, "vocabulary" | "train">,
  init: { directory: string; config: Wav2Vec2Config } | undefined,
  clips: Clips,
  tracker: Pick<Tracker, "note" | "tell">,
): Promise<ChosenTokenizer> {
  const utterances = clips.train;
  const ofTranscripts = () => vocabularyOfTranscripts(clips, tracker);
  if (vocabulary === "phonemes") {
    const made = Vocabulary.fromPhonemes(utterances.map(({ text }) => text));
    return { tokenizer: new CtcTokenizer(made, { phonemes: true }), newHead: true, inForm: (text) => text };
  }
  if (!init || train === "adapters" || vocabulary === "transcripts") return ofTranscripts();
  const { directory, config } = init;
  const isRecognizer = await hasCtcHead(directory);
  if (isRecognizer || vocabulary === "model") {
    if (!hasTokenizer(directory) && vocabulary !== "model") {
      tracker.note(
        `${directory} has no vocab.json that says what its output layer writes: a new one is trained, for a vocabulary of the transcripts.`,
      );
      return ofTranscripts();
    }
    const size = isRecognizer ? (config.vocabSize ?? undefined) : undefined;
    const tokenizer = await CtcTokenizer.read(directory, { size });
    requireKnown(directory, tokenizer, utterances);
    return inFormOf(tokenizer, !isRecognizer, clips, tracker);
  }
  const own = hasTokenizer(directory) ? await CtcTokenizer.read(directory).catch(unusable) : undefined;
  if (own && utterances.every(({ text }) => own.unknownIn(text).length === 0)) {
    tracker.tell(
      `${directory} has no output layer: a new one is trained, for the ${own.vocabulary.size} tokens of its vocabulary.`,
    );
    return inFormOf(own, true, clips, tracker);
  }
  const chosen = ofTranscripts();
  tracker.note(
    `${directory} has no output layer: a new one is trained, for the ${chosen.tokenizer.vocabulary.size} tokens of a vocabulary of the ` +
      `transcripts${own ? ". Its own vocabulary lacks some of their characters" : ""}.`,
  );
  return chosen;
}

/** A vocabulary in which each letter has one form, that which is the most frequent, and a note where transcripts have several. */
function vocabularyOfTranscripts({ train, held }: Clips, tracker: Pick<Tracker, "note">): ChosenTokenizer {
  const forms = new WrittenForms();
  for (const { id, text } of [...train, ...held]) forms.add(text, id);
  const several = forms.several();
  const more = several.length > SHOWN ? ` and ${several.length - SHOWN} other letters` : "";
  if (several.length > 0)
    tracker.note(
      `${several
        .slice(0, SHOWN)
        .map((each) => describeSeveral(each, "transcript"))
        .join("; ")}${more}. The vocabulary has one form of each, and transcripts are read in it.`,
    );
  const spelledOut = forms.spelledOut();
  if (spelledOut.length > 0)
    tracker.note(
      `${spelledOut
        .slice(0, SHOWN)
        .map((each) => describeSpelledOut(each, "transcript"))
        .join("; ")}. Transcripts are read with the letters.`,
    );
  if (forms.invisible)
    tracker.note(
      `${counted(forms.invisible.texts, "transcript")} with characters that are never seen, such as ${forms.invisible.example}: they are left out.`,
    );
  const unified = forms.unifier() ?? ((text) => text);
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(train.map(({ text }) => unified(text))));
  return { tokenizer, newHead: true, inForm: (text) => tokenizer.inVocabularyForm(unified(text)) };
}

/** A model's own vocabulary, with a note on how many transcripts are in another form. */
function inFormOf(
  tokenizer: CtcTokenizer,
  newHead: boolean,
  { train, held }: Clips,
  tracker: Pick<Tracker, "note">,
): ChosenTokenizer {
  const inForm = (text: string) => tokenizer.inVocabularyForm(text);
  const others = [...train, ...held].filter(({ text }) => inForm(text) !== text);
  const [first] = others;
  if (first)
    tracker.note(
      `${counted(others.length, "transcript")} ${others.length === 1 ? "has" : "have"} letters in another form than the vocabulary, such as ` +
        `${first.id}: ${formDifference(first.text, inForm(first.text))}. They are read in its form.`,
    );
  return { tokenizer, newHead, inForm };
}

/** A vocabulary beside a network that has not learned it may be of any tokenizer. */
function unusable(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
}

function requireKnown(
  directory: string,
  tokenizer: CtcTokenizer,
  utterances: readonly TranscribedUtterance[],
): void {
  const unknown = new Set<string>();
  let first: string | undefined;
  for (const { id, text } of utterances)
    for (const character of tokenizer.unknownIn(text)) {
      first ??= id;
      unknown.add(character);
    }
  if (first === undefined) return;
  const shown = [...unknown].slice(0, SHOWN).map((character) => {
    return tokenizer.phonemes
      ? JSON.stringify(character)
      : `${JSON.stringify(character)} (${codePoints(character)})`;
  });
  const more = unknown.size > SHOWN ? ` and ${unknown.size - SHOWN} more` : "";
  if (tokenizer.phonemes)
    throw new UserError(
      `phonemes of utterance ${first} must be in the vocabulary of ${directory}, but of the transcripts' phonemes ` +
        `${shown.join(", ")}${more} ${unknown.size === 1 ? "is" : "are"} not. ${WRITE_PHONEMES} Or give vocabulary: phonemes ` +
        "(--vocabulary phonemes): a vocabulary of theirs and a new output layer for it.",
    );
  throw new UserError(
    `characters of utterance ${first} must be in the vocabulary of ${directory}, but of the transcripts' characters ` +
      `${shown.join(", ")}${more} ${unknown.size === 1 ? "is" : "are"} not. Change the transcripts, or give vocabulary: transcripts ` +
      "(--vocabulary transcripts): a vocabulary of theirs and a new output layer for it.",
  );
}
