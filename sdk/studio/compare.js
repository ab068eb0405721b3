// A film before and after, one over the other: a slider moves the border between them, one button plays both.

import { element } from "./dom.js";

const APART = 0.04; // seconds that the two may drift

/** before, after: addresses of films of one shape; name: what they are. The sound is that of the film after. */
export function compare(before, after, name) {
  const was = element("video", { src: before, muted: true, playsInline: true });
  const now = element("video", { src: after, playsInline: true, loop: true, className: "now" });
  const play = element("button", { type: "button", textContent: "Play" });
  const border = element("input", { type: "range", min: 0, max: 100, value: 50 });
  border.setAttribute("aria-label", `Before on the left, after on the right: ${name}`);
  const node = element("div", { className: "compare" }, was, now, element("div", { className: "acts" }, play, border));

  const cut = () => node.style.setProperty("--cut", `${border.value}%`);
  const follow = () => { if (Math.abs(was.currentTime - now.currentTime) > APART) was.currentTime = now.currentTime; };
  const shown = () => {
    play.textContent = now.paused ? "Play" : "Pause";
    play.setAttribute("aria-label", `${play.textContent} both: ${name}`);
  };

  border.addEventListener("input", cut);
  play.addEventListener("click", () => now.paused ? now.play() : now.pause());
  now.addEventListener("play", () => { was.play().catch(() => {}); shown(); });
  now.addEventListener("pause", () => { was.pause(); shown(); });
  now.addEventListener("timeupdate", follow);
  now.addEventListener("seeked", follow);
  was.addEventListener("ended", () => { if (!now.paused) was.play().catch(() => {}); });
  was.addEventListener("error", () => { // a film that the browser cannot play, or that is gone
    was.remove();
    border.remove();
    node.style.setProperty("--cut", "0%");
  });
  cut();
  shown();
  return { node, play, film: now };
}
