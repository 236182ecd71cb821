import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

messages = []
for model, question in [
    ("gemini-3.8-flash", "My name is Ada. Remember it."),
    ("gpt-5.5", "What is my name?"),
    ("claude-sonnet-5-5", "Spell it backwards."),
]:
    messages.append({"role": "user", "content": question})
    answer = client.chat.completions.create(model=model, messages=messages)
    text = answer.choices[0].message.content
    messages.append({"role": "assistant", "content": text})
    print(f"{model}: {text}")
