import { readFileSync, writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

writeFileSync("square.png", Buffer.from("iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1gHZEpAAAAAElFTkSuQmCC", "base64"));

const data = readFileSync("square.png").toString("base64");
const answer = await client.chat.completions.create({
  model: "gemini-3.8-flash",
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "What colour is this square?" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${data}` } },
      ],
    },
  ],
});
console.log(answer.choices[0].message.content);
