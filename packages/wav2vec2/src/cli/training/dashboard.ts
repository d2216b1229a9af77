import { spawn } from "node:child_process";
import { InvalidArgumentError } from "commander";
import { type Define, portNumber, print } from "../command.js";
import { interruptible } from "../interruption.js";

const LEAST_TOKEN = 8;

export const defineDashboard: Define = (command) => {
  command
    .argument("[runs]", "directory that your runs lie in, at any depth", "runs")
    .option("--port <number>", "to listen on; 0 for any that is free", portNumber, 6060)
    .option("--host <address>", "to listen on; another than this machine's own asks for a token", "127.0.0.1")
    .option(
      "--token <text>",
      "what must be given to look, once in each browser (default: one is made)",
      token,
    )
    .option("--open", "open it in the browser", false)
    .addHelpText(
      "after",
      `
Shows the runs below a directory in the browser, live or finished. It reads what runs write anyway, and changes nothing.
From another machine, a tunnel needs no token: ssh -L 6060:localhost:6060 HOST`,
    )
    .action(
      async (directory: string, options: { port: number; host: string; token?: string; open: boolean }) => {
        const { startDashboard } = await import("../../serve/dashboard/server.js");
        const { port, host, token } = options;
        const dashboard = await startDashboard({ directory, port, host, token });
        const url =
          dashboard.token === undefined
            ? dashboard.url
            : `${dashboard.url}?token=${encodeURIComponent(dashboard.token)}`;
        print(`The dashboard of ${directory} is at ${url}\nCtrl+C ends it.`);
        if (options.open) openBrowser(url);
        await interruptible("The dashboard ends.", async (signal) => {
          await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
          await dashboard.close();
        });
      },
    );
};

function token(text: string): string {
  if (text.length >= LEAST_TOKEN) return text;
  throw new InvalidArgumentError(`It must have at least ${LEAST_TOKEN} characters.`);
}

/** Where there is none, the printed address is there. */
function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === "darwin"
      ? ["open"]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", ""]
        : ["xdg-open"];
  const child = spawn(program!, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => print(`No browser could be opened: ${program} is missing.`));
  child.unref();
}
