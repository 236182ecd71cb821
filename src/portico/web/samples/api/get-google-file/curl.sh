printf 'The meeting moves to Thursday at ten.\n' > notes.txt

upload=$(curl -s -D - -o /dev/null http://localhost:8080/upload/v1beta/files \
  -H "x-goog-api-key: $PORTICO_API_KEY" -H "Content-Type: application/json" \
  -H "X-Goog-Upload-Protocol: resumable" -H "X-Goog-Upload-Command: start" \
  -H "X-Goog-Upload-Header-Content-Type: text/plain" \
  -d '{"file": {"display_name": "notes"}}' | tr -d '\r' | sed -n 's/^x-goog-upload-url: //Ip')

name=$(curl -s "$upload" \
  -H "X-Goog-Upload-Command: upload, finalize" -H "X-Goog-Upload-Offset: 0" \
  --data-binary @notes.txt | grep -o 'files/[a-z0-9]*' | head -n 1)

curl "http://localhost:8080/v1beta/$name" -H "x-goog-api-key: $PORTICO_API_KEY"
