import json
from urllib.request import urlopen

with urlopen("http://localhost:8080/readyz") as answer:
    print(answer.status, json.load(answer)["status"])
