import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { libtorchInfo } from "@wav2vec2/libtorch";

/**
 * Measured numbers for guides. With EVIDENCE=docs, `write` puts them as a Markdown table between the lines
 * `<!-- NAME VERSION -->` and `<!-- end -->` of the page there that has them, where VERSION is libtorch's. With
 * EVIDENCE=FILE.json it is added to the list in that file.
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
    const pages = readdirSync(path).filter((name) => name.endsWith(".md"));
    const page = pages
      .map((name) => join(path, name))
      .find((file) => readFileSync(file, "utf8").includes(begin));
    if (page === undefined)
      throw new Error(`A page of ${path} must have the line ${begin.trim()}, but none has.`);
    const [before, after] = readFileSync(page, "utf8").split(begin) as [string, string];
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
    const table = [this.columns, this.columns.map(() => "---"), ...this.#rows].map(line).join("");
    writeFileSync(page, `${before}${begin}\n${table}\n${after.slice(after.indexOf("<!-- end -->"))}`);
  }
}
