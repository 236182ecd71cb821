// A request as code that runs as it stands, for each client. The key is $PORTICO_API_KEY.

const NAMES = { openai: "openai", curl: "curl", node: "node", anthropic: "anthropic", genai: "genai" };

export const CLIENTS = [
  { id: NAMES.curl, title: "curl", dialect: () => null },
  { id: NAMES.openai, title: "Python: openai", dialect: openaiDialect },
  { id: NAMES.node, title: "Node.js: openai", dialect: openaiDialect },
  { id: NAMES.anthropic, title: "Python: anthropic", dialect: () => "anthropic_messages" },
  { id: NAMES.genai, title: "Python: google-genai", dialect: () => "gemini" },
];

// OpenAI's clients speak both of its APIs.
function openaiDialect(dialect) {
  return dialect === "openai_responses" ? dialect : "openai_chat";
}

export function codeOf(client, request, baseUrl) {
  return WRITE[client](request, baseUrl);
}

const WRITE = { curl, openai, node, anthropic, genai };
const NOT_IN_SDK = new Set(["include_reasoning"]);

function curl({ dialect, path, headers, body }, baseUrl) {
  const key = { anthropic_messages: "x-api-key: $PORTICO_API_KEY", gemini: "x-goog-api-key: $PORTICO_API_KEY" }[dialect] ?? "Authorization: Bearer $PORTICO_API_KEY";
  const lines = [
    `curl -N '${baseUrl}${path}'`,
    `  -H "${key}" -H "Content-Type: application/json"`,
    ...Object.entries(headers).map(([name, value]) => `  -H "${name}: ${value}"`),
    "  -d @- <<'JSON'",
  ];
  return `${lines.join(" \\\n")}\n${JSON.stringify(body, null, 2)}\nJSON\n`;
}

function openai({ dialect, headers, body }, baseUrl) {
  const known = Object.entries(body).filter(([name]) => !NOT_IN_SDK.has(name));
  const more = Object.fromEntries(Object.entries(body).filter(([name]) => NOT_IN_SDK.has(name)));
  const fields = known.map(([name, value]) => `    ${name}=${python(value, 1)},`);
  if (Object.keys(more).length) fields.push(`    extra_body=${python(more, 1)},`);
  if (Object.keys(headers).length) fields.push(`    extra_headers=${python(headers, 1)},`);
  const isChat = dialect === "openai_chat";
  const loop = isChat
    ? ["for chunk in stream:", "    if chunk.choices and chunk.choices[0].delta.content:", '        print(chunk.choices[0].delta.content, end="", flush=True)']
    : ["for event in stream:", '    if event.type == "response.output_text.delta":', '        print(event.delta, end="", flush=True)'];
  return [
    "import os", "", "from openai import OpenAI", "",
    `client = OpenAI(base_url="${baseUrl}/v1", api_key=os.environ["PORTICO_API_KEY"])`, "",
    `stream = client.${isChat ? "chat.completions" : "responses"}.create(`, ...fields, ")", ...loop, "print()", "",
  ].join("\n");
}

function node({ dialect, headers, body }, baseUrl) {
  const isChat = dialect === "openai_chat";
  const options = Object.keys(headers).length ? `, { headers: ${JSON.stringify(headers)} }` : "";
  const loop = isChat
    ? 'for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");'
    : 'for await (const event of stream) {\n  if (event.type === "response.output_text.delta") process.stdout.write(event.delta);\n}';
  return [
    'import OpenAI from "openai";', "",
    `const client = new OpenAI({ baseURL: "${baseUrl}/v1", apiKey: process.env.PORTICO_API_KEY });`, "",
    `const stream = await client.${isChat ? "chat.completions" : "responses"}.create(${JSON.stringify(body, null, 2)}${options});`,
    loop, "console.log();", "",
  ].join("\n");
}

function anthropic({ body }, baseUrl) {
  return [
    "import os", "", "from anthropic import Anthropic", "",
    `client = Anthropic(base_url="${baseUrl}", api_key=os.environ["PORTICO_API_KEY"])`, "",
    "stream = client.messages.create(", ...Object.entries(body).map(([name, value]) => `    ${name}=${python(value, 1)},`), ")",
    "for event in stream:", '    if event.type == "content_block_delta" and event.delta.type == "text_delta":',
    '        print(event.delta.text, end="", flush=True)', "print()", "",
  ].join("\n");
}

// Google's SDK reads bytes in Python as bytes, and in JSON as base64: so it is given JSON.
function genai({ model, body }, baseUrl) {
  const { contents, generationConfig = {}, ...rest } = body;
  const config = { ...generationConfig, ...rest };
  const hasConfig = Object.keys(config).length > 0;
  return [
    "import json", "import os", "", "from google import genai", "from google.genai import types", "",
    "client = genai.Client(", '    api_key=os.environ["PORTICO_API_KEY"],', `    http_options=types.HttpOptions(base_url="${baseUrl}"),`, ")",
    `contents = ${python(contents, 0)}`, ...(hasConfig ? [`config = ${python(config, 0)}`] : []), "",
    "stream = client.models.generate_content_stream(", `    model=${JSON.stringify(model)},`,
    "    contents=[types.Content.model_validate_json(json.dumps(one)) for one in contents],",
    ...(hasConfig ? ["    config=types.GenerateContentConfig.model_validate_json(json.dumps(config)),"] : []), ")",
    "for chunk in stream:", '    print(chunk.text or "", end="", flush=True)', "print()", "",
  ].join("\n");
}

// JSON as Python writes it. A string of JSON is one of Python.
function python(value, depth) {
  const pad = "    ".repeat(depth + 1);
  const end = "    ".repeat(depth);
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const isList = Array.isArray(value);
  const lines = isList
    ? value.map((one) => `${pad}${python(one, depth + 1)},`)
    : Object.entries(value).map(([name, one]) => `${pad}${JSON.stringify(name)}: ${python(one, depth + 1)},`);
  const [open, close] = isList ? "[]" : "{}";
  return lines.length ? `${open}\n${lines.join("\n")}\n${end}${close}` : open + close;
}
