import { mkdirSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./fixtures.mjs";
import { bridgePath, checkoutOf, places, setupCommand, sharedHome } from "./places.mjs";

/** A package as npm lays it, and one in a checkout. */
function makePackages() {
  const root = temporaryFolder();
  const checkout = join(root, "a checkout");
  const installed = join(root, "project/node_modules/@wav2vec2/libtorch");
  const headers = join(root, "project/node_modules/node-api-headers");
  const inCheckout = join(checkout, "packages/libtorch");
  for (const folder of [installed, headers, inCheckout, join(checkout, "scripts")])
    mkdirSync(folder, { recursive: true });
  for (const folder of [installed, inCheckout])
    writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "0.1.0" }));
  writeFileSync(join(headers, "index.js"), "");
  writeFileSync(join(checkout, "scripts/setup.mjs"), "");
  return { checkout, inCheckout, installed, headers };
}

test("in a checkout all lies beside the sources, and set-up is its script", () => {
  const { checkout, inCheckout } = makePackages();
  expect(checkoutOf(inCheckout)).toBe(checkout);
  expect(places({ WAV2VEC2_CACHE: "/cache" }, inCheckout)).toEqual({
    base: checkout,
    home: join(checkout, ".libtorch"),
    native: join(inCheckout, "native"),
    build: join(inCheckout, "build"),
    headers: join(checkout, "node_modules/node-api-headers/include"),
    isCheckout: true,
  });
  expect(bridgePath({}, inCheckout)).toBe(join(inCheckout, "build/libtorch_bridge.node"));
  expect(setupCommand(undefined, checkout, inCheckout)).toBe("npm run setup");
  expect(setupCommand("cuda", checkout, inCheckout)).toBe("npm run setup -- --libtorch cuda");
  expect(setupCommand("cuda", tmpdir(), inCheckout)).toBe(
    `npm --prefix "${checkout}" run setup -- --libtorch cuda`,
  );
  expect(setupCommand()).toBe("npm run setup"); // tests run in the checkout
});

test("an installed package has all in a cache that projects share, a bridge for each version", () => {
  const { installed, headers } = makePackages();
  const kind = `bridge-0.1.0-${process.platform}-${process.arch}`;
  expect(checkoutOf(installed)).toBe(undefined);
  expect(places({ WAV2VEC2_CACHE: "/cache" }, installed)).toMatchObject({
    home: "/cache/libtorch",
    build: `/cache/libtorch/${kind}`,
    headers: join(headers, "include"),
    isCheckout: false,
  });
  expect(bridgePath({ WAV2VEC2_CACHE: "/cache" }, installed)).toBe(
    `/cache/libtorch/${kind}/libtorch_bridge.node`,
  );
  expect(bridgePath({ LIBTORCH_BRIDGE: "/own.node" }, installed)).toBe("/own.node");
  expect(setupCommand(undefined, tmpdir(), installed)).toBe("npx wav2vec2 setup");
  expect(setupCommand("cuda", tmpdir(), installed)).toBe("npx wav2vec2 setup --libtorch cuda");
});

test("the cache is XDG's, where that is an absolute path", () => {
  expect(sharedHome({ XDG_CACHE_HOME: "/x" })).toBe("/x/wav2vec2/libtorch");
  const own = join(homedir(), ".cache/wav2vec2/libtorch");
  expect(sharedHome({ XDG_CACHE_HOME: "relative" })).toBe(own);
  expect(sharedHome({})).toBe(own);
});
