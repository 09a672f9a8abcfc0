// The few options of curl that the guide uses, so that its test needs no curl.

import { request } from "node:http";

interface Curl {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
  showsHeaders: boolean;
}

/** What curl would print, from a server at `url` in the place of localhost:3000. */
export function curl(words: readonly string[], url: string): Promise<string> {
  const { method, headers, body, showsHeaders, ...asked } = read(words);
  const target = asked.url.replace(/^(http:\/\/)?localhost:3000(?=\/|$)/, url);
  if (!target.startsWith(url)) throw new Error(`The guide asks localhost:3000, not ${asked.url}`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request(target, { method, headers }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.on("error", reject);
    answer.on("end", () => {
      const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
      for (let index = 0; index < answer.rawHeaders.length; index += 2)
        lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`);
      const text = Buffer.concat(chunks).toString("utf8");
      resolve(showsHeaders ? `${lines.join("\n")}\n\n${text}` : text);
    });
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

function read(words: readonly string[]): Curl {
  const asked: Curl = { method: "", url: "", headers: {}, body: undefined, showsHeaders: false };
  const rest = [...words];
  const value = () => rest.shift() ?? "";
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "-i") asked.showsHeaders = true;
    else if (word === "-X") asked.method = value();
    else if (word === "-H") {
      const [name = "", ...text] = value().split(":");
      asked.headers[name.toLowerCase()] = text.join(":").trim();
    } else if (word === "--json") {
      asked.body = value();
      asked.headers = { "content-type": "application/json", accept: "application/json", ...asked.headers };
    } else if (word.startsWith("-")) throw new Error(`The guide's test does not know curl's ${word}`);
    else asked.url = word;
  }
  return { ...asked, method: asked.method || (asked.body === undefined ? "GET" : "POST") };
}
