// Which column of a pasted block is what: asked where it could be either.

import { COLUMNS } from "./estimating_cells.js";

const SHOWN_ROWS = 5;

/** Let the columns of `table` be named; null when it was given up. */
export function askForColumns(table, words) {
  const dialog = document.getElementById("columns");
  const place = dialog.querySelector("[data-columns]");
  const head = document.createElement("tr");
  const selects = table.columns.map((column, index) => {
    const select = document.createElement("select");
    select.setAttribute("aria-label", words.column.replace("{number}", index + 1));
    select.add(new Option(words.ignored, ""));
    for (const name of [...COLUMNS, "line"]) {
      if (name !== "line" || column === "line") select.add(new Option(words.columns[name], name));
    }
    select.value = column ?? "";
    const cell = document.createElement("th");
    cell.append(select);
    head.append(cell);
    return select;
  });
  const rows = table.rows.slice(0, SHOWN_ROWS).map((cells) => {
    const row = document.createElement("tr");
    for (const text of cells) row.insertCell().textContent = text;
    return row;
  });
  place.replaceChildren(head, ...rows);
  dialog.returnValue = "";
  dialog.showModal();
  selects.find((select) => ["quantity", "poles"].includes(select.value))?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const columns = selects.map((select) => select.value || null);
      resolve(dialog.returnValue === "paste" ? { ...table, columns } : null);
    }, { once: true });
  });
}
