/** Tables as docker prints them, made to fit a terminal. Owns layout only; must not know what is shown. */
import stringWidth from "string-width";

export interface ColumnRule {
  /** Cells are not cut below this many columns (never below the header's width). Default 8. */
  readonly min?: number;
  /** The lower, the less important: cut first. Default 50; the widest first among equals. */
  readonly importance?: number;
  /** May be left out altogether when cutting is not enough. */
  readonly droppable?: boolean;
}

export interface TableOptions {
  /** Columns to fit into; without it nothing is ever cut. */
  readonly width?: number | undefined;
  /** By column index; see ColumnRule. */
  readonly columns?: readonly (ColumnRule | undefined)[];
  /** Colours a cell after it was cut and padded, so that colours never count as width. */
  readonly paint?: ((text: string, column: number, row: number) => string) | undefined;
}

const GAPS = [3, 2] as const;

/**
 * Header line and rows, cells left-aligned, three spaces between columns, a newline after each line.
 * To fit `width`: first a gap of two spaces; then, the least important column first, cells are cut (`…`), and a droppable
 * column goes altogether before a more important one is touched.
 */
export function table(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const natural = headers.map((header, column) =>
    rows.reduce((widest, row) => Math.max(widest, cellWidth(row[column] ?? "")), cellWidth(header)),
  );
  const { gap, widths } = layOut(headers, natural, options);
  const shown = headers.map((_, column) => column).filter((column) => widths[column] !== undefined);
  const lastColumn = shown.at(-1);
  const line = (cells: readonly string[], row: number): string =>
    shown
      .map((column) => {
        const width = widths[column] ?? 0;
        const text = cut(cells[column] ?? "", width);
        const padded = column === lastColumn ? text : text + " ".repeat(Math.max(0, width - cellWidth(text)));
        return row >= 0 && options.paint ? options.paint(padded, column, row) : padded;
      })
      .join(" ".repeat(gap))
      .trimEnd();
  return [line(headers, -1), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

/** The text within `width` columns, its end replaced by `…` when it is longer. */
export function cut(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  let result = "";
  let used = 0;
  for (const character of text) {
    const wide = cellWidth(character);
    if (used + wide > width - 1) break;
    result += character;
    used += wide;
  }
  return `${result}…`;
}

interface Fit {
  readonly gap: number;
  /** By column; undefined is left out. */
  readonly widths: readonly (number | undefined)[];
}

function layOut(headers: readonly string[], natural: readonly number[], options: TableOptions): Fit {
  const width = options.width ?? Number.POSITIVE_INFINITY;
  const rule = (column: number): ColumnRule => options.columns?.[column] ?? {};
  let columns = headers.map((_, column) => column);
  const total = (widths: readonly number[], gap: number): number =>
    columns.reduce((sum, column) => sum + (widths[column] ?? 0), 0) + gap * (columns.length - 1);
  const spread = (widths: readonly number[], gap: number): Fit => ({
    gap,
    widths: headers.map((_, column) => (columns.includes(column) ? widths[column] : undefined)),
  });
  for (;;) {
    for (const gap of GAPS) if (total(natural, gap) <= width) return spread(natural, gap);
    const gap = GAPS[1];
    const widths = [...natural];
    const order = [...columns].sort(
      (a, b) => (rule(a).importance ?? 50) - (rule(b).importance ?? 50) || (natural[b] ?? 0) - (natural[a] ?? 0),
    );
    const dropped = order.find((column) => {
      const over = total(widths, gap) - width;
      if (over <= 0) return false;
      const least = Math.max(cellWidth(headers[column] ?? ""), rule(column).min ?? 8);
      widths[column] = Math.min(natural[column] ?? 0, Math.max(least, (natural[column] ?? 0) - over));
      return rule(column).droppable === true && total(widths, gap) > width;
    });
    if (dropped === undefined) return spread(widths, gap);
    columns = columns.filter((column) => column !== dropped);
  }
}

/** Terminal columns of a text; plain ASCII, nearly all there is, without the cost of the general answer. */
function cellWidth(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}
