// The fields of the form: built for a kind of job, as values, and back.

import { frame } from "./box.js";
import { element } from "./dom.js";
import { scenes } from "./scenes.js";

export const form = document.getElementById("form");
const main = document.getElementById("main-fields"), settings = document.getElementById("fields");

const settable = () => [...form.elements].filter(field => field.name && field.type !== "file");

/** What the fields hold, as `fill` takes it. */
export const held = () => Object.fromEntries(
  settable().map(field => [field.name, field.type === "checkbox" ? field.checked : field.value]));

/** Sets the fields of the form; those that are not named become empty. */
export function fill(values) {
  for (const field of settable()) {
    const value = values[field.name];
    if (field.type === "checkbox") field.checked = value ?? field.defaultChecked;
    else if (field.tagName === "SELECT") field.value = value ?? field.options[0].value;
    else field.value = value === null || typeof value !== "object" ? value ?? "" : JSON.stringify(value);
    field.dispatchEvent(new Event("fill"));
  }
  dependent();
}

/** Shows the fields that go with a box that is ticked. */
export function dependent() {
  for (const part of form.querySelectorAll("[data-with]")) part.hidden = !form.elements[part.dataset.with].checked;
}
form.addEventListener("change", dependent);
form.addEventListener("input", event => event.target.removeAttribute("aria-invalid"));

/** Builds the fields of a kind of job; where they stay empty, the limits' numbers are shown. */
export function build(kind, limits) {
  const able = kind.fields.filter(field => !field.needs || limits[field.needs] !== false);
  main.replaceChildren(...able.filter(field => field.main).map(field => part(field, limits)));
  settings.replaceChildren(...able.filter(field => !field.main).map(field => part(field, limits)));
  dependent();
}

function part(field, limits) {
  const { name, label, input } = field;
  if (input === "check") {
    const box = element("input", { type: "checkbox", name, defaultChecked: Boolean(field.value) });
    return element("label", { className: field.main ? "check" : "check wide" }, box, ` ${label}`);
  }
  if (input === "scenes") return scenes(element("input", { type: "hidden", name }), limits);
  if (input === "select") return element("label", {}, label, element("select", { name }, ...choices(field, limits)));
  const made = element("input", { type: input === "box" ? "text" : input, name });
  if (input === "file") made.accept = field.accept;
  if (input === "text") made.maxLength = 2000;
  if (input === "number") {
    made.step = field.step;
    if (field.low !== null) made.min = field.low;
    if (field.high !== null) made.max = field.high;
  }
  const empty = field.limit ? limits[field.limit] : field.value;
  made.placeholder = field.empty || (empty ?? "");
  if (field.limit === "seconds") made.placeholder = `${empty}, at most ${limits.max_seconds}`;
  const whole = element("label", { className: input === "number" ? "" : "wide" }, label, made);
  if (input === "box") return element("div", { className: "wide" }, element("label", {}, label, made), frame(made));
  if (field.shown_with) whole.dataset.with = field.shown_with;
  return whole;
}

/** The options of a field: its own, or the sizes and rates of the model. */
function choices(field, limits) {
  const unique = values => [...new Set(values)];
  const found = {
    size: () => unique(sizes(limits).map(size => size.join("x"))),
    fps: () => unique([limits.fps, ...limits.rates]),
  };
  const values = field.choices.length ? field.choices : found[field.name]?.() ?? [];
  return values.map(value => element("option", { value, textContent: String(value).replace(/^(\d+)x(\d+)$/, "$1 × $2") }));
}

/** The sizes that clips come in: those of the model, and those that they are made larger to. */
function sizes(limits) {
  const made = [[limits.width, limits.height], ...limits.sizes];
  const larger = [2, 4].filter(factor => factor <= limits.upscale).flatMap(factor => made.map(([w, h]) => [factor * w, factor * h]));
  return [...made, ...larger.filter(([w, h]) => w * h <= limits.max_upscale_pixels)];
}

/** The fields of the form that are shown and filled in. */
export function fields(current) {
  const made = {};
  for (const field of current.fields) if (typeof field.value === "string") made[field.name] = field.value;
  for (const field of form.elements) {
    if (!field.name || field.closest("[hidden]") || field.type === "file") continue;
    if (field.type === "checkbox") {
      if (field.checked !== field.defaultChecked) made[field.name] = field.checked;
    } else if (field.tagName === "SELECT") {
      if (field.selectedIndex > 0) made[field.name] = field.name === "fps" ? Number(field.value) : field.value;
    } else if (field.validity?.badInput) {
      throw Object.assign(new Error("That is no number; correct it, or leave it empty."), { param: field.name });
    } else if (field.value.trim()) {
      made[field.name] = field.type === "number" ? Number(field.value) : field.value.trim();
    }
  }
  if (current.optional || made.prompt) return made;
  throw Object.assign(new Error(`Say a sentence first. ${current.hint}`), { param: "prompt" });
}

/** The files that were chosen among the fields. */
export const files = () => [...form.elements]
  .filter(field => field.name && field.type === "file" && field.files.length)
  .map(field => ({ name: field.name, file: field.files[0] }));
