import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const messages = [];
for (const [model, question] of [
  ["gemini-3.8-flash", "My name is Ada. Remember it."],
  ["gpt-5.5", "What is my name?"],
  ["claude-sonnet-5-5", "Spell it backwards."],
]) {
  messages.push({ role: "user", content: question });
  const answer = await client.chat.completions.create({ model, messages });
  const text = answer.choices[0].message.content;
  messages.push({ role: "assistant", content: text });
  console.log(`${model}: ${text}`);
}
