import os

from openai import OpenAI
from pydantic import BaseModel

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])


class Person(BaseModel):
    name: str
    age: int
    city: str


answer = client.chat.completions.parse(
    model="claude-sonnet-5-5",
    messages=[{"role": "user", "content": "Ada is 36 years old and lives in London."}],
    response_format=Person,
)
person = answer.choices[0].message.parsed
print(person.name, person.age, person.city)
