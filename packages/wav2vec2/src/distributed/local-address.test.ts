import { describe, expect, it } from "vitest";
import {
  isLoopback,
  isOwn,
  localAddress,
  outwardAddress,
  reachableAddress,
  resolve,
} from "./local-address.js";

describe("localAddress", () => {
  it("is that of the route to the other host", async () => {
    expect(await localAddress({}, "127.0.0.1", 29_500)).toBe("127.0.0.1");
    const own = outwardAddress();
    if (own !== undefined) expect(await localAddress({}, own, 29_500)).toBe(own);
  });

  it("is the named interface's, or what the launcher was told", async () => {
    expect(await localAddress({ GLOO_SOCKET_IFNAME: "lo" }, "10.0.0.1", 1)).toBe("127.0.0.1");
    expect(await localAddress({ WAV2VEC2_LOCAL_ADDR: "10.0.0.7" }, "10.0.0.1", 1)).toBe("10.0.0.7");
    await expect(localAddress({ GLOO_SOCKET_IFNAME: "eth77" }, "10.0.0.1", 1)).rejects.toThrow(
      /^GLOO_SOCKET_IFNAME must be an interface with an address, but is 'eth77'\. Here are: .*lo/,
    );
  });
});

describe("reachableAddress", () => {
  const loopback = { WAV2VEC2_LOCAL_ADDR: "127.0.1.1" };

  it("is this host's own where all are on it", async () => {
    for (const address of ["127.0.0.1", "localhost", "::1"])
      expect(await reachableAddress(loopback, { address, port: 1, nodes: 2 })).toBe("127.0.1.1");
    expect(await reachableAddress(loopback, { address: "node-0", port: 1, nodes: 1 })).toBe("127.0.1.1");
  });

  it("is not where a name means this host on each host", async () => {
    await expect(reachableAddress(loopback, { address: "node-0", port: 1, nodes: 3 })).rejects.toThrow(
      /^This host's address must be one that the other 2 hosts reach, but is 127\.0\.1\.1, since node-0 is this host itself/,
    );
  });
});

describe("resolve", () => {
  it("names the host that has no address", async () => {
    expect(await resolve("127.0.0.1")).toBe("127.0.0.1");
    await expect(resolve("no-such-host.invalid", 0.2)).rejects.toThrow(
      /^no-such-host\.invalid must be a host that has an address, but E\w+ for 0\.2 s/,
    );
  });
});

describe("isOwn, isLoopback", () => {
  it("know this host's addresses", () => {
    expect(["127.0.0.1", "127.0.1.1", "::1", "10.0.0.1"].map(isLoopback)).toEqual([true, true, true, false]);
    expect([isOwn("127.0.1.1"), isOwn("203.0.113.7")]).toEqual([true, false]);
    expect(isOwn(outwardAddress() ?? "127.0.0.1")).toBe(true);
  });
});
