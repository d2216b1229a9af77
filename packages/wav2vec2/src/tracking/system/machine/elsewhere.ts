import { cpus } from "node:os";
import type { MachineCounters } from "./counters.js";

/** On systems other than Linux, where programs have to be started to learn most of it. */
export async function readElsewhere(): Promise<MachineCounters> {
  const { default: system } = await import("systeminformation");
  const [memory, interfaces, disks] = await Promise.all([
    system.mem(),
    system.networkStats("*").catch(() => []),
    system.fsStats().catch(() => null), // null on Windows
  ]);
  const { total, available, swapused: used } = memory;
  const real = interfaces.filter(({ iface }) => !/^lo\d*$/.test(iface));
  return {
    cpu: cpuTimes(),
    memory: { total, available },
    // How much goes in and out is not told; what lies there is.
    swap: { in: Number.NaN, out: Number.NaN, used },
    network: {
      sent: real.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
      received: real.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    },
    disks: disks ? { read: disks.rx, written: disks.wx } : undefined,
  };
}

function cpuTimes(): MachineCounters["cpu"] {
  const times = cpus().map(({ times: { user, nice, sys, irq, idle } }) => ({
    busy: user + nice + sys + irq,
    idle,
  }));
  const busy = times.reduce((sum, cpu) => sum + cpu.busy, 0);
  return { busy, all: busy + times.reduce((sum, { idle }) => sum + idle, 0) };
}
