// The call in Python and the command for curl that make the clip of a job again: same request, same seed.

import { isSound } from "./kinds.js";

const METHODS = { generate: "generate", extend: "extend", soundtrack: "add_audio", edit: "edit",
  sound: "generate_audio", extend_sound: "extend_audio", fill_sound: "fill_audio" };
const STARTLESS = ["generate", "sound"]; // kinds that need no file

const quoted = text => `'${text.replaceAll("'", `'\\''`)}'`;

function literal(value) {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  return JSON.stringify(value);
}

export function python(job) {
  const { prompt, image, ...rest } = job.request;
  const lines = [];
  const ending = isSound(job) ? "wav" : "mp4";
  if (!STARTLESS.includes(job.kind)) lines.push(`"input.${ending}",`);
  if (job.kind === "sound" || (prompt !== null && prompt !== undefined))
    lines.push(`${isSound(job) ? "prompt=" : ""}${literal(prompt ?? null)},`);
  if (image) lines.push('image="first.png",');
  for (const [name, value] of Object.entries(rest)) lines.push(`${name}=${literal(value)},`);
  return [
    "from mediagen.sdk import Engine",
    "",
    `engine = Engine.from_pretrained(${job.model === "mediagen" ? "" : literal(job.model)})`,
    `clip = engine.${METHODS[job.kind] ?? job.kind}(`,
    ...lines.map(line => `    ${line}`),
    ")",
    `clip.save("${job.kind === "generate" ? "clip" : "output"}.${ending}")`,
  ].join("\n");
}

export function curl(job, route, guarded) {
  const { width, height, image, ...rest } = job.request;
  const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  if (width) fields.size = `${width}x${height}`;
  if (fields.seconds !== undefined) fields.seconds = String(fields.seconds);
  const parts = [`curl ${location.origin}${route}`];
  if (guarded) parts.push('-H "Authorization: Bearer $MEDIAGEN_TOKEN"');
  const source = isSound(job) ? "sound" : "video";
  const own = STARTLESS.includes(job.kind) || job.source_video_id ? "" : isSound(job) ? "sound=@input.wav" : "video=@input.mp4";
  const file = image ? "input_reference=@first.png" : own;
  if (file) {
    for (const [name, value] of Object.entries(fields)) parts.push(`--form-string ${quoted(`${name}=${value}`)}`);
    parts.push(`-F ${file}`);
  } else {
    if (job.source_video_id) fields[source] = { id: job.source_video_id };
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(fields))}`);
  }
  return parts.join(" \\\n  ");
}
