import { request } from "node:http";
import type { Request } from "./load.ts";

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  json: unknown;
}

/** One request on a connection of its own, with nothing added to its headers. */
export function ask(url: string, { method, path, headers, body }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = request(`${url}${path}`, { method, agent: false, headers: { ...headers, ...length } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => {
        try {
          const json: unknown = text === "" ? undefined : JSON.parse(text);
          resolve({ status: answer.statusCode!, headers: answer.headers, json });
        } catch (cause) {
          reject(new Error(`${method} ${path} was answered what is not JSON: ${text.slice(0, 200)}`, { cause }));
        }
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
