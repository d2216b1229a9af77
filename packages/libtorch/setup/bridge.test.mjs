import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bridge } from "./bridge.mjs";
import { fakePrograms, keptReport, temporaryFolder } from "./fixtures.mjs";

const { report } = keptReport();

/** A checkout whose build is done by a cmake that only copies. */
function makeCheckout() {
  const root = temporaryFolder();
  fakePrograms({
    cmake: `cd "${root}"
      if [ "$1" = --build ]; then
        if grep -q mistake packages/libtorch/native/src/addon.cpp; then
          echo "compiling"; echo "addon.cpp:1: error: a mistake"; echo "make: *** Error 1" >&2; exit 2
        fi
        cp packages/libtorch/native/src/addon.cpp packages/libtorch/build/libtorch_bridge.node
      else
        echo "$*" > packages/libtorch/build/configured
      fi`,
  });
  const source = join(root, "packages/libtorch/native/src/addon.cpp");
  mkdirSync(join(source, ".."), { recursive: true });
  writeFileSync(source, "one");
  const libtorch = (/** @type {string} */ version) => {
    const lib = join(root, version, "lib");
    mkdirSync(lib, { recursive: true });
    writeFileSync(join(lib, "libtorch_cpu.so"), version);
    const include = join(root, version, "include");
    return {
      root: join(root, version),
      include,
      lib,
      version,
      source: /** @type {const} */ ("set-up"),
      why: "test",
    };
  };
  const places = {
    base: root,
    native: join(root, "packages/libtorch/native"),
    build: join(root, "packages/libtorch/build"),
    headers: join(root, "node_modules/node-api-headers/include"),
  };
  return { bridge: new Bridge(places), source, old: libtorch("1.13.1"), recent: libtorch("2.15.0") };
}

test("the bridge is built once, and again when its sources or the libtorch change", async () => {
  const { bridge, source, old, recent } = makeCheckout();
  expect(bridge.isCurrent(recent)).toBe(false);
  await bridge.make(recent, report);
  expect(bridge.isCurrent(recent)).toBe(true);
  expect(JSON.parse(readFileSync(bridge.description, "utf8"))).toEqual(recent);
  const configured = readFileSync(join(bridge.build, "configured"), "utf8");
  expect(configured).toContain(`-DLIBTORCH_INCLUDE=${recent.include} -DLIBTORCH_LIB=${recent.lib}`);

  writeFileSync(source, "two");
  expect(bridge.isCurrent(recent)).toBe(false);
  const kept = join(bridge.build, "object.o");
  writeFileSync(kept, "");
  await bridge.make(recent, report);
  expect(bridge.isCurrent(recent)).toBe(true);
  expect(existsSync(kept)).toBe(true);

  expect(bridge.isCurrent(old)).toBe(false);
  await bridge.make(old, report);
  expect(bridge.isCurrent(old)).toBe(true);
  expect(existsSync(kept)).toBe(false);
});

test("a libtorch that was exchanged in its place counts as another", async () => {
  const { bridge, recent } = makeCheckout();
  await bridge.make(recent, report);
  writeFileSync(join(recent.lib, "libtorch_cpu.so"), "another build");
  expect(bridge.isCurrent(recent)).toBe(false);
});

test("a failing build shows the first error and where the output is, and is not taken for a bridge", async () => {
  const { bridge, source, recent } = makeCheckout();
  await bridge.make(recent, report);
  writeFileSync(source, "mistake");
  await expect(bridge.make(recent, report)).rejects.toThrow(
    /packages\/libtorch\/build\/build\.log\):\naddon\.cpp:1: error: a mistake/,
  );
  expect(bridge.isCurrent(recent)).toBe(false);
  expect(readFileSync(bridge.log, "utf8")).toContain("make: *** Error 1");
});

test("numerics count as checked for the very build that was checked", async () => {
  const { bridge, source, recent } = makeCheckout();
  await bridge.make(recent, report);
  expect(bridge.isChecked).toBe(false);
  bridge.markChecked();
  expect(bridge.isChecked).toBe(true);
  writeFileSync(source, "two");
  await bridge.make(recent, report);
  expect(bridge.isChecked).toBe(false);
});

test("NCCL is built in where its headers are all there", async () => {
  const { bridge, recent } = makeCheckout();
  const configured = () => readFileSync(join(bridge.build, "configured"), "utf8");
  const cuda = {
    version: "13.2",
    include: ["/a/include", "/b/include"],
    ncclInclude: "/n/include",
    missing: [],
  };
  await bridge.make({ ...recent, cuda }, report);
  expect(configured()).toContain("-DCUDA_INCLUDE=/a/include;/b/include -DNCCL_INCLUDE=/n/include");
  const incomplete = { ...recent, cuda: { ...cuda, missing: ["crt/host_config.h"] } };
  expect(bridge.isCurrent(incomplete)).toBe(false);
  await bridge.make(incomplete, report);
  expect(configured()).not.toContain("NCCL_INCLUDE");
});
