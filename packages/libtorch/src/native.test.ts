import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const INDEX = new URL("../dist/index.js", import.meta.url).href;

/** What a program prints that has no bridge. */
function withoutBridge(program: string): string {
  const env = { ...process.env, LIBTORCH_BRIDGE: "/tmp/no-bridge-here.node" };
  const args = ["--input-type=module", "--eval", `import * as torch from "${INDEX}"; ${program}`];
  return execFileSync(process.execPath, args, {
    env,
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  }).toString();
}

describe("the bridge", () => {
  it("is loaded by what uses it first, not by the import", () => {
    expect(withoutBridge("console.log(typeof torch.nn.Linear)")).toBe("function\n");
    const attempt = "try { torch.zeros([1]) } catch (error) { console.log(error.name, error.message) }";
    expect(withoutBridge(`${attempt} ${attempt}`)).toBe(
      "BridgeError The bridge to libtorch must be built, but /tmp/no-bridge-here.node is missing. Correct LIBTORCH_BRIDGE, which names it.\n".repeat(
        2,
      ),
    );
  });
});
