import type { SystemReading } from "../system-reading.js";
import { diskFull } from "./disk-finding.js";
import { idleGpu, throttling } from "./gpu-findings.js";
import { memoryFull, swapping } from "./memory-findings.js";
import type { MachineFinding, Seen } from "./seen.js";

const FINDINGS: readonly MachineFinding[] = [throttling, idleGpu, swapping, memoryFull, diskFull];

/** As far back as any finding looks. */
const REMEMBERED_SECONDS = 31 * 60;
/** A trouble that was gone for so long is said again where it comes back. */
const LONG_GONE_SECONDS = 600;

/** Reads how the machines are and says what is wrong with them, each trouble once until it is over. */
export class MachineWatch {
  readonly #processes = new Map<number, SystemReading[]>();
  /** When each trouble that was said was seen last. */
  readonly #said = new Map<string, number>();

  /** @param run how it stands with it now */
  look(readings: readonly SystemReading[], run: Seen["run"]): { name: string; text: string }[] {
    for (const reading of readings) this.#add(reading);
    const now = Math.max(...readings.map(({ time }) => time));
    const seen = { processes: [...this.#processes.values()], run };
    return FINDINGS.flatMap(({ name, find }) =>
      find(seen).flatMap(({ about, text }) => {
        const key = `${name} ${about}`;
        const isNew = now - (this.#said.get(key) ?? Number.NEGATIVE_INFINITY) >= 1000 * LONG_GONE_SECONDS;
        this.#said.set(key, now);
        return isNew ? [{ name, text }] : [];
      }),
    );
  }

  #add(reading: SystemReading): void {
    const readings = this.#processes.get(reading.rank) ?? [];
    this.#processes.set(reading.rank, readings);
    readings.push(reading);
    while (reading.time - readings[0]!.time > 1000 * REMEMBERED_SECONDS) readings.shift();
  }
}
