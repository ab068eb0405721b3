// The call in Python and the commands for curl that make the clip of a job again on this server: same request, same seed.

import { byKind, isSound } from "./kinds.js";

const quoted = text => `'${text.replaceAll("'", `'\\''`)}'`;
const ending = job => isSound(job) ? "wav" : "mp4";

function literal(value) {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value).map(([name, one]) => `${literal(name)}: ${literal(one)}`).join(", ")}}`;
  return JSON.stringify(value);
}

export function python(job, guarded) {
  if (job.request.characters) return client(job, guarded);
  const { prompt, image, ...rest } = job.request;
  const lines = [];
  const starts = byKind[job.kind]?.source;
  if (starts) lines.push(job.source_video_id ? `engine.job(${literal(job.source_video_id)}),` : `"input.${ending(job)}",`);
  if (prompt !== null && prompt !== undefined) lines.push(`prompt=${literal(prompt)},`);
  else if (job.kind === "sound") lines.push("prompt=None,");
  if (image) lines.push('image="first.png",');
  for (const [name, value] of Object.entries(rest)) lines.push(`${name}=${literal(value)},`);
  return [
    ...guarded ? ["import os", ""] : [],
    "from mediagen.sdk import RemoteEngine",
    "",
    `engine = RemoteEngine(${literal(location.origin)}${guarded ? ', token=os.environ["MEDIAGEN_TOKEN"]' : ""})`,
    `clip = engine.${byKind[job.kind]?.method ?? job.kind}(`,
    ...lines.map(line => `    ${line}`),
    ")",
    `clip.save("clip.${ending(job)}")`,
  ].join("\n");
}

/** A clip with a person, which lives on the server, by OpenAI's client. */
function client(job, guarded) {
  const { prompt, width, height, seconds, ...rest } = job.request;
  const asked = Object.fromEntries(Object.entries({ ...rest, ...width ? { size: `${width}x${height}` } : {} })
    .filter(([, value]) => value !== null));
  return [
    ...guarded ? ["import os", ""] : [],
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${literal(`${location.origin}/v1`)}, api_key=${guarded ? 'os.environ["MEDIAGEN_TOKEN"]' : '"none"'})`,
    "job = client.videos.create_and_poll(",
    `    prompt=${literal(prompt)},`,
    ...seconds ? [`    seconds=${literal(String(seconds))},`] : [],
    `    extra_body=${literal(asked)},`,
    ")",
    'client.videos.download_content(job.id).write_to_file("clip.mp4")',
  ].join("\n");
}

export function curl(job, route, guarded) {
  const { width, height, image, ...rest } = job.request;
  const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  if (width) fields.size = `${width}x${height}`;
  if (fields.seconds !== undefined) fields.seconds = String(fields.seconds);
  const token = guarded ? '-H "Authorization: Bearer $MEDIAGEN_TOKEN" ' : "";
  const parts = [`curl -sf ${token}${location.origin}${route}`];
  const source = byKind[job.kind]?.source;
  const file = image ? "input_reference=@first.png" : source && !job.source_video_id ? `${source}=@input.${ending(job)}` : "";
  if (file) {
    for (const [name, value] of Object.entries(fields)) {
      const text = typeof value === "object" ? JSON.stringify(value) : value;
      parts.push(`--form-string ${quoted(`${name}=${text}`)}`);
    }
    parts.push(`-F ${file}`);
  } else {
    if (source) fields[source] = { id: job.source_video_id };
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(fields))}`);
  }
  return [
    `id=$(${parts.join(" \\\n  ")} | sed 's/{"id":"\\([^"]*\\)".*/\\1/')`,
    `curl -sfN ${token}${location.origin}/v1/videos/$id/events > /dev/null  # until it is made`,
    `curl -f ${token}-o clip.${ending(job)} ${location.origin}/v1/videos/$id/content`,
  ].join("\n");
}
