import { native } from "../native.js";

/** What the loaded libtorch can do on NVIDIA's cards. */
export interface CudaBuild {
  /** CUDA's version, such as "13.2". */
  readonly version: string;
  /** Compute capabilities whose machine code its kernels have, such as "8.0"; none where no driver runs it. */
  readonly capabilities: readonly string[];
  /** Those whose intermediate code (PTX) they have, which the driver of any later card compiles. */
  readonly intermediate: readonly string[];
}

/** The loaded libtorch's CUDA, with a card or without; undefined for a build without CUDA. */
export function cudaBuild(): CudaBuild | undefined {
  return parseCudaConfiguration(native.information().cudaConfiguration);
}

/** @internal `configuration`: libtorch's own account, with lines such as "- CUDA Runtime 13.2". */
export function parseCudaConfiguration(configuration: string): CudaBuild | undefined {
  const version = /CUDA Runtime (\d+\.\d+)/.exec(configuration)?.[1];
  if (version === undefined) return undefined;
  const codes = [...configuration.matchAll(/code=(sm|compute)_(\d+)(\d)(?![\da-z])/g)];
  const of = (kind: string) => [
    ...new Set(codes.flatMap(([, code, major, minor]) => (code === kind ? [`${major}.${minor}`] : []))),
  ];
  return { version, capabilities: of("sm"), intermediate: of("compute") };
}

/**
 * Whether the kernels run on a card, as far as libtorch says what they are. Machine code runs on its own generation, from its own minor number on.
 *
 * @param capability of the card, such as "8.6"
 */
export function runsOnCapability(build: CudaBuild, capability: string): boolean {
  const parts = (text: string) => text.split(".").map(Number) as [major: number, minor: number];
  const [major, minor] = parts(capability);
  if (build.capabilities.length + build.intermediate.length === 0) return true;
  return (
    build.capabilities.map(parts).some(([own, from]) => own === major && from <= minor) ||
    build.intermediate.map(parts).some(([own, from]) => own < major || (own === major && from <= minor))
  );
}
