import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

answer = client.chat.completions.create(
    model="gemini-3.8-flash",
    messages=[{"role": "user", "content": "Compute 2**64 with Python."}],
    tools=[{"type": "code_interpreter"}],
)
message = answer.choices[0].message
print(message.content)
for told in message.extra_content["google"].get("parts", []):
    print(told["part"].get("executableCode") or told["part"].get("codeExecutionResult"))
