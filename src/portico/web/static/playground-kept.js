// What stands on the page, for whoever leaves it and comes back: in the storage of this tab, which no server sees and which ends
// with the tab. What somebody else left there, or the same person in another account, is dropped.

const NAME = "playground";
const owner = document.getElementById("playground")?.dataset.owner;

// What was kept; null: nothing that can be read.
export function kept() {
  try {
    const told = JSON.parse(sessionStorage.getItem(NAME));
    return told?.owner === owner ? told : null;
  } catch {
    return null;
  }
}

// Whether it can be: a tab keeps some megabytes.
export function keep(told) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify({ owner, ...told }));
    return true;
  } catch {
    try {
      sessionStorage.removeItem(NAME);  // What is there is of before.
    } catch {
      // This browser keeps nothing.
    }
    return false;
  }
}
