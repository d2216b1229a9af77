import { cutToWidth, displayWidth } from "../../unicode/display-width.js";

/** The part of a stream that the progress line needs; `process.stderr` is one. */
export interface TerminalStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  on?(event: "resize", listener: () => void): unknown;
  off?(event: "resize", listener: () => void): unknown;
}

type Write = (chunk: string | Uint8Array, ...rest: unknown[]) => unknown;

/** For terminals that do not say how wide they are. */
const USUAL_COLUMNS = 80;
const ESCAPE = String.fromCharCode(27);

/**
 * The last line of a terminal, rewritten in place. What else is written to the terminal through Node.js appears above it,
 * whoever writes it; what C++ code writes cannot be seen from here and ends up behind the line, which then begins anew.
 */
export class LiveLine {
  /** Makes the line, no longer than the given width, without what moves the cursor. */
  #text: (width: number) => string = () => "";
  readonly #paint: (text: string) => string;
  /** What stands there now. */
  #drawn = "";
  /** Whether somebody else has begun a line there. */
  #foreign = false;
  readonly #write: (text: string) => unknown;
  readonly #restore: (() => void)[] = [];

  /**
   * @param stream the terminal
   * @param others streams that go to the same terminal, such as stdout
   */
  constructor(
    private readonly stream: TerminalStream,
    {
      paint = (text) => text,
      others = [],
    }: { paint?: (text: string) => string; others?: TerminalStream[] } = {},
  ) {
    this.#paint = paint;
    const { write } = stream;
    this.#write = (text) => write.call(stream, text);
    for (const each of [stream, ...others]) this.#listen(each);
    const redraw = () => this.#around(() => {});
    stream.on?.("resize", redraw);
    const finish = () => this.close(); // where the process ends by itself: what comes next begins a line
    process.once("exit", finish);
    this.#restore.push(
      () => stream.off?.("resize", redraw),
      () => process.off("exit", finish),
    );
  }

  /** @param text gives the line, no longer than `width` */
  show(text: (width: number) => string): void {
    this.#text = text;
    if (this.#line() !== this.#drawn || this.#foreign) this.#around(() => {});
  }

  /** Writes lines above. */
  print(text: string): void {
    this.#around(() => this.#write(`${text}\n`));
  }

  /** Leaves the line where it is. */
  close(): void {
    if (this.#drawn !== "") this.#write("\n");
    this.#drawn = "";
    for (const restore of this.#restore.splice(0)) restore();
  }

  /** Lets others' writes pass above the line. */
  #listen(stream: TerminalStream): void {
    const original = stream.write as Write;
    const passing: Write = (chunk, ...rest) => {
      this.#clear();
      const result = original.call(stream, chunk, ...rest);
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
      if (text !== "") this.#foreign = !(/[\r\n]$/.test(text) || text.endsWith(`${ESCAPE}[2K`));
      if (!this.#foreign) this.#draw();
      return result;
    };
    stream.write = passing;
    this.#restore.push(() => {
      if (stream.write === passing) stream.write = original;
    });
  }

  #around(body: () => void): void {
    if (this.#foreign) this.#write("\n");
    this.#foreign = false;
    this.#clear();
    body();
    this.#draw();
  }

  #clear(): void {
    if (this.#drawn === "") return;
    // Where the terminal has become narrower, it has wrapped the line.
    const rows = Math.ceil(displayWidth(this.#drawn) / this.#columns());
    this.#write(rows > 1 ? `\r${ESCAPE}[${rows - 1}A${ESCAPE}[J` : `\r${ESCAPE}[2K`);
    this.#drawn = "";
  }

  #draw(): void {
    this.#drawn = this.#line();
    if (this.#drawn !== "") this.#write(this.#paint(this.#drawn));
  }

  #line(): string {
    // A line as long as the terminal is wide would wrap, and the next \r would only return to its last row.
    const width = Math.max(1, this.#columns() - 1);
    return cutToWidth(this.#text(width), width);
  }

  #columns(): number {
    return this.stream.columns || USUAL_COLUMNS;
  }
}
