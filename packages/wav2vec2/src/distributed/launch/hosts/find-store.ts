import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../../errors.js";
import type { Environment } from "../../environment.js";
import {
  isLoopback,
  isOwn,
  localAddress,
  namesLoopback,
  outwardAddress,
  resolve,
} from "../../local-address.js";
import type { HostsPlan } from "../plan/hosts-plan.js";
import type { OpenStore, Store } from "./store.js";

/** Looks without a sign of life until a host is lost; in as much time the store must answer. */
export const PATIENCE_LOOKS = 10;

/**
 * Finds the store of the run, or hosts it where this is host 0, and says which address of this host the others get.
 *
 * @throws UserError where it cannot be reached in time, or its port is taken
 */
export async function findStore(
  hosts: HostsPlan,
  env: Environment,
  openStore: OpenStore,
  onNote: (text: string) => void,
): Promise<{ store: Store; leads: boolean; localAddress: string }> {
  const { address: host, port, rank, joinTimeout } = hosts;
  const address = await resolve(host, rank === 0 ? 10 : joinTimeout);
  const { store, leads } = await openEither(hosts, address, openStore);
  const own = hosts.localAddress ?? (await ownAddress(env, host, port, leads));
  onNote(
    leads
      ? `Hosts find each other at ${host}:${store.port}, which is here; this host is ${own}.`
      : `Found the run at ${host}:${store.port}; this host is ${own}.`,
  );
  if (!isLoopback(address) && isLoopback(own))
    onNote(
      `${own} can be reached from this host only. Pass --local-addr, or set GLOO_SOCKET_IFNAME to an interface.`,
    );
  return { store, leads, localAddress: own };
}

/** Hosts the store where this is host 0; where nobody said who is, the one that the address belongs to and that is first. */
async function openEither(
  { address: host, port, rank, byAddress, joinTimeout }: HostsPlan,
  address: string,
  openStore: OpenStore,
): Promise<{ store: Store; leads: boolean }> {
  const first = byAddress ? isOwn(address) : rank === 0;
  if (first) {
    try {
      return { store: await openStore({ host, port, isServer: true, timeoutMs: 30_000 }), leads: true };
    } catch (error) {
      if (!byAddress)
        throw new UserError(
          `--rdzv-endpoint must name a port of this host that is free, but ${host}:${port} cannot be taken: ${(error as Error).message}`,
        );
    }
  }
  try {
    return {
      store: await openStore({ host, port, isServer: false, timeoutMs: joinTimeout * 1_000 }),
      leads: false,
    };
  } catch (error) {
    const own =
      isLoopback(address) && address !== host
        ? ` ${host} is ${address} here, which is this host itself: give the address of host 0 instead.`
        : "";
    throw new UserError(
      `--rdzv-endpoint must be where host 0 is reached, but ${host}:${port}${address === host ? "" : ` (${address})`} did not answer within ${joinTimeout} s.${own} Check that launch runs there with --node-rank 0, and that a firewall lets port ${port} and those above 1023 through.`,
      { cause: error },
    );
  }
}

async function ownAddress(env: Environment, host: string, port: number, leads: boolean): Promise<string> {
  const address = await localAddress(env, host, port);
  return leads && isLoopback(address) && !namesLoopback(host) ? (outwardAddress() ?? address) : address;
}

/** The store, and so host 0, cannot be reached any more. */
export class StoreLost extends UserError {
  // As the bridge's: a process that does not answer is no mistake of the user's.
  override readonly name = "DistributedError";
}

/** @throws StoreLost where the store does not answer in time */
export async function answered<T>(answer: Promise<T>, { address, port, interval }: HostsPlan): Promise<T> {
  const timer = new AbortController();
  const at = `the launcher at ${address}:${port}`;
  const seconds = PATIENCE_LOOKS * interval;
  const late = sleep(seconds * 1_000, undefined, { signal: timer.signal }).then(() => {
    throw new StoreLost(`${at} has not answered for ${seconds} s. It, or the network to it, is down.`);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    if (error instanceof StoreLost) throw error;
    throw new StoreLost(`${at} does not answer any more: ${(error as Error).message}`);
  } finally {
    timer.abort();
    late.catch(() => {});
    answer.catch(() => {});
  }
}
