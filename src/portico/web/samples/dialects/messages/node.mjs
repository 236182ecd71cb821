import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "http://localhost:8080", apiKey: process.env.PORTICO_API_KEY });

const answer = await client.messages.create({
  model: "gemini-3.8-flash",
  max_tokens: 4096,
  messages: [{ role: "user", content: "Hello" }],
});
for (const block of answer.content) if (block.type === "text") console.log(block.text);
