import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diskOf, readLinux } from "./linux.js";
import { mountOf } from "./run-disk.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "machine-"));
  for (const [path, text] of Object.entries(MACHINE)) put(path, text);
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const DISKSTATS = `   7       0 loop0 9 0 999 0 9 0 999 0 0 0 0
 259       0 nvme0n1 76331 21421 2000 28946 544894 634338 4000 2013894 0 245692 2217220 380909 7015 1 1 1 1
 259       1 nvme0n1p1 1 1 500 1 1 1 700 1 0 1 1
 253       0 dm-0 1 1 500 1 1 1 700 1 0 1 1
   8       0 sda 1 1 10 1 1 1 20 1 0 1 1
`;
const MACHINE = {
  "proc/stat": "cpu  100 10 50 800 40 0 0 0 7 0\ncpu0 100 10 50 800 40 0 0 0 7 0\nintr 5\n",
  "proc/meminfo":
    "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nSwapTotal:       500 kB\nSwapFree:        450 kB\n",
  "proc/vmstat": "nr_free_pages 1\npswpin 10\npswpout 30\n",
  "proc/net/dev": `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999 1 0 0 0 0 0 0 9999 1 0 0 0 0 0 0
  eth0: 1000 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0
docker0:5000 1 0 0 0 0 0 0 6000 1 0 0 0 0 0 0
`,
  "proc/diskstats": DISKSTATS,
  "proc/self/cgroup": "0::/\n",
  "sys/class/net/eth0/device": "",
  "sys/block/nvme0n1/device": "",
  "sys/block/sda/device": "",
};

describe("a Linux machine", () => {
  it("tells processors, memory, swap, network and disks in their units", () => {
    expect(readLinux(root)).toEqual({
      cpu: { busy: 160, all: 1000 },
      memory: { total: 1_024_000, available: 409_600 },
      swap: { in: 40_960, out: 122_880, used: 51_200 },
      network: { sent: 200, received: 1000 },
      disks: { read: 2010 * 512, written: 4020 * 512 },
    });
  });

  it("counts pages of the size that its kernel has", () => {
    const vector = Buffer.alloc(48);
    vector.writeBigUInt64LE(16n, 0);
    vector.writeBigUInt64LE(6n, 16);
    vector.writeBigUInt64LE(65_536n, 24);
    put("proc/self/auxv", vector);
    expect(readLinux(root).swap?.in).toBe(655_360);
  });

  it("counts all interfaces but loopback where none is a device, as in a container", () => {
    rmSync(join(root, "sys/class/net/eth0/device"));
    expect(readLinux(root).network).toEqual({ sent: 6200, received: 6000 });
  });

  it("has no more memory than its group may use; what was read from disk is given up first", () => {
    put("proc/self/cgroup", "0::/system.slice/job_7/step_0\n");
    put("sys/fs/cgroup/system.slice/job_7/memory.max", "512000\n");
    put("sys/fs/cgroup/system.slice/job_7/memory.current", "500000\n");
    put("sys/fs/cgroup/system.slice/job_7/memory.stat", "anon 1\ninactive_file 200000\n");
    put("sys/fs/cgroup/system.slice/job_7/step_0/memory.max", "max\n");
    put("sys/fs/cgroup/system.slice/job_7/step_0/memory.current", "500000\n");
    expect(readLinux(root).memory).toEqual({ total: 512_000, available: 212_000 });
  });

  it("knows groups of the first version, whose path a container does not see", () => {
    put("proc/self/cgroup", "9:name=systemd:/\n4:memory:/docker/7f44a743\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "300000\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "290000\n");
    put("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 40000\n");
    expect(readLinux(root).memory).toEqual({ total: 300_000, available: 50_000 });
  });

  it("has its own memory where a limit is above it, or none", () => {
    put("proc/self/cgroup", "4:memory:/\n0::/\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n");
    put("sys/fs/cgroup/memory.max", "5000000000\n");
    put("sys/fs/cgroup/memory.current", "1\n");
    expect(readLinux(root).memory.total).toBe(1_024_000);
  });

  it("finds the disk of a file by its number", () => {
    expect(diskOf(DISKSTATS, (259 << 8) | 1)).toMatchObject({ name: "nvme0n1p1", written: 700 * 512 });
    expect(diskOf(DISKSTATS, 0x2b)).toBeUndefined(); // of no disk, such as a container's
  });
});

it("a path lies in the innermost mount around it", () => {
  const mounts = ["/", "/data", "/data/fast", "/dat"];
  expect(mountOf("/data/fast/run", mounts)).toBe("/data/fast");
  expect(mountOf("/data/faster", mounts)).toBe("/data");
  expect(mountOf("/datum", mounts)).toBe("/");
  expect(mountOf("/data", mounts)).toBe("/data");
  expect(mountOf("/Users/me/run", [])).toBe("/Users/me/run");
});
