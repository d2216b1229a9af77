import { handleClosedPipes } from "./closed-pipe.js";
import { endAtUserSignal, goOnUnderNohup } from "./interruption.js";
import { main } from "./main.js";

/** The program: {@link main} with what holds for its streams and signals. */
export async function program(argv: readonly string[]): Promise<number> {
  handleClosedPipes();
  endAtUserSignal();
  goOnUnderNohup();
  return await main(argv);
}
