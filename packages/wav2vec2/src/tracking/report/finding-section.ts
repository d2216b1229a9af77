import { escapeHtml } from "./chart.js";
import type { Rows } from "./metric-series.js";

/**
 * What looked wrong in a run, in the words in which it was said; nothing where nothing did.
 *
 * @param findings the lines of `findings.jsonl`
 * @param collapsed whether the run's newest validation was of collapsed codebooks, which is said here where no finding
 * says it: too soon to be sure of while it trained
 */
export function findingSection(findings: Rows, collapsed: boolean): string {
  const items = findings.flatMap(({ step, text }) =>
    typeof text === "string" ? [`<b>Step ${step.toLocaleString("en")}</b> ${escapeHtml(text)}`] : [],
  );
  if (collapsed && !findings.some(({ name }) => name === "collapse")) {
    items.push(
      "<b>Last validation</b> The codebooks have collapsed: nearly all frames get the same codes, so that loss and accuracy " +
        "say nothing.",
    );
  }
  if (items.length === 0) return "";
  return `<section class="findings"><h2>What looked wrong</h2>
<ul>${items.map((item) => `<li>${item}</li>`).join("\n")}</ul>
<p>docs/pretraining-troubles.md tells of each what it comes from and what to do.</p></section>`;
}
