// The form as a board in the API's own JSON, and back.

import { valueOf } from "./estimating_cells.js";
import { Grid } from "./estimating_grid.js";

/** The form: its fields, the grid of breakers, the accessories. */
export class Board {
  constructor(form, breakers, accessories) {
    this.form = form;
    this.breakers = breakers;
    this.accessories = accessories;
    this.fields = [...form.querySelectorAll("[data-field]")];
    this.none = form.querySelector("[data-none]");
    this.choices = [...form.querySelectorAll("[name=accessories]")];
  }

  get choice() { return this.choices.find((radio) => radio.checked)?.value ?? ""; }

  set choice(value) { for (const radio of this.choices) radio.checked = radio.value === value; }

  field(name) { return this.fields.find((input) => input.dataset.field === name); }

  /** The lines that say something, each with the path that it has in the request. */
  lines() {
    const [main, ...branches] = this.breakers.rows;
    main.dataset.path = "main";
    number(branches, (index) => `branches[${index}]`);
    number(this.accessories.rows, (index) => `accessories.items[${index}]`);
    return { main, branches: branches.filter((row) => row.dataset.path) };
  }

  row(path) {
    return [...this.breakers.rows, ...this.accessories.rows].find((row) => path && row.dataset.path === path);
  }

  /** The request of the API. What is not typed is not stated. */
  request() {
    const { main, branches } = this.lines();
    const request = {};
    for (const input of this.fields) {
      const value = input.value.trim();
      if (value) state(request, input.dataset.field, value);
    }
    if (!Grid.isBlank(main)) request.main = device(main);
    if (branches.length) request.branches = branches.map(device);
    else if (this.none.checked) request.branches = [];
    if (this.choice) {
      const isSome = this.choice === "some";
      const rows = isSome ? this.accessories.rows.filter((row) => row.dataset.path) : [];
      request.accessories = { enabled: isSome, items: rows.map(device) };
    }
    return request;
  }

  get isBlank() {
    return this.breakers.rows.every(Grid.isBlank);
  }

  /** Everything as typed, for undoing and for drafts. */
  save() {
    return {
      fields: Object.fromEntries(this.fields.map((input) => [input.dataset.field, input.value])),
      breakers: this.breakers.save(),
      none: this.none.checked,
      choice: this.choice,
      accessories: this.accessories.save(),
    };
  }

  load({ fields = {}, breakers = [], none = false, choice = "", accessories = [] }) {
    for (const input of this.fields) {
      const value = fields[input.dataset.field] ?? "";
      if (input.value !== value) input.value = value;
      // A choice that is not offered is none.
      if (input.selectedIndex === -1) input.selectedIndex = 0;
    }
    this.breakers.load(breakers);
    this.none.checked = none;
    this.choice = choice;
    this.accessories.load(accessories);
  }

  /** What `load` takes, of a request. */
  static typed(request) {
    const fields = {};
    for (const name of ["label", "customer", "note", "brand", "form"]) fields[name] = request[name] ?? "";
    for (const [name, value] of Object.entries(request.installation ?? {})) fields[`installation.${name}`] = value;
    fields["device.type"] = request.device?.type ?? "";
    const { main = {}, branches = [], accessories } = request;
    return {
      fields,
      breakers: [main, ...branches].map((line) => cells(line, request.brand)),
      none: Array.isArray(request.branches) && !branches.length,
      choice: accessories ? (accessories.enabled ? "some" : "none") : "",
      accessories: (accessories?.items ?? []).map((item) => cells(item)),
    };
  }
}

function number(rows, pathOf) {
  let index = 0;
  for (const row of rows) {
    row.dataset.path = Grid.isBlank(row) ? "" : pathOf(index);
    if (row.dataset.path) index += 1;
  }
}

function device(row) {
  const line = {};
  for (const [column, input] of Object.entries(Grid.cells(row))) {
    const value = valueOf(column, input.value);
    if (value !== undefined) line[column] = value;
  }
  return line;
}

function state(request, path, value) {
  const steps = path.split(".");
  const last = steps.pop();
  let at = request;
  for (const step of steps) at = at[step] ??= {};
  at[last] = value;
}

/** A brand that is the board's need not stand in each line. */
function cells(line, brand) {
  const shown = Object.entries(line).filter(([column, value]) => value !== null && value !== "" && !(column === "brand" && value === brand));
  return Object.fromEntries(shown.map(([column, value]) => [column, String(value)]));
}
