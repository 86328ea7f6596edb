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
    asking?.abort();
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

  const open = () => {
    list.replaceChildren(...items.map((item, index) => option(item, index)));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    const typed = plain(input.value);
    const isName = /[a-z가-힣]/i.test(typed) && plain(items[0].model).startsWith(typed);
    mark(isName ? 0 : -1);
    place();
    spoken.textContent = words.found.replace("{count}", items.length);
  };

  const look = async () => {
    const typed = input.value.trim();
    asking?.abort();
    if (!typed) { close(); return; }
    asking = new AbortController();
    const query = new URLSearchParams({ q: typed, brand: brandOf(input.closest("tbody")) });
    try {
      const response = await ask(`/console/models?${query}`, { signal: asking.signal });
      if (!response.ok || document.activeElement !== input || input.value.trim() !== typed) return;
      ({ items } = await response.json());
      if (items.length && !(items.length === 1 && items[0].model === typed)) open();
      else close();
    } catch { close(); }
  };

  const take = (index) => {
    const item = items[index];
    input.value = item.model;
    taken(input.closest("tbody"), item);
    close();
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
    if (index >= 0) take(index);
  });
  // Before the grid: while there is a list, arrows are the list's.
  table.addEventListener("keydown", (event) => {
    if (event.target.dataset.cell !== "model") return;
    if (list.hidden) {
      if (event.key === "Enter" || event.key === "Tab") close();
      return;
    }
    const { key } = event;
    const plainKey = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (plainKey && (key === "ArrowDown" || key === "ArrowUp")) {
      const count = items.length + 1;
      mark((active + 1 + (key === "ArrowDown" ? 1 : count - 1)) % count - 1);
    } else if (key === "Escape") close();
    else {
      if ((key === "Enter" || key === "Tab") && active >= 0 && !event.ctrlKey) take(active);
      else if (key === "Enter" || key === "Tab") close();
      return;
    }
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

