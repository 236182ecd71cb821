import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const answer = await client.chat.completions.create({
  model: "gemini-3.8-flash", // or gpt-5.5, claude-sonnet-5-5, ...
  messages: [
    { role: "user", content: "Say hello in three languages." },
  ],
});
console.log(answer.choices[0].message.content);
