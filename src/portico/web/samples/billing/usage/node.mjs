import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const page = await client.get("/usage", { query: { by: "day,model" } });
for (const row of page.data) {
  console.log(row.day, row.model, row.calls, `$${row.charge}`);
}
console.log(`$${page.total.charge} in all`);
