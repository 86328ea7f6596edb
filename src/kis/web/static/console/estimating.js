// The estimating screen: what is typed is previewed, its faults shown where they are.

import { ask, tell } from "./console.js";
import { Board } from "./estimating_board.js";
import { cellsOf, readLine, readTable } from "./estimating_cells.js";
import { linkDrawing } from "./estimating_drawing.js";
import { Grid } from "./estimating_grid.js";
import { Draft, History } from "./estimating_history.js";
import { offerModels } from "./estimating_models.js";
import { showObjections } from "./estimating_objections.js";
import { askForColumns } from "./estimating_paste.js";
import { nameOf, read, write } from "./kept.js";

const PAUSE_MS = 100;
const AGAIN_MS = 3000;
const LASTING = ["brand", "form", "installation.location", "installation.mount", "installation.material", "device.type"];

const given = JSON.parse(document.getElementById("estimating").textContent);
const { words } = given;
const form = document.getElementById("board");
const result = document.getElementById("result");
const outcome = result.querySelector("[data-outcome]");
const spoken = result.querySelector("[data-spoken]");
const first = outcome.firstElementChild;
const lasting = nameOf("kis-estimate", "last");
const draft = new Draft(given.source);
const history = new History();

let typingIn = null;
let isReady = false;
let isTried = false;
const gridOf = (id, template) => new Grid(
  document.getElementById(id), document.getElementById(template), (isCommitted) => changed(isCommitted),
);
const board = new Board(form, gridOf("breakers", "branch-row"), gridOf("accessories", "accessory-row"));
const refreshDrawing = linkDrawing(result, board);
const objections = showObjections({ board, result, words, fix, question });

// --- changes -----------------------------------------------------------------------

function changed(isCommitted) {
  if (!isReady) return;
  const state = board.save();
  if (isCommitted) history.note(state);
  settle();
  keep(state);
  preview();
}

function keep(state) {
  const isKept = hasMore(state) && draft.keep(state);
  if (!hasMore(state)) draft.drop();
  form.querySelector("[data-kept]").textContent = isKept ? words.kept : "";
}

/** What follows from what is typed: numbers of rows, what is shown of the rest. */
function settle() {
  const { branches } = board.lines();
  if (branches.length) board.none.checked = false;
  let pieces = 0;
  board.breakers.rows.slice(1).forEach((row, index) => name(row, `${words.branch} ${index + 1}`, index + 1));
  board.accessories.rows.forEach((row, index) => name(row, `${words.accessory} ${index + 1}`, index + 1));
  name(board.breakers.rows[0], words.main, words.main);
  for (const row of branches) pieces += Number(Grid.cells(row).quantity.value || 1) || 0;
  form.querySelector("[data-count]").textContent = branches.length
    ? words.count.replace("{lines}", branches.length).replace("{pieces}", pieces) : "";
  document.getElementById("accessories").hidden = board.choice !== "some";
  form.classList.toggle("mixed", board.field("brand").value === "MIXED");
}

function name(row, label, shown) {
  if (row.dataset.label === label) return;
  row.dataset.label = label;
  row.querySelector("th").textContent = shown;
  for (const [column, input] of Object.entries(Grid.cells(row))) {
    input.setAttribute("aria-label", `${label} ${words.columns[column]}`);
  }
  row.querySelector("[data-remove]")?.setAttribute("aria-label", words.remove.replace("{row}", label));
}

form.addEventListener("input", (event) => { typingIn = event.target; });
form.addEventListener("change", (event) => {
  typingIn = null;
  if (event.target.dataset.cell === "model") spread(event.target);
  if (!event.target.dataset.cell) changed(true);
}, true);
form.addEventListener("input", (event) => { if (event.target.matches("input[data-field]")) changed(false); });

/** A line typed into the first cell fills the others. */
function spread(input) {
  const cells = readLine(input.value);
  const row = input.closest("tbody");
  if (!cells || (cells.model ?? "") === input.value.trim()) return;
  if (row.classList.contains("main")) delete cells.quantity;
  Grid.fill(row, { model: "", ...cells });
}

function travel(by) {
  history.note(board.save());
  const state = history.go(by);
  if (!state) return;
  const where = document.activeElement?.closest("[data-cell]");
  const at = where && [board.breakers.rows.indexOf(where.closest("tbody")), where.dataset.cell];
  load(state);
  if (at) Grid.cells(board.breakers.rows[Math.min(Math.max(at[0], 0), board.breakers.rows.length - 1)])[at[1]]?.focus();
}

function load(state) {
  board.load(state);
  typingIn = null;
  settle();
  if (isReady) keep(board.save());
  preview(0);
}

// --- preview -----------------------------------------------------------------------

let waiting = null;
let asking = null;

function preview(pause = PAUSE_MS) {
  clearTimeout(waiting);
  waiting = setTimeout(run, pause);
}

async function run() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  if (board.isBlank) { showFirst(); return; }
  try {
    const response = await ask("/console/estimate/preview", { ...posting(board.request()), signal });
    show(await response.text());
  } catch (error) {
    // What was typed is kept; the drawing comes when the server does.
    if (error.name !== "AbortError") preview(AGAIN_MS);
  }
}

function posting(request, more = {}) {
  return { method: "POST", headers: { "Content-Type": "application/json", ...more }, body: JSON.stringify(request) };
}

function showFirst() {
  objections.clear();
  outcome.replaceChildren(first);
  result.classList.remove("stale");
}

function show(html) {
  const part = document.createElement("template");
  part.innerHTML = html;
  const drawn = part.content.querySelector("[data-drawn]");
  if (!drawn) {
    const isTold = objections.show(part.content, { heldRow: typingIn?.closest("tbody"), isTried });
    if (isTold) {
      if (outcome.contains(first)) outcome.replaceChildren();
      result.classList.toggle("stale", outcome.hasChildNodes());
    }
    return;
  }
  objections.clear();
  result.classList.remove("stale");
  const isOpen = [...outcome.querySelectorAll("details")].map((each) => each.open);
  [...drawn.querySelectorAll("details")].forEach((each, index) => { each.open = isOpen[index] ?? each.open; });
  const lines = JSON.parse(drawn.querySelector("[data-lines]").textContent);
  outcome.replaceChildren(drawn);
  for (const row of board.breakers.rows) hint(row, lines[row.dataset.path] ?? {});
  const size = drawn.querySelector("[data-size]").textContent.trim();
  if (spoken.textContent !== size) spoken.textContent = size;
  form.querySelector("[data-short]").textContent = size;
  refreshDrawing();
}

/** Show in empty cells what the line turned out to be. */
function hint(row, line) {
  for (const [column, input] of Object.entries(Grid.cells(row))) {
    const text = column === "quantity" && row.dataset.path ? "1" : line[column] ?? "";
    if (input.placeholder !== text) input.placeholder = text;
  }
}

// --- remedies ----------------------------------------------------------------------

function fix(path, value) {
  if (path === "branches") board.none.checked = true;
  else if (path === "accessories") board.choice = value;
  else objections.inputOf(path).value = value;
  changed(true);
  preview(0);
}

async function question() {
  const response = await ask("/console/estimate/questions", posting(board.request()));
  if (response.ok) tell(words.asked);
  show(await response.text());
}

// --- saving ------------------------------------------------------------------------

let isSaving = false;

async function save() {
  if (isSaving) return;
  isSaving = true;
  document.activeElement?.dispatchEvent(new Event("change", { bubbles: true }));
  // What a preview would say now is not what the board lacks for being saved.
  clearTimeout(waiting);
  asking?.abort();
  const request = board.request();
  const key = draft.keyOf(JSON.stringify(request), board.save());
  form.querySelector("[data-save]").setAttribute("aria-busy", "true");
  try {
    const response = await ask("/console/estimate", posting(request, { "Idempotency-Key": key }));
    if (response.status === 201) {
      const { id } = await response.json();
      draft.drop();
      write(localStorage, lasting, Object.fromEntries(LASTING.map((field) => [field, board.field(field).value])));
      isReady = false;
      location.assign(`/console/estimates/${id}`);
      return;
    }
    isTried = true;
    typingIn = null;
    show(await response.text());
    objections.goFirst();
  } catch { /* told by `ask`; the same key is sent again with the same board */ } finally {
    isSaving = false;
    form.querySelector("[data-save]").removeAttribute("aria-busy");
  }
}

form.addEventListener("submit", (event) => { event.preventDefault(); save(); });

// --- keys, buttons, pasting ----------------------------------------------------------

const acts = {
  sample: () => begin(Board.typed(given.sample)),
  anew: () => {
    draft.drop();
    if (given.source) location.assign("/console/estimate");
    else begin({ fields: read(localStorage, lasting) ?? {} });
    tell(words.anew);
  },
  undo: () => travel(-1),
  redo: () => travel(1),
  add: () => board.breakers.add(),
  keys: () => document.getElementById("keys").showModal(),
};

function begin(state) {
  isTried = false;
  restored.hidden = true;
  load(withDefaults(state));
  history.note(board.save());
  board.field("brand").focus();
}

document.addEventListener("click", (event) => acts[event.target.closest("[data-do]")?.dataset.do]?.());
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.closest("dialog")) return;
  const key = event.key.toLowerCase();
  const act = key === "z" ? () => travel(event.shiftKey ? 1 : -1) : key === "y" ? () => travel(1)
    : key === "enter" || key === "s" ? () => form.requestSubmit() : null;
  if (!act) return;
  event.preventDefault();
  act();
});

form.addEventListener("paste", async (event) => {
  const input = event.target.closest("#breakers [data-cell]");
  const text = event.clipboardData.getData("text/plain");
  if (!input || !/[\t\n]/.test(text.trim())) return;
  event.preventDefault();
  let table = readTable(text, input.dataset.cell);
  if (!table.isSure) table = await askForColumns(table, words);
  if (!table) return;
  const filled = table.rows.map((row) => cellsOf(row, table.columns)).filter((cells) => Object.keys(cells).length);
  board.breakers.put(input.closest("tbody"), filled);
  input.focus();
  tell(words.pasted.replace("{count}", filled.length));
});

// --- the beginning -------------------------------------------------------------------

function withDefaults(state) {
  const fields = Object.fromEntries(Object.entries(state.fields ?? {}).filter(([, value]) => value));
  return { ...state, fields: { ...given.defaults, ...fields } };
}

offerModels({
  table: document.getElementById("breakers"),
  list: document.getElementById("models"),
  words,
  spoken,
  brandOf: (row) => Grid.cells(row).brand.value || board.field("brand").value,
  taken: (row, { brand }) => {
    const field = board.field("brand");
    // The first model says whose breakers the board is made of.
    if (!field.value) field.value = brand;
    if (field.value === "MIXED") Grid.cells(row).brand.value = brand;
    typingIn = null;
    changed(true);
  },
});
const restored = form.querySelector("[data-restored]");
const kept = draft.load();
if (kept) {
  load(withDefaults(kept.state));
  restored.firstElementChild.textContent = words.restored.replace("{at}", moment(kept));
  restored.hidden = false;
} else if (given.board) load(withDefaults(Board.typed(given.board)));
else load(withDefaults({ fields: read(localStorage, lasting) ?? {} }));
history.note(board.save());
isReady = true;

function moment({ at }) { return new Date(at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" }); }

/** Offer the latest board that was typed in a tab which is closed now. */
async function offerLeft() {
  const note = form.querySelector(".left");
  const [latest] = await draft.left();
  note.hidden = !latest;
  if (!latest) return;
  const { label, customer } = latest.state.fields;
  note.firstElementChild.textContent = words.left.replace("{at}", moment(latest))
    .replace("{name}", [label, customer].filter(Boolean).join(" · ") || words.unnamed);
  acts.resume = () => {
    const taken = draft.resume(latest);
    if (taken) {
      begin(taken.state);
      keep(board.save());
    }
    offerLeft();
  };
  acts.discard = () => { draft.discard(latest); offerLeft(); };
}
if (!given.source) offerLeft();

addEventListener("pagehide", () => draft.copy());
document.addEventListener("kis:holder", () => keep(board.save()));
document.addEventListener("kis:leave", () => { isReady = false; });

function hasMore({ fields, breakers }) {
  return breakers.some((cells) => Object.keys(cells).length) || fields.label || fields.customer || fields.note;
}
