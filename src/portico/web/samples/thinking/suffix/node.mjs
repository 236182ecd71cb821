import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

for (const model of [
  "gemini-3.8-flash-thinking",
  "gemini-2.5-flash-thinking-2048",
  "gpt-5.5-low",
  "claude-sonnet-5-5-nothinking",
]) {
  const answer = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "How many primes are below 30?" }],
  });
  console.log(model, answer.usage.completion_tokens_details.reasoning_tokens);
}
