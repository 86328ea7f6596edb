// What stands against the board: in a list beside it, and at the fields that it is about.

import { Grid } from "./estimating_grid.js";

const LINE = /^(main|branches\[\d+\]|accessories\.items\[\d+\])(?:\.(\w+))?/;
const LATER = ["REQ_MORE_INFO"];

/** Return what shows objections in `result` and at the fields of `board`. */
export function showObjections({ board, result, words, fix, question }) {
  const list = result.querySelector("[data-objections]");
  const ofFields = board.form.querySelector(".said-of-fields");

  const inputOf = (path) => {
    const [, line, column] = LINE.exec(path) ?? [];
    const row = line && board.row(line);
    if (row) {
      const cells = Grid.cells(row);
      const input = cells[column];
      return input?.offsetParent ? input : Object.values(cells)[0];
    }
    if (path.startsWith("branches")) return Grid.cells(board.breakers.rows[1]).model;
    if (path.startsWith("accessories")) return board.choice === "some" ? Grid.cells(board.accessories.rows[0]).code : board.choices[0];
    return board.field(path);
  };

  const labelOf = (input) => input.getAttribute("aria-label") ?? input.closest("label")?.querySelector("span")?.textContent
    ?? input.closest("fieldset")?.querySelector("legend")?.textContent ?? "";

  const clear = () => {
    list.replaceChildren();
    ofFields.replaceChildren();
    ofFields.hidden = true;
    for (const said of board.form.querySelectorAll("tr.said:not([hidden])")) {
      said.hidden = true;
      said.firstElementChild.replaceChildren();
    }
    for (const input of board.form.querySelectorAll("[aria-invalid]")) {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
  };

  const mark = (item, number) => {
    const input = inputOf(item.dataset.field);
    if (!input) return;
    const row = input.closest("tbody");
    const copy = item.cloneNode(true);
    copy.querySelector(".where")?.remove();
    copy.id = `said-${number}`;
    item.classList.add("marked");
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), copy.id].filter(Boolean).join(" "));
    if (row) {
      const said = row.querySelector("tr.said");
      const place = said.firstElementChild.firstElementChild ?? document.createElement("ul");
      place.className = "findings";
      place.append(copy);
      said.firstElementChild.append(place);
      said.hidden = false;
    } else {
      ofFields.append(copy);
      ofFields.hidden = false;
    }
  };

  /** Show a list of objections; what is about the row being typed in waits. */
  const show = (content, { heldRow, isTried }) => {
    const items = [...content.querySelectorAll("[data-field]")];
    const held = (item) => heldRow && inputOf(item.dataset.field)?.closest("tbody") === heldRow;
    if (items.length && items.every(held)) return false;
    clear();
    list.replaceChildren(...content.children);
    items.forEach((item, number) => {
      const input = inputOf(item.dataset.field);
      const go = item.querySelector("[data-go]");
      if (input && go) {
        go.textContent = item.dataset.field === "branches" ? words.branch : labelOf(input);
        go.hidden = false;
      }
      const isLater = LATER.includes(item.dataset.code) && !item.dataset.field.includes("[");
      if (held(item)) item.remove();
      else if (isTried || !isLater) mark(item, number);
    });
    return true;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.go !== undefined) inputOf(button.dataset.go)?.focus();
    if (button.dataset.fix !== undefined) {
      const at = inputOf(button.dataset.fix);
      fix(button.dataset.fix, button.dataset.value);
      at?.focus();
    }
    if (button.dataset.ask !== undefined) question();
  });

  return { show, clear, inputOf, goFirst: () => board.form.querySelector("[aria-invalid]")?.focus() };
}
