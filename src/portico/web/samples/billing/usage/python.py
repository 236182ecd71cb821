import os

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key=os.environ["PORTICO_API_KEY"])

page = client.get("/usage", cast_to=object, options={"params": {"by": "day,model"}})
for row in page["data"]:
    print(row["day"], row["model"], row["calls"], f"${row['charge']}")
print(f"${page['total']['charge']} in all")
