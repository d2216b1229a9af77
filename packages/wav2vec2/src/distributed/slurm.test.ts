import { describe, expect, it } from "vitest";
import { parseNodeList, slurmPort, tasksPerNode } from "./slurm.js";

describe("parseNodeList", () => {
  it.each<[string, string[]]>([
    ["login", ["login"]],
    ["a,b", ["a", "b"]],
    ["n[01-04,7]-ib", ["n01-ib", "n02-ib", "n03-ib", "n04-ib", "n7-ib"]],
    ["n[09-11]", ["n09", "n10", "n11"]],
    ["n[8-10]", ["n8", "n9", "n10"]],
    ["rack[1-2]n[1-2],x", ["rack1n1", "rack1n2", "rack2n1", "rack2n2", "x"]],
    ["gpu[3],c[1,5].cluster.example", ["gpu3", "c1.cluster.example", "c5.cluster.example"]],
    ["a-b-[1-2]", ["a-b-1", "a-b-2"]],
  ])("expands %s", (text, hosts) => {
    expect(parseNodeList(text)).toEqual(hosts);
  });

  it.each(["", "n[", "n[]", "n[2-1]", "n[a-b]", "n]", ",a", "n[1-999999999]"])("refuses '%s'", (text) => {
    expect(() => parseNodeList(text)).toThrow(/SLURM_JOB_NODELIST must be a list such as/);
  });
});

describe("tasksPerNode", () => {
  it.each<[string, number[]]>([
    ["4", [4]],
    ["2(x3),1", [2, 2, 2, 1]],
    ["1,3(x2)", [1, 3, 3]],
    ["nonsense", []],
  ])("reads %s", (text, tasks) => {
    expect(tasksPerNode(text)).toEqual(tasks);
  });
});

describe("slurmPort", () => {
  it("is one that Linux gives to no outgoing connection, and another for another step", () => {
    for (const job of ["1", "8012345", "4294967295", "1234_5"])
      for (const step of ["0", "1", "99"]) {
        expect(slurmPort(job, step)).toBeGreaterThanOrEqual(20_000);
        expect(slurmPort(job, step)).toBeLessThan(32_768);
      }
    expect(slurmPort("1", "0")).not.toBe(slurmPort("1", "1"));
  });
});
