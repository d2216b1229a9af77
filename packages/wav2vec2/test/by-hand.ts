import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePort } from "./launch-fixture.js";

const PROGRAM = fileURLToPath(new URL("../bin/wav2vec2.js", import.meta.url));

/** What a process of two is started with. */
export interface Start {
  args: readonly string[];
  env?: Record<string, string>;
}

export interface Rank {
  child: ChildProcess;
  ended: Promise<{ code: number | null; stderr: string }>;
}

/**
 * Two processes of the compiled program that nothing watches over, with the variables that a launcher sets.
 *
 * @param startOf the arguments and further variables of a rank
 */
export async function startByHand(directory: string, startOf: (rank: number) => Start): Promise<Rank[]> {
  const port = await freePort();
  return [0, 1].map((rank) => {
    const { args, env: own } = startOf(rank);
    const env = {
      ...process.env,
      ...{ RANK: `${rank}`, LOCAL_RANK: `${rank}`, WORLD_SIZE: "2", LOCAL_WORLD_SIZE: "2" },
      ...{ GROUP_RANK: "0", GROUP_WORLD_SIZE: "1", MASTER_ADDR: "127.0.0.1", MASTER_PORT: `${port}` },
      ...own,
    };
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: directory, env });
    let stderr = "";
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.stdout.resume();
    const code = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { child, ended: code.then((code) => ({ code, stderr })) };
  });
}
