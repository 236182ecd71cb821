import os

from openai import BadRequestError, OpenAI

client = OpenAI(
    base_url="http://localhost:8080/v1",
    api_key=os.environ["PORTICO_API_KEY"],
    default_headers={"x-portico-strict": "true"},
)

try:
    client.chat.completions.create(
        model="gemini-3.8-flash",
        messages=[{"role": "user", "content": "Hello"}],
        logit_bias={"1734": 5},
    )
except BadRequestError as error:
    print(error.code, error.param)
    print(error.body["message"])
