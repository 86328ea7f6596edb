// A grid of rows to type in: moves between cells as a spreadsheet does.

/** The rows of a table; one is a tbody, for what is said of it stands in it as well. */
export class Grid {
  #table;
  #template;
  #changed;
  #begun = null;

  /** `changed(isCommitted)` is called after each change: typed, or done with. */
  constructor(table, template, changed) {
    this.#table = table;
    this.#template = template;
    this.#changed = changed;
    table.addEventListener("input", () => { this.#keepBlank(); changed(false); });
    table.addEventListener("change", () => changed(true));
    table.addEventListener("keydown", (event) => this.#pressed(event));
    table.addEventListener("pointerdown", () => { this.#begun = null; });
    table.addEventListener("focusin", (event) => { event.target.select?.(); });
    table.addEventListener("click", (event) => {
      const row = event.target.closest("[data-remove]") && event.target.closest("tbody");
      if (row) this.remove(row);
    });
    this.#keepBlank();
  }

  get rows() { return [...this.#table.tBodies]; }

  get #lasting() { return this.rows.filter((row) => row.classList.contains("main")).length; }

  /** The cells of a row that are typed in, by column. */
  static cells(row) {
    return Object.fromEntries([...row.querySelectorAll("[data-cell]")].map((input) => [input.dataset.cell, input]));
  }

  static isBlank(row) {
    return [...row.querySelectorAll("[data-cell]")].every((input) => input.value.trim() === "");
  }

  /** All that is typed, to be put back by `load`. */
  save() {
    const typed = this.rows.map((row) => Object.fromEntries(
      Object.entries(Grid.cells(row)).filter(([, input]) => input.value !== "").map(([column, input]) => [column, input.value]),
    ));
    while (typed.length > this.#lasting && !Object.keys(typed.at(-1)).length) typed.pop();
    return typed;
  }

  load(typed) {
    const count = Math.max(typed.length, this.#lasting);
    while (this.rows.length > count) this.rows.at(-1).remove();
    while (this.rows.length < count) this.#add();
    this.rows.forEach((row, index) => Grid.fill(row, typed[index] ?? {}, true));
    this.#keepBlank();
  }

  static fill(row, cells, isWhole = false) {
    for (const [column, input] of Object.entries(Grid.cells(row))) {
      if (isWhole || column in cells) input.value = cells[column] ?? "";
    }
  }

  /** Put rows of cells from `row` on; there is always a blank one after the last. */
  put(row, filled) {
    let at = this.rows.indexOf(row);
    for (const cells of filled) {
      if (at >= this.rows.length) this.#add();
      Grid.fill(this.rows[at], cells);
      at += 1;
    }
    this.#keepBlank();
    this.#changed(true);
  }

  add() {
    const row = this.#add();
    Grid.cells(row).model?.focus();
    return row;
  }

  copy(row) {
    const made = this.#template.content.firstElementChild.cloneNode(true);
    Grid.fill(made, Object.fromEntries(Object.entries(Grid.cells(row)).map(([column, input]) => [column, input.value])));
    row.after(made);
    this.#keepBlank();
    this.#changed(true);
    return made;
  }

  remove(row) {
    const index = this.rows.indexOf(row);
    const had = row.contains(document.activeElement);
    if (row.classList.contains("main")) Grid.fill(row, {}, true);
    else row.remove();
    this.#keepBlank();
    const next = this.rows[Math.min(index, this.rows.length - 1)];
    if (had) Object.values(Grid.cells(next))[0].focus();
    this.#changed(true);
  }

  move(row, by) {
    const other = this.rows[this.rows.indexOf(row) + by];
    if (!other || other.classList.contains("main") || row.classList.contains("main")) return;
    if (by < 0) other.before(row); else other.after(row);
    this.#keepBlank();
    this.#changed(true);
  }

  #add() {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    this.#table.append(row);
    return row;
  }

  #keepBlank() {
    const { rows } = this;
    if (rows.length === this.#lasting || !Grid.isBlank(rows.at(-1))) this.#add();
  }

  #pressed(event) {
    const input = event.target.closest("[data-cell]");
    if (!input || event.isComposing || event.defaultPrevented) return;
    const row = input.closest("tbody");
    const act = this.#actionOf(event, input, row);
    if (!act) return;
    event.preventDefault();
    act();
  }

  #actionOf(event, input, row) {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const isControl = ctrlKey || metaKey;
    const column = input.dataset.cell;
    if (isControl && key.toLowerCase() === "d") return () => Grid.cells(this.copy(row))[column]?.focus();
    if (isControl && (key === "Delete" || key === "Backspace" && shiftKey)) return () => this.remove(row);
    if (isControl) return null;
    if (altKey && key === "ArrowUp") return () => this.#keepFocus(input, () => this.move(row, -1));
    if (altKey && key === "ArrowDown") return () => this.#keepFocus(input, () => this.move(row, 1));
    if (altKey) return null;
    if (key === "Tab") { this.#begun ??= column; return null; }
    if (key === "Enter") {
      // As in a spreadsheet: down, to the column where the row of tabs began.
      const to = this.#begun ?? column;
      this.#begun = null;
      return () => this.#go(row, shiftKey ? -1 : 1, shiftKey ? column : to);
    }
    if (key.startsWith("Arrow")) this.#begun = null;
    if (key === "ArrowUp") return () => this.#go(row, -1, column);
    if (key === "ArrowDown") return () => this.#go(row, 1, column);
    if (key === "ArrowLeft" && atEdge(input, true)) return () => this.#beside(input, -1);
    if (key === "ArrowRight" && atEdge(input, false)) return () => this.#beside(input, 1);
    return null;
  }

  #keepFocus(input, act) { act(); input.focus(); }

  #go(row, by, column) {
    const at = this.rows.indexOf(row) + by;
    if (at < 0) return;
    if (at >= this.rows.length) this.#add();
    const cells = Grid.cells(this.rows[at]);
    (cells[column] ?? Object.values(cells)[0]).focus();
  }

  #beside(input, by) {
    const row = input.closest("tbody");
    const cells = Object.values(Grid.cells(row)).filter((cell) => cell.offsetParent);
    cells[cells.indexOf(input) + by]?.focus();
  }
}

/** Whether an arrow would leave the text: at its end, or when all of it is selected. */
function atEdge(input, isLeft) {
  const { selectionStart: from, selectionEnd: to, value } = input;
  if (from === 0 && to === value.length) return true;
  return from === to && from === (isLeft ? 0 : value.length);
}
