import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.chat.completions.create({
  model: "gemini-3.8-flash",
  messages: [{ role: "user", content: "How many primes are below 30?" }],
  reasoning_effort: "high",
  include_reasoning: true,
});
const { message } = answer.choices[0];
console.log("thoughts:", message.reasoning_content);
console.log("answer:", message.content);
console.log(answer.usage.completion_tokens_details.reasoning_tokens, "tokens of thoughts");
