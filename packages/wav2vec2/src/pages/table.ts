import { escapeHtml } from "./html.js";

export interface Table {
  /** What it is of, for those who do not see it. */
  label: string;
  /** HTML of each column's head. */
  header: readonly string[];
  /** HTML of each cell; the first of a row is its head. */
  rows: readonly (readonly string[])[];
  /** Beside `numbers`, such as `texts` for cells that are no numbers. */
  className?: string;
}

/** A table that scrolls sideways where it is wider than its page, also by keys. */
export function renderTable({ label, header, rows, className = "" }: Table): string {
  const heads = header.map((cell) => `<th scope="col">${cell}</th>`).join("");
  const lines = rows.map(([head, ...cells]) => {
    return `<tr><th scope="row">${head}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return `<div class="scroll" role="region" aria-label="${escapeHtml(label)}" tabindex="0"><table class="${`numbers ${className}`.trim()}"><thead><tr>${heads}</tr></thead>
<tbody>${lines.join("\n")}</tbody></table></div>`;
}
