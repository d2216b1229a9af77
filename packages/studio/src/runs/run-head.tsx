import { ago, count, dateTime } from "../format.js";
import { type RunOverview, TASK_NAMES } from "../shared.js";
import { useNow } from "./run-list.js";
import { StateBadge } from "./state-badge.js";

/** A run that writes a line every few seconds and then none for so long deserves a look. */
const SILENT_MS = 300_000;

/** What a run is: its name, how it is doing, where it runs. */
export function RunHead({ overview: { summary, description } }: { overview: RunOverview }) {
  const now = useNow();
  const { name, state, task, step, steps, updated } = summary;
  const facts = [
    task && TASK_NAMES[task].replace(/^./, (letter) => letter.toUpperCase()),
    description?.parameters && `${(description.parameters.all / 1e6).toPrecision(3)} M parameters`,
    description?.device && `on ${description.device}${description.host ? ` of ${description.host}` : ""}`,
    description?.processes && description.processes > 1 && `${description.processes} processes`,
    description?.began && `began ${dateTime(description.began)}`,
  ].filter(Boolean);
  const isSilent = state === "running" && now - updated > SILENT_MS;
  return (
    <header class="run-head">
      <div class="run-title">
        <h1>{name}</h1>
        <StateBadge state={state} />
        <span class={isSilent ? "silent" : "soft"}>
          {state === "running" ? "last sign" : "ended"} {ago(now - updated)}
        </span>
        {step !== undefined && steps !== undefined && (
          <span class="run-progress">
            <progress aria-label="Steps done" max={steps} value={Math.min(step, steps)} />
            <span>
              {count(step)} of {count(steps)} steps
            </span>
          </span>
        )}
      </div>
      <p class="soft">{facts.join(" · ")}</p>
    </header>
  );
}
