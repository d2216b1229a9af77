import { describe, expect, it } from "vitest";
import { StableText } from "./stable-text.js";

describe("text that cannot be taken back", () => {
  it("is told in whole words, once they were the same twice", () => {
    const text = new StableText();
    expect(text.partial("THE CAT")).toBe("");
    expect(text.partial("THE CATS")).toBe("THE");
    expect(text.partial("THE CATS SIT")).toBe("");
    expect(text.partial("THE CATS SIT")).toBe(" CATS");
    expect(text.partial("THE CATS")).toBe("");
    expect(text.final("THE CATS SIT DOWN")).toBe(" SIT DOWN");
    expect(text.told).toBe("THE CATS SIT DOWN");
  });

  it("is told no further where the settled text went another way", () => {
    const text = new StableText();
    text.partial("A BEE GOES");
    expect(text.partial("A BEE GOES")).toBe("A BEE");
    expect(text.final("A BEAR CAME")).toBe("");
  });
});
