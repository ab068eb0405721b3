// The service's public API as the page uses it: JSON, forms, files as blobs, and server-sent events read from a fetch,
// for an EventSource can send no token.

const KEPT = "mediagen-token";
export const token = {
  get: () => sessionStorage.getItem(KEPT),
  set: value => value ? sessionStorage.setItem(KEPT, value) : sessionStorage.removeItem(KEPT),
};

/** What the service said, in its own sentence. param: the field that is meant. */
export class Refusal extends Error {
  constructor(message, status, param) {
    super(message);
    this.status = status;
    this.param = param;
  }
}

export class Unreachable extends Error {
  constructor() {
    super("The server does not answer. Is mediagen serve still running?");
  }
}

export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  const sent = { ...headers };
  if (token.get()) sent.Authorization = `Bearer ${token.get()}`;
  if (body !== undefined && !(body instanceof FormData)) {
    sent["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: sent, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable();
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  const message = said.error?.message ?? `The server answered ${answer.status} and did not say why.`;
  throw new Refusal(message, answer.status, said.error?.param);
}

export const json = async (path, options) => (await ask(path, options)).json();
export const blob = async path => (await ask(path)).blob();

/** Makes a job. fields: plain values. uploads: of {name, file}. A second try of the same call makes no second job. */
export async function submit(route, fields, uploads) {
  let body = fields;
  if (uploads.length) {
    body = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      if (value?.id) body.append(`${name}[id]`, value.id);
      else body.append(name, value);
    }
    for (const { name, file } of uploads) body.append(name, file);
  }
  const headers = { "Idempotency-Key": Array.from(crypto.getRandomValues(new Uint32Array(4)), n => n.toString(16)).join("") };
  const send = () => json(route, { method: "POST", body, headers });
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    await new Promise(done => setTimeout(done, 1000));
    return send();
  }
}

/** Hears a job until it ends: each event's name and data. Connects again when the line is lost; gone says it was deleted. */
export async function listen(id, hear, signal) {
  for (let pause = 500; !signal.aborted; pause = Math.min(2 * pause, 8000)) {
    try {
      const answer = await ask(`/v1/videos/${id}/events`, { signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const parts = (rest + value).split("\n\n");
        rest = parts.pop();
        for (const part of parts) {
          const name = part.match(/^event: (.*)$/m)?.[1], data = part.match(/^data: (.*)$/m)?.[1];
          if (!name) continue;
          pause = 500;
          hear(name, JSON.parse(data));
          if (name !== "progress") return;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 404) return hear("deleted", {});
      if (error.status === 401) return;
    }
    await new Promise(done => setTimeout(done, pause));
  }
}
