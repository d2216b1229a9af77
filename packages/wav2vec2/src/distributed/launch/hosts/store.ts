import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What the launchers need of libtorch's TCPStore: values by key that all hosts see. */
export interface Store {
  readonly host: string;
  readonly port: number;
  set(key: string, value: string): Promise<void>;
  getText(key: string): Promise<string>;
  check(keys: readonly string[]): Promise<boolean>;
  add(key: string, amount: number): Promise<number>;
  close(): Promise<void>;
}

export interface StoreOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  isServer: boolean;
  timeoutMs: number;
}

export type OpenStore = (options: StoreOptions) => Promise<Store>;

/** libtorch is loaded only here; of the launcher's work, nothing else needs it. */
export const openTcpStore: OpenStore = async (options) => {
  // It writes traces of C++ about every failed attempt; what failed for good is said in words.
  process.env.TORCH_CPP_LOG_LEVEL ??= "FATAL";
  if (!options.isServer) await untilListening(options);
  const { distributed } = await import("@wav2vec2/libtorch");
  return await distributed.TCPStore.open(options);
};

/** Waits until something listens there. */
async function untilListening({ host, port, timeoutMs }: StoreOptions): Promise<void> {
  const began = performance.now();
  for (let wait = 50; ; wait = Math.min(2 * wait, 1_000)) {
    try {
      return await tryConnect(host, port);
    } catch (error) {
      if (performance.now() - began + wait > timeoutMs) throw error;
    }
    await sleep(wait);
  }
}

function tryConnect(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 5_000 });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("timeout", () => socket.destroy(new Error(`no answer from ${host}:${port}`)));
    socket.once("error", reject);
  });
}
