import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: "pipe" });
}

/** Two networks with a cable between them, on one machine: hosts 10.77.N.1 and 10.77.N.2. Needs Linux, root and iproute2. */
export class TwoNetworks {
  readonly names: readonly [string, string];
  readonly addresses: readonly [string, string];

  private constructor(prefix: string, subnet: number) {
    this.names = [`${prefix}${process.pid}a`, `${prefix}${process.pid}b`];
    this.addresses = [`10.77.${subnet}.1`, `10.77.${subnet}.2`];
  }

  /** @returns why there can be none here */
  static missing(): string | undefined {
    const name = `wt${process.pid}`;
    try {
      ip("netns", "add", name);
      ip("netns", "del", name);
      return undefined;
    } catch (error) {
      const said = String((error as Error).message)
        .split("\n")
        .at(-1);
      return said || "no iproute2 or no right to network namespaces";
    }
  }

  /** @param prefix of the names @param subnet N, of no other test */
  static make(prefix: string, subnet: number): TwoNetworks {
    const networks = new TwoNetworks(prefix, subnet);
    const [a, b] = networks.names;
    for (const name of networks.names) ip("netns", "add", name);
    const peer = ["type", "veth", "peer", "name", b, "netns", b];
    ip("link", "add", a, "netns", a, ...peer);
    for (const [i, name] of networks.names.entries()) {
      ip("-n", name, "addr", "add", `${networks.addresses[i]}/24`, "dev", name);
      for (const device of ["lo", name]) ip("-n", name, "link", "set", device, "up");
    }
    return networks;
  }

  /** What runs a program on a host. */
  inside(host: 0 | 1): string[] {
    return ["ip", "netns", "exec", this.names[host]];
  }

  /** Loses all that a host sends from now on, without a word to anybody: it goes to a card that is not there. */
  silence(host: 0 | 1): void {
    const there = ["neigh", "replace", this.addresses[1 - host]!, "dev", this.names[host]];
    ip("-n", this.names[host], ...there, "lladdr", "02:00:00:00:00:07", "nud", "permanent");
  }

  /** Makes up for {@link silence}. */
  mend(host: 0 | 1): void {
    ip("-n", this.names[host], "neigh", "del", this.addresses[1 - host]!, "dev", this.names[host]);
  }

  /** What names mean on a host, besides localhost; to programs that are started from now on. */
  hosts(host: 0 | 1, names: Readonly<Record<string, string>>): void {
    const directory = `/etc/netns/${this.names[host]}`;
    mkdirSync(directory, { recursive: true });
    const lines = Object.entries({ localhost: "127.0.0.1", ...names }).map(
      ([name, address]) => `${address} ${name}`,
    );
    writeFileSync(`${directory}/hosts`, `${lines.join("\n")}\n`);
  }

  remove(): void {
    for (const name of this.names) {
      ip("netns", "del", name);
      rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
    }
  }
}
