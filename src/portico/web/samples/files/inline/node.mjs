import { readFileSync, writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

writeFileSync("sales.csv", "month,sales\nJanuary,120\nFebruary,180\n");

const data = readFileSync("sales.csv").toString("base64");
const answer = await client.chat.completions.create({
  model: "claude-sonnet-5-5",
  max_completion_tokens: 1024,
  messages: [
    {
      role: "user",
      content: [
        { type: "file", file: { filename: "sales.csv", file_data: `data:text/csv;base64,${data}` } },
        { type: "text", text: "Which month was better?" },
      ],
    },
  ],
});
console.log(answer.choices[0].message.content);
