// A table of any length: as many rows as there are, each filled once it comes into sight.
import { ask } from "./console.js";

const place = document.getElementById("table");
const words = JSON.parse(document.getElementById("table-words").textContent);
const columns = JSON.parse(document.getElementById("table-columns").textContent);
const form = document.querySelector("[data-filter]");
const count = document.querySelector("[data-count]");
const WAIT_MS = 80;

let rows = [];
let pages = new Map();
let empty = new Map();
let timer = 0;

const table = new Tabulator(place, {
  height: "calc(100vh - 12rem)",
  rowHeight: 30,
  data: [],
  layout: "fitDataStretch",
  placeholder: words.none,
  columns: columns.map(([field, title]) => ({
    field, title, headerSort: false,
    hozAlign: words.numbers.includes(field) ? "right" : "left",
    headerHozAlign: words.numbers.includes(field) ? "right" : "left",
    widthGrow: field === "warning" ? 3 : 1,
  })),
  rowFormatter: (row) => {
    const { at, isThere } = row.getData();
    row.getElement().setAttribute("aria-rowindex", at + 2);
    if (!isThere) empty.set(at, row);
  },
});

function address(page) {
  const asked = new URLSearchParams({ part: words.part, text: form.elements.text.value, page });
  return `${place.dataset.rows}?${asked}`;
}

function fill(page, cells) {
  cells.forEach((values, index) => {
    const at = page * words.aPage + index;
    columns.forEach(([field], column) => { rows[at][field] = values[column] ?? ""; });
    rows[at].isThere = true;
    empty.get(at)?.reformat();
    empty.delete(at);
  });
}

/** Fetch what is in sight and not there yet. */
async function catchUp() {
  const seen = table.getRows("visible").map((row) => row.getData().at);
  if (!seen.length) return;
  const first = Math.floor(seen[0] / words.aPage);
  const last = Math.floor(seen[seen.length - 1] / words.aPage);
  const of = pages;
  for (let page = first; page <= last; page += 1) {
    if (of.has(page)) continue;
    of.set(page, true);
    try {
      const response = await ask(address(page), { again: catchUp });
      if (!response.ok) throw new Error(response.statusText);
      const found = await response.json();
      if (of === pages) fill(page, found.rows);
    } catch {
      of.delete(page);
    }
  }
}

/** Begin anew with the rows that hold the words. */
async function begin() {
  const mine = pages = new Map();
  place.setAttribute("aria-busy", "true");
  try {
    const response = await ask(address(0), { again: begin });
    if (!response.ok || mine !== pages) return;
    const found = await response.json();
    rows = Array.from({ length: found.total }, (_, at) => ({ at, isThere: false }));
    empty = new Map();
    pages.set(0, true);
    fill(0, found.rows);
    await table.setData(rows);
    nameParts();
    count.textContent = words.count.replace("{n}", found.total.toLocaleString());
    place.setAttribute("aria-rowcount", found.total + 1);
  } catch {
    // Told of already; typing on tries again.
  } finally {
    place.removeAttribute("aria-busy");
  }
}

/** What takes the keyboard, to scroll, is the group of rows that a grid may have as a child. */
function nameParts() {
  place.setAttribute("aria-label", words.title);
  place.removeAttribute("aria-owns");
  const holder = place.querySelector(".tabulator-tableholder");
  holder.querySelector(".tabulator-table").setAttribute("role", "presentation");
  for (const [name, value] of [["role", "rowgroup"], ["tabindex", "0"]]) {
    if (rows.length) holder.setAttribute(name, value);
    else holder.removeAttribute(name);
  }
}

table.on("tableBuilt", () => { begin(); });
table.on("scrollVertical", () => { clearTimeout(timer); timer = setTimeout(catchUp, WAIT_MS); });
table.on("renderComplete", () => { clearTimeout(timer); timer = setTimeout(catchUp, WAIT_MS); });
let typing = 0;
form.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    history.replaceState(null, "", `?${new URLSearchParams(new FormData(form))}`);
    begin();
  }, 250);
});
form.addEventListener("submit", (event) => event.preventDefault());
