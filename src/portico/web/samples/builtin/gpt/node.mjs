import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.responses.create({
  model: "gpt-5.5", // or gemini-3.8-flash, claude-sonnet-5-5
  input: "What is the latest news about Python?",
  tools: [{ type: "web_search" }],
});
console.log(answer.output_text);
for (const item of answer.output.filter((item) => item.type === "message")) {
  for (const part of item.content) for (const source of part.annotations) console.log("-", source.title, source.url);
}
