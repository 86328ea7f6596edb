// What every page has: requests that survive a lost connection and an ended session,
// messages, the theme.

const words = JSON.parse(document.getElementById("words").textContent);
const meta = document.querySelector('meta[name="csrf-token"]');
const told = document.getElementById("told");
const CSRF = "X-CSRF-Token";

/** Show a message; `act`, if given, is called by its button. */
export function tell(message, { isProblem = false, label = "", act = null } = {}) {
  const line = document.createElement("p");
  line.textContent = message;
  line.className = isProblem ? "problem" : "";
  if (act) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => { line.remove(); act(); });
    line.append(" ", button);
  }
  told.replaceChildren(line);
  if (!isProblem) setTimeout(() => line.remove(), 6000);
}

/** Say that the connection was lost. */
export function tellLost() {
  tell(words.lost, { isProblem: true });
}

/**
 * Ask the console's server. An ended session is asked for first and the request sent
 * again; a lost connection throws, after it was told of.
 */
export async function ask(address, options = {}) {
  const send = () => fetch(address, {
    ...options,
    headers: { ...options.headers, "X-Console": "1", [CSRF]: meta?.content ?? "" },
  });
  let response;
  try {
    response = await send();
    while (response.status === 401 && await signInAgain()) response = await send();
  } catch (error) {
    if (error.name !== "AbortError") tellLost();
    throw error;
  }
  return response;
}

let signingIn = null;

/** Have the key asked for once, however many requests wait; false when it was given up. */
function signInAgain() {
  signingIn ??= new Promise((resolve) => {
    const dialog = document.getElementById("sign-in-again");
    const form = dialog.querySelector("form");
    const problem = dialog.querySelector("[data-problem]");
    const input = form.elements.key;
    let isIn = false;
    const submit = async (event) => {
      event.preventDefault();
      const response = await fetch("/console/sign-in", {
        method: "POST",
        headers: { "X-Console": "1" },
        body: new URLSearchParams({ key: input.value }),
      }).catch(() => null);
      if (response?.status === 204) {
        meta.content = response.headers.get(CSRF);
        isIn = true;
        dialog.close();
      } else if (response) {
        problem.innerHTML = await response.text();
        input.select();
      } else {
        problem.textContent = words.lost;
      }
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", () => {
      form.removeEventListener("submit", submit);
      form.reset();
      problem.replaceChildren();
      signingIn = null;
      resolve(isIn);
    }, { once: true });
    dialog.showModal();
    input.focus();
  });
  return signingIn;
}

// htmx: the same rules.
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers[CSRF] = meta?.content ?? "";
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { status } = event.detail.xhr;
  if (status === 401) {
    event.detail.shouldSwap = false;
    event.detail.isError = false;
    const { requestConfig, target } = event.detail;
    signInAgain().then((isIn) => {
      if (isIn) {
        htmx.ajax(requestConfig.verb, requestConfig.path, {
          source: requestConfig.elt, target, values: requestConfig.parameters,
        });
      }
    });
  } else if (status >= 400) {
    // A refusal says what is wrong, and what instead, beside the form that was sent.
    const place = event.detail.requestConfig.elt.closest("form")?.querySelector("[data-problem]");
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    event.detail.selectOverride = "unset";
    if (place) {
      event.detail.target = place;
      event.detail.swapOverride = "innerHTML";
    }
  }
});
document.addEventListener("htmx:sendError", tellLost);

document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("kis-theme", root.dataset.theme);
});

/** Let the keyboard reach what is wider than its place. */
function reachWide() {
  for (const box of document.querySelectorAll(".scrolls")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
reachWide();
document.fonts.ready.then(reachWide);
addEventListener("resize", reachWide);
document.addEventListener("htmx:afterSettle", reachWide);
document.addEventListener("toggle", reachWide, true);
