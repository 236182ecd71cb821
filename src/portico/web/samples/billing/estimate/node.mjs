import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const body = {
  model: "claude-sonnet-5-5",
  max_completion_tokens: 500,
  messages: [{ role: "user", content: "Say hello in three languages." }],
};
const estimate = await client.post("/estimate", { body });
console.log(`at most $${estimate.ceiling}; covered: ${estimate.covered}`);
