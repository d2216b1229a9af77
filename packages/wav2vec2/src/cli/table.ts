import { displayWidth, padToWidth } from "../unicode/display-width.js";

/** Columns for a fixed-width font: the first to the left, the others to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((name, column) =>
    Math.max(...[name, ...rows.map((row) => row[column]!)].map(displayWidth)),
  );
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => padToWidth(cell, widths[column]!, column === 0 ? "end" : "start"))
      .join("  ")
      .trimEnd(),
  );
}
