import os

from openai import APIConnectionError, APIStatusError, OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

try:
    client.chat.completions.create(
        model="gpt-9",
        messages=[{"role": "user", "content": "Hello"}],
    )
except APIStatusError as error:
    print(error.status_code, error.code, error.message)
    print("request:", error.request_id)
except APIConnectionError as error:
    print("no answer:", error)
