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

calls = {}
for chunk in client.chat.completions.create(
    model="claude-sonnet-5-5",
    messages=[{"role": "user", "content": "What is the weather in Paris and Tokyo?"}],
    tools=tools,
    stream=True,
):
    for piece in chunk.choices[0].delta.tool_calls or []:
        call = calls.setdefault(piece.index, {"id": piece.id, "name": piece.function.name, "arguments": ""})
        call["arguments"] += piece.function.arguments or ""
for call in calls.values():
    print(call)
