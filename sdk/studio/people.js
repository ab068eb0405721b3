// Who is in it: the people whom the server keeps, one of whom a clip can show; they are added with consent, and forgotten.

import { ask, blob, json } from "./api.js";
import { element } from "./dom.js";

const $ = id => document.getElementById(id);
const ROUTE = "/v1/videos/characters", box = $("people"), prompt = $("prompt");
const faces = new Map(); // the address of each one's picture
let known = [], chosen = "", say = () => {};

const named = () => [...prompt.value.matchAll(/(?<![\w@])@([A-Za-z][\w-]{0,31})/g)].map(found => found[1].toLowerCase());
const person = () => known.find(one => one.id === chosen);

/** Shows the box, or not; tell hears in words what happened. */
export function open(able, tell) {
  say = tell;
  box.hidden = !able;
  if (able) read().catch(wrong);
}

/** Puts someone into the clip; "" for nobody. */
export function choose(id) {
  chosen = id;
  draw();
}

/** What a request says of who is in it. file: whether it begins with a picture. */
export function cast(file) {
  if (box.hidden) return {};
  const stranger = named().find(name => name !== person()?.name);
  if (stranger && chosen) throw Object.assign(new Error(`A clip shows one person, ${person().name} in this one; take @${stranger} out.`), { param: "prompt" });
  if (stranger) throw Object.assign(new Error(`Nobody here is called @${stranger}; add them first, or take the name out.`), { param: "prompt" });
  if (chosen && file) throw Object.assign(new Error("A clip with a person cannot begin with a picture; leave one of them out."), { param: "input_reference" });
  return chosen ? { characters: [{ id: chosen }] } : {};
}

async function read() {
  known = (await json(ROUTE)).data;
  for (const id of faces.keys()) if (!known.some(one => one.id === id)) drop(id);
  for (const { id } of known) if (!faces.has(id)) faces.set(id, URL.createObjectURL(await blob(`${ROUTE}/${id}/thumbnail`)));
  if (!person()) chosen = "";
  follow();
  draw();
}

function drop(id) {
  URL.revokeObjectURL(faces.get(id));
  faces.delete(id);
}

/** Whoever is named in the prompt is in the clip. */
function follow() {
  const name = named()[0];
  if (name && name !== person()?.name) chosen = known.find(one => one.name === name)?.id ?? chosen;
}

prompt.addEventListener("input", () => {
  const before = chosen;
  follow();
  if (chosen !== before) draw();
});

function draw() {
  const held = document.activeElement?.closest?.("#who button")?.dataset.id;
  $("who").replaceChildren(...known.map(({ id, name, drawn }) => {
    const made = element("button", { type: "button", title: drawn ? "a drawn person in their place" : "" },
      element("img", { src: faces.get(id) ?? "", alt: "" }), name);
    made.dataset.id = id;
    made.setAttribute("aria-pressed", String(id === chosen));
    made.addEventListener("click", () => {
      choose(id === chosen ? "" : id);
      if (chosen && !prompt.value.trim()) prompt.value = `@${name} `;
    });
    return made;
  }));
  $("nobody").hidden = known.length > 0;
  $("person").hidden = !person();
  calm();
  if (held) $("who").querySelector(`[data-id="${held}"]`)?.focus();
}

// Forgets at the second press.

function calm() {
  $("forget").classList.remove("danger");
  $("forget").textContent = `Forget ${person()?.name ?? ""}`;
}
$("forget").addEventListener("blur", calm);
$("forget").addEventListener("click", async () => {
  const { id, name } = person();
  if (!$("forget").classList.contains("danger")) {
    $("forget").classList.add("danger");
    $("forget").textContent = `Really forget ${name}?`;
    return;
  }
  try {
    await ask(`${ROUTE}/${id}`, { method: "DELETE" });
    say(`${name} is forgotten.`);
  } catch (error) {
    if (error.status !== 404) return wrong(error);
  }
  chosen = "";
  await read().catch(wrong);
  $("add-person").querySelector("summary").focus();
});

// Adds one

function wrong(error) {
  $("person-error").textContent = error.message && error.message[0].toUpperCase() + error.message.slice(1);
  const field = { name: "person-name", video: "person-file", face: "person-face", consent: "person-consent" }[error.param];
  if (!field) return;
  $(field).setAttribute("aria-invalid", "true");
  $(field).focus();
}

async function add() {
  box.querySelectorAll("[aria-invalid]").forEach(field => field.removeAttribute("aria-invalid"));
  wrong({ message: "" });
  const name = $("person-name").value.trim(), file = $("person-file").files[0], face = $("person-face").value;
  if (!name) return wrong({ message: "Give a name, by which prompts call them.", param: "name" });
  if (!file) return wrong({ message: "Choose a picture or a film of one face.", param: "video" });
  if (!$("person-consent").checked) return wrong({ message: "Tick that this person agreed; nothing is kept without.", param: "consent" });
  const sent = new FormData();
  for (const [field, value] of Object.entries({ name, face, consent: true, drawn: $("person-drawn").checked, video: file }))
    if (value !== "") sent.append(field, value);
  $("person-add").disabled = true;
  $("person-add").textContent = "Looking for the face…";
  try {
    const made = await json(ROUTE, { method: "POST", body: sent });
    chosen = made.id;
    if (!prompt.value.trim()) prompt.value = `@${made.name} `;
    for (const id of ["person-name", "person-file", "person-face"]) $(id).value = "";
    $("person-consent").checked = $("person-drawn").checked = $("add-person").open = false; // said anew for each one
    say(`${made.name} is kept.`);
    await read();
    prompt.focus();
  } catch (error) {
    wrong(error);
  } finally {
    $("person-add").disabled = false;
    $("person-add").textContent = "Keep this person";
  }
}
$("person-add").addEventListener("click", add);
$("add-person").addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.target.type === "button" || event.target.tagName === "SUMMARY") return;
  event.preventDefault(); // or it would start the clip
  event.stopPropagation();
  add();
});
