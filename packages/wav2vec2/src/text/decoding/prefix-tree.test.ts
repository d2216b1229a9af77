import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { PrefixTree } from "./prefix-tree.js";

describe("PrefixTree", () => {
  it("finds prefixes again by their labels, through any number of compactions", () => {
    const random = new Random(1, "tree");
    const tree = new PrefixTree(undefined, 64);
    tree.add(-1, -1);
    let kept = new Map<string, number>([["", 0]]);
    let [largest, compactions] = [0, 0];
    for (let step = 0; step < 1500; step++) {
      const [labels, node] = [...kept][random.integer(kept.size)]!;
      const label = random.integer(4);
      const child = tree.find(node, label);
      const name = `${labels},${label}`;
      expect(kept.has(name) ? child : -1).toBe(kept.get(name) ?? -1);
      kept.set(name, child >= 0 ? child : tree.add(node, label));
      if (kept.size > 20) kept = new Map(random.shuffle([...kept]).slice(0, 10));
      if (tree.isCrowded) {
        const nodes = Int32Array.from(kept.values());
        tree.compact(nodes, nodes.length);
        kept = new Map([...kept.keys()].map((key, i) => [key, nodes[i]!]));
        compactions++;
        for (const [key, at] of kept) expect(`,${[...tree.labels(at)]}`).toBe(key || ",");
      }
      largest = Math.max(largest, tree.size);
    }
    expect(compactions).toBeGreaterThan(10);
    expect(largest).toBeLessThan(600);
  });
});
