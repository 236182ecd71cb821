import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const { response } = await client.chat.completions
  .create({
    model: "gemini-3.8-flash",
    messages: [{ role: "user", content: "What is the latest news about Python?" }],
    tools: [{ type: "web_search" }],
  })
  .withResponse();
await new Promise((done) => setTimeout(done, 1000)); // a receipt is written a moment after its answer
const receipt = await client.get(`/receipts/${response.headers.get("x-portico-request-id")}`);
for (const line of receipt.lines) {
  console.log(line.item, line.detail, line.count, "x", line.rate_nanos, "per", line.unit);
}
console.log(receipt.charge_nanos / 1e9, "dollars");
