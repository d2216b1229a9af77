import { escapeHtml } from "../../../pages/html.js";
import type { Rows } from "../metric-series.js";

/**
 * What looked wrong in a run, in the words in which it was said; nothing where nothing did.
 *
 * @param findings the lines of `findings.jsonl`
 * @param collapsed whether the run's newest validation was of collapsed codebooks, which is said here where no finding
 * says it: too soon to be sure of while it trained
 */
export function findingSection(findings: Rows, collapsed: boolean): string {
  const items = findingItems(findings, collapsed);
  return items.length === 0 ? "" : renderFindings(listOf(items));
}

/** @param content HTML between the heading and where to read more */
export function renderFindings(content: string): string {
  return `<section class="findings"><h2>What looked wrong</h2>
${content}
<p>docs/pretraining-troubles.md tells of each what it comes from and what to do; docs/tracking.md of those of the machine.</p></section>`;
}

export function listOf(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${item}</li>`).join("\n")}</ul>`;
}

/** HTML of each finding, as {@link findingSection} has them. */
export function findingItems(findings: Rows, collapsed: boolean): string[] {
  const items = findings.flatMap(({ step, text }) =>
    typeof text === "string" ? [`<b>Step ${step.toLocaleString("en")}</b> ${escapeHtml(text)}`] : [],
  );
  if (collapsed && !findings.some(({ name }) => name === "collapse")) {
    items.push(
      "<b>Last validation</b> The codebooks have collapsed: nearly all frames get the same codes, so that loss and accuracy " +
        "say nothing.",
    );
  }
  return items;
}
