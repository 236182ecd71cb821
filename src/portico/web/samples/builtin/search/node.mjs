import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.chat.completions.create({
  model: "claude-sonnet-5-5", // or gemini-3.8-flash
  messages: [{ role: "user", content: "What is the latest news about Python?" }],
  tools: [{ type: "web_search" }],
});
const { message } = answer.choices[0];
console.log(message.content);
const characters = [...message.content];
for (const { url_citation: source } of message.annotations ?? []) {
  console.log("-", characters.slice(source.start_index, source.end_index).join("").trim(), source.url);
}
