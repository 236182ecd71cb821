import { writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const stream = await client.images.generate({
  model: "gemini-3-pro-image",
  prompt: "A fox in the snow",
  n: 2,
  stream: true,
});
let number = 0;
for await (const event of stream) {
  if (event.type === "image_generation.completed") {
    number += 1;
    writeFileSync(`fox-${number}.png`, Buffer.from(event.b64_json, "base64"));
    console.log(number, event.size);
  }
}
