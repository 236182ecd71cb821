import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

for (const model of ["gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5"]) {
  const answer = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Who are you?" }],
  });
  console.log(model, answer.choices[0].message.content);
}
