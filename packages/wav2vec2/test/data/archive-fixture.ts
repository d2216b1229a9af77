import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { Header } from "tar";
import type { CorpusPart } from "../../src/data/download/parts.js";
import { Random } from "../../src/data/random.js";

export interface TarEntry {
  path: string;
  body?: Uint8Array | string;
  type?: "File" | "Directory" | "SymbolicLink" | "Link" | "FIFO";
  linkpath?: string;
}

/** A tar of any paths and types, also of those that tar programs would not write. */
export function tarGz(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, body = "", type = "File", linkpath } of entries) {
    const bytes = Buffer.from(body as Uint8Array);
    const header = new Header({
      path,
      type,
      size: bytes.length,
      mode: 0o644,
      ...(linkpath ? { linkpath } : {}),
    });
    header.encode();
    blocks.push(header.block!, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A small part in LibriSpeech's layout, its archive of about 300 kB, and what it unpacks to. */
export function madeUpPart(
  name = "dev-tiny",
  seed = 1,
): { part: CorpusPart; archive: Buffer; files: Map<string, Buffer> } {
  const files = new Map<string, Buffer>();
  for (let i = 0; i < 6; i++) {
    files.set(
      `LibriSpeech/${name}/1/${10 + (i % 2)}/1-${10 + (i % 2)}-000${i}.flac`,
      noise(50_000, seed * 100 + i),
    );
  }
  files.set(`LibriSpeech/${name}/1/10/1-10.trans.txt`, Buffer.from("1-10-0000 HELLO\n"));
  files.set("LibriSpeech/SPEAKERS.TXT", Buffer.from("1 | F | dev-tiny\n"));
  const archive = tarGz([
    { path: "LibriSpeech/", type: "Directory" },
    { path: `LibriSpeech/${name}/`, type: "Directory" },
    ...[...files].map(([path, body]) => ({ path, body })),
  ]);
  return { part: partOf(name, archive), archive, files };
}

export function partOf(name: string, archive: Uint8Array): CorpusPart {
  const md5 = createHash("md5").update(archive).digest("hex");
  return { name, archive: `12/${name}.tar.gz`, bytes: archive.length, md5, utterances: 6, hours: 0.1 };
}

/** Bytes that do not compress. */
export function noise(length: number, seed: number): Buffer {
  const random = new Random(seed, "noise");
  return Buffer.from(Uint8Array.from({ length }, () => random.integer(256)));
}
