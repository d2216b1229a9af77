/** Text that Markdown and HTML leave as it is, on one line. */
export function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[&<>|*_`[\]\\#~$]/g, (sign) => `&#${sign.codePointAt(0)};`);
}

/** @param rows of plain text */
export function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map((cells) => line(cells.map((cell) => plain(String(cell))))),
  ].join("\n");
}

/** @param items plain text */
export function list(items: readonly string[]): string {
  return items.map((item) => `- ${plain(item)}`).join("\n");
}

/** Text with its line breaks, in letters of equal width. */
export function block(text: string): string {
  return text.replace(/\n$/, "").replaceAll(/^/gm, "    ");
}
