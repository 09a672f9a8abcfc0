// A client that shows everything a test may want to see of an answer, and hides nothing of a request.

export interface TestAnswer {
  status: number;
  headers: Headers;
  /** The bytes as text. */
  text: string;
  /** The parsed body; undefined when there is none. */
  // oxlint-disable-next-line no-explicit-any -- tests look into answers of every shape
  json: any;
}

export interface TestRequest {
  /** Sent as JSON, unless it is a string or bytes: those go as they are. */
  body?: unknown;
  headers?: Record<string, string>;
  authorization?: string;
}

export interface TestClient {
  readonly url: string;
  request(method: string, path: string, request?: TestRequest): Promise<TestAnswer>;
}

export function createClient(url: string): TestClient {
  return {
    url,
    async request(method, path, { body, headers = {}, authorization } = {}) {
      const raw = typeof body === "string" || body instanceof Uint8Array;
      const response = await fetch(`${url}${path}`, {
        method,
        redirect: "manual",
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(authorization === undefined ? {} : { authorization }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: parsed(text) };
    },
  };
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
