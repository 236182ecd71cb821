import { writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "http://localhost:8080/v1",
  apiKey: process.env.PORTICO_API_KEY,
  defaultHeaders: { "x-portico-image-form": "images" },
});

const messages = [{ role: "user", content: "Draw a fox in the snow." }];
const first = await client.chat.completions.create({
  model: "gemini-3.1-flash-image",
  messages,
  image_config: { aspect_ratio: "16:9" },
});
const drawn = first.choices[0].message;
writeFileSync("fox.png", Buffer.from(drawn.images[0].image_url.url.split(",")[1], "base64"));

// Sent back as it came, the picture is drawn on.
messages.push(drawn, { role: "user", content: "Now give it a red hat." });
const second = await client.chat.completions.create({ model: "gemini-3.1-flash-image", messages });
console.log(second.choices[0].message.content, second.choices[0].message.images.length);
