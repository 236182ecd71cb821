import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.chat.completions.create({
  model: "gemini-3.8-flash",
  messages: [{ role: "user", content: "Compute 2**64 with Python." }],
  tools: [{ type: "code_interpreter" }],
});
const { message } = answer.choices[0];
console.log(message.content);
for (const { part } of message.extra_content.google.parts ?? []) {
  console.log(part.executableCode ?? part.codeExecutionResult);
}
