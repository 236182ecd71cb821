// Pictures and PDF files that go with a message: chosen, dropped or pasted. They stay in this page until they are sent.

import { made, say, size } from "./playground-words.js";

const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf"];

export class Files {
  constructor({ list, input, button, zone, text, most, complain, changed }) {
    this.files = [];
    this.reading = Promise.resolve();  // What was chosen is read one after the other.
    this.list = list;
    this.most = most;
    this.complain = complain;
    this.changed = changed;
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.add(input.files);
      input.value = "";
    });
    text.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.add(event.clipboardData.files);
    });
    zone.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      zone.classList.remove("over");
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      this.add(event.dataTransfer.files);
    });
  }

  // The characters that all of it takes in a request.
  get length() {
    return this.files.reduce((sum, one) => sum + one.data.length, 0);
  }

  add(files) {
    const chosen = [...files];  // The list of an input is emptied while they are read.
    this.reading = this.reading.then(() => this.read(chosen));
  }

  async read(files) {
    for (const file of files) {
      if (!TYPES.includes(file.type)) {
        this.complain(say("not_taken", { name: file.name }));
      } else if (this.length + (file.size * 4) / 3 > this.most) {
        this.complain(say("too_large", { name: file.name, size: size(file.size), most: size((this.most * 3) / 4) }));
      } else {
        const url = await urlOf(file);
        if (url) this.files.push({ name: file.name, mime: file.type, bytes: file.size, data: url.slice(url.indexOf(",") + 1) });
        else this.complain(say("unreadable", { name: file.name }));
      }
    }
    this.show();
  }

  // What was there; nothing is left.
  take() {
    const taken = this.files;
    this.files = [];
    this.show();
    return taken;
  }

  show() {
    this.list.replaceChildren(...this.files.map((file) => {
      const away = made("button", { type: "button", class: "pg-away", "aria-label": say("remove", { name: file.name }) }, "×");
      away.addEventListener("click", () => {
        this.files = this.files.filter((one) => one !== file);
        this.show();
      });
      return made("li", {}, shown(file), away);
    }));
    this.list.hidden = !this.files.length;
    this.changed();
  }
}

export function shown(file) {
  const name = `${file.name} · ${size(file.bytes)}`;
  if (!file.mime.startsWith("image/")) return made("span", { class: "pg-file" }, name);
  return made("span", { class: "pg-file" }, made("img", { src: `data:${file.mime};base64,${file.data}`, alt: "" }), name);
}

// "": it cannot be read, as one that was changed or taken away meanwhile.
function urlOf(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => resolve("");
    reader.readAsDataURL(file);
  });
}

// A picture of an answer as an address of this page; it lives as long as the page shows it.
export function blobUrl(dataUrl) {
  const [, mime, data] = /^data:([\w/+.-]+);base64,(.*)$/s.exec(dataUrl) ?? [];
  if (!mime?.startsWith("image/")) return null;
  try {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    return URL.createObjectURL(new Blob([bytes], { type: mime }));
  } catch {
    return null;
  }
}
