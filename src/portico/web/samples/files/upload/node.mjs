import { createReadStream, writeFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: process.env.PORTICO_API_KEY });

writeFileSync("notes.txt", "The meeting moves to Thursday at ten.\n");

const file = await client.files.create({ file: createReadStream("notes.txt"), purpose: "user_data" });
const answer = await client.responses.create({
  model: "gpt-5.5",
  input: [
    {
      role: "user",
      content: [
        { type: "input_file", file_id: file.id },
        { type: "input_text", text: "When is the meeting?" },
      ],
    },
  ],
});
console.log(answer.output_text);
console.log((await client.files.delete(file.id)).deleted);
