import { randomUUID } from "node:crypto";

import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
});

const key = randomUUID();
for (const attempt of [1, 2]) {
  const { request_id, response } = await client.chat.completions
    .create(
      { model: "gemini-3.8-flash", messages: [{ role: "user", content: "Hello" }] },
      { headers: { "Idempotency-Key": key } },
    )
    .withResponse();
  console.log(attempt, request_id, "repeats", response.headers.get("x-portico-replayed"));
}
