import json
import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

tools = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city, now.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]

messages = [{"role": "user", "content": "What is the weather in Paris and Tokyo?"}]
answer = client.chat.completions.create(model="gemini-3.8-flash", messages=messages, tools=tools)

# Only what every client keeps goes back: id, name and arguments. No signature.
calls = [
    {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}}
    for call in answer.choices[0].message.tool_calls
]
messages.append({"role": "assistant", "content": None, "tool_calls": calls})
messages += [{"role": "tool", "tool_call_id": call["id"], "content": '{"celsius": 21}'} for call in calls]

for model in ("gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5"):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=messages, tools=tools)
    print(model, "->", raw.parse().choices[0].message.content)
    print("  ", [change["code"] for change in json.loads(raw.headers.get("x-portico-changes", "[]"))])
