// The page: a form for each kind of job, and the results, live. The server's list is the only memory; a reload loses nothing.

import { Unreachable, blob, json, listen, submit, token } from "./api.js";
import { show as showFrame } from "./box.js";
import { Card, ENDED, short, when } from "./cards.js";
import { element } from "./dom.js";
import { build, fields, files, fill, form, held } from "./form.js";
import { KINDS, able, byKind, formOf, isSound, learn } from "./kinds.js";
import * as people from "./people.js";
import { offer } from "./words.js";

const PAGE = 24; // results that are shown at once
const STREAMS = 3; // jobs heard live; a browser opens six lines to a server
const BUSY = 1500, IDLE = 10000; // milliseconds between two looks at the list

const $ = id => document.getElementById(id);
const gallery = $("gallery");
const cards = new Map(), streams = new Map();
const drafts = {}; // what each tab's form held when it was left
let model = null, models = [], current = null, chosen = null, looking = 0, more = false;

// What the page says

const say = text => { $("said").textContent = text; };

function fail(error) {
  if (error.status === 401) return knock();
  form.querySelectorAll("[aria-invalid]").forEach(field => field.removeAttribute("aria-invalid"));
  const own = current?.source && error.param === current.source ? (chosen ? "parent" : "film") : error.param;
  const name = { width: "size", height: "size" }[own] ?? own;
  const field = name && (form.elements[name] ?? $(name));
  const marked = field?.setAttribute && !field.closest("[hidden]") ? field : null;
  if (marked) (marked.closest("label") ?? marked).after($("error")); // what is wrong is said where it is
  else $("go").before($("error"));
  $("error").textContent = inWords(error, marked);
  $("error").scrollIntoView({ block: "nearest" });
  if (!marked) return;
  field.closest("details")?.setAttribute("open", "");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-errormessage", "error");
  field.focus();
  field.scrollIntoView({ block: "nearest" });
  $("error").scrollIntoView({ block: "nearest" });
}

/** What was wrong, with the name that the field has on the page where the service says the one of its API. */
function inWords(error, field) {
  const label = field?.closest("label")?.firstChild.textContent.trim();
  const text = label && error.message.startsWith(`${error.param}: `) ? `${label}${error.message.slice(error.param.length)}` : error.message;
  return text[0].toUpperCase() + text.slice(1);
}

/** Takes what was wrong back. */
function quiet() {
  $("error").textContent = "";
  $("go").before($("error")); // before the fields around it are built anew
}

function knock() {
  const again = Boolean(token.get());
  token.set("");
  form.hidden = true;
  $("door").hidden = false;
  $("token").focus();
  if (again) say("The server does not take this token.");
}

// The form

function tabs() {
  $("tabs").replaceChildren(...KINDS.map(kind => {
    const tab = element("button", { type: "button", id: `tab-${kind.kind}`, textContent: kind.title });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "form");
    tab.addEventListener("click", () => open(kind.kind));
    return tab;
  }));
  const wanted = location.hash.slice(1);
  current = null;
  open(KINDS.some(kind => kind.kind === wanted) ? wanted : KINDS[0]?.kind);
}

$("tabs").addEventListener("keydown", event => {
  const all = [...$("tabs").children], at = all.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const tab = all[(to + all.length) % all.length];
  open(tab.id.slice(4));
  tab.focus();
});

function open(kind) {
  if (current) drafts[current.kind] = held();
  current = byKind[kind];
  if (!current) return;
  quiet();
  build(current, model.limits);
  fill(drafts[kind] ?? {});
  for (const tab of $("tabs").children) {
    const mine = tab.id === `tab-${kind}`;
    tab.setAttribute("aria-selected", String(mine));
    tab.tabIndex = mine ? 0 : -1;
  }
  form.setAttribute("aria-labelledby", `tab-${kind}`);
  $("source").hidden = !current.source;
  $("prompt-label").hidden = $("prompt").hidden = !current.label; // what has words of its own
  $("words").hidden = !current.label || !Object.keys(model.words).length;
  people.open(kind === "generate" && able.has("character"), say);
  $("prompt-label").textContent = current.label;
  $("prompt-hint").textContent = current.hint;
  $("examples").replaceChildren(...current.examples.map(text => {
    const made = element("button", { type: "button", textContent: text });
    made.addEventListener("click", () => { $("prompt").value = text; $("prompt").focus(); });
    return made;
  }));
  $("go").textContent = current.go;
  if (location.hash.slice(1) !== kind) history.replaceState(null, "", `#${kind}`);
  picture();
}

/** What the model makes, in a line. */
function describe() {
  const { limits, kinds } = model, name = model.id === "mediagen" ? "" : `${model.id}: `;
  const films = kinds.includes("generate") || kinds.includes("edit");
  const made = films ? `films of ${limits.width} × ${limits.height}, up to ${limits.max_seconds} s at a time` : "sound";
  $("model").textContent = name + made;
  offer($("words"), model.words, $("prompt"));
}

/** Shows a frame of the film that is chosen, where a box can be drawn on it. */
async function picture() {
  if (!form.querySelector(".frame")) return;
  const file = $("film").files[0], id = chosen?.id;
  try {
    const film = file ?? (id ? await blob(`/v1/videos/${id}/content`) : null);
    if (file === $("film").files[0] && id === chosen?.id) showFrame(film); // else another was chosen since
  } catch (error) {
    fail(error);
  }
}

/** The finished results as a list to choose the film from. */
function parents() {
  const films = [...gallery.children].map(node => cards.get(node.dataset.id).job) // newest first, as they stand there
    .filter(job => job.status === "completed" && !isSound(job));
  if (chosen && !films.some(job => job.id === chosen.id)) films.unshift(chosen);
  const held = $("parent").value;
  $("parent").replaceChildren(element("option", { value: "", textContent: films.length ? "Choose a result" : "No results yet" }),
    ...films.map(job => element("option", { value: job.id, textContent: called(job, films) })));
  $("parent").value = chosen?.id ?? held;
  if ($("parent").selectedIndex < 0) $("parent").value = "";
}

/** A result in a list of results, by what tells it from all others there. */
function called(job, others) {
  const name = one => [short(one), byKind[one.kind]?.made, `seed ${one.seed}`, when(one)].filter(Boolean).join(" · ");
  const alike = others.filter(one => name(one) === name(job)).length > 1;
  return alike ? `${name(job)} · ${job.id.slice(-6)}` : name(job);
}
$("parent").addEventListener("change", () => {
  chosen = cards.get($("parent").value)?.job ?? null;
  if (chosen) $("film").value = "";
  picture();
});
$("film").addEventListener("change", () => {
  if ($("film").files.length) chosen = null;
  $("parent").value = chosen?.id ?? "";
  picture();
});

form.addEventListener("submit", async event => {
  event.preventDefault();
  quiet();
  try {
    const made = fields(current), film = $("film").files[0], uploads = files();
    if (models.length > 1) made.model = model.id;
    Object.assign(made, people.cast(uploads.length > 0));
    if (current.source && film) uploads.push({ name: current.source, file: film });
    else if (current.source && chosen) made[current.source] = { id: chosen.id };
    else if (current.source) throw Object.assign(new Error("Choose a result, or a file of your own, to start from."), { param: "parent" });
    $("go").disabled = true;
    $("go").textContent = uploads.length ? "Sending…" : current.go;
    show(await submit(current.route, made, uploads), true);
    say("It waits for its turn.");
    look();
  } catch (error) {
    fail(error);
  } finally {
    $("go").disabled = false;
    $("go").textContent = current.go;
  }
});
form.addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
$("door").addEventListener("submit", event => {
  event.preventDefault();
  token.set($("token").value.trim());
  $("token").value = "";
  $("door").hidden = true;
  form.hidden = false;
  start();
});

// The results

const does = {
  say,
  fail,
  use(job, kind) {
    chosen = job;
    $("film").value = "";
    open(kind);
    parents();
    $("prompt").focus();
    say(`${short(job)} is the film to start from.`);
  },
  async repeat(job) {
    await choose(job.model);
    open(formOf(job));
    people.choose(job.request.characters?.[0].id ?? "");
    const { width, height, ...rest } = job.request;
    if (width) rest.size = `${width}x${height}`;
    fill(rest);
    chosen = job.source_video_id ? cards.get(job.source_video_id)?.job ?? null : null;
    parents();
    picture();
    $("settings").open = true;
    $("prompt").focus();
  },
  /** A story once more, one of its scenes by another chance; what does not go on from that one stays as it is. */
  async again(job, at) {
    const { prompt, width, height, ...rest } = job.request;
    const scenes = rest.scenes.map(one => typeof one === "string" ? { prompt: one } : one);
    scenes[at] = { ...scenes[at], seed: Math.floor(Math.random() * 2 ** 31) };
    try {
      const size = width ? { size: `${width}x${height}` } : {};
      show(await submit(byKind[job.kind].route, { ...rest, ...size, model: job.model, scenes }, []), true);
      say(`Scene ${at + 1} is made again.`);
      look();
    } catch (error) {
      fail(error);
    }
  },
  remove(card) {
    const next = card.node.nextElementSibling ?? card.node.previousElementSibling;
    forget(card.job.id);
    say("Deleted.");
    (next ?? $("results")).focus();
  },
};

/** A job as it is now, on its card; a new card comes first, or (from an older page) last. */
function show(job, first) {
  const card = cards.get(job.id), before = card?.job.status;
  if (card) {
    if (ENDED.includes(before) && !ENDED.includes(job.status)) return; // an answer that was overtaken
    card.update(job);
  } else {
    cards.set(job.id, new Card(job, does));
    if (first) gallery.prepend(cards.get(job.id).node);
    else gallery.append(cards.get(job.id).node);
  }
  if (card && before !== job.status && ENDED.includes(job.status)) say(`${short(job)}: ${job.status}.`);
  if (before !== job.status) count();
}

function forget(id) {
  streams.get(id)?.abort();
  cards.get(id)?.drop();
  cards.delete(id);
  if (chosen?.id === id) chosen = null;
  count();
}

function count() {
  const live = [...cards.values()].filter(card => !ENDED.includes(card.job.status)).length;
  $("count").textContent = live ? `${live} on the way` : "";
  $("empty").hidden = cards.size > 0;
  $("older").hidden = !more;
  parents();
}

/** Hears the jobs that are being made, as many as there are lines for. */
function attend() {
  for (const { job } of cards.values()) {
    if (job.status !== "in_progress" || streams.has(job.id) || streams.size >= STREAMS) continue;
    const line = new AbortController();
    streams.set(job.id, line);
    listen(job.id, (name, data) => name === "deleted" ? forget(job.id) : show(data), line.signal)
      .finally(() => streams.delete(job.id));
  }
}

/** Looks at the list, now and then again. */
async function look() {
  clearTimeout(looking);
  let wait = IDLE;
  try {
    const page = await json(`/v1/videos?limit=${PAGE}`);
    if (cards.size <= PAGE) more = page.has_more;
    page.data.toReversed().forEach(job => show(job, true));
    page.data.forEach(({ id }, place) => { // one that came from elsewhere may be older than what stands first
      const { node } = cards.get(id);
      if (gallery.children[place] !== node) gallery.insertBefore(node, gallery.children[place]);
    });
    const ids = page.data.map(job => job.id), oldest = page.data.at(-1)?.created_at ?? Infinity;
    for (const { job } of [...cards.values()])
      if (!ids.includes(job.id) && (!page.has_more || job.created_at > oldest)) forget(job.id);
    count();
    attend();
    $("lost").hidden = true;
    if ([...cards.values()].some(card => !ENDED.includes(card.job.status))) wait = BUSY;
  } catch (error) {
    if (error.status === 401) return knock();
    $("lost").hidden = false;
    $("lost").textContent = error instanceof Unreachable ? `${error.message} It is asked again by itself.` : error.message;
    wait = 3000;
  }
  looking = setTimeout(look, document.hidden ? IDLE : wait);
}

$("older").addEventListener("click", async () => {
  try {
    const page = await json(`/v1/videos?limit=${PAGE}&after=${gallery.lastElementChild.dataset.id}`);
    more = page.has_more;
    page.data.forEach(job => show(job, false));
    count();
  } catch (error) {
    fail(error);
  }
});
document.addEventListener("visibilitychange", () => document.hidden || (model && look()));

/** Learns the kinds of jobs that a model makes. */
async function study(id) {
  learn((await json(models.length > 1 ? `/v1/kinds?model=${encodeURIComponent(id)}` : "/v1/kinds")).data);
}

/** Takes another of the server's models: what it makes, its fields and its words. */
async function choose(id) {
  if (id === model?.id || !models.some(one => one.id === id)) return;
  await study(id);
  model = models.find(one => one.id === id);
  $("choice").value = id;
  describe();
  tabs();
}
$("choice").addEventListener("change", () => choose($("choice").value).catch(fail));

async function start() {
  try {
    models = (await json("/v1/models")).data;
    model = models.find(one => one.id === model?.id) ?? models[0];
    $("choice").replaceChildren(...models.map(({ id }) => element("option", { value: id, textContent: id })));
    $("choice").value = model.id;
    $("choice").hidden = models.length < 2;
    await study(model.id);
    $("lost").hidden = true;
    describe();
    tabs();
    look();
  } catch (error) {
    if (error.status === 401) return knock();
    $("lost").hidden = false;
    $("lost").textContent = `${error.message} It is asked again by itself.`;
    setTimeout(start, 3000);
  }
}
start();
