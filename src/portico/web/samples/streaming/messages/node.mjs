import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({
  baseURL: "http://localhost:8080",
  apiKey: process.env.PORTICO_API_KEY,
});

const stream = client.messages.stream({
  model: "gemini-3.8-flash",
  max_tokens: 4096,
  messages: [{ role: "user", content: "Count to three." }],
});
stream.on("text", (text) => process.stdout.write(text));
const message = await stream.finalMessage();
console.log("\n", message.usage.output_tokens, "tokens out");
