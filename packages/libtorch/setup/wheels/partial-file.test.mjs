import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sendFile, serve, temporaryFolder } from "../fixtures.mjs";
import { HttpClient } from "./http.mjs";
import { missingBlocks, PartialFile } from "./partial-file.mjs";

const MIB = 1 << 20;
const CONTENT = randomBytes(7 * MIB + 12_345);
const nothing = () => {};

/**
 * @param {URL} url
 * @param {string} path
 * @param {string} [sha256]
 */
function open(url, path, sha256) {
  return PartialFile.open(new HttpClient(), { url, sha256 }, path, nothing);
}

test("ranges become the blocks that they touch, each once", () => {
  const ranges = /** @type {[number, number][]} */ ([
    [MIB - 1, MIB + 1],
    [5 * MIB, 6 * MIB],
    [0, 1],
    [9, 9],
  ]);
  expect(missingBlocks(ranges, new Set())).toEqual([0, 1, 5]);
  expect(missingBlocks(ranges, new Set([1]))).toEqual([0, 5]);
});

test("only what is asked for is fetched, and it lies at its place", async () => {
  let sent = 0;
  const url = await serve((request, response) => {
    response.on("finish", () => {
      sent += Number(response.getHeader("content-length"));
    });
    sendFile(request, response, CONTENT);
  });
  const path = join(temporaryFolder(), "file.part");
  const file = await open(url, path);
  /** @type {number[]} */
  const progress = [];
  await file.fetch(
    [
      [100, 200],
      [CONTENT.length - 50, CONTENT.length],
    ],
    (done, total) => progress.push(done / total),
  );
  expect(file.read(100, 200).equals(CONTENT.subarray(100, 200))).toBe(true);
  expect(file.read(CONTENT.length - 50, CONTENT.length).equals(CONTENT.subarray(-50))).toBe(true);
  expect(progress.at(-1)).toBe(1);
  expect(sent).toBe(1 + MIB + 12_345);
  file.discard();
  expect(existsSync(path)).toBe(false);
});

test("a second run fetches only what the first one lacks", async () => {
  let requests = 0;
  const url = await serve((request, response) => {
    requests += 1;
    sendFile(request, response, CONTENT);
  });
  const path = join(temporaryFolder(), "file.part");
  const first = await open(url, path);
  await first.fetch([[0, 3 * MIB]], nothing);
  first.close();
  // A line that a kill cut short does not count.
  appendFileSync(`${path}.blocks`, "7");
  requests = 0;
  const second = await open(url, path);
  await second.fetch([[0, CONTENT.length]], nothing);
  expect(requests).toBe(1 + 5);
  expect(second.read(0, CONTENT.length).equals(CONTENT)).toBe(true);
  second.close();
});

test("a file that changed its size on the server is fetched anew", async () => {
  let content = CONTENT;
  const url = await serve((request, response) => sendFile(request, response, content));
  const path = join(temporaryFolder(), "file.part");
  const first = await open(url, path);
  await first.fetch([[0, 10]], nothing);
  first.close();
  content = randomBytes(MIB);
  const second = await open(url, path);
  await second.fetch([[0, 10]], nothing);
  expect(second.read(0, 10).equals(content.subarray(0, 10))).toBe(true);
  second.close();
});

test("connections that break and servers that are busy are tried again", async () => {
  let requests = 0;
  const url = await serve((request, response) => {
    requests += 1;
    if (requests === 2) {
      response.writeHead(206, {
        "content-length": MIB,
        "content-range": `bytes 0-${MIB - 1}/${CONTENT.length}`,
      });
      response.write(CONTENT.subarray(0, 1000), () => response.destroy());
    } else if (requests === 3) {
      response.writeHead(503).end();
    } else {
      sendFile(request, response, CONTENT);
    }
  });
  const file = await open(url, join(temporaryFolder(), "file.part"));
  await file.fetch([[0, 10]], nothing);
  expect(requests).toBe(4);
  expect(file.read(0, 10).equals(CONTENT.subarray(0, 10))).toBe(true);
  file.close();
});

test("an answer that does not help ends at once", async () => {
  let requests = 0;
  const url = await serve((_request, response) => {
    requests += 1;
    response.writeHead(404).end();
  });
  await expect(open(url, join(temporaryFolder(), "file.part"))).rejects.toThrow(/HTTP status 404/);
  expect(requests).toBe(1);
});

test("a server without ranges sends the whole file once, and its hash is checked", async () => {
  let requests = 0;
  const url = await serve((request, response) => {
    requests += 1;
    sendFile(request, response, CONTENT, { ranges: false });
  });
  const path = join(temporaryFolder(), "file.part");
  const sha256 = createHash("sha256").update(CONTENT).digest("hex");
  const file = await open(url, path, sha256);
  await file.fetch([[0, CONTENT.length]], nothing);
  expect(requests).toBe(1);
  expect(statSync(path).size).toBe(CONTENT.length);
  expect(readFileSync(path).equals(CONTENT)).toBe(true);
  file.close();

  const other = join(temporaryFolder(), "other.part");
  await expect(open(url, other, "0".repeat(64))).rejects.toThrow(`must have the SHA-256 ${"0".repeat(64)}`);
});

test("redirects are followed, and credentials stay with their host", async () => {
  /** @type {(string | undefined)[]} */
  const seen = [];
  const files = await serve((request, response) => {
    seen.push(request.headers.authorization);
    sendFile(request, response, CONTENT);
  });
  const index = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(302, { location: new URL("file", files).href }).end();
  });
  index.username = "me";
  index.password = "secret";
  const path = join(temporaryFolder(), "file.part");
  const file = await open(index, path);
  file.close();
  expect(seen).toEqual([`Basic ${Buffer.from("me:secret").toString("base64")}`, undefined]);
  expect(readFileSync(`${path}.blocks`, "utf8")).not.toContain("secret");
});
