import { writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

const made = await client.images.generate({ model: "gemini-3-pro-image", prompt: "A fox in the snow", size: "1536x1024" });
writeFileSync("fox.png", Buffer.from(made.data[0].b64_json, "base64"));
console.log(made.size, made.usage.total_tokens);
