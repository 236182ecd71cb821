// What the scripts share: where to ask, the pictures and tools they ask with, and the report that pytest reads.
//
// A script prints one JSON object: step -> what came of it, or {"failed": why} where the SDK threw.

export const base = process.env.BASE_URL;
export const model = process.env.MODEL;
export const key = process.env.KEY;
export const picture = process.env.PNG;

export const QUESTION = "What is the weather in Oslo and Rome?";
export const WEATHER = {
  name: "get_weather",
  description: "The weather of a city",
  schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
};
export const PERSON = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
export const weatherOf = (city) => ({ city, celsius: city.length });

export async function report(steps) {
  const told = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      told[name] = await step();
    } catch (error) {
      told[name] = { failed: `${error?.constructor?.name}: ${error?.message}` };
    }
  }
  process.stdout.write(JSON.stringify(told));
}

// What an SDK made of a request that fails: the class it threw, and the status that it read.
export async function thrown(ask, types) {
  try {
    await ask();
  } catch (error) {
    const kind = Object.entries(types).find(([, type]) => error instanceof type)?.[0] ?? error?.constructor?.name;
    return { kind, status: error.status, message: String(error.message) };
  }
  return { kind: "nothing" };
}
