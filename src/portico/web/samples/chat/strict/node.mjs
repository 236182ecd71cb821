import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

try {
  await client.chat.completions.create(
    {
      model: "gemini-3.8-flash",
      messages: [{ role: "user", content: "Hello" }],
      temperature: 0.2,
    },
    { headers: { "x-portico-strict": "true" } },
  );
} catch (error) {
  console.log(error.code, error.param, error.message);
}
