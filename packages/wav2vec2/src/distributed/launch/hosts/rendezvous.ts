import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigurationError, UserError } from "../../../errors.js";
import type { Environment } from "../../environment.js";
import { isLoopback, localAddress } from "../../local-address.js";
import type { HostsPlan } from "../plan/hosts-plan.js";
import { judge, type LostHost, type Verdict } from "../verdict.js";
import { answered, findStore, PATIENCE_LOOKS, StoreLost } from "./find-store.js";
import type { HostEnd, Round, Session, Trouble } from "./session.js";
import type { OpenStore, Store } from "./store.js";

// The launcher of host 0 hosts the store and decides: which hosts take part in a start, and what follows from its end.
// The others read that. Keys, all below "launch/":
//   id, lead          the run's name, and that its store is ready
//   hosts             how many have come; each is known by the number it got
//   host/ID           who that is (HostInfo)
//   beat/ID           a number that grows while that launcher lives
//   rounds, round/N   how many starts there were, and who takes part in the N-th (RoundInfo)
//   failed/N          how many hosts have had a failure in it
//   stopped/N         that processes of it ended because they were told to
//   end/N/ID          how it ended there (HostEnd), verdict/N what follows
//   over              why there will be no further start
//   gone/ID           that that launcher has ended: host 0, which hosts the store, waits for it
// Whether a host lives is told from its number growing between looks, never from clocks, which jump and differ.

interface HostInfo {
  id: number;
  name: string;
  localAddress: string;
  localSize: number;
  /** Its number, where it was given one. */
  rank?: number;
}

interface RoundInfo {
  attempt: number;
  members: { id: number; firstRank: number }[];
  size: number;
}

export interface RendezvousOptions {
  hosts: HostsPlan;
  localSize: number;
  runId: string | undefined;
  maxRestarts: number;
  env: Environment;
  openStore: OpenStore;
  onNote: (text: string) => void;
}

/** A host's beat as another sees it. */
interface Pulse {
  beat: number;
  looks: number;
}

export class Rendezvous implements Session {
  readonly #options: RendezvousOptions;
  readonly #store: Store;
  readonly #leads: boolean;
  readonly #runId: string;
  readonly #own: HostInfo;
  readonly #hosts = new Map<number, HostInfo>();
  readonly #pulses = new Map<number, Pulse>();
  readonly #stopped = new AbortController();
  #beats: Promise<void> | undefined;
  #attempt = -1;
  #round: RoundInfo | undefined;
  /** The number of this host among those that had a failure in this round. */
  #order: number | undefined;
  #knowsOfStop = false;

  private constructor(
    options: RendezvousOptions,
    store: Store,
    leads: boolean,
    runId: string,
    own: HostInfo,
  ) {
    this.#options = options;
    this.#store = store;
    this.#leads = leads;
    this.#runId = runId;
    this.#own = own;
    this.#hosts.set(own.id, own);
    this.#beats = this.#beat();
  }

  /**
   * Finds the store of the run, or hosts it where this is host 0.
   *
   * @throws UserError where it cannot be reached in time, or its port is taken
   */
  static async open(options: RendezvousOptions): Promise<Rendezvous> {
    const { hosts, localSize, env, openStore, onNote } = options;
    const { address: host, rank, joinTimeout } = hosts;
    const { store, leads, localAddress: local } = await findStore(hosts, env, openStore, onNote);
    const call = <T>(answer: Promise<T>): Promise<T> => answered(answer, hosts);
    let runId = options.runId;
    if (leads) {
      runId ??= newRunId();
      await call(store.set("launch/id", runId));
      await call(store.set("launch/lead", "1"));
    } else {
      await until(
        async () => await call(store.check(["launch/lead"])),
        joinTimeout,
        () => {
          throw new UserError(
            `The run at ${host}:${store.port} must begin within ${joinTimeout} s, but does not. Check that 'wav2vec2 launch' runs there.`,
          );
        },
      );
      const theirs = await call(store.getText("launch/id"));
      if (runId !== undefined && runId !== theirs)
        throw new ConfigurationError(
          `--rdzv-id must be '${theirs}' as on the host of ${host}:${store.port}, but is '${runId}'. Another run uses that port: give this one another, or the same id.`,
        );
      runId = theirs;
    }
    const id = await call(store.add("launch/hosts", 1));
    const own = { id, name: hostname(), localAddress: local, localSize, ...(rank !== undefined && { rank }) };
    await call(store.add(`launch/beat/${id}`, 1));
    await call(store.set(`launch/host/${id}`, JSON.stringify(own)));
    return new Rendezvous(options, store, leads, runId, own);
  }

  async join(signal: AbortSignal): Promise<Round> {
    this.#attempt += 1;
    this.#order = undefined;
    this.#knowsOfStop = false;
    const round = this.#leads ? await this.#gather(signal) : await this.#await(signal);
    this.#round = round;
    this.#attempt = round.attempt;
    for (const { id } of round.members) if (id !== this.#own.id) await this.#look(id, true);
    const groupRank = round.members.findIndex(({ id }) => id === this.#own.id);
    return {
      attempt: round.attempt,
      runId: this.#runId,
      groupRank,
      hosts: round.members.length,
      firstRank: round.members[groupRank]!.firstRank,
      size: round.size,
      address: this.#options.hosts.address,
      port: this.#store.port,
      localAddress: this.#leads ? await this.#leadAddress(round) : this.#own.localAddress,
    };
  }

  async trouble(signal: AbortSignal): Promise<Trouble> {
    const round = this.#round!;
    try {
      for (;;) {
        await this.#pause();
        if (signal.aborted) return "stop";
        if ((await this.#ask(this.#store.add(`launch/failed/${round.attempt}`, 0))) > 0) return "failure";
        if ((await this.#lost(round)).length > 0) return "failure";
        if (await this.#has(`verdict/${round.attempt}`)) return "failure"; // without this host: it was taken for lost
        if (!this.#knowsOfStop && (await this.#has(`stopped/${round.attempt}`))) {
          this.#knowsOfStop = true;
          return "stop";
        }
      }
    } catch {
      return "failure"; // the store is gone: finish says so
    }
  }

  async announce(trouble: Trouble): Promise<void> {
    const { attempt } = this.#round!;
    try {
      if (trouble === "stop") {
        this.#knowsOfStop = true;
        await this.#ask(this.#store.set(`launch/stopped/${attempt}`, "1"));
      } else {
        // Which host failed first is what the store says: clocks differ.
        this.#order ??= await this.#ask(this.#store.add(`launch/failed/${attempt}`, 1));
      }
    } catch {
      // the store is gone: finish says so
    }
  }

  async finish(end: HostEnd): Promise<Verdict> {
    const { attempt } = this.#round!;
    try {
      if (this.#order !== undefined) for (const one of end.ends) one.hostOrder = this.#order;
      if (!this.#leads) {
        await this.#ask(this.#store.set(`launch/end/${attempt}/${this.#own.id}`, JSON.stringify(end)));
        return await this.#verdict(attempt);
      }
      const verdict = await this.#judge(this.#round!, end);
      await this.#ask(this.#store.set(`launch/verdict/${attempt}`, JSON.stringify(verdict)));
      return verdict;
    } catch (error) {
      if (!(error instanceof StoreLost)) throw error;
      const { address, port } = this.#options.hosts;
      const lost: LostHost = { host: `${address}:${port}`, reason: error.message, time: Date.now() };
      return judge(end.ends, { stoppedBy: end.stoppedBy, lost: [lost], restarts: 0 });
    }
  }

  async close(): Promise<void> {
    // The others read the verdict, and that there is none to come, from the store of host 0.
    if (this.#leads) {
      await this.#end("The launcher of host 0 has ended.");
      const others = [...this.#hosts.keys()].filter((id) => id !== this.#own.id && this.#isAlive(id));
      const areGone = async (): Promise<boolean> =>
        (await Promise.all(others.map((id) => this.#has(`gone/${id}`)))).every(Boolean);
      await until(areGone, 5, () => {}).catch(() => {});
    } else {
      await this.#ask(this.#store.set(`launch/gone/${this.#own.id}`, "1")).catch(() => {});
    }
    this.#stopped.abort();
    await this.#beats;
    await Promise.race([this.#store.close(), sleep(2_000)]);
  }

  /** Tells all hosts that there will be no further start. */
  async #end(reason: string): Promise<void> {
    await this.#ask(this.#store.set("launch/over", reason)).catch(() => {});
  }

  /** Grows this host's number until the end. */
  async #beat(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#pause();
      await this.#ask(this.#store.add(`launch/beat/${this.#own.id}`, 1)).catch(() => {});
    }
  }

  async #pause(): Promise<void> {
    await sleep(this.#options.hosts.interval * 1_000, undefined, { signal: this.#stopped.signal }).catch(
      () => {},
    );
  }

  /** Looks whether a host's number has grown since the last look. */
  async #look(id: number, anew = false): Promise<void> {
    const beat = await this.#ask(this.#store.add(`launch/beat/${id}`, 0));
    const pulse = this.#pulses.get(id);
    const grown = pulse === undefined || anew || beat !== pulse.beat;
    this.#pulses.set(id, { beat, looks: grown ? 0 : pulse.looks + 1 });
  }

  #isAlive(id: number): boolean {
    return (this.#pulses.get(id)?.looks ?? 0) < PATIENCE_LOOKS;
  }

  /** The hosts of a round that are silent; the others look at host 0 only. */
  async #lost(round: RoundInfo): Promise<number[]> {
    const others = round.members.map(({ id }) => id).filter((id) => id !== this.#own.id);
    const watched = this.#leads ? others : others.slice(0, 1);
    for (const id of watched) await this.#look(id);
    return watched.filter((id) => !this.#isAlive(id));
  }

  #has(key: string): Promise<boolean> {
    return this.#ask(this.#store.check([`launch/${key}`]));
  }

  /** Host 0's part of {@link join}: waits for enough hosts and says who takes part. */
  async #gather(signal: AbortSignal): Promise<RoundInfo> {
    const { min, max, joinTimeout, lastCall, interval } = this.#options.hosts;
    const began = performance.now();
    let enough: number | undefined;
    let looked = Number.NEGATIVE_INFINITY;
    for (;;) {
      signal.throwIfAborted();
      const now = performance.now();
      await this.#meet();
      if (now - looked > interval * 1_000) {
        looked = now;
        for (const id of this.#hosts.keys()) if (id !== this.#own.id) await this.#look(id);
      }
      const present = [...this.#hosts.values()].filter(({ id }) => id === this.#own.id || this.#isAlive(id));
      if (present.length >= min) enough ??= now;
      else enough = undefined;
      if (present.length >= max || (enough !== undefined && now - enough > lastCall * 1_000))
        return await this.#begin(present.slice(0, max));
      if (now - began > joinTimeout * 1_000 && present.length < min) {
        const names = present.map(({ name, localAddress: address }) => `${name} (${address})`).join(", ");
        const text = `${min} hosts must come within ${joinTimeout} s, but only ${present.length} did: ${names}. Check that launch runs on the others with the same --rdzv-endpoint, or pass --rdzv-conf join_timeout=SECONDS.`;
        await this.#end(text);
        throw new UserError(text);
      }
      await sleep(100);
    }
  }

  /** Learns who has come since. */
  async #meet(): Promise<void> {
    const count = await this.#ask(this.#store.add("launch/hosts", 0));
    for (let id = 1; id <= count; id++) {
      if (this.#hosts.has(id) || !(await this.#has(`host/${id}`))) continue;
      const host = JSON.parse(await this.#ask(this.#store.getText(`launch/host/${id}`))) as HostInfo;
      const twin = [...this.#hosts.values()].find(
        (other) => host.rank !== undefined && other.rank === host.rank && this.#isAlive(other.id),
      );
      if (twin !== undefined && this.#attempt === 0) {
        const text = `--node-rank must be different on every host, but is ${host.rank} on ${twin.name} (${twin.localAddress}) and on ${host.name} (${host.localAddress}).`;
        await this.#end(text);
        throw new ConfigurationError(text);
      }
      this.#hosts.set(id, host);
      await this.#look(id, true);
    }
  }

  async #begin(present: HostInfo[]): Promise<RoundInfo> {
    const last = Number.MAX_SAFE_INTEGER;
    const members = present.toSorted(
      (a, b) =>
        Number(b.id === this.#own.id) - Number(a.id === this.#own.id) ||
        (a.rank ?? last) - (b.rank ?? last) ||
        a.id - b.id,
    );
    let size = 0;
    const round: RoundInfo = { attempt: this.#attempt, members: [], size: 0 };
    for (const { id, localSize } of members) {
      round.members.push({ id, firstRank: size });
      size += localSize;
    }
    round.size = size;
    await this.#ask(this.#store.set(`launch/round/${this.#attempt}`, JSON.stringify(round)));
    await this.#ask(this.#store.add("launch/rounds", 1));
    return round;
  }

  /** The other hosts' part of {@link join}: waits until a round begins that they take part in. */
  async #await(signal: AbortSignal): Promise<RoundInfo> {
    for (let next = this.#attempt; ; ) {
      signal.throwIfAborted();
      if ((await this.#ask(this.#store.add("launch/rounds", 0))) > next) {
        const round = JSON.parse(await this.#ask(this.#store.getText(`launch/round/${next}`))) as RoundInfo;
        if (round.members.some(({ id }) => id === this.#own.id)) return round;
        if (next === this.#attempt)
          this.#options.onNote(
            "The run is under way without this host, which takes part from its next start on.",
          );
        next += 1; // it came too late for that one
        continue;
      }
      if (await this.#has("over"))
        throw new UserError(`No further start: ${await this.#ask(this.#store.getText("launch/over"))}`);
      await sleep(200);
    }
  }

  /** Host 0's address for the others. The route to its own name may be one that only itself can go. */
  async #leadAddress(round: RoundInfo): Promise<string> {
    const { localAddress: own } = this.#own;
    const [other] = round.members.flatMap(({ id }) =>
      id === this.#own.id ? [] : this.#hosts.get(id)!.localAddress,
    );
    if (!isLoopback(own) || other === undefined || isLoopback(other)) return own;
    const address = await localAddress(this.#options.env, other, 0);
    this.#options.onNote(
      `${this.#options.hosts.address} is ${own} on this host; the others reach it at ${address}.`,
    );
    return address;
  }

  /** Host 0's part of {@link finish}. */
  async #judge(round: RoundInfo, own: HostEnd): Promise<Verdict> {
    const ends: HostEnd[] = [own];
    const waiting = new Set(round.members.map(({ id }) => id).filter((id) => id !== this.#own.id));
    const lost: LostHost[] = [];
    while (waiting.size > 0) {
      const silent = await this.#lost(round);
      for (const id of [...waiting]) {
        if (await this.#has(`end/${round.attempt}/${id}`)) {
          ends.push(
            JSON.parse(await this.#ask(this.#store.getText(`launch/end/${round.attempt}/${id}`))) as HostEnd,
          );
        } else if (silent.includes(id)) {
          const { name, localAddress: address } = this.#hosts.get(id)!;
          const seconds = Math.round(PATIENCE_LOOKS * this.#options.hosts.interval);
          const reason = `its launcher has not answered for about ${seconds} s. It, or the network to it, is down.`;
          lost.push({ host: `${name} (${address})`, reason, time: Date.now() });
          // The others would wait for it.
          await this.announce("failure");
        } else continue;
        waiting.delete(id);
      }
      if (waiting.size > 0) await this.#pause();
    }
    const stoppedBy = ends.map((end) => end.stoppedBy).find((signal) => signal !== undefined);
    return judge(
      ends.flatMap((end) => end.ends),
      { stoppedBy, lost, restarts: this.#options.maxRestarts - round.attempt },
    );
  }

  /** The other hosts' part of {@link finish}. */
  async #verdict(attempt: number): Promise<Verdict> {
    for (;;) {
      if (await this.#has(`verdict/${attempt}`))
        return JSON.parse(await this.#ask(this.#store.getText(`launch/verdict/${attempt}`))) as Verdict;
      const [silent] = await this.#lost(this.#round!);
      if (silent !== undefined)
        throw new StoreLost("its launcher has not answered. It, or the network to it, is down.");
      await this.#pause();
    }
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    return answered(answer, this.#options.hosts);
  }
}

async function until(done: () => Promise<boolean>, seconds: number, late: () => void): Promise<void> {
  const began = performance.now();
  while (!(await done())) {
    if (performance.now() - began > seconds * 1_000) return late();
    await sleep(100);
  }
}

/** Equal ids of two runs would mix their logs. */
export function newRunId(): string {
  return `${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}-${process.pid}`;
}
