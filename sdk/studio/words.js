// The words that the served model was trained on, to click into the prompt.

import { element } from "./dom.js";

/** Shows words by topic in a box, each of which goes where the cursor of the prompt is. */
export function offer(box, words, prompt) {
  const topics = Object.entries(words);
  box.hidden = !topics.length;
  box.querySelector("div").replaceChildren(...topics.map(([topic, said]) => element("p", { className: "words" },
    element("span", { className: "quiet small", textContent: topic }),
    ...said.map(word => {
      const made = element("button", { type: "button", textContent: word });
      made.addEventListener("click", () => insert(prompt, word));
      return made;
    }))));
}

function insert(prompt, word) {
  const { selectionStart: from, selectionEnd: to, value } = prompt;
  const before = value.slice(0, from), after = value.slice(to);
  const text = `${before && !/\s$/.test(before) ? " " : ""}${word}${after && !/^[\s.,]/.test(after) ? " " : ""}`;
  prompt.value = before + text + after;
  prompt.setSelectionRange(from + text.length, from + text.length);
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
}
