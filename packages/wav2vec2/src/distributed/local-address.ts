import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigurationError, UserError } from "../errors.js";
import { type Environment, textOf } from "./environment.js";

/** The address that a launcher found for its processes, or was given as --local-addr. */
export const LOCAL_ADDRESS = "WAV2VEC2_LOCAL_ADDR";

/** Whether an address is only ever this host's own. */
export function isLoopback(address: string): boolean {
  return address === "::1" || /^127\./.test(address) || /^::ffff:127\./.test(address);
}

/** Whether a host is given as this one itself, not by a name that may mean another host elsewhere. */
export function namesLoopback(host: string): boolean {
  return host === "localhost" || isLoopback(host);
}

/**
 * The address at which other hosts reach this one: what the launcher says, else that of the interface GLOO_SOCKET_IFNAME
 * names, else that from which a packet would go to `host`. A host's own name often means 127.0.1.1 instead.
 *
 * @param host where rank 0 is, or another host
 * @throws ConfigurationError where GLOO_SOCKET_IFNAME names no interface with an address
 * @throws UserError where `host` has no address
 */
export async function localAddress(env: Environment, host: string, port: number): Promise<string> {
  const told = textOf(env, LOCAL_ADDRESS);
  if (told !== undefined) return told;
  const name = textOf(env, "GLOO_SOCKET_IFNAME");
  if (name !== undefined) return interfaceAddress(name.split(",")[0]!);
  return await addressTowards(await resolve(host), port);
}

/**
 * As {@link localAddress}, where the processes of `nodes` hosts meet at `address`.
 *
 * @throws UserError where it is one that the other hosts cannot reach. Several launchers that meet at 127.0.0.1 are on one host
 * and can
 */
export async function reachableAddress(
  env: Environment,
  { address, port, nodes }: { address: string; port: number; nodes: number },
): Promise<string> {
  const own = await localAddress(env, address, port);
  if (nodes === 1 || !isLoopback(own) || namesLoopback(address)) return own;
  throw new UserError(
    `This host's address must be one that the other ${nodes === 2 ? "host reaches" : `${nodes - 1} hosts reach`}, but is ${own}, since ` +
      `${address} is this host itself here. Give the first host's address in the network (MASTER_ADDR, or --rdzv-endpoint of ` +
      "launch), or set GLOO_SOCKET_IFNAME to the interface.",
  );
}

function interfaceAddress(name: string): string {
  const interfaces = networkInterfaces();
  const [address] = (interfaces[name] ?? []).toSorted((a, b) => a.family.localeCompare(b.family));
  if (address !== undefined) return address.address;
  throw new ConfigurationError(
    `GLOO_SOCKET_IFNAME must be an interface with an address, but is '${name}'. Here are: ${Object.keys(interfaces).join(", ")}.`,
  );
}

/** From which address of this host packets go to another. Nothing is sent. */
async function addressTowards(address: string, port: number): Promise<string> {
  const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(port || 9, address, () => resolve());
    });
    return socket.address().address;
  } catch (error) {
    throw new UserError(
      `${address} must be an address with a route to it, but ${(error as Error).message}.`,
      {
        cause: error,
      },
    );
  } finally {
    socket.close();
  }
}

/**
 * The address of a host. A name may be unknown for a while where the host itself is only being started, as a pod is, so it is
 * asked for again for `patience` seconds.
 *
 * @throws UserError where it stays unknown
 */
export async function resolve(host: string, patience = 0): Promise<string> {
  const began = performance.now();
  for (let wait = 100; ; wait = Math.min(2 * wait, 2_000)) {
    try {
      const { address } = await lookup(host);
      return address;
    } catch (error) {
      if (performance.now() - began > patience * 1_000)
        throw new UserError(
          `${host} must be a host that has an address, but ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}${patience > 0 ? ` for ${patience} s` : ""}. Check the name, or give the address.`,
          { cause: error },
        );
      await sleep(wait);
    }
  }
}

/** Whether an address is one of this host's. */
export function isOwn(address: string): boolean {
  return (
    isLoopback(address) ||
    Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === address))
  );
}

/** An address of this host that is not its own only, if it has one; IPv4 before IPv6. */
export function outwardAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal)
    .toSorted((a, b) => a.family.localeCompare(b.family))[0]?.address;
}
