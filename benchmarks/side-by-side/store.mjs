// Results of rows, so that a table can be completed and its rows measured anew.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** @typedef {{ seconds: number[], peakMb: number, commit: string, date: string }} Run one process of a row */

export class Store {
  /** @param {string} path of its JSON */
  constructor(path) {
    this.path = path;
    /** @type {{ machine?: object, rows: Record<string, { runs: Run[], error?: string }> }} */
    this.content = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { rows: {} };
  }

  /** @param {string} id */
  row(id) {
    return this.content.rows[id] ?? { runs: [] };
  }

  /** Forgets what was measured of a row, or, to go on with it, that it failed. */
  begin(id, goOn) {
    const { runs } = this.row(id);
    this.content.rows[id] = { runs: goOn ? runs : [] };
  }

  /** Of one process; an error takes nothing away that was measured before. */
  add(id, run) {
    const { runs } = this.row(id);
    this.content.rows[id] = run.error ? { runs, error: run.error } : { runs: [...runs, run] };
    this.#write();
  }

  /** What the rows were measured on. */
  setMachine(machine) {
    this.content.machine = machine;
    this.#write();
  }

  #write() {
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(`${this.path}.new`, `${JSON.stringify(this.content, null, 1)}\n`);
    renameSync(`${this.path}.new`, this.path);
  }
}
