// The scenes of a story: rows that are written, moved and taken out, held as JSON in one hidden field of the form.

import { element } from "./dom.js";

const INTO = [["continue", "goes on"], ["cut", "cut"], ["dissolve", "dissolve"]];
const EMPTY = { prompt: "", transition: "continue", seconds: null, seed: null };

/** The rows of the hidden input `held`, whose value is what the server takes. */
export function scenes(held, limits) {
  const list = element("ol", { className: "scenes" });
  const add = element("button", { type: "button", textContent: "Add a scene" });
  let rows = [];

  /** What stands in the rows, into the field. */
  const keep = () => {
    const said = rows.filter(row => row.prompt.trim()).map((row, at) => Object.fromEntries(
      Object.entries({ ...row, prompt: row.prompt.trim(), transition: at ? row.transition : null })
        .filter(([, value]) => value !== null)));
    held.value = said.length ? JSON.stringify(said) : "";
    held.removeAttribute("aria-invalid");
  };

  const move = (from, to) => {
    if (to < 0 || to >= rows.length) return;
    rows.splice(to, 0, ...rows.splice(from, 1));
    draw();
    list.children[to].querySelector("textarea").focus();
  };

  const drop = at => {
    rows.splice(at, 1);
    if (!rows.length) rows.push({ ...EMPTY });
    draw();
    (list.children[at] ?? list.lastElementChild).querySelector("textarea").focus();
  };

  const button = (text, label, act, disabled = false) => {
    const made = element("button", { type: "button", textContent: text, disabled });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  };

  const drawn = (row, at) => {
    const name = `Scene ${at + 1}`;
    const words = element("textarea", { rows: 2, maxLength: 2000, value: row.prompt,
      placeholder: at ? "it bounces" : "a red ball rolls right in a meadow" });
    words.setAttribute("aria-label", `${name}: what happens`);
    words.addEventListener("input", () => { row.prompt = words.value; keep(); });
    const into = element("select", {}, ...INTO.map(([value, textContent]) => element("option", { value, textContent })));
    into.value = row.transition;
    into.setAttribute("aria-label", `${name}: how it begins`);
    into.addEventListener("change", () => { row.transition = into.value; keep(); });
    const lasts = element("input", { type: "number", min: limits.min_seconds, step: "any", value: row.seconds ?? "",
      placeholder: `${limits.seconds} s` });
    lasts.setAttribute("aria-label", `${name}: seconds`);
    lasts.addEventListener("input", () => { row.seconds = lasts.value ? Number(lasts.value) : null; keep(); });
    const item = element("li", {}, words, element("div", { className: "acts" },
      ...at ? [into] : [], lasts,
      button("↑", `${name} earlier`, () => move(at, at - 1), at === 0),
      button("↓", `${name} later`, () => move(at, at + 1), at === rows.length - 1),
      button("✕", `Take ${name.toLowerCase()} out`, () => drop(at))));
    item.addEventListener("keydown", event => {
      const by = event.altKey ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined;
      if (!by) return;
      event.preventDefault();
      move(at, at + by);
    });
    return item;
  };

  function draw() {
    list.replaceChildren(...rows.map(drawn));
    keep();
  }

  /** Takes what the field was filled with. */
  const read = () => {
    const told = held.value ? JSON.parse(held.value) : [{}, {}];
    rows = told.map(one => ({ ...EMPTY, ...typeof one === "string" ? { prompt: one } : one }));
    rows.forEach(row => { row.transition ??= "continue"; });
    draw();
  };

  add.addEventListener("click", () => {
    rows.push({ ...EMPTY });
    draw();
    list.lastElementChild.querySelector("textarea").focus();
  });
  held.addEventListener("fill", read);
  read();
  const hint = element("p", { className: "quiet small",
    textContent: "What a scene leaves open is taken from the one before. Alt + arrow moves it." });
  return element("div", { className: "wide" }, held, list, add, hint);
}
