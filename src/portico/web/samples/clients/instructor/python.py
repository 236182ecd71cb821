import os

import instructor
from openai import OpenAI
from pydantic import BaseModel


class Trip(BaseModel):
    city: str
    days: int


client = instructor.from_openai(OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"]))
trip = client.chat.completions.create(
    model="gemini-3.8-flash",
    response_model=Trip,
    messages=[{"role": "user", "content": "Plan three days in Lisbon."}],
)

print(trip.city, trip.days)
