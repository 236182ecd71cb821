import os

from anthropic import Anthropic
from google import genai
from google.genai.types import HttpOptions
from openai import OpenAI

key = os.environ["PORTICO_API_KEY"]

anthropic = Anthropic(base_url="http://localhost:8080", api_key=key)
messages = [{"role": "user", "content": "How long is this?"}]
print(anthropic.messages.count_tokens(model="gemini-3.8-flash", messages=messages).input_tokens)

openai = OpenAI(base_url="http://localhost:8080/v1", api_key=key)
print(openai.responses.input_tokens.count(model="claude-sonnet-5-5", input="How long is this?").input_tokens)

google = genai.Client(api_key=key, http_options=HttpOptions(base_url="http://localhost:8080"))
print(google.models.count_tokens(model="gpt-5.5", contents="How long is this?").total_tokens)
