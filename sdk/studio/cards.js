// One card for each job: its picture, film or preview, how far it is, and what can be done with it.

import { ask, blob, token } from "./api.js";
import { curl, python } from "./code.js";
import { compare } from "./compare.js";
import { element } from "./dom.js";
import { KINDS, byKind, formOf, isSound } from "./kinds.js";

export const ENDED = ["completed", "failed", "cancelled"];
const WORDS = { queued: "Waiting for its turn", in_progress: "Beginning", failed: "Failed", cancelled: "Cancelled" };
const PLAY = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5v14l11-7z"/></svg>';

export const short = job => {
  const text = job.prompt || `${byKind[job.kind]?.title ?? job.kind} without a prompt`;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** When a job was asked for, as a person says it today. */
export const when = job => {
  const time = new Date(1000 * job.created_at), clock = time.toLocaleTimeString();
  return time.toDateString() === new Date().toDateString() ? clock : `${time.toLocaleDateString()} ${clock}`;
};

/** Seconds as a person says them. */
export const span = seconds => seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;

export class Card {
  /** does: {use(job, kind), repeat(job), remove(card), say(text), fail(error)}, of the page. */
  constructor(job, does) {
    this.does = does;
    this.node = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.parts = Object.fromEntries(["screen", "prompt", "facts", "work", "stage", "wrong", "acts", "more"]
      .map(name => [name, this.node.querySelector(`.${name}`)]));
    this.bar = this.node.querySelector("progress");
    this.urls = [];
    this.update(job);
  }

  /** Shows a job as it is now. */
  update(job) {
    const before = this.job;
    this.job = { ...job, preview: undefined };
    const { screen, prompt, facts, work, stage, wrong } = this.parts;
    const live = !ENDED.includes(job.status);
    this.node.setAttribute("aria-label", short(job));
    Object.assign(this.node.dataset, { id: job.id, status: job.status });
    prompt.textContent = job.prompt || "no prompt";
    prompt.classList.toggle("none", !job.prompt);
    prompt.title = job.prompt ?? "";
    const length = `${Number(Number(job.seconds).toFixed(2))} s`;
    const made = byKind[job.kind]?.made ?? job.kind;
    facts.textContent = [made, length, isSound(job) ? "" : job.size.replace("x", " × "), `seed ${job.seed}`, when(job)]
      .filter(Boolean).join(" · ");
    work.hidden = !live;
    if (live) {
      this.bar.value = job.progress;
      this.bar.setAttribute("aria-label", `Progress of ${short(job)}`);
      const steps = job.step && job.steps ? `, step ${job.step} of ${job.steps}` : "";
      const left = job.seconds_left ? `, about ${span(job.seconds_left)} left` : "";
      stage.textContent = job.status === "queued" ? WORDS.queued : `${job.stage || WORDS.in_progress}${steps}${left}`;
    }
    const notes = job.status === "failed" ? job.error?.message ?? "It failed, and the server did not say why."
      : job.notes?.join(" ") ?? "";
    wrong.hidden = !notes;
    wrong.textContent = notes;
    wrong.classList.toggle("quiet", job.status !== "failed");
    if (job.preview) this.draft(job.preview);
    if (before?.status === job.status) return;
    const width = Number(job.size.split("x")[0]), height = Number(job.size.split("x")[1]);
    screen.classList.toggle("wide-film", width > 1.3 * height);
    screen.classList.toggle("heard", isSound(job));
    if (job.status === "completed") this.poster();
    else if (!(live && before)) screen.replaceChildren(WORDS[job.status] ?? "");
    this.offer();
  }

  /** A picture of what the clip becomes. */
  draft(url) {
    const shown = this.parts.screen.querySelector("img.draft");
    if (shown) shown.src = url;
    else this.parts.screen.replaceChildren(element("img", { src: url, className: "draft", alt: "Preview of what it becomes" }));
  }

  async poster() {
    const play = element("button", { type: "button", className: "play", innerHTML: PLAY });
    play.setAttribute("aria-label", `Play ${short(this.job)}`);
    play.addEventListener("click", () => this.play());
    if (isSound(this.job)) return this.parts.screen.replaceChildren(play);
    try {
      const src = this.keep(await blob(`/v1/videos/${this.job.id}/content?variant=thumbnail`));
      this.parts.screen.replaceChildren(element("img", { src, alt: "" }), play);
    } catch {
      this.parts.screen.replaceChildren(play);
    }
  }

  /** Plays the film, or a part of it: a scene. */
  async play(part = "video") {
    try {
      const src = this.keep(await blob(`/v1/videos/${this.job.id}/content?variant=${part}`));
      if (byKind[this.job.kind]?.compares && part === "video") return await this.beside(src);
      const film = element(isSound(this.job) ? "audio" : "video", { src, controls: true, loop: true, playsInline: true });
      film.setAttribute("aria-label", short(this.job));
      this.parts.screen.replaceChildren(film);
      film.focus();
      await film.play();
    } catch (error) {
      if (error.name !== "AbortError") this.does.fail(error);
    }
  }

  /** Plays the film at `src` with the one that it was made of beside it. */
  async beside(src) {
    const before = this.keep(await blob(`/v1/videos/${this.job.id}/content?variant=source`));
    const both = compare(before, src, short(this.job));
    this.parts.screen.replaceChildren(both.node);
    both.play.focus();
    await both.film.play();
  }

  keep(file) {
    this.urls.push(URL.createObjectURL(file));
    return this.urls.at(-1);
  }

  /** What can be done with it now. */
  offer() {
    const button = (text, act, label) => {
      const made = element("button", { type: "button", textContent: text });
      if (label) made.setAttribute("aria-label", label);
      made.addEventListener("click", () => act(made));
      return made;
    };
    const { acts, more } = this.parts, name = short(this.job);
    const held = acts.contains(document.activeElement) || more.contains(document.activeElement);
    more.replaceChildren();
    this.node.classList.remove("spread");
    if (!ENDED.includes(this.job.status)) {
      acts.replaceChildren(button("Cancel", made => this.cancel(made), `Cancel ${name}`));
    } else {
      const fold = (text, fill) => {
        const made = button(text, () => {
          const open = made.getAttribute("aria-expanded") === "true";
          for (const other of acts.querySelectorAll("[aria-expanded]")) other.setAttribute("aria-expanded", "false");
          made.setAttribute("aria-expanded", String(!open));
          more.replaceChildren(...open ? [] : fill());
          this.node.classList.toggle("spread", !open && fill === code);
        }, `${text}: ${name}`);
        made.setAttribute("aria-expanded", "false");
        return made;
      };
      const code = () => this.code(button);
      const done = this.job.status === "completed";
      const uses = KINDS.filter(kind => kind.source && kind.use && !isSound(this.job));
      const told = done && this.job.scenes ? [fold("Scenes", () => this.scenes(button))] : [];
      const use = () => [element("div", { className: "acts" },
        ...done ? uses.map(kind => button(`Use as input for ${kind.use}`, () => this.does.use(this.job, kind.kind))) : [],
        ...formOf(this.job) ? [button("Use its prompt and settings", () => this.does.repeat(this.job))] : [])];
      acts.replaceChildren(
        ...told,
        ...done && uses.length || formOf(this.job) ? [fold("Use", use)] : [],
        ...done ? [button("Save", () => this.save(), `Save ${name} as a file`)] : [],
        fold("Code", code),
        button("Delete", made => this.remove(made), `Delete ${name}`),
      );
    }
    if (held) (acts.querySelector("button") ?? this.node).focus({ preventScroll: true }); // what was held is gone
  }

  /** The scenes of a story: each can be seen by itself, and made again. */
  scenes(button) {
    return this.job.scenes.map((scene, at) => element("div", { className: "acts" },
      element("span", { textContent: `${at + 1}. ${scene.prompt}` }),
      button("Play", () => this.play(scene.id), `Play scene ${at + 1}`),
      button("Make again", () => this.does.again(this.job, at), `Make scene ${at + 1} again`)));
  }

  code(button) {
    const route = byKind[this.job.kind]?.route ?? (isSound(this.job) ? "/v1/audio/sounds" : "/v1/videos");
    const guarded = Boolean(token.get());
    return [["Python", python(this.job, guarded)], ["curl", curl(this.job, route, guarded)]].map(([title, text]) => {
      const copy = button("Copy", async () => {
        try {
          await navigator.clipboard.writeText(text);
          this.does.say(`${title} copied.`);
          copy.textContent = "Copied";
          setTimeout(() => copy.textContent = "Copy", 2000);
        } catch {
          getSelection().selectAllChildren(box);
          this.does.say("The browser does not let the page copy; the text is selected instead.");
        }
      }, `Copy ${title}`);
      const box = element("pre", { textContent: text, tabIndex: 0 });
      box.setAttribute("aria-label", title);
      return element("div", { className: "code" }, element("div", {}, title, copy), box);
    });
  }

  async save() {
    try {
      const file = await blob(`/v1/videos/${this.job.id}/content`);
      const ending = file.type.split("/")[1];
      element("a", { href: this.keep(file), download: `${this.job.id}.${ending}` }).click();
    } catch (error) {
      this.does.fail(error);
    }
  }

  async cancel(button) {
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true"); // not disabled, which would let go of the focus
    button.textContent = "Stopping…";
    try {
      await ask(`/v1/videos/${this.job.id}/cancel`, { method: "POST" });
    } catch (error) {
      button.removeAttribute("aria-disabled");
      button.textContent = "Cancel";
      this.does.fail(error);
    }
  }

  /** Deletes at the second press. */
  async remove(button) {
    if (!button.classList.contains("danger")) {
      button.classList.add("danger");
      button.textContent = "Really delete?";
      button.setAttribute("aria-label", `Really delete ${short(this.job)}?`);
      button.addEventListener("blur", () => this.node.isConnected && this.calm(button), { once: true });
      return;
    }
    try {
      await ask(`/v1/videos/${this.job.id}`, { method: "DELETE" });
      this.does.remove(this);
    } catch (error) {
      if (error.status === 404) this.does.remove(this);
      else this.does.fail(error);
    }
  }

  calm(button) {
    button.classList.remove("danger");
    button.textContent = "Delete";
    button.setAttribute("aria-label", `Delete ${short(this.job)}`);
  }

  /** Frees what the browser holds for it. */
  drop() {
    this.urls.forEach(URL.revokeObjectURL);
    this.node.remove();
  }
}
