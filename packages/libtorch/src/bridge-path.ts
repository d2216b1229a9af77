import { fileURLToPath } from "node:url";

/** The addon that set-up builds; `LIBTORCH_BRIDGE` names another one. */
export function bridgePath(): string {
  return (
    process.env.LIBTORCH_BRIDGE ?? fileURLToPath(new URL("../build/libtorch_bridge.node", import.meta.url))
  );
}
