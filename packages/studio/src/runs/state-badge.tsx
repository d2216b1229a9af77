import type { RunState } from "../shared.js";

const TEXTS: Record<RunState, { text: string; about: string }> = {
  running: { text: "running", about: "its process is there" },
  finished: { text: "finished", about: "it came to its end" },
  interrupted: { text: "interrupted", about: "it was asked to stop, and can go on with --resume" },
  failed: { text: "failed", about: "an error ended it" },
  stopped: { text: "stopped", about: "its process ended without a word, as killed ones do" },
};

/** How a run is doing, in a word and a colour. */
export function StateBadge({ state }: { state: RunState }) {
  const { text, about } = TEXTS[state];
  return (
    <span class={`badge ${state}`} title={about}>
      {text}
    </span>
  );
}
