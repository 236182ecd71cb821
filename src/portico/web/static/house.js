// What moves in the public house: copying code, remembering a client, the theme. Without it everything can be read.

const root = document.documentElement;

// -- long names of code break behind their marks: generationConfig.temperature, max_completion_tokens -----------------

for (const code of document.querySelectorAll(".prose :not(pre) > code")) {
  const pieces = code.textContent.split(/(?<=[\w\]}][./_:])(?=[\w{[])/);
  if (pieces.length > 1 && !code.children.length) code.replaceChildren(...pieces.flatMap((piece) => [piece, document.createElement("wbr")]));
}

// -- copying ----------------------------------------------------------------------------------------------------------

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // On plain http, as in a home network, there is no clipboard object.
    const before = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    before?.focus({ preventScroll: true });
    return done;
  }
}

export function copying(button, text, otherwise) {
  const said = button.getAttribute("aria-label");
  const shown = button.textContent;
  let telling = 0;
  button.type = "button";
  button.addEventListener("click", async () => {
    const done = await copy(text());
    const word = done ? root.dataset.copied : root.dataset.selected;
    if (!done) otherwise();
    button.classList.add("done");
    if (said) button.setAttribute("aria-label", word);
    else button.textContent = word;
    clearTimeout(telling);
    telling = setTimeout(() => {
      button.classList.remove("done");
      if (said) button.setAttribute("aria-label", said);
      else button.textContent = shown;
    }, 2000);
  });
  return button;
}

for (const block of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  const code = block.querySelector("code");
  button.className = "copy";
  button.textContent = root.dataset.copy;
  block.append(copying(button, () => code.innerText, () => getSelection().selectAllChildren(code)));
}

// -- a long table: what would weigh too much in each row is put in here ---------------------------------------------------

for (const table of document.querySelectorAll("table[data-copies]")) {
  // Laid out as a grid a table loses its roles in some browsers.
  table.setAttribute("role", "table");
  for (const part of table.querySelectorAll("thead, tbody")) part.setAttribute("role", "rowgroup");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    for (const cell of row.cells) {
      cell.setAttribute("role", { col: "columnheader", row: "rowheader" }[cell.scope] ?? "cell");
    }
  }
  for (const name of table.querySelectorAll("th[scope=row] > a")) {
    const button = document.createElement("button");
    button.className = "copy-name";
    button.setAttribute("aria-label", `${root.dataset.copy}: ${name.textContent}`);
    name.after(copying(button, () => name.textContent, () => getSelection().selectAllChildren(name)));
  }
}

// -- the client a reader has chosen -------------------------------------------------------------------------------------

function open(client) {
  for (const summary of document.querySelectorAll(".tab > summary")) {
    if (summary.dataset.client === client) summary.parentElement.open = true;
  }
}

// A browser that keeps nothing for sites throws here, and not only where something is written.
function remembered() {
  try {
    return localStorage.getItem("client");
  } catch {
    return null;
  }
}

function remember(client) {
  try {
    localStorage.setItem("client", client);
  } catch {
    // It is chosen on this page alone.
  }
}

const chosen = remembered();
if (chosen) open(chosen);
for (const summary of document.querySelectorAll(".tab > summary")) {
  summary.addEventListener("click", (event) => {
    const top = summary.getBoundingClientRect().top;
    event.preventDefault();
    remember(summary.dataset.client);
    summary.parentElement.open = true;
    open(summary.dataset.client);
    scrollBy(0, summary.getBoundingClientRect().top - top);
  });
}

// -- theme, language ------------------------------------------------------------------------------------------------------

const theme = document.querySelector("[data-theme-switch]");
theme.hidden = false;
theme.addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
});

for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", () => {
    link.href = link.pathname + location.search + location.hash;
    document.cookie = `language=${link.lang}; path=/; max-age=31536000; samesite=lax`;
  });
}

document.addEventListener("click", (event) => {
  for (const drop of document.querySelectorAll(".drop[open]")) {
    if (!drop.contains(event.target)) drop.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const drop of document.querySelectorAll(".drop[open]")) {
    event.preventDefault();
    drop.open = false;
    drop.querySelector("summary").focus();
  }
});

// -- contents: where the reader is ------------------------------------------------------------------------------------------

const contents = new Map([...document.querySelectorAll(".contents a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
if (contents.size) {
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const a of contents.values()) a.removeAttribute("aria-current");
      contents.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -75% 0px" });
  for (const id of contents.keys()) {
    const heading = document.getElementById(id);
    if (heading) watch.observe(heading);
  }
}

// The rooms are a long list: where the reader is stands in its middle. Only the rail moves, never the page.
const rail = document.querySelector(".rooms");
const here = rail?.querySelector("[aria-current]");
if (here && rail.scrollHeight > rail.clientHeight) {
  rail.scrollTop += here.getBoundingClientRect().top - rail.getBoundingClientRect().top - rail.clientHeight / 2;
}

// -- a form that filters answers at once ---------------------------------------------------------------------------------------

const filters = document.querySelector("form[data-at-once]");
if (filters) {
  if (matchMedia("(max-width: 60rem)").matches) filters.querySelector(".facets").open = false;
  filters.addEventListener("change", () => filters.requestSubmit());
  filters.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}
