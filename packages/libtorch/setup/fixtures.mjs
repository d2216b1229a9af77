// For the tests of set-up: archives and libraries made by hand, and a server that can misbehave.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { Report } from "./report.mjs";
import { crc32ByTable } from "./wheels/zip.mjs";

/** @returns {string} a folder that lasts as long as the test */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "set-up-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @returns {{ report: Report, lines: string[] }} a report whose text is kept */
export function keptReport() {
  /** @type {string[]} */
  const lines = [];
  const stream = /** @type {NodeJS.WriteStream} */ (
    /** @type {unknown} */ ({ write: (/** @type {string} */ text) => lines.push(text) })
  );
  return { report: new Report(1, stream), lines };
}

/**
 * @param {Record<string, Buffer | string>} members by name; names ending in "/" are folders
 * @param {{ stored?: boolean }} [options]
 * @returns {Buffer} a zip archive
 */
export function makeZip(members, { stored = false } = {}) {
  const locals = [];
  const centrals = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const bytes = Buffer.from(content);
    const packed = stored ? bytes : deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(crc32ByTable(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    // The local header has an extra field that the central one lacks, as real archives do.
    const extra = Buffer.from([0x55, 0x54, 1, 0, 0]);
    const localCommon = Buffer.from(common);
    localCommon.writeUInt16LE(extra.length, 24);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), localCommon, Buffer.from(name), extra, packed]);
    const trailer = Buffer.alloc(14);
    trailer.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03"), common, trailer, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(centrals.length, 8);
  end.writeUInt16LE(centrals.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/**
 * @param {string[]} needed names of libraries
 * @returns {Buffer} a 64-bit ELF file whose dynamic section needs them; its strings are mapped to another
 *   address than their place in the file
 */
export function makeElf(needed) {
  const strings = Buffer.from(`\0${needed.map((name) => `${name}\0`).join("")}`);
  const stringsAt = 64 + 2 * 56;
  const address = 0x10000;
  const entries = needed.map((_, index) => [
    1,
    1 + needed.slice(0, index).join("\0").length + Math.sign(index),
  ]);
  entries.push([5, address + stringsAt], [10, strings.length], [0, 0]);
  const dynamicAt = stringsAt + strings.length;
  const file = Buffer.alloc(dynamicAt + 16 * entries.length);
  file.write("\x7fELF\x02\x01\x01", 0, "latin1");
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  const segment = (
    /** @type {number} */ at,
    /** @type {number[]} */ [type = 0, offset = 0, where = 0, size = 0],
  ) => {
    file.writeUInt32LE(type, at);
    file.writeBigUInt64LE(BigInt(offset), at + 8);
    file.writeBigUInt64LE(BigInt(where), at + 16);
    file.writeBigUInt64LE(BigInt(size), at + 32);
  };
  segment(64, [1, 0, address, file.length]);
  segment(64 + 56, [2, dynamicAt, address + dynamicAt, 16 * entries.length]);
  strings.copy(file, stringsAt);
  entries.forEach(([tag = 0, value = 0], index) => {
    file.writeBigInt64LE(BigInt(tag), dynamicAt + 16 * index);
    file.writeBigUInt64LE(BigInt(value), dynamicAt + 16 * index + 8);
  });
  return file;
}

/**
 * @param {http.RequestListener} listener
 * @returns {Promise<URL>} the server's address; it ends with the test
 */
export async function serve(listener) {
  const server = http.createServer(listener);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return new URL(`http://127.0.0.1:${port}/`);
}

/**
 * @param {http.IncomingMessage} request
 * @param {http.ServerResponse} response
 * @param {Buffer} bytes
 * @param {{ ranges?: boolean }} [options]
 */
export function sendFile(request, response, bytes, { ranges = true } = {}) {
  const range = ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") : null;
  if (range === null) {
    response.setHeader("content-length", bytes.length);
    response.end(bytes);
    return;
  }
  const start = Number(range[1]);
  const part = bytes.subarray(start, Number(range[2]) + 1);
  response.statusCode = 206;
  response.setHeader("content-length", part.length);
  response.setHeader("content-range", `bytes ${start}-${start + part.length - 1}/${bytes.length}`);
  response.end(part);
}

/**
 * @typedef {object} IndexOptions
 * @property {Record<string, Buffer>} wheels by file name
 * @property {boolean} [ranges] whether the file server knows byte ranges
 * @property {(name: string, bytes: Buffer) => Buffer | undefined} [change] what the server does to a file's bytes;
 *   undefined refuses it
 * @property {boolean} [hashes] whether the index tells SHA-256
 */

/**
 * A package index in front of wheels.
 * @param {IndexOptions} options
 * @returns {Promise<{ env: NodeJS.ProcessEnv, asked: string[] }>} an environment in which it is pip's index, and
 *   what was asked of it
 */
export async function startPackageIndex({
  wheels,
  ranges = true,
  change = (_, bytes) => bytes,
  hashes = true,
}) {
  /** @type {string[]} */
  const asked = [];
  const url = await serve((request, response) => {
    const [, kind = "", name = ""] = (request.url ?? "").split("/");
    asked.push(`${kind}/${name}`);
    if (kind === "simple") {
      response.setHeader("content-type", "text/html");
      const links = Object.entries(wheels)
        .filter(([wheel]) => wheel.split("-")[0]?.replaceAll("_", "-") === name)
        .map(([wheel, bytes]) => {
          const digest = hashes ? `#sha256=${createHash("sha256").update(bytes).digest("hex")}` : "";
          return `<a href="/files/${wheel}${digest}">${wheel}</a>`;
        });
      if (links.length === 0) response.writeHead(404);
      response.end(links.join("\n"));
    } else {
      const bytes = change(name, /** @type {Buffer} */ (wheels[name]));
      if (bytes === undefined) response.writeHead(403).end();
      else sendFile(request, response, bytes, { ranges });
    }
  });
  return { env: { HOME: "/nonexistent", PIP_INDEX_URL: new URL("simple/", url).href }, asked };
}

/**
 * Puts shell scripts in front of the programs of the same names, until the test ends.
 * @param {Record<string, string>} scripts by program
 * @returns {string} the folder that they are in
 */
export function fakePrograms(scripts) {
  const folder = temporaryFolder();
  for (const [program, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const before = process.env.PATH;
  process.env.PATH = `${folder}:/usr/bin:/bin`;
  onTestFinished(() => {
    process.env.PATH = before;
  });
  return folder;
}
