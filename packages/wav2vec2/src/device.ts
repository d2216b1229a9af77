import { type Device, type Gpus, gpus, libtorchInfo } from "@wav2vec2/libtorch";
import { setupCommand } from "@wav2vec2/libtorch/places";
import { DEVICE_PATTERN, DEVICES } from "./device-name.js";
import { ConfigurationError } from "./errors.js";

/**
 * The device that is meant, once it is known that this machine has it.
 *
 * @param wanted `auto` takes an NVIDIA GPU where libtorch can use one, and the CPU otherwise. Apple's GPU (mps) is only
 * taken by its name: its kernels have no float64, which the CTC loss is computed in.
 * @param index of the GPU where `wanted` names none, such as the process's rank on its host
 * @throws ConfigurationError where it is no device, or not there, saying what to install
 */
export function resolveDevice(
  wanted = "auto",
  { index = 0, available = gpus() }: { index?: number; available?: Gpus } = {},
): Device {
  if (!DEVICE_PATTERN.test(wanted))
    throw new ConfigurationError(`device must be ${DEVICES}, but is ${wanted}.`);
  const { cudaBuild, cudaDevices, mps } = available;
  if (wanted === "cpu" || (wanted === "auto" && cudaDevices === 0)) return "cpu";
  if (wanted === "mps") {
    if (mps) return wanted;
    throw new ConfigurationError(
      `device must be ${cudaDevices > 0 ? "cpu or cuda" : "cpu"} on this machine, but is mps: libtorch finds no GPU of Apple's.`,
    );
  }
  const named = /:(\d+)$/.exec(wanted)?.[1];
  const chosen = Number(named ?? index);
  if (chosen < cudaDevices) return `cuda:${chosen}`;
  throw new ConfigurationError(`device must be ${noCuda(chosen, cudaBuild, cudaDevices, wanted)}`);
}

function noCuda(chosen: number, cudaBuild: boolean, cudaDevices: number, wanted: string): string {
  if (!cudaBuild)
    return (
      `cpu with this libtorch, but is ${wanted}: ${libtorchInfo().version} is built without CUDA. Run ` +
      `'${setupCommand("cuda")}', which fetches one with it, or leave device out.`
    );
  if (cudaDevices === 0)
    return (
      `cpu on this machine, but is ${wanted}: libtorch ${libtorchInfo().version} has CUDA and finds no NVIDIA GPU. Install ` +
      "NVIDIA's driver (nvidia-smi must list the GPU), and see whether CUDA_VISIBLE_DEVICES hides it."
    );
  return `cuda:0 to cuda:${cudaDevices - 1} on this machine, but is ${wanted === "auto" ? `cuda:${chosen}` : wanted}.`;
}
