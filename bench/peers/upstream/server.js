// What stands behind the gateways of W5: 300 bytes for everything that is asked.

import { createServer } from "node:http";

const { ANSWER: body, PORT } = process.env;
const headers = ["Content-Type", "application/json; charset=utf-8", "Content-Length", String(Buffer.byteLength(body))];
createServer((request, response) => {
  request.resume();
  response.writeHead(200, headers);
  response.end(body);
}).listen(Number(PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
