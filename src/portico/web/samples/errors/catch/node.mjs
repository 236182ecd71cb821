import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

try {
  await client.chat.completions.create({
    model: "gpt-9",
    messages: [{ role: "user", content: "Hello" }],
  });
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  console.log(error.status, error.code, error.message);
  console.log("request:", error.requestID);
}
