import { expect, it } from "vitest";
import { NamedTextWriter } from "../text/formats/text.js";
import { lineName } from "./line-name.js";

it("a name that would break a line is a JSON string there", () => {
  expect(lineName('größe "1".wav')).toBe('größe "1".wav');
  expect(lineName("a\nb\t.wav")).toBe('"a\\nb\\t.wav"');
  expect(new NamedTextWriter("a\nb.wav").end()).toBe('"a\\nb.wav"\t\n');
});
