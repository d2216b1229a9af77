import type { ComponentChildren } from "preact";

/** A table of values. @param caption for screen readers @param children its rows */
export function NumbersTable({
  caption,
  first,
  others,
  kind = "numbers",
  children,
}: {
  caption: string;
  /** Over the rows' titles. */
  first: ComponentChildren;
  /** Over the values, each another. */
  others: readonly string[];
  kind?: "numbers" | "numbers texts";
  children: ComponentChildren;
}) {
  return (
    <table class={kind}>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{first}</th>
          {others.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
