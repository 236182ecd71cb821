import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
  defaultHeaders: { "x-portico-strict": "true" },
});

try {
  await client.chat.completions.create({
    model: "gemini-3.8-flash",
    messages: [{ role: "user", content: "Hello" }],
    logit_bias: { 1734: 5 },
  });
} catch (error) {
  console.log(error.status, error.code, error.param);
  console.log(error.error.message);
}
