// Completion of models from the active knowledge: a combobox as ARIA describes it.

import { ask } from "./console.js";

const PAUSE_MS = 40;
const plain = (text) => text.toLowerCase().replace(/[\s-]/g, "");

/** Offer models under the cells that take one; `taken(row, model)` is told of a choice. */
export function offerModels({ table, list, words, spoken, brandOf, taken }) {
  let input = null;
  let items = [];
  let active = -1;
  let waiting = null;
  let asking = null;

  const close = () => {
    clearTimeout(waiting);
    waiting = null;
    asking?.abort();
    asking = null;
    list.hidden = true;
    list.replaceChildren();
    active = -1;
    input?.setAttribute("aria-expanded", "false");
    input?.removeAttribute("aria-activedescendant");
  };

  const mark = (index) => {
    active = index;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", `model-${index}`);
      list.children[index].scrollIntoView({ block: "nearest" });
    }
  };

  const place = () => {
    const { left, bottom, top } = input.getBoundingClientRect();
    const below = innerHeight - bottom;
    list.style.left = `${Math.max(4, Math.min(left, innerWidth - list.offsetWidth - 4)) + scrollX}px`;
    list.style.top = below < list.offsetHeight && top > below
      ? `${top + scrollY - list.offsetHeight}px` : `${bottom + scrollY}px`;
  };

  /** Whether a model is what was begun to be typed, and not some frame. */
  const isBegun = (typed, item) => /[a-z가-힣]/i.test(typed) && plain(item.model).startsWith(plain(typed));

  const open = () => {
    list.replaceChildren(...items.map((item, index) => option(item, index)));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(isBegun(input.value, items[0]) ? 0 : -1);
    place();
    spoken.textContent = words.found.replace("{count}", items.length);
  };

  /** Return the models for what is typed in `at`; null once it says something else. */
  const find = async (at, signal) => {
    const typed = at.value.trim();
    const query = new URLSearchParams({ q: typed, brand: brandOf(at.closest("tbody")) });
    const response = await ask(`/console/models?${query}`, { signal });
    const found = response.ok ? (await response.json()).items : [];
    return at.isConnected && at.value.trim() === typed ? found : null;
  };

  const look = async () => {
    const at = input;
    waiting = null;
    asking?.abort();
    if (!at.value.trim()) { close(); return; }
    const mine = new AbortController();
    asking = mine;
    try {
      const found = await find(at, mine.signal);
      if (!found || document.activeElement !== at) return;
      items = found;
      if (items.length && !(items.length === 1 && items[0].model === at.value.trim())) open();
      else close();
    } catch { /* told by `ask`, or no longer wanted */ } finally {
      if (asking === mine) asking = null;
    }
  };

  const take = (at, item) => {
    at.value = item.model;
    taken(at.closest("tbody"), item);
  };

  /** Who types faster than the list comes gets what would have been chosen in it. */
  const takeLater = async (at) => {
    const found = await find(at).catch(() => null);
    if (found?.length && isBegun(at.value, found[0])) take(at, found[0]);
  };

  /** Leave the cell by Enter or Tab. */
  const leave = (at) => {
    const isPending = waiting !== null || asking !== null;
    const item = items[active];
    const isChosen = !list.hidden && item && !(isPending && !isBegun(at.value, item));
    close();
    if (isChosen) take(at, item);
    else if (isPending) takeLater(at);
  };

  table.addEventListener("input", (event) => {
    if (event.target.dataset.cell !== "model") return;
    input = event.target;
    clearTimeout(waiting);
    waiting = setTimeout(look, PAUSE_MS);
  });
  table.addEventListener("focusout", close);
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const index = [...list.children].indexOf(event.target.closest("li"));
    if (index < 0) return;
    take(input, items[index]);
    close();
  });
  // Before the grid: while there is a list, arrows are the list's.
  table.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (target.dataset.cell !== "model" || event.ctrlKey || event.altKey || event.metaKey) return;
    if (key === "Enter" || key === "Tab") { leave(target); return; }
    if (list.hidden) return;
    if (key === "ArrowDown" || key === "ArrowUp") {
      const count = items.length + 1;
      mark((active + 1 + (key === "ArrowDown" ? 1 : count - 1)) % count - 1);
    } else if (key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}

function option(item, index) {
  const line = document.createElement("li");
  line.id = `model-${index}`;
  line.setAttribute("role", "option");
  const told = document.createElement("span");
  told.textContent = `${item.brand} · ${item.type} ${item.poles.join("/")} ${item.af}AF`;
  line.append(item.model, told);
  return line;
}

