interface Name {
  pattern: RegExp;
  name: string;
  scale?: number;
}

/** https://mlflow.org/docs/latest/ml/tracking/system-metrics: sizes there are in megabytes of 10^6 bytes. */
const NAMES: readonly Name[] = [
  { pattern: /^cpu$/, name: "cpu_utilization_percentage" },
  { pattern: /^memory_percent$/, name: "system_memory_usage_percentage" },
  { pattern: /^disk\..*\.usagePercent$/, name: "disk_usage_percentage" },
  { pattern: /^disk\..*\.usageGB$/, name: "disk_usage_megabytes", scale: 2 ** 30 / 1e6 },
  { pattern: /^disk\..*\.freeGB$/, name: "disk_available_megabytes", scale: 2 ** 30 / 1e6 },
  { pattern: /^network\.recv$/, name: "network_receive_megabytes", scale: 1e-6 },
  { pattern: /^network\.sent$/, name: "network_transmit_megabytes", scale: 1e-6 },
  { pattern: /^gpu\.(\d+)\.gpu$/, name: "gpu_$1_utilization_percentage" },
  { pattern: /^gpu\.(\d+)\.memoryAllocated$/, name: "gpu_$1_memory_usage_percentage" },
  { pattern: /^gpu\.(\d+)\.memoryAllocatedBytes$/, name: "gpu_$1_memory_usage_megabytes", scale: 1e-6 },
  { pattern: /^gpu\.(\d+)\.powerWatts$/, name: "gpu_$1_power_usage_watts" },
  { pattern: /^gpu\.(\d+)\.powerPercent$/, name: "gpu_$1_power_usage_percentage" },
];

/**
 * A value of a system reading under MLflow's own name, by which its page of system metrics shows it; what MLflow has no name for
 * keeps its own.
 */
export function systemMetric(own: string, value: number): { name: string; value: number } {
  const found = NAMES.find(({ pattern }) => pattern.test(own));
  if (!found) return { name: own, value };
  return { name: own.replace(found.pattern, found.name), value: value * (found.scale ?? 1) };
}
