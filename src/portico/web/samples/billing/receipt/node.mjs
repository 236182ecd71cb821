import { setTimeout } from "node:timers/promises";

import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const { request_id } = await client.chat.completions
  .create({ model: "claude-sonnet-5-5", messages: [{ role: "user", content: "Hello" }] })
  .withResponse();
await setTimeout(1000); // the receipt is written when the call is settled, a moment after its answer

const receipt = await client.get(`/receipts/${request_id}`);
for (const line of receipt.lines) {
  console.log(line.count, line.item, "at", line.rate_nanos / 1e9, "dollars per million");
}
console.log("charged:", receipt.charge_nanos, "nano-dollars");
