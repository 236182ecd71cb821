// As python_samples.py, for modules.
import { readFileSync } from "node:fs";

const results = {};
const write = process.stdout.write.bind(process.stdout);
for (const [name, [folder, file]] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  process.chdir(folder);
  let printed = "";
  process.stdout.write = (text) => { printed += text; return true; };
  let wrong = null;
  try {
    await import(file);
  } catch (error) {
    wrong = String(error.stack ?? error);
  }
  process.stdout.write = write;
  results[name] = [printed, wrong];
}
write(JSON.stringify(results), () => process.exit(0));
