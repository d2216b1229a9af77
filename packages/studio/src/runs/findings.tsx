import { count } from "../format.js";
import type { RunOverview } from "../shared.js";
import { endsCollapsed } from "./collapse.js";

/** What looked wrong in a run, and what it ended of, in the words in which it was said. */
export function Findings({ overview }: { overview: RunOverview }) {
  const { findings, description, summary } = overview;
  const isCollapsed = endsCollapsed(overview) && !findings.some(({ name }) => name === "collapse");
  const failure = summary.state === "failed" ? description?.reason : undefined;
  if (findings.length === 0 && failure === undefined && !isCollapsed) return null;
  return (
    <section class="findings" aria-labelledby="findings-title">
      <h2 id="findings-title">What looked wrong</h2>
      <ul>
        {failure !== undefined && (
          <li>
            <b>It failed</b> {failure}
          </li>
        )}
        {findings.map(({ step, name, text }) => (
          <li key={`${step}-${name}`}>
            <b>Step {count(step)}</b> {text}
          </li>
        ))}
        {isCollapsed && (
          <li>
            <b>Last validation</b> The codebooks have collapsed: nearly all frames get the same codes, so that
            loss and accuracy say nothing.
          </li>
        )}
      </ul>
      {(findings.length > 0 || isCollapsed) && (
        <p>docs/pretraining-troubles.md and docs/tracking.md tell what each comes from and what to do.</p>
      )}
    </section>
  );
}
