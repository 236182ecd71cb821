// Behind the door, for every page: how long ago something was, beside when exactly. Without scripts only the latter is told.

const locale = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function ago(date, now = Date.now()) {
  const seconds = Math.round((date - now) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  return relative.format(Math.trunc(seconds / size), unit);
}

function tell() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const date = Date.parse(time.dateTime);
    if (Number.isNaN(date) || Math.abs(date - Date.now()) > 30 * 86400e3) continue;
    time.title ||= time.textContent;
    time.textContent = ago(date);
  }
}
tell();
setInterval(tell, 60e3);

// A conversation of the playground stays in its tab, and not for whoever signs in there next.
if (new URLSearchParams(location.search).get("done") === "signed-out") {
  try {
    sessionStorage.removeItem("playground");
  } catch {
    // This browser keeps nothing.
  }
}

// A second click while the answer is on its way sends no form again.
const PATIENCE = 5000;
const sent = new WeakMap();
document.addEventListener("submit", (event) => {
  const { target: form, defaultPrevented, timeStamp } = event;
  if (defaultPrevented || form.method !== "post") return;
  if (timeStamp - (sent.get(form) ?? -PATIENCE) < PATIENCE) event.preventDefault();
  else sent.set(form, timeStamp);
});
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) sent.delete(form);
});

// On a phone the rail is one line that scrolls: where the reader is stands in its middle.
const rail = document.querySelector(".rail");
const here = rail?.querySelector("[aria-current]");
if (here && rail.scrollWidth > rail.clientWidth) {
  rail.scrollLeft += here.getBoundingClientRect().left + here.offsetWidth / 2 - rail.getBoundingClientRect().left - rail.clientWidth / 2;
}
