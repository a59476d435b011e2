/** Elements from values: texts are texts, never markup. */

/**
 * @param {string} tag
 * @param {Record<string, unknown>} properties `class`, `aria-…`, `data-…` and the like are attributes, `on…` are listeners
 * @param {...(Node | string | undefined | false)} children
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** Replaces what is in the page, and moves the reader there. */
export function show(title, ...children) {
  document.title = `${title} · shoal hub`;
  const main = document.getElementById("main");
  main.replaceChildren(...children.filter(Boolean));
  main.focus({ preventScroll: true });
}

/** Says it to those who see the page and to those who hear it. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** Asks before something is done that cannot be taken back; resolves with the answer. */
export function confirm(question, action) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-labelledby": "question" },
      h("p", { id: "question" }, question),
      h(
        "form",
        { method: "dialog" },
        h("button", { value: "no", autofocus: true }, "Cancel"),
        h("button", { value: "yes", class: "danger" }, action),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Makes a table's body show `rows` and touches nothing that is as it was, so that neither focus nor a screen reader's place
 * is lost.
 * @param {HTMLTableSectionElement} body
 * @param {{ key: string, cells: { label: string, text: string, node: () => (Node | string | undefined) }[] }[]} rows
 */
export function fill(body, rows) {
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const isFirst = body.dataset.filled === undefined;
  body.dataset.filled = "";
  for (const [index, { key, cells }] of rows.entries()) {
    let row = known.get(key);
    known.delete(key);
    if (!row) {
      row = h("tr", { role: "row", "data-key": key, class: !isFirst && "new" });
      row.append(...cells.map(({ label }) => h("td", { role: "cell", "data-label": label })));
    }
    for (const [at, { text, node }] of cells.entries()) {
      const cell = row.cells[at];
      if (cell.dataset.text === text) continue;
      cell.dataset.text = text;
      cell.replaceChildren(...[node()].filter((child) => child !== undefined && child !== ""));
    }
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  }
  for (const row of known.values()) row.remove();
}

/** An empty table with these columns. Its roles are written out: laid out as cards, it would lose them. */
export function table(caption, columns) {
  const body = h("tbody", { role: "rowgroup" });
  const heads = columns.map((column) => h("th", { role: "columnheader", scope: "col" }, column));
  const element = h(
    "table",
    { role: "table", "aria-label": caption },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads)),
    body,
  );
  return { element, body };
}
