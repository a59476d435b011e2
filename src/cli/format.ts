/**
 * One way to print a list for every view: table, `--format json`, a docker-style template, or `-q`.
 * Owns the choice; must not know what the rows are.
 */
import { CliError } from "./fail.ts";
import type { Io } from "./io.ts";
import { type ColumnRule, table } from "./table.ts";

export interface Column {
  readonly header: string;
  /** Key of the row's fields that it shows. */
  readonly field: string;
  readonly rule?: ColumnRule;
}

export interface Row {
  /** What table and templates show. */
  readonly fields: Readonly<Record<string, string>>;
  /** What `--format json` prints; `fields` when absent. */
  readonly json?: unknown;
}

export interface View {
  readonly columns: readonly Column[];
  /** The field that `-q` prints. */
  readonly key: string;
  readonly paint?: (text: string, field: string, row: Row) => string;
}

export interface ViewFlags {
  readonly quiet?: boolean;
  readonly format?: string;
}

/** Prints rows as the flags ask. Throws CliError for a template that it cannot fill. */
export function printRows(io: Io, view: View, rows: readonly Row[], flags: ViewFlags): void {
  if (flags.quiet) {
    io.out(rows.map((row) => `${row.fields[view.key] ?? ""}\n`).join(""));
    return;
  }
  const format = flags.format ?? "table";
  if (format === "json" || format === "{{json .}}") {
    io.out(rows.map((row) => `${JSON.stringify(row.json ?? row.fields)}\n`).join(""));
    return;
  }
  if (format === "table") {
    printTable(io, view, view.columns, rows);
    return;
  }
  if (format.startsWith("table ")) {
    const fields = [...format.matchAll(/\{\{\s*\.(\w+)\s*\}\}/g)].map((match) => match[1] ?? "");
    for (const row of rows.slice(0, 1)) for (const field of fields) fill(`{{.${field}}}`, row);
    const known = (field: string): Column => view.columns.find((one) => one.field === field) ?? columnOf(field);
    printTable(io, view, fields.map(known), rows);
    return;
  }
  io.out(rows.map((row) => `${fill(format, row)}\n`).join(""));
}

function columnOf(field: string): Column {
  return { header: field.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toUpperCase(), field };
}

function printTable(io: Io, view: View, columns: readonly Column[], rows: readonly Row[]): void {
  const paint = view.paint;
  const text = table(
    columns.map((column) => column.header),
    rows.map((row) => columns.map((column) => row.fields[column.field] ?? "")),
    {
      width: io.width,
      columns: columns.map((column) => column.rule),
      paint:
        io.colour && paint
          ? (cell, column, row) => paint(cell, columns[column]?.field ?? "", rows[row] ?? { fields: {} })
          : undefined,
    },
  );
  io.out(text);
}

/** `{{.Field}}` and `{{json .Field}}`; `\t` and `\n` as docker reads them. */
function fill(template: string, row: Row): string {
  return template
    .replaceAll("\\t", "\t")
    .replaceAll("\\n", "\n")
    .replace(/\{\{([^}]*)\}\}/g, (whole, inside: string) => {
      const match = /^\s*(json\s+)?\.(\w*)\s*$/.exec(inside);
      const name = match?.[2] ?? "";
      if (!match || (name === "" && !match[1])) {
        throw new CliError(`template ${whole} is not supported: use {{.Field}} or {{json .Field}}`);
      }
      if (name === "") return JSON.stringify(row.json ?? row.fields);
      if (!Object.hasOwn(row.fields, name)) {
        throw new CliError(
          `template ${whole}: there is no field ${name}; there are ${Object.keys(row.fields).join(", ")}`,
        );
      }
      const value = row.fields[name] ?? "";
      return match[1] ? JSON.stringify(value) : value;
    });
}
