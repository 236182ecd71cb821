import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({
  baseURL: "http://localhost:8080",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.messages.create({
  model: "gemini-2.5-flash",
  max_tokens: 16000,
  thinking: { type: "enabled", budget_tokens: 8000 },
  messages: [{ role: "user", content: "How many primes are below 30?" }],
});
for (const block of answer.content) console.log(block.type, block.thinking ?? block.text);
