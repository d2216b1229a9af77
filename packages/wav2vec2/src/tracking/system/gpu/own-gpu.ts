/**
 * What `nvidia-smi --id` calls the GPU that a process computes on; undefined where it has none. CUDA counts the GPUs that
 * `CUDA_VISIBLE_DEVICES` lists, up to the first that is none. A part of a GPU (MIG) is measured as the GPU that it is of.
 *
 * @param ordinal of CUDA: the 1 of `cuda:1`
 * @param listing of `nvidia-smi -L`, for what only that explains
 */
export async function ownGpu(
  ordinal: number,
  visible: string | undefined,
  listing: () => Promise<string>,
): Promise<string | undefined> {
  if (visible === undefined) return String(ordinal);
  const names = visible.split(",").map((name) => name.trim());
  const end = names.findIndex((name) => !/^(\d+|(GPU|MIG)-.+)$/.test(name));
  const name = (end === -1 ? names : names.slice(0, end))[ordinal];
  if (name === undefined || /^\d+$/.test(name)) return name;
  // "MIG-GPU-<uuid>/<GPU instance>/<compute instance>", as drivers before 470 write them
  const uuid = /^(?:MIG-)?(GPU-[^/]+)/.exec(name)?.[1];
  const gpus = gpusOf(await listing());
  // CUDA takes the beginning of a name too.
  return gpus.find((gpu) =>
    uuid ? gpu.uuid.startsWith(uuid) : gpu.parts.some((part) => part.startsWith(name)),
  )?.uuid;
}

/** "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-…)", and below it "  MIG 1g.10gb     Device  0: (UUID: MIG-…)" */
function gpusOf(listing: string): { uuid: string; parts: string[] }[] {
  const gpus: { uuid: string; parts: string[] }[] = [];
  for (const line of listing.split("\n")) {
    const uuid = /\(UUID: ([^)]+)\)/.exec(line)?.[1];
    if (uuid === undefined) continue;
    if (uuid.startsWith("GPU-")) gpus.push({ uuid, parts: [] });
    else gpus.at(-1)?.parts.push(uuid);
  }
  return gpus;
}
