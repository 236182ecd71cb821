import os

import litellm

answer = litellm.completion(
    model="openai/gemini-3.8-flash",
    api_base="http://localhost:8080/v1",
    api_key=os.environ["PORTICO_API_KEY"],
    messages=[{"role": "user", "content": "Say hello in three languages."}],
)

print(answer.choices[0].message.content)
