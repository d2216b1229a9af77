import { useState } from "preact/hooks";
import type { TimedWord, Transcript } from "../../../wav2vec2/src/web/index.js";
import { commonWords } from "./retimed.js";
import type { Reading, Session } from "./session.js";

interface Props {
  session: Session;
  reading: Reading;
  /** The word that is played or chosen. */
  word: TimedWord | undefined;
  /** The reading that this one is compared with. */
  other: Reading | undefined;
  /** Whether its texts are being corrected. */
  isEditing: boolean;
  onPlay(time: number): void;
}

/** `0:07.5` */
export function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

/** What a model read, word by word: a click plays from there. */
export function TranscriptView({ session, reading, word, other, isEditing, onPlay }: Props) {
  const { segments, partial } = reading;
  const differing = other && differences(reading, other);
  return (
    <div class="transcript">
      {segments.map((segment, index) =>
        segment.text === "" ? null : (
          <div class="segment" key={segment.start}>
            <button
              type="button"
              class="time"
              aria-label={`Play from ${clock(segment.start)}`}
              onClick={() => onPlay(segment.start)}
            >
              {clock(segment.start)}
            </button>
            {isEditing ? (
              <Correction segment={segment} onSave={(text) => session.correct(index, text)} />
            ) : (
              <Words words={segment.words} word={word} differing={differing} onPlay={onPlay} />
            )}
          </div>
        ),
      )}
      <p class={partial === "" ? "partial none" : "partial"} aria-live="polite">
        {partial}
      </p>
    </div>
  );
}

function Words({
  words,
  word,
  differing,
  onPlay,
}: {
  words: readonly TimedWord[];
  word: TimedWord | undefined;
  differing: ReadonlySet<TimedWord> | undefined;
  onPlay(time: number): void;
}) {
  // One stop for the Tab key; arrows go from word to word.
  const [current, setCurrent] = useState(0);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(words.length - 1, Math.max(0, current + step));
    setCurrent(next);
    (event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".word")[next]?.focus();
  };
  return (
    <div class="line" role="toolbar" aria-label="Words" onKeyDown={move}>
      {words.map((each, i) => (
        <button
          type="button"
          key={each.start}
          tabIndex={i === current ? 0 : -1}
          class={["word", each === word && "now", differing?.has(each) && "other"].filter(Boolean).join(" ")}
          title={`${clock(each.start)}, ${Math.round(100 * each.confidence)} % sure`}
          style={{ "--doubt": String(Math.max(0, 0.9 - each.confidence)) }}
          onClick={() => {
            setCurrent(i);
            onPlay(each.start);
          }}
        >
          {each.text}
        </button>
      ))}
    </div>
  );
}

function Correction({ segment, onSave }: { segment: Transcript; onSave(text: string): void }) {
  return (
    <textarea
      aria-label={`Text from ${clock(segment.start)}`}
      rows={Math.max(1, Math.ceil(segment.text.length / 70))}
      defaultValue={segment.text}
      onChange={(event) => onSave(event.currentTarget.value)}
    />
  );
}

/** Words of a reading that the other does not have in the same place. */
function differences(one: Reading, other: Reading): ReadonlySet<TimedWord> {
  const words = one.segments.flatMap((segment) => segment.words);
  const theirs = other.segments.flatMap((segment) => segment.words);
  const common = commonWords(
    words.map(({ text }) => text),
    theirs.map(({ text }) => text),
  );
  const same = new Set(common.map(([at]) => at));
  return new Set(words.filter((_, at) => !same.has(at)));
}
