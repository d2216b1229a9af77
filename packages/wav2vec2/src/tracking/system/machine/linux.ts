import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { smallestLimit } from "./cgroup-memory.js";
import type { MachineCounters } from "./counters.js";

/** A sector of `/proc/diskstats`, whatever the disk's own are. */
const SECTOR = 512;

/** Reads `/proc`, in well under a millisecond. @param root of the file system; another one for tests */
export function readLinux(root = "/"): MachineCounters {
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  const meminfo = read("proc/meminfo");
  const memory = memoryOf(meminfo);
  const limit = smallestLimit(root);
  const isLimited = limit !== undefined && limit.total < memory.total;
  return {
    cpu: cpuOf(read("proc/stat")),
    memory: isLimited
      ? { total: limit.total, available: Math.min(limit.available, memory.available) }
      : memory,
    swap: swapOf(read("proc/vmstat"), meminfo, pageSize(join(root, "proc/self/auxv"))),
    network: networkOf(read("proc/net/dev"), (name) =>
      existsSync(join(root, "sys/class/net", name, "device")),
    ),
    disks: disksOf(read("proc/diskstats"), (name) => existsSync(join(root, "sys/block", name, "device"))),
  };
}

/** The bytes of one disk or partition, by the number that `stat` gives for what lies on it; undefined for file systems of no disk. */
export function diskOf(
  diskstats: string,
  device: number,
): { name: string; read: number; written: number } | undefined {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return diskLines(diskstats).find((disk) => disk.major === major && disk.minor === minor);
}

function cpuOf(stat: string): MachineCounters["cpu"] {
  // user nice system idle iowait irq softirq steal; guest time is in user already
  const times = /^cpu +(.*)$/m.exec(stat)![1]!.split(" ").map(Number).slice(0, 8);
  const all = times.reduce((sum, time) => sum + time, 0);
  return { busy: all - times[3]! - (times[4] ?? 0), all };
}

function memoryOf(meminfo: string): MachineCounters["memory"] {
  const field = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(meminfo)?.[1] ?? Number.NaN) * 1024;
  return { total: field("MemTotal"), available: field("MemAvailable") };
}

/** Of the kernel, in bytes: it counts swapped pages, which are of 16 or 64 kB on some ARM machines. */
function pageSize(auxiliaryVector: string): number {
  const AT_PAGESZ = 6n;
  try {
    const bytes = readFileSync(auxiliaryVector);
    for (let at = 0; at + 16 <= bytes.length; at += 16)
      if (bytes.readBigUInt64LE(at) === AT_PAGESZ) return Number(bytes.readBigUInt64LE(at + 8));
  } catch {}
  return 4096;
}

function swapOf(vmstat: string, meminfo: string, page: number): MachineCounters["swap"] {
  const pages = (name: string) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(vmstat)?.[1] ?? Number.NaN);
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(meminfo)?.[1] ?? Number.NaN);
  const swap = {
    out: pages("pswpout") * page,
    in: pages("pswpin") * page,
    used: (kilobytes("SwapTotal") - kilobytes("SwapFree")) * 1024,
  };
  return Object.values(swap).every(Number.isFinite) ? swap : undefined;
}

/** Bridges and tunnels would count bytes twice: what has a device counts, or all but loopback where nothing has, as in containers. */
function networkOf(table: string, hasDevice: (name: string) => boolean): MachineCounters["network"] {
  const rows = table.split("\n").flatMap((line) => {
    const [, name, counters] = /^ *([^:]+): *(.*)$/.exec(line) ?? [];
    if (name === undefined || name === "lo") return [];
    const numbers = counters!.split(/ +/).map(Number);
    return [{ name, received: numbers[0]!, sent: numbers[8]! }];
  });
  const real = rows.filter(({ name }) => hasDevice(name));
  const counted = real.length > 0 ? real : rows;
  if (counted.length === 0) return undefined;
  return {
    sent: counted.reduce((sum, { sent }) => sum + sent, 0),
    received: counted.reduce((sum, { received }) => sum + received, 0),
  };
}

/** Partitions and what is made of several disks would count twice. */
function disksOf(diskstats: string, hasDevice: (name: string) => boolean): MachineCounters["disks"] {
  const disks = diskLines(diskstats).filter(({ name }) => hasDevice(name));
  if (disks.length === 0) return undefined;
  return {
    read: disks.reduce((sum, { read }) => sum + read, 0),
    written: disks.reduce((sum, { written }) => sum + written, 0),
  };
}

function diskLines(diskstats: string) {
  return diskstats.split("\n").flatMap((line) => {
    const fields = line.trim().split(/ +/);
    if (fields.length < 10) return [];
    return [
      {
        major: Number(fields[0]),
        minor: Number(fields[1]),
        name: fields[2]!,
        read: Number(fields[5]) * SECTOR,
        written: Number(fields[9]) * SECTOR,
      },
    ];
  });
}
