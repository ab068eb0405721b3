// The fields of the form as values, and back.

export const form = document.getElementById("form");

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
    else field.value = value ?? "";
  }
  dependent();
}

/** Shows the fields that go with a box that is ticked. */
export function dependent() {
  for (const part of form.querySelectorAll("[data-with]")) part.hidden = !form.elements[part.dataset.with].checked;
}
form.addEventListener("change", dependent);
form.addEventListener("input", event => event.target.removeAttribute("aria-invalid"));

/** The fields of the form that are shown and filled in. */
export function fields(current) {
  const made = {};
  for (const field of form.elements) {
    if (!field.name || field.closest("[hidden]") || field.type === "file") continue;
    if (field.type === "checkbox") {
      if (field.checked !== field.defaultChecked) made[field.name] = field.checked;
    } else if (field.name === "size" || field.name === "fps") {
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
