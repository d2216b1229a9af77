import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { environment } from "./compiled.js";

export interface Ended {
  /** Exit code or signal. */
  ended: number | NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A port that nothing listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Runs a program in several processes, which find `torch`, `rank`, `size`, `store` and `group` (Gloo) there.
 *
 * @param library where the package is compiled to
 * @param onSpawn hears of each process
 */
export async function runTogether(
  directory: string,
  library: string,
  size: number,
  program: string,
  { timeoutMs = 60_000 }: { timeoutMs?: number } = {},
): Promise<Ended[]> {
  const port = await freePort();
  const file = join(directory, `together-${Math.random()}.mjs`);
  writeFileSync(
    file,
    `import * as torch from ${JSON.stringify(join(library, "index.js"))};
    const [rank, size] = process.argv.slice(2).map(Number);
    torch.setThreads(1);
    const { TCPStore, ProcessGroup, Reducer, shareValues, digestOf } = torch.distributed;
    const store = await TCPStore.open({ host: "127.0.0.1", port: ${port}, isServer: rank === 0, timeoutMs: 60000 });
    const group = await ProcessGroup.open({
      store, rank, size, backend: "gloo", name: "test", timeoutMs: ${timeoutMs}, address: "127.0.0.1", label: "host-" + rank,
    });
    const print = (value) => console.log(JSON.stringify(value));
    ${program}
    await group.close();
    if (rank === 0) await new Promise((resolve) => setTimeout(resolve, 200)); // it hosts the store
    await store.close();`,
  );
  const children = Array.from({ length: size }, (_, rank) =>
    spawn(process.execPath, [file, String(rank), String(size)], { env: environment }),
  );
  return await Promise.all(
    children.map(async (child) => {
      const texts = { stdout: "", stderr: "" };
      child.stdout.on("data", (data) => (texts.stdout += data));
      child.stderr.on("data", (data) => (texts.stderr += data));
      const ended = await new Promise<Ended["ended"]>((resolve) =>
        child.once("close", (code, signal) => resolve(signal ?? code)),
      );
      // A process that stopped itself ends when the others have.
      for (const other of children)
        if (other.exitCode === null) setTimeout(() => other.kill("SIGKILL"), 3_000).unref();
      return { ended, ...texts };
    }),
  );
}
