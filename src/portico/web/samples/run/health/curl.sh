curl http://localhost:8080/healthz
curl http://localhost:8080/readyz
