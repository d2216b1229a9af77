import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

/** A server of another project, started for a test. */
export interface PythonServer {
  url: string;
  process: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Starts a server and waits until it answers.
 *
 * @param path that answers once it is there
 */
export async function startPythonServer(
  python: string,
  args: readonly string[],
  { port, path, env = {} }: { port: number; path: string; env?: NodeJS.ProcessEnv },
): Promise<PythonServer> {
  const url = `http://127.0.0.1:${port}`;
  // A group of its own, as such servers start others.
  const started = spawn(python, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let output = "";
  for (const stream of [started.stdout, started.stderr]) stream.on("data", (data) => (output += data));
  const ended = new Promise<void>((done) => started.once("exit", () => done()));
  const answers = async (): Promise<boolean> =>
    await fetch(url + path).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await answers())) {
    if (started.exitCode !== null) throw new Error(`${args.join(" ")} ended: ${output}`);
    await new Promise((done) => setTimeout(done, 200));
  }
  return {
    url,
    process: started,
    async stop() {
      try {
        process.kill(-started.pid!, "SIGKILL");
      } catch {
        // it has ended
      }
      await ended;
    },
  };
}
