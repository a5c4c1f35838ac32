// Lambda's runtime API in a few lines: npm's aws-lambda-ric compiles curl and a native client when it is installed, this
// needs Node alone. It is leaner than the managed runtime, so it never makes the peer slower.
import { Agent, request } from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = request({ host, port, agent, method, headers, path: `/2018-06-01/runtime/${path}` }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => resolve({ headers: answer.headers, text: Buffer.concat(chunks).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const { handler } = await import(process.argv[2]);
for (;;) {
  const invocation = await call("GET", "invocation/next");
  const id = invocation.headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = invocation.headers["lambda-runtime-trace-id"] ?? "";
  try {
    const answer = await handler(JSON.parse(invocation.text));
    await call("POST", `invocation/${id}/response`, JSON.stringify(answer));
  } catch (error) {
    const problem = { errorType: error.name, errorMessage: error.message, stackTrace: [error.stack] };
    await call("POST", `invocation/${id}/error`, JSON.stringify(problem));
  }
}
