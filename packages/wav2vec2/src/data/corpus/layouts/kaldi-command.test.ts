import { expect, it } from "vitest";
import { decodedFile } from "./kaldi-command.js";

it("finds the file that a command only decodes", () => {
  for (const command of [
    "flac -c -d -s /c/a.flac |",
    "/opt/bin/flac -cds /c/a.flac - |",
    "cat /c/a.flac|",
    "sox /c/a.flac -t wav -r 16k -b 16 -e signed - |",
    "sox -t flac /c/a.flac -c 1 -t wav - rate 16000 |",
    "ffmpeg -i /c/a.flac -f wav -ar 16000 -ab 16 - |",
    "ffmpeg -v error -nostdin -i '/c/a.flac' -acodec pcm_s16le -ac 1 -f wav pipe:1 |",
    'sox "/c/a.flac" -t wav - |',
    "mpg123 -q -w - /c/a.flac |".replace(" - /c/a.flac", " /c/a.flac"),
  ])
    expect(decodedFile(command), command).toEqual({ file: "/c/a.flac" });
  expect(
    decodedFile(
      "sph2pipe /c/a.sph -f wav -c 2 -p | ffmpeg -threads 1 -i pipe:0 -ar 8000 -f wav -threads 1 pipe:1 |",
    ),
  ).toEqual({ file: "/c/a.sph", channel: 2, rate: 8000 });
  expect(
    decodedFile("ffmpeg -threads 1 -i a.mp3 -ar 16000 -map_channel 0.0.0  -f wav -threads 1 pipe:1 |"),
  ).toEqual({
    file: "a.mp3",
    channel: 1,
  });
  expect(decodedFile("sph2pipe -f wav -p a.sph | sox -t wav - -r 8k -t wav - |")).toEqual({
    file: "a.sph",
    rate: 8000,
  });
  expect(decodedFile("sph2pipe -f wav -p -c 2 /c/a.sph |")).toEqual({ file: "/c/a.sph", channel: 2 });
  expect(decodedFile("sph2pipe -f wav -p '/c/with space é.sph' |")).toEqual({ file: "/c/with space é.sph" });
});

it("leaves alone what may change the sound, or do anything else", () => {
  for (const command of [
    "sox a.wav -t wav - speed 0.9 |",
    "sox -v 0.5 a.wav -t wav - |",
    "sox a.wav b.wav -t wav - |",
    "sox a.wav -t wav - rate 16k vol 2 |",
    "sox - -t wav - |",
    "cat a.wav | sox b.wav -t wav - |",
    "cat a.wav | sox -t wav - -t wav - speed 2 |",
    "ffmpeg -ss 3 -i a.wav -f wav - |",
    "ffmpeg -i a.wav -af volume=2 -f wav - |",
    "sph2pipe -f wav -t 1:2 a.sph |",
    "flac -c -d --skip=5 a.flac |",
    "cat a.wav | touch /tmp/x |",
    "cat a.wav; touch x |",
    "cat $(touch x) |",
    "cat `x` |",
    'cat "$HOME/a.wav" |',
    "cat ~/a.wav |",
    "cat *.wav |",
    "cat a.wav > b |",
    "wav-reverberate a.wav - |",
    "constructor a.wav |",
    "toString a.wav |",
    "cat |",
    "|",
  ])
    expect(decodedFile(command), command).toBeUndefined();
});
