"""Writes files as encoders, cutters, taggers and recorders leave them, and compares what is read from them with FFmpeg and libsndfile.

    apt-get install -y ffmpeg lame opus-tools vorbis-tools flac sox
    npm run build
    pip install soundfile==0.14.0
    python reference/audio_files.py

A line for each file: samples that this project reads (or why it refuses it), whether blocks and a pipe give the same, and the
samples that libsndfile and FFmpeg read. It fails where the ways of reading differ, or where a file that both others read to the
same length is read to another.
"""

import json
import struct
import subprocess
import tempfile
from pathlib import Path

import soundfile

INDEX = Path(__file__).parent.parent / "packages/wav2vec2/dist/index.js"
READ = """
import { createReadStream } from "node:fs";
const { readAudio, readAudioInfo, streamAudio, streamPcm } = await import(process.argv[1]);
const bits = (samples) => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
async function gather(blocks) {
  const parts = [];
  try { for await (const block of blocks) parts.push(bits(block.slice())); } catch (error) { return error.message; }
  return Buffer.concat(parts);
}
for (const path of process.argv.slice(2)) {
  const whole = await readAudio(path).then(bits, (error) => error.message);
  const info = await readAudioInfo(path).catch((error) => error.message);
  const others = [await gather(streamAudio(path)), await gather(streamPcm(createReadStream(path)))];
  const refused = typeof whole === "string";
  const agree = others.every((other) => refused ? typeof other === "string" : typeof other !== "string" && other.equals(whole));
  const length = refused ? 0 : whole.length / 4;
  console.log(JSON.stringify({ agree: agree && (refused || info.samplesAt16k === length), samples: refused ? undefined : info.samples, refused: refused ? whole : undefined }));
}
"""
ENCODE = """
sox -q -n -r 44100 -c 2 -b 16 source.wav synth 2 pinknoise vol 0.3
lame --quiet -V4 source.wav lame-vbr.mp3; lame --quiet -b 128 source.wav lame-cbr.mp3; lame --quiet -t -b 128 source.wav lame-no-counts.mp3
lame --quiet --tt title --id3v1-only -V5 source.wav lame-id3v1.mp3; lame --quiet --add-id3v2 --pad-id3v2-size 5000 --tt x -V5 source.wav lame-padded.mp3
cat source.wav | lame --quiet -V4 - - > lame-pipe.mp3
ffmpeg -v error -i source.wav -b:a 96k ffmpeg-cbr.mp3; ffmpeg -v error -i source.wav -q:a 5 ffmpeg-vbr.mp3; ffmpeg -v error -i source.wav -f mp3 - > ffmpeg-pipe.mp3
sox source.wav sox-pipe-to-file.wav; cat source.wav | sox -q -t wav - -t wav - > sox-pipe.wav; ffmpeg -v error -i source.wav -f wav - > ffmpeg-pipe.wav
flac -s source.wav -o flac.flac; cat source.wav | flac -s - -o - > flac-pipe.flac 2>/dev/null; ffmpeg -v error -i source.wav -f flac - > ffmpeg-pipe.flac
opusenc --quiet source.wav opusenc.opus; cat source.wav | opusenc --quiet - - > opusenc-pipe.opus; ffmpeg -v error -i source.wav ffmpeg.opus
oggenc -Q source.wav -o oggenc.ogg; flac -s --ogg source.wav -o flac.oga; ffmpeg -v error -i source.wav -c:a flac ffmpeg.oga
"""
ID3V1 = b"TAG" + b"x" * 125
ID3V2 = b"ID3\x04\0\0\0\0\0\x20" + bytes(32)


def ape():
    item = struct.pack("<II", 5, 0) + b"Title\0hello"
    mark = lambda flags: b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, flags) + bytes(8)
    return mark(0xA0000000) + item + mark(0x80000000)


def checksum(page):
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value >> 31 else value << 1) & 0xFFFFFFFF
    return value


def pages(data):
    at, found = 0, []
    while at < len(data):
        length = 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
        found.append(data[at : at + length])
        at += length
    return found


def unmarked(found):
    last = bytearray(found[-1])
    last[5] &= ~4
    last[22:26] = bytes(4)
    last[22:26] = struct.pack("<I", checksum(last))
    return [*found[:-1], bytes(last)]


def variants(path):
    data = path.read_bytes()
    yield "front-id3v2", ID3V2 + data
    yield "behind-id3v1", data + ID3V1
    yield "behind-id3v2", data + ID3V2
    yield "behind-ape", data + ape() + ID3V1
    yield "behind-zeros", data + bytes(3000)
    yield "twice", data + data
    if path.suffix in (".opus", ".ogg", ".oga"):
        yield "gaps", b"".join(page + b"\xa5" * (-len(page) % 1024) for page in pages(data))
        yield "no-mark", b"".join(unmarked(pages(data)))
    counts = max(data.find(b"Xing", 0, 9000), data.find(b"Info", 0, 9000)) if path.suffix == ".mp3" else -1
    if counts > 0:
        frames = struct.unpack(">I", data[counts + 8 : counts + 12])[0]
        for name, count in (("counts-itself", frames + 1), ("counts-0", 0)):
            yield name, data[: counts + 8] + struct.pack(">I", count) + data[counts + 12 :]


def ffmpeg(path):
    form = ["-map", "0:a:0", "-f", "s16le", "-ac", "1", "-"]
    if path.suffix == ".opus":
        form = ["-map", "0:a:0", "-ar", "48000", *form[2:]]
    return len(subprocess.run(["ffmpeg", "-v", "quiet", "-i", path, *form], capture_output=True).stdout) // 2


def libsndfile(path):
    try:
        samples, rate = soundfile.read(path, always_2d=True)
        return len(samples) * 48000 // rate if path.suffix == ".opus" else len(samples)
    except (soundfile.LibsndfileError, ValueError, MemoryError):  # of an open size it wants it all
        return None


def main():
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["sh", "-e", "-c", ENCODE], cwd=directory, check=True)
        encoded = sorted(Path(directory).iterdir())
        for path in encoded:
            for name, data in variants(path):
                path.with_name(f"{path.stem}-{name}{path.suffix}").write_bytes(data)
        paths = sorted(Path(directory).iterdir())
        command = ["node", "--input-type=module", "-e", READ, INDEX.as_uri(), *map(str, paths)]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        wrong = 0
        for path, line in zip(paths, lines, strict=True):
            read, others = json.loads(line), (libsndfile(path), ffmpeg(path))
            samples = read.get("samples")
            good = read["agree"] and (samples is None or others[0] != others[1] or samples == others[0])
            wrong += not good
            reason = read.get("refused", "").replace(f"{directory}/", "")
            print("good " if good else "WRONG", path.name, samples, *others, reason)
        print(f"{len(paths)} files, {wrong} wrong")
        raise SystemExit(wrong > 0)


main()
