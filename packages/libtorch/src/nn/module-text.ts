// What `console.log` shows of a module: PyTorch's tree, a line a module.
import type { Module } from "./module.js";

/**
 * `Linear(3, 4, bias=true)`, and for what holds others a line for each, indented; modules alike one behind another are one
 * line with their number. PyTorch: `Module.__repr__`.
 */
export function moduleText(module: Module): string {
  const children = grouped(
    [...module.namedChildren()].map(([name, child]) => ({ name, text: moduleText(child) })),
  );
  const extra = module.extraRepr();
  const { name: kind } = module.constructor;
  if (children.length === 0) return `${kind}(${extra})`;
  const lines = [...(extra === "" ? [] : [extra]), ...children.map(({ name, text }) => `(${name}): ${text}`)];
  return `${kind}(\n${indented(lines.join("\n"))}\n)`;
}

interface Child {
  readonly name: string;
  readonly text: string;
}

/** `layers.0` to `layers.11` of the same text are `layers.0-11`. */
function grouped(children: readonly Child[]): Child[] {
  const groups: { first: Child; last: Child; count: number }[] = [];
  for (const child of children) {
    const group = groups.at(-1);
    if (group?.last.text === child.text && follows(group.last.name, child.name)) {
      group.last = child;
      group.count++;
    } else groups.push({ first: child, last: child, count: 1 });
  }
  return groups.map(({ first, last, count }) =>
    count === 1
      ? first
      : { name: `${first.name}-${last.name.split(".").at(-1)}`, text: `${count} x ${first.text}` },
  );
}

/** Whether names are `a.1` and `a.2`. */
function follows(one: string, other: string): boolean {
  const [, base, place] = /^(|.*\.)(\d+)$/.exec(one) ?? [];
  return base !== undefined && other === `${base}${Number(place) + 1}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
