import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

for model in ("gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5"):
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Who are you?"}],
    )
    print(model, answer.choices[0].message.content)
