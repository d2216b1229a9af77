import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { digestOfSources } from "./bridge.mjs";
import { makeElf, makeZip, startPackageIndex } from "./fixtures.mjs";

// Set-up of an installed package in surroundings that lack something: the real program and file systems, with small wheels, a
// compiled bridge that is only a file, and a check of numerics that is only a line.

const SETUP = fileURLToPath(new URL(".", import.meta.url));
const TORCH = `torch-2.15.0-cp311-cp311-manylinux_2_17_${process.arch === "arm64" ? "aarch64" : "x86_64"}.whl`;
const NOBODY = 65534;
const [isRoot, isLinux] = [process.getuid?.() === 0, process.platform === "linux"];
const UNREACHABLE = "http://127.0.0.1:9/simple";
const NO_NETWORK = { PIP_INDEX_URL: UNREACHABLE };

/** @param {number} [megabytes] of its library, which do not become smaller when packed */
function wheel(megabytes = 0) {
  const header = "torch/include/torch/csrc/api/include/torch/version.h";
  const bulk = Buffer.alloc(megabytes * 1e6);
  return makeZip(
    {
      "torch/version.py": "__version__ = '2.15.0'\n",
      [header]: '#define TORCH_VERSION "2.15.0"\n',
      "torch/lib/libc10.so": makeElf(["libc.so.6"]),
      "torch/lib/libtorch_cpu.so": Buffer.concat([makeElf(["libc10.so"]), bulk]),
    },
    { stored: true },
  );
}

/**
 * An application with this package and, unless `prebuilt` is null, its compiled bridge.
 * @param {{ libtorch?: string, glibc?: string, megabytes?: number } | null} [prebuilt]
 */
function installApplication(prebuilt = {}) {
  const root = mkdtempSync(join(tmpdir(), "application-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "node_modules/@wav2vec2/libtorch");
  mkdirSync(join(folder, "dist/operators"), { recursive: true });
  mkdirSync(join(folder, "native"));
  writeFileSync(join(folder, "native/CMakeLists.txt"), "");
  writeFileSync(
    join(folder, "dist/operators/numerics-check-main.js"),
    `import { existsSync } from "node:fs";
    while (process.env.CHECK_UNTIL && !existsSync(process.env.CHECK_UNTIL)) await new Promise((again) => setTimeout(again, 20));
    console.log("all right");\n`,
  );
  cpSync(join(SETUP, "../package.json"), join(folder, "package.json"));
  cpSync(SETUP, join(folder, "setup"), { recursive: true, filter: (path) => !path.endsWith(".test.mjs") });
  const headers = join(root, "node_modules/node-api-headers");
  mkdirSync(headers);
  writeFileSync(join(headers, "package.json"), '{ "name": "node-api-headers", "main": "index.js" }');
  writeFileSync(join(headers, "index.js"), "");
  if (prebuilt !== null) {
    const { libtorch = "2.15.0", glibc = "2.17", megabytes = 0 } = prebuilt;
    const bridge = join(root, `node_modules/@wav2vec2/libtorch-${process.platform}-${process.arch}`);
    mkdirSync(bridge);
    writeFileSync(join(bridge, "package.json"), "{}");
    const sources = digestOfSources(join(folder, "native"));
    writeFileSync(join(bridge, "prebuilt.json"), JSON.stringify({ libtorch, glibc, sources }));
    writeFileSync(join(bridge, "libtorch_bridge.node"), Buffer.alloc(megabytes * 1e6, "bridge"));
  }
  writeFileSync(
    join(root, "set-up.mjs"),
    `import { Report, setUpLibtorch } from "./node_modules/@wav2vec2/libtorch/setup/set-up.mjs";
    const report = new Report(4);
    await setUpLibtorch({ libtorch: process.argv[2], report }).catch((error) => {
      report.failure(error);
      process.exitCode = 1;
    });`,
  );
  chmodSync(root, 0o755);
  const cache = join(root, "cache");
  mkdirSync(cache, { mode: 0o777 });
  chmodSync(cache, 0o777);
  return { root, cache, home: join(cache, "libtorch") };
}

/**
 * @param {{ root: string, cache: string }} application
 * @param {{ libtorch?: string, env?: NodeJS.ProcessEnv, nobody?: boolean, system?: string,
 *   onOutput?: (output: string) => void }} [options] nobody: as a user who is not root; system: JavaScript that runs before, to
 *   change what the system says of itself; onOutput: hears all that was printed so far
 * @returns {Promise<{ code: number, output: string }>}
 */
async function setUp({ root, cache }, { libtorch, env = {}, nobody = false, system, onOutput } = {}) {
  const before = join(root, `${Math.random()}.cjs`);
  if (system !== undefined) writeFileSync(before, system);
  const words = [
    ...(system === undefined ? [] : ["--require", before]),
    "set-up.mjs",
    ...(libtorch ? [libtorch] : []),
  ];
  const child = spawn(process.execPath, words, {
    cwd: root,
    // No compiler, no apt-get, no sudo: set-up has what is in the application.
    env: { PATH: "/nowhere", HOME: root, WAV2VEC2_CACHE: cache, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(nobody ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      output += text;
      onOutput?.(output);
    });
  }
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code: Number(code), output };
}

/** @param {string} glibc */
const withGlibc = (glibc) =>
  `process.report.getReport = () => ({ header: { glibcVersionRuntime: ${glibc === "" ? "undefined" : `"${glibc}"`} } });`;

describe.runIf(isLinux)("set-up of an installed package", () => {
  test("the wheel's libtorch and the compiled bridge, and nothing to do the second time, without network", async () => {
    const application = installApplication();
    const { env } = await startPackageIndex({ wheels: { [TORCH]: wheel() } });
    const { code, output } = await setUp(application, { env });
    expect([code, output]).toEqual([0, expect.stringContaining("the bridge comes compiled")]);
    const again = await setUp(application, { env: NO_NETWORK });
    expect([again.code, again.output]).toEqual([0, expect.stringContaining("checked before")]);
  });

  test("no network: what was asked, and how to do without; nothing is left", async () => {
    const application = installApplication();
    const { code, output } = await setUp(application, { env: NO_NETWORK });
    expect(code).toBe(1);
    expect(output).toMatch(/127\.0\.0\.1:9 cannot be reached/);
    expect(output).toMatch(/no network: +npx wav2vec2 setup --libtorch DIR/);
    expect(output).not.toMatch(/^ +at /m);
    expect(readdirSync(application.home)).toEqual([]);
  });

  test("a proxy", async () => {
    const application = installApplication();
    const { env } = await startPackageIndex({ wheels: { [TORCH]: wheel() } });
    const index = new URL(env.PIP_INDEX_URL ?? "");
    /** @type {Set<string | undefined>} */
    const hosts = new Set();
    const proxy = http.createServer((request, response) => {
      const asked = new URL(request.url ?? "");
      hosts.add(asked.host);
      const { pathname } = asked;
      http.get({ port: index.port, path: pathname, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
    });
    await new Promise((resolve) => proxy.listen(0, "127.0.0.1", () => resolve(undefined)));
    onTestFinished(() => void proxy.close());
    const { port } = /** @type {import("node:net").AddressInfo} */ (proxy.address());
    const through = { PIP_INDEX_URL: "http://index.example/simple/", http_proxy: `http://127.0.0.1:${port}` };
    const { code, output } = await setUp(application, { env: through });
    expect([code, output]).toEqual([0, expect.stringContaining("the bridge comes compiled")]);
    expect([...hosts]).toEqual(["index.example"]);
  });

  test("a folder of wheels, which may be gone afterwards", async () => {
    const application = installApplication();
    const wheels = join(application.root, "wheels");
    mkdirSync(wheels);
    writeFileSync(join(wheels, TORCH), wheel());
    const first = await setUp(application, { libtorch: wheels, env: NO_NETWORK });
    expect([first.code, first.output]).toEqual([0, expect.stringContaining(`--libtorch, ${wheels}`)]);
    rmSync(wheels, { recursive: true });
    const second = await setUp(application, { env: NO_NETWORK });
    expect([second.code, second.output]).toEqual([0, expect.stringContaining("checked before")]);
  });

  test("no compiler and no bridge that fits: the reason and the tools; no bridge is left", async () => {
    const { env } = await startPackageIndex({ wheels: { [TORCH]: wheel() } });
    const old = installApplication({ glibc: "9.99" });
    const { code, output } = await setUp(old, { env, nobody: isRoot });
    expect(code).toBe(1);
    expect(output).toMatch(/No compiled bridge fits: it needs glibc 9\.99, and this system has 2\.\d+\./);
    expect(output).toMatch(/There is no apt-get to install cmake, g\+\+, make/);
    expect(readdirSync(old.home)).toEqual(["2.15.0"]);

    // Where another libtorch would do, that is said.
    const other = installApplication({ libtorch: "2.14.0" });
    await setUp(other, { env });
    const named = await setUp(other, { libtorch: join(old.home, "2.15.0"), env });
    expect(named.output).toMatch(/it is for libtorch 2\.14\.0/);
    expect(named.output).toMatch(/without compiler: +npx wav2vec2 setup --libtorch wheel .*2\.14\.0/);
  });

  test("an older C library, musl, Windows", async () => {
    const application = installApplication({ glibc: "2.34" });
    const { env } = await startPackageIndex({ wheels: { [TORCH]: wheel() } });
    const older = await setUp(application, { env, system: withGlibc("2.31") });
    expect(older.output).toContain("it needs glibc 2.34, and this system has 2.31");
    rmSync(application.home, { recursive: true });

    const musl = await setUp(application, { env, system: withGlibc("") });
    expect([musl.code, musl.output]).toEqual([
      1,
      expect.stringMatching(/must be glibc, .*musl.*node:22-bookworm-slim/s),
    ]);
    const windows = await setUp(application, {
      env,
      system: "Object.defineProperty(process, 'platform', { value: 'win32' });",
    });
    expect([windows.code, windows.output]).toEqual([
      1,
      expect.stringMatching(/but is Windows.*wsl --install/s),
    ]);
    expect(existsSync(application.home)).toBe(false);
  });

  test.runIf(isRoot)("without root, and in a project that is read-only", async () => {
    const application = installApplication();
    const { env } = await startPackageIndex({ wheels: { [TORCH]: wheel() } });
    execFileSync("chmod", ["-R", "a-w", join(application.root, "node_modules")]);
    const { code, output } = await setUp(application, { env, nobody: true });
    expect([code, output]).toEqual([0, expect.stringContaining("the bridge comes compiled")]);
  });

  test.runIf(isRoot)(
    "a cache that may not be written: where it is, and how to have it elsewhere",
    async () => {
      const application = installApplication();
      chmodSync(application.cache, 0o755);
      const { code, output } = await setUp(application, { env: NO_NETWORK, nobody: true });
      expect(code).toBe(1);
      expect(output).toMatch(/cache\/libtorch must be a folder that this user may write, .*EACCES/);
      expect(output).toContain("WAV2VEC2_CACHE=DIR npx wav2vec2 setup");
      expect(output).not.toMatch(/^ +at /m);
    },
  );

  test("two at once: the second finds what the first has made", async () => {
    const application = installApplication();
    const { env, asked } = await startPackageIndex({ wheels: { [TORCH]: wheel() } });
    // The first one is in its last step when the second begins, and stays there until that has come to the lock.
    const go = join(application.root, "go");
    const held = { ...env, CHECK_UNTIL: go };
    /** @type {ReturnType<typeof setUp> | undefined} */
    let second;
    let isThere = false;
    const begun = () => {
      if (!isThere) setTimeout(() => writeFileSync(go, ""), 1000);
      isThere = true;
    };
    const first = await setUp(application, {
      env: held,
      onOutput(output) {
        if (output.includes("[4/4]")) second ??= setUp(application, { env: held, onOutput: begun });
      },
    });
    const then = await second;
    expect([first.code, first.output]).toEqual([0, expect.stringMatching(/^ +right/m)]);
    expect(then).toMatchObject({ code: 0, output: expect.stringContaining("checked before") });
    expect(asked.filter((path) => path === "simple/torch")).toHaveLength(1);
  });
});

/** @param {number} megabytes @param {string} path */
function mounts(megabytes, path) {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path], { stdio: "ignore" });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync("umount", [path]));
  return true;
}

test.runIf(isRoot && isLinux)(
  "a disk that is too small is told before the download, one that fills up later leaves no half bridge",
  async (context) => {
    const { env } = await startPackageIndex({ wheels: { [TORCH]: wheel(4) } });
    const small = installApplication();
    if (!mounts(6, small.cache)) context.skip("needs a mount");
    const before = await setUp(small, { env });
    expect(before.code).toBe(1);
    expect(before.output).toMatch(
      /libtorch needs [\d.]+ MB in .*cache\/libtorch, but only [\d.]+ MB are free/,
    );
    expect(before.output).toContain("WAV2VEC2_CACHE=DIR npx wav2vec2 setup");
    expect(existsSync(join(small.home, "2.15.0"))).toBe(false);

    const full = installApplication({ megabytes: 8 });
    mounts(11, full.cache);
    const later = await setUp(full, { env });
    expect(later.code).toBe(1);
    expect(later.output).toMatch(/The disk of .*cache\/libtorch is full/);
    expect(later.output).not.toMatch(/^ +at /m);
    const left = readdirSync(full.home, { recursive: true, encoding: "utf8" }).map((path) => basename(path));
    expect(left).toContain("2.15.0");
    expect(left.filter((name) => name.startsWith("libtorch_bridge"))).toEqual([]);
  },
);
