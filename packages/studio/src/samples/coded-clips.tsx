import { useEffect, useRef } from "preact/hooks";
import { path } from "../api.js";
import { percent } from "../format.js";
import { type ClipSample, marks, roundTimes, shade, strip, wave } from "../shared.js";
import { StepChoice } from "./step-choice.js";
import { type SamplesProps, useSamples } from "./use-samples.js";

/** Clips of a validation of pre-training: what was hidden, which codes there are, and what was found; to listen to. */
export function CodedClips(props: SamplesProps) {
  const { id, steps } = props;
  const { step, setStep, data } = useSamples<ClipSample>("coded-clips", props);
  return (
    <section aria-label="Clips">
      <div class="toolbar">
        <StepChoice steps={steps} step={step} onChoose={setStep} />
        <span class="soft swatches">
          <i class="swatch masked" /> hidden from the model <i class="swatch found" /> found again among the
          distractors <i class="swatch missed" /> not found
        </span>
      </div>
      {data?.map((clip) => (
        <Clip key={clip.id} run={id} clip={clip} />
      ))}
    </section>
  );
}

function Clip({ run, clip }: { run: string; clip: ClipSample }) {
  const { id, seconds, waveform, masked, codes, found, audio } = clip;
  const player = useRef<HTMLAudioElement>(null);
  const tracks = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLElement>(null);
  const frames = codes.length;
  const hidden = masked.flatMap(([first, behind]) =>
    Array.from({ length: Math.max(0, behind - first) }, (_, index) => first + index),
  );
  const hits = hidden.filter((frame) => found[frame]).length;
  useEffect(() => {
    const element = player.current;
    if (!element) return;
    let frame = 0;
    const move = (): void => {
      const share = element.duration > 0 ? element.currentTime / element.duration : 0;
      head.current!.hidden = share === 0;
      head.current!.style.left = `${share * 100}%`;
      if (!element.paused) frame = requestAnimationFrame(move);
    };
    const events = ["play", "pause", "seeked", "timeupdate"];
    for (const event of events) element.addEventListener(event, move);
    return () => {
      cancelAnimationFrame(frame);
      for (const event of events) element.removeEventListener(event, move);
    };
  }, []);
  /** A click on a track plays from there. */
  const seek = (event: MouseEvent): void => {
    const element = player.current;
    if (!element) return;
    const box = tracks.current!.getBoundingClientRect();
    element.currentTime = ((event.clientX - box.left) / box.width) * seconds;
    element.play().catch(() => {}); // stopped before it began
  };
  const track = (name: string, kind: string, content: string) => (
    <Track
      key={name}
      name={name}
      kind={kind}
      viewBox={`0 0 ${frames} ${kind === "wave" ? 2 : 1}`}
      content={content}
    />
  );
  return (
    <article class="sample clip" aria-label={id}>
      <header>
        <h3>{id}</h3>
        <span class="soft">
          {seconds.toFixed(1)} s,{" "}
          {hidden.length === 0
            ? "nothing masked"
            : `${percent(hits / hidden.length)} of ${hidden.length} masked frames found`}
        </span>
        {audio && (
          // biome-ignore lint/a11y/useMediaCaption: nobody has written down what is said
          <audio
            ref={player}
            controls
            preload="none"
            src={path("audio", { run, clip: audio })}
            aria-label={`Listen to ${id}`}
          />
        )}
      </header>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the player above does the same by keys */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
      <div ref={tracks} class={audio ? "tracks playable" : "tracks"} onClick={seek}>
        {track("waveform", "wave", shade(masked) + wave(waveform, frames))}
        {codes[0]!.map((_, group) =>
          track(`codebook ${group}`, "strip", strip(codes, group, seconds / frames)),
        )}
        {track("found", "marks", marks(masked, found))}
        <i ref={head} class="playhead" hidden />
      </div>
      <TimeAxis seconds={seconds} />
    </article>
  );
}

/** A drawing over a clip's time. Its SVG comes from numbers alone. */
function Track({
  name,
  kind,
  viewBox,
  content,
}: {
  name: string;
  kind: string;
  viewBox: string;
  content: string;
}) {
  return (
    <div class="track">
      <span class="soft">{name}</span>
      <svg
        class={kind}
        viewBox={viewBox}
        preserveAspectRatio="none"
        role="img"
        aria-label={name}
        dangerouslySetInnerHTML={{ __html: content }}
      />
    </div>
  );
}

function TimeAxis({ seconds }: { seconds: number }) {
  return (
    <svg class="time-axis" aria-hidden="true">
      {roundTimes(seconds).map((at) => (
        <text key={at} x={`${(at / seconds) * 100}%`} y="12">
          {at} s
        </text>
      ))}
    </svg>
  );
}
