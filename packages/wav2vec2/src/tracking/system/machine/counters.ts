/** What a machine says of itself at a moment; what it does not say is undefined. Bytes and times count since it was started. */
export interface MachineCounters {
  /** Time of all its processors together, in any one unit. */
  cpu: { busy: number; all: number };
  /** Bytes. What programs can still get counts as available, caches too. */
  memory: { total: number; available: number };
  /** Bytes that went to the disk and came back as memory was short, and those that lie there. */
  swap?: { out: number; in: number; used: number } | undefined;
  /** Bytes over all interfaces to other machines. */
  network?: { sent: number; received: number } | undefined;
  /** Bytes of all whole disks together. */
  disks?: { read: number; written: number } | undefined;
}
