// The words that the served model was trained on, to click into the prompt.

import { element } from "./dom.js";

/** Shows words by topic in a box, each of which goes where the cursor of the prompt is. */
export function offer(box, words, prompt) {
  const topics = Object.entries(words);
  box.hidden = !topics.length;
  prompt.addEventListener("blur", () => cursor = { from: prompt.selectionStart, to: prompt.selectionEnd });
  box.querySelector("div").replaceChildren(...topics.map(([topic, said]) => element("p", { className: "words" },
    element("span", { className: "quiet small", textContent: topic }),
    ...said.map(word => {
      const made = element("button", { type: "button", textContent: word });
      made.addEventListener("click", () => insert(prompt, word));
      return made;
    }))));
}

// Where the cursor was when the prompt was left: Chromium forgets it in a field that is changed without the focus.
let cursor = null;

function insert(prompt, word) {
  const { from, to } = cursor ?? { from: prompt.value.length, to: prompt.value.length };
  const before = prompt.value.slice(0, from), after = prompt.value.slice(to);
  const text = `${before && !/\s$/.test(before) ? " " : ""}${word}${after && !/^[\s.,]/.test(after) ? " " : ""}`;
  prompt.value = before + text + after;
  cursor = { from: from + text.length, to: from + text.length };
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
}
