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
  const { distributed } = await import("@wav2vec2/libtorch");
  return await distributed.TCPStore.open(options);
};
