/** An utterance as the page's script reads it. */
export interface ListedUtterance {
  id: string;
  split?: string | undefined;
  speaker?: string | undefined;
  seconds?: number | undefined;
  confidence?: number | undefined;
  /** Words of the reference, and errors. */
  words: number;
  errors: number;
  /** Errors of a second system less those of the first. */
  change?: number;
  /** Whether it stays where only those with errors, or with differences, are shown. */
  wrong: boolean;
  /** What is said of it beside its name. */
  facts: string[];
  /** Texts below one another: reference, hypotheses. */
  rows: number;
  /** A word that is right alone; another with what is in each row, empty where it has none. */
  pairs: (string | string[])[];
}

/**
 * What makes the list of utterances live, in plain JavaScript for the page: it reads the JSON beside it
 * ({@link ListedUtterance}), filters, sorts, and shows a hundred rows at a time. All text goes in as text, never as HTML.
 */
export const reportScript = `
(() => {
  const find = (id) => document.getElementById(id);
  const utterances = JSON.parse(find("utterances").textContent);
  const clips = JSON.parse(find("clips").textContent);
  const list = find("list");
  const PAGE = 100;
  const rate = (each) => each.errors / Math.max(1, each.words);
  const orders = {
    wer: (a, b) => rate(b) - rate(a) || b.words - a.words,
    errors: (a, b) => b.errors - a.errors || rate(b) - rate(a),
    confidence: (a, b) => a.confidence - b.confidence,
    better: (a, b) => a.change - b.change || b.errors - a.errors,
    worse: (a, b) => b.change - a.change || b.errors - a.errors,
    longest: (a, b) => b.seconds - a.seconds,
    shortest: (a, b) => a.seconds - b.seconds,
    id: (a, b) => a.id.localeCompare(b.id, "en", { numeric: true }),
  };
  // Whatever form letters are encoded in.
  const searchable = (text) => text.normalize("NFKC").toLowerCase();
  for (const each of utterances)
    each.text = searchable([each.id, ...each.pairs.flatMap((pair) => pair)].join(" "));
  let shown = [];
  let confusion = null;

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) {
      element.textContent = text;
      if (tag !== "i") element.dir = "auto"; // words run as those around them
    }
    return element;
  }

  // Text of another direction does not turn the sentence around it.
  const isolated = (text) => "\\u2068" + text + "\\u2069";

  function row(each) {
    const item = make("li");
    if (clips[each.id]) {
      const button = make("button", "play");
      button.type = "button";
      button.dataset.clip = each.id;
      button.setAttribute("aria-label", "Play " + each.id);
      button.setAttribute("aria-pressed", "false");
      item.append(button);
    } else item.append(make("span", "no-clip"));
    const facts = make("div", "facts");
    facts.append(make("b", "", each.id), ...each.facts.map((fact) => make("span", "", fact)));
    if (each.speaker !== undefined) facts.append(make("span", "", "speaker " + each.speaker));
    if (find("split")) facts.append(make("span", "", each.split));
    const words = make("div", "words");
    words.dir = "auto";
    for (const pair of each.pairs) {
      const column = make("span", typeof pair === "string" ? "" : "wrong");
      const rows = typeof pair === "string" ? new Array(each.rows).fill(pair) : pair;
      for (const text of rows) column.append(make("i", text === rows[0] ? "" : "other", text || "\\u2013"));
      words.append(column);
    }
    item.append(facts, words);
    return item;
  }

  function showMore() {
    const from = list.childElementCount;
    list.append(...shown.slice(from, from + PAGE).map(row));
    find("more").hidden = list.childElementCount >= shown.length;
  }

  function isConfused(each) {
    return each.pairs.some((pair) => typeof pair !== "string" && pair[0] === confusion[0] && pair[1] === confusion[1]);
  }

  function update() {
    const text = searchable(find("search").value.trim());
    const value = (id) => find(id)?.value ?? "";
    const [split, speaker] = [value("split"), value("speaker")];
    shown = utterances.filter((each) =>
      (!text || each.text.includes(text)) &&
      (!split || each.split === split) &&
      (!speaker || each.speaker === speaker) &&
      (!find("wrong").checked || each.wrong) &&
      (!find("playable").checked || clips[each.id]) &&
      (!confusion || isConfused(each)));
    shown.sort(orders[find("order").value]);
    find("player").pause();
    list.replaceChildren();
    find("found").textContent = shown.length + " of " + utterances.length + " utterances" +
      (confusion ? ", in which " + isolated(confusion[0] || "nothing") + " was recognised as " + isolated(confusion[1] || "nothing") : "");
    showMore();
  }

  for (const button of document.querySelectorAll("[data-confusion]"))
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      for (const other of document.querySelectorAll("[data-confusion]")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(!pressed));
      confusion = pressed ? null : JSON.parse(button.dataset.confusion);
      update();
      if (!pressed) find("found").scrollIntoView({ behavior: "smooth", block: "center" });
    });
  for (const id of ["search", "split", "speaker", "wrong", "playable", "order"])
    find(id)?.addEventListener("input", update);
  find("more").addEventListener("click", showMore);
  update();
})();
`;
