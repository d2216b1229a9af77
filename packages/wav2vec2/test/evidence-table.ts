import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { libtorchInfo } from "@wav2vec2/libtorch";

/**
 * Measured numbers for a guide. With EVIDENCE=docs/numerics.md, `write` puts them as a Markdown table between the lines
 * `<!-- NAME VERSION -->` and `<!-- end -->` there, where VERSION is libtorch's. With EVIDENCE=FILE.json it is added to
 * the list in that file.
 */
export class EvidenceTable {
  readonly #rows: string[][] = [];

  constructor(
    readonly name: string,
    readonly columns: readonly string[],
  ) {}

  add(...cells: (string | number)[]): void {
    this.#rows.push(cells.map((cell) => (typeof cell === "number" ? cell.toExponential(1) : cell)));
  }

  write(): void {
    const path = process.env.EVIDENCE;
    if (!path) return;
    if (path.endsWith(".json")) {
      const tables = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
      const table = { name: this.name, columns: this.columns, rows: this.#rows };
      writeFileSync(path, JSON.stringify([...tables, table]));
      return;
    }
    const begin = `<!-- ${this.name} ${libtorchInfo().version} -->\n`;
    const [before, after] = readFileSync(path, "utf8").split(begin);
    if (after === undefined) throw new Error(`${path} must have the line ${begin.trim()}, but has not.`);
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
    const table = [this.columns, this.columns.map(() => "---"), ...this.#rows].map(line).join("");
    writeFileSync(path, `${before}${begin}\n${table}\n${after.slice(after.indexOf("<!-- end -->"))}`);
  }
}
