// As much of a terminal as the program's output needs: lines that are overwritten, erased and scrolled, bold, dim and coloured text.

/** How a cell looks: "" or some of "b" (bold), "d" (dim) and a digit (the colour), such as "b2". @typedef {string} Look */
/** @typedef {{ text: string, look: Look }} Run cells of one look behind one another */

/** What a program may write to move, erase and colour: https://en.wikipedia.org/wiki/ANSI_escape_code#CSIsection */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
const SEQUENCE = /\u001b\[(\??[\d;]*)([A-Za-z])/y;
const TAB = 8;

/** A screen of fixed size, whose lines scroll out at its top. */
export class Screen {
  /** @type {{ character: string, look: Look }[][]} */
  #lines = [[]];
  #row = 0;
  #column = 0;
  #bold = false;
  #dim = false;
  #colour = "";

  /**
   * @param {number} columns
   * @param {number} rows
   */
  constructor(columns, rows) {
    this.columns = columns;
    this.rows = rows;
  }

  /**
   * Takes what a program writes.
   *
   * @param {string} text whole escape sequences
   * @throws {Error} for a sequence that is not known: the picture would be wrong
   */
  write(text) {
    for (let at = 0; at < text.length; ) {
      SEQUENCE.lastIndex = at;
      const sequence = SEQUENCE.exec(text);
      if (sequence) {
        this.#obey(sequence[1] ?? "", sequence[2] ?? "");
        at = SEQUENCE.lastIndex;
        continue;
      }
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      this.#put(character);
      at += character.length;
    }
  }

  /** @param {string} character */
  #put(character) {
    if (character === "\n") this.#newLine();
    else if (character === "\r") this.#column = 0;
    else if (character === "\b") this.#column = Math.max(0, this.#column - 1);
    else if (character === "\t")
      this.#column = Math.min(this.columns - 1, (Math.floor(this.#column / TAB) + 1) * TAB);
    else if (character < " ")
      throw new Error(`A control character must be known, but is ${JSON.stringify(character)}.`);
    else {
      if (this.#column === this.columns) {
        this.#column = 0;
        this.#newLine();
      }
      const line = this.#line();
      while (line.length < this.#column) line.push({ character: " ", look: "" });
      line[this.#column++] = {
        character,
        look: `${this.#bold ? "b" : ""}${this.#dim ? "d" : ""}${this.#colour}`,
      };
    }
  }

  #newLine() {
    this.#row++;
    if (this.#row === this.#lines.length) this.#lines.push([]);
    if (this.#lines.length > this.rows) {
      this.#lines.shift();
      this.#row--;
    }
  }

  #line() {
    return this.#lines[this.#row] ?? [];
  }

  /** @param {string} parameters @param {string} letter */
  #obey(parameters, letter) {
    if (parameters.startsWith("?")) return; // shows or hides the cursor, which is not drawn
    const [first = 0] = parameters.split(";").map(Number);
    if (letter === "m") this.#colourBy(parameters.split(";").map(Number));
    else if (letter === "K") this.#erase(first);
    else if (letter === "G") this.#column = Math.max(0, first - 1);
    else if (letter === "A") this.#row = Math.max(0, this.#row - Math.max(1, first));
    else throw new Error(`An escape sequence must be known, but is ESC[${parameters}${letter}.`);
  }

  /** @param {number} what 0 behind the cursor, 1 before it, 2 all of the line */
  #erase(what) {
    const line = this.#line();
    if (what === 0) line.length = Math.min(line.length, this.#column);
    else
      for (let at = 0; at < (what === 1 ? this.#column + 1 : line.length); at++)
        line[at] = { character: " ", look: "" };
  }

  /** @param {number[]} codes */
  #colourBy(codes) {
    for (const code of codes) {
      if (code === 0) [this.#bold, this.#dim, this.#colour] = [false, false, ""];
      else if (code === 1) this.#bold = true;
      else if (code === 2) this.#dim = true;
      else if (code === 22) [this.#bold, this.#dim] = [false, false];
      else if (code >= 30 && code <= 37) this.#colour = String(code - 30);
      else if (code === 39) this.#colour = "";
      else throw new Error(`A look of text must be known, but is ESC[${code}m.`);
    }
  }

  /** @returns {Run[][]} the lines from the top, without blanks at their ends */
  lines() {
    return this.#lines.map((line) => {
      /** @type {Run[]} */
      const runs = [];
      for (const { character, look } of line) {
        const last = runs.at(-1);
        if (last && (last.look === look || (character === " " && last.look !== ""))) last.text += character;
        else runs.push({ text: character, look });
      }
      const end = runs.at(-1);
      if (end) end.text = end.text.trimEnd();
      return runs.filter(({ text }) => text !== "");
    });
  }
}
