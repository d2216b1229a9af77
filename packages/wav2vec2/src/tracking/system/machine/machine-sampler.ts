import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { MachineCounters } from "./counters.js";
import { readElsewhere } from "./elsewhere.js";
import { diskOf, readLinux } from "./linux.js";
import { type RunDisk, readRunDisk } from "./run-disk.js";

const MB = 2 ** 20;
const GB = 2 ** 30;

/** What one look at the machine and this process finds. */
interface Look {
  /** Milliseconds, of a clock that only goes forward. */
  time: number;
  counters: MachineCounters;
  /** Microseconds of processor time that the process has used. */
  cpu: number;
  disk: RunDisk | undefined;
  /** Of the disk that the run is written to. */
  device: { name: string; read: number; written: number } | undefined;
}

export interface MachineSamplerOptions {
  /** Looks at what all processes of the machine share too: one of them does. */
  machine: boolean;
  /** The run directory, where this process writes it. */
  directory?: string | undefined;
}

/**
 * Looks at this process and its machine. Sums such as bytes count from the first look on, shares of time from the look
 * before.
 */
export class MachineSampler {
  #first: Look | undefined;
  #last: Look | undefined;

  constructor(private readonly options: MachineSamplerOptions) {}

  /** By the names of {@link SystemReading.values}; the first look has none that need a look before it. */
  async read(): Promise<Record<string, number>> {
    const now = await this.#look();
    const before = this.#last;
    this.#first ??= now;
    this.#last = now;
    const values = {
      ...ofProcess(now, before),
      ...(this.options.machine && ofMachine(now, before, this.#first)),
      ...ofDisk(now, this.#first),
    };
    const known = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    return Object.fromEntries(known.map(([name, value]) => [name, Math.round(1000 * value) / 1000]));
  }

  async #look(): Promise<Look> {
    const linux = process.platform === "linux";
    const counters = linux ? readLinux() : await readElsewhere();
    const { user, system } = process.cpuUsage();
    const disk = this.options.directory === undefined ? undefined : readRunDisk(this.options.directory);
    const device = linux && disk ? diskOf(readFileSync("/proc/diskstats", "utf8"), disk.device) : undefined;
    return { time: performance.now(), counters, cpu: user + system, disk, device };
  }
}

/** Of the whole process: all its threads, the training one among them. */
function ofProcess(
  { time, cpu, counters: { memory } }: Look,
  before: Look | undefined,
): Record<string, number> {
  const rss = process.memoryUsage.rss();
  const elapsed = before ? (time - before.time) * 1000 : Number.NaN;
  return {
    cpu: (100 * (cpu - (before?.cpu ?? 0))) / elapsed / availableParallelism(),
    "proc.memory.rssMB": rss / MB,
    "proc.memory.percent": (100 * rss) / memory.total,
    "proc.cpu.threads": threads(),
  };
}

/** Linux alone tells. */
function threads(): number {
  try {
    return Number(/^Threads:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  } catch {
    return Number.NaN;
  }
}

function ofMachine(
  { counters: { cpu, memory, swap, network, disks } }: Look,
  before: Look | undefined,
  first: Look,
): Record<string, number> {
  const last = before?.counters.cpu;
  return {
    "cpu.machine": last ? (100 * (cpu.busy - last.busy)) / (cpu.all - last.all) : Number.NaN,
    memory_percent: 100 * (1 - memory.available / memory.total),
    "proc.memory.availableMB": memory.available / MB,
    ...(swap && {
      "swap.inMB": (swap.in - (first.counters.swap?.in ?? 0)) / MB,
      "swap.outMB": (swap.out - (first.counters.swap?.out ?? 0)) / MB,
      "swap.usedMB": swap.used / MB,
    }),
    ...(network && {
      "network.sent": network.sent - (first.counters.network?.sent ?? 0),
      "network.recv": network.received - (first.counters.network?.received ?? 0),
    }),
    ...(disks && {
      "disk.in": (disks.read - (first.counters.disks?.read ?? 0)) / MB,
      "disk.out": (disks.written - (first.counters.disks?.written ?? 0)) / MB,
    }),
  };
}

function ofDisk({ disk, device }: Look, first: Look): Record<string, number> {
  if (!disk) return {};
  const used = disk.total - disk.free;
  return {
    [`disk.${disk.mount}.usagePercent`]: (100 * used) / disk.total,
    [`disk.${disk.mount}.usageGB`]: used / GB,
    [`disk.${disk.mount}.freeGB`]: disk.free / GB,
    "run.modelsGB": disk.models / GB,
    ...(device && {
      [`disk.${device.name}.in`]: (device.read - (first.device?.read ?? 0)) / MB,
      [`disk.${device.name}.out`]: (device.written - (first.device?.written ?? 0)) / MB,
    }),
  };
}
