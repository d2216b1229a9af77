import { useEffect, useRef, useState } from "preact/hooks";
import { SAMPLE_RATE } from "../../../wav2vec2/src/audio/sample-rate.js";
import type { TimedWord } from "../../../wav2vec2/src/web/index.js";
import { useScheme } from "../../src/theme.js";
import type { Session } from "./session.js";
import { drawSpectrogram, HIGHEST } from "./spectrogram.js";

/** The colour that a stylesheet's name stands for now. */
function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function rgb(color: string): [number, number, number] {
  const digits =
    color.length === 4 ? [...color.slice(1)].map((digit) => digit + digit) : color.slice(1).match(/../g)!;
  return digits.map((digit) => Number.parseInt(digit, 16)) as [number, number, number];
}

/** Sizes a canvas to its place on the screen. @returns whether there is room to draw */
function fit(canvas: HTMLCanvasElement): boolean {
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  return canvas.width > 0 && canvas.height > 0;
}

function drawWave(
  canvas: HTMLCanvasElement,
  samples: Float32Array,
  from: number,
  to: number,
  marked: TimedWord | undefined,
): void {
  if (!fit(canvas)) return;
  const { width, height } = canvas;
  const context = canvas.getContext("2d")!;
  const scale = (to - from) / width;
  if (marked) {
    context.fillStyle = colorOf("two");
    context.globalAlpha = 0.25;
    context.fillRect(
      (marked.start - from) / scale,
      0,
      Math.max(2, (marked.end - marked.start) / scale),
      height,
    );
    context.globalAlpha = 1;
  }
  context.fillStyle = colorOf("one");
  for (let x = 0; x < width; x++) {
    const first = Math.floor((from + x * scale) * SAMPLE_RATE);
    const behind = Math.max(first + 1, Math.floor((from + (x + 1) * scale) * SAMPLE_RATE));
    // Of long recordings a part of a pixel's samples shows its loudness well enough.
    const step = Math.max(1, Math.floor((behind - first) / 200));
    let [low, high] = [0, 0];
    for (let i = first; i < behind; i += step) {
      const sample = samples[i] ?? 0;
      if (sample < low) low = sample;
      if (sample > high) high = sample;
    }
    const middle = height / 2;
    context.fillRect(x, middle - high * middle, 1, Math.max(1, (high - low) * middle));
  }
}

interface StretchProps {
  session: Session;
  time: number;
  /** The word that is played or chosen. */
  word: TimedWord | undefined;
  onSeek(time: number): void;
}

/** The whole recording; a click plays from there. */
export function Overview({ session, time, word, onSeek }: StretchProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useScheme();
  const { duration, recording } = session;
  const shown = Math.max(duration, 1);
  useEffect(() => {
    const draw = (): void => drawWave(canvas.current!, recording.samples, 0, shown, word);
    draw();
    addEventListener("resize", draw);
    return () => removeEventListener("resize", draw);
  }, [recording.length, word, scheme]);
  const seek = (event: MouseEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    onSeek(((event.clientX - box.left) / box.width) * shown);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the slider does the same by keys
    // biome-ignore lint/a11y/useKeyWithClickEvents: the slider does the same by keys
    <div class="overview" onClick={seek}>
      <canvas ref={canvas} />
      <span class="playhead" style={{ left: `${(100 * time) / shown}%` }} />
    </div>
  );
}

/** Seconds that a word stays lit behind its last character, which stands where that is recognised, not where it ends. */
const HELD = 0.6;

/** When a word is no longer the one that is heard. */
export function heldUntil(words: readonly TimedWord[], at: number): number {
  return Math.min(words[at]!.end + HELD, words[at + 1]?.start ?? Number.POSITIVE_INFINITY);
}

/** Pixels of a second in the close view: characters, often 20 ms each, are to be told apart. */
const SCALE = 260;

/** Some seconds around a time: spectrogram, words and their characters where they were said. */
export function CloseView({ session, time, word, onSeek }: StretchProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useScheme();
  const { duration, recording } = session;
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const measure = (): void => setWidth(canvas.current!.getBoundingClientRect().width || 900);
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  const span = Math.min(width / SCALE, Math.max(duration, 1));
  // Page by page, so that the picture stands still while it is played.
  const from = Math.max(0, Math.min(Math.floor(time / span) * span, duration - span));
  const to = from + span;
  useEffect(() => {
    const draw = (): void => {
      if (!fit(canvas.current!)) return;
      // A column for each pixel of the screen's own would take long, and show no more.
      canvas.current!.width = Math.min(canvas.current!.width, 900);
      canvas.current!.height = Math.min(canvas.current!.height, 256);
      drawSpectrogram(canvas.current!, recording.samples, from, to, rgb(colorOf("text")));
    };
    draw();
    addEventListener("resize", draw);
    return () => removeEventListener("resize", draw);
  }, [recording.length, from, to, scheme]);
  const place = (start: number, end: number) => ({
    left: `${(100 * (start - from)) / span}%`,
    width: `${(100 * (Math.min(end, to) - start)) / span}%`,
  });
  const words = session.words
    .map((each, i, all) => [each, heldUntil(all, i)] as const)
    .filter(([{ start }, until]) => until > from && start < to);
  return (
    <figure class="close-view">
      <figcaption class="soft">
        Spectrogram to {HIGHEST / 1000} kHz, alignment: {from.toFixed(1)} to {to.toFixed(1)} s
      </figcaption>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: words and the slider do the same by keys */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: words and the slider do the same by keys */}
      <div
        class="picture-of-sound"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          onSeek(from + ((event.clientX - box.left) / box.width) * span);
        }}
      >
        <canvas ref={canvas} />
        <span class="playhead" style={{ left: `${(100 * (time - from)) / span}%` }} />
        <div class="lane words-lane" aria-hidden="true">
          {words.map(([each, until]) => {
            const start = Math.max(each.start, from);
            const said = `${(100 * (each.end - start)) / (until - start)}%`;
            return (
              <span
                key={each.start}
                class={each === word ? "now" : ""}
                style={{ ...place(start, until), "--said": said }}
              >
                {each.text}
              </span>
            );
          })}
        </div>
        <div class="lane characters-lane" aria-hidden="true">
          {words.flatMap(([each]) =>
            each.characters
              .filter(({ start, end }) => end > from && start < to)
              .map((character) => (
                <span
                  key={`${character.start} ${character.text}`}
                  style={place(Math.max(character.start, from), character.end)}
                >
                  {character.text}
                </span>
              )),
          )}
        </div>
      </div>
    </figure>
  );
}
