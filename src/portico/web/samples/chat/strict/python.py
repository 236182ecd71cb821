import os

from openai import BadRequestError, OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

try:
    client.chat.completions.create(
        model="gemini-3.8-flash",
        messages=[{"role": "user", "content": "Hello"}],
        temperature=0.2,
        extra_headers={"x-portico-strict": "true"},
    )
except BadRequestError as error:
    print(error.code, error.param, error.message)
