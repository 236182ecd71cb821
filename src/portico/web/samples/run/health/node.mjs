const answer = await fetch("http://localhost:8080/readyz");
console.log(answer.status, (await answer.json()).status);
