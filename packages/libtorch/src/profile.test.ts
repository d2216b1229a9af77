import { describe, expect, it } from "vitest";
import { nn, randn, scope, startProfile, type Tensor } from "./index.js";

class Network extends nn.Module {
  wide = new nn.Linear(256, 4096);
  narrow = new nn.Linear(4096, 256);
  forward(x: Tensor): Tensor {
    return this.narrow.forward(this.wide.forward(x).gelu());
  }
}

describe("a profile", () => {
  it("tells which operator of which module holds what, forward and backward, and that all is freed", () => {
    const network = new Network();
    const x = randn([512, 256]);
    const stop = startProfile(network);
    scope(() => network.forward(x).square().sum().backward());
    network.zeroGrad();
    const { places, changes, before } = stop();
    expect(before).toBeGreaterThan(2 * 4 * 256 * 4096 - 1);
    const held = (module: string, operator: string) =>
      changes
        .filter(({ place, bytes }, i) => {
          const { module: key, operator: name } = places[place]!;
          const next = changes[i + 1];
          const forAMoment = next?.bytes === -bytes && next.place === place; // of oneDNN's products
          return bytes > 0 && !forAMoment && key === module && name === operator;
        })
        .map(({ bytes }) => bytes);
    const inner = 4 * 512 * 4096;
    expect(held("wide", "aten::linear")).toEqual([inner]);
    expect(held("", "aten::gelu")).toEqual([inner]);
    expect(held("narrow", "aten::linear")).toEqual([4 * 512 * 256]);
    // The gradients of its input and of its weight.
    expect(held("narrow", "AddmmBackward0").sort()).toEqual([4 * 256 * 4096, inner].sort());
    expect(held("", "GeluBackward0")).toEqual([inner]);
    expect(changes.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(0);
    const seconds = changes.map((change) => change.seconds);
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
    expect(places.reduce((sum, place) => sum + place.seconds, 0)).toBeLessThanOrEqual(seconds.at(-1)! * 1.5);
    expect(Object.hasOwn(network.wide, "forward")).toBe(false); // as it was
  });

  it("watches modules without changing them, and ends before another begins", () => {
    const network = new Network();
    const stop = startProfile(network);
    expect(nn.hasOwnForward(network.wide)).toBe(false);
    expect(() => startProfile(network)).toThrow(/one is running/);
    stop();
    const remove = network.wide.registerForwardHook(() => undefined);
    expect(nn.hasOwnForward(network.wide)).toBe(true);
    remove();
    startProfile(network)();
  });
});
