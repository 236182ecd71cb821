import { createReadStream, writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

// A picture to begin with.
const made = await client.images.generate({ model: "gemini-3-pro-image", prompt: "A fox in the snow" });
writeFileSync("fox.png", Buffer.from(made.data[0].b64_json, "base64"));

const edited = await client.images.edit({
  model: "gemini-3-pro-image",
  image: createReadStream("fox.png"),
  prompt: "Give it a red hat",
});
writeFileSync("fox-with-hat.png", Buffer.from(edited.data[0].b64_json, "base64"));
console.log(edited.usage.total_tokens);
