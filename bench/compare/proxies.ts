// The proxies of W5 that are installed on a machine rather than by npm, and what each is told to do.

import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { start, type Started, type StartOptions } from "./processes.ts";

export interface Proxy {
  folder: string;
  port: number;
  core: number;
}

/** Answers everything itself where there is an `answer`; else it hands on to `upstream`. It checks and counts nothing. */
export async function runNginx({ folder, port, core }: Proxy, does: { answer: string } | { upstream: string }) {
  const location =
    "answer" in does
      ? `default_type "application/json; charset=utf-8"; return 200 '${does.answer}';`
      : `proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";`;
  const upstream =
    "answer" in does
      ? ""
      : `upstream behind { server ${new URL(does.upstream).host}; keepalive 64; keepalive_requests 1000000; }`;
  const configuration = `daemon off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ${upstream}
  server {
    listen 127.0.0.1:${port};
    location / { ${location} }
  }
}
`;
  return startWith("nginx", ["-p", folder, "-e", "stderr", "-c"], join(folder, `nginx-${port}.conf`), configuration, {
    core,
  });
}

/** What HAProxy verifies tokens with. It knows no Ed25519; of what it knows, a shared secret costs it least. */
export const haproxySecret = randomBytes(32).toString("hex");

/** Verifies signature, issuer, audience and expiry of each token, counts a limit for its subject and tells it. */
export async function runHaproxy({ folder, port, core }: Proxy, upstream: string): Promise<Started> {
  const refuse = (status: number, code: string) =>
    `http-request return status ${status} content-type application/json string '{"error":{"code":"${code}"}}'`;
  const configuration = `global
  nbthread 1
  maxconn 1024
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend edge
  bind 127.0.0.1:${port}
  stick-table type string len 64 size 100k expire 60s store http_req_rate(60s)
  http-request return status 200 content-type application/json string {} if { path /health }
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  ${refuse(401, "UNAUTHENTICATED")} unless { var(txn.alg) -m str HS256 }
  ${refuse(401, "UNAUTHENTICATED")} unless { var(txn.token),jwt_verify(txn.alg,"${haproxySecret}") -m int 1 }
  ${refuse(401, "UNAUTHENTICATED")} unless { var(txn.token),jwt_payload_query('$.iss') -m str shop }
  ${refuse(401, "UNAUTHENTICATED")} unless { var(txn.token),jwt_payload_query('$.aud') -m str shop }
  http-request set-var(txn.now) date()
  ${refuse(401, "UNAUTHENTICATED")} unless { var(txn.token),jwt_payload_query('$.exp','int'),sub(txn.now) -m int gt 0 }
  http-request track-sc0 var(txn.token),jwt_payload_query('$.sub')
  ${refuse(429, "RATE_LIMITED")} if { sc_http_req_rate(0) gt ${limit} }
  http-request set-var(txn.used) sc_http_req_rate(0)
  http-response set-header X-RateLimit-Limit ${limit}
  http-response set-header X-RateLimit-Remaining %[int(${limit}),sub(txn.used)]
  http-response set-header X-RateLimit-Reset %[date(60)]
  default_backend behind
backend behind
  http-reuse always
  server one ${new URL(upstream).host} maxconn 256
`;
  return startWith("haproxy", ["-db", "-f"], join(folder, "haproxy.cfg"), configuration, { core });
}

const limit = 100_000_000;

async function startWith(
  program: string,
  words: readonly string[],
  file: string,
  configuration: string,
  options: StartOptions,
): Promise<Started> {
  await writeFile(file, configuration);
  return start([program, ...words, file], options);
}
