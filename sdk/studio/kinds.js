// What can be made: a tab for each kind of job that the server's model knows. A new kind is one entry here.

export const KINDS = [
  {
    kind: "generate", tab: "Generate", go: "Generate", route: "/v1/videos",
    label: "What happens?", hint: "For example: a red ball bounces in a green meadow",
  },
  {
    kind: "soundtrack", tab: "Sound", go: "Make the sound", route: "/v1/audio/soundtracks", source: true, optional: true,
    label: "What is heard? (may stay empty)", hint: "Empty leaves it to the pictures, which stay as they are.",
    use: "a soundtrack",
  },
  {
    kind: "extend", tab: "Extend", go: "Extend", route: "/v1/videos/extensions", source: true,
    label: "What happens next?", hint: "The film goes on from its end.", use: "a longer film",
  },
  {
    kind: "sound", tab: "Sound alone", go: "Make the sound", route: "/v1/audio/sounds", optional: true, always: { seconds: "10" },
    label: "What is heard?", hint: "For example: waves and gulls. It may stay empty where there is music.",
  },
  {
    kind: "edit", tab: "Edit", go: "Edit", route: "/v1/videos/edits", source: true,
    label: "What changes?", hint: "For example: make the ball blue", use: "an edit",
  },
  {
    kind: "character", tab: "Personalize", go: "Keep this person", route: "/v1/videos/characters", source: true,
    label: "Who is it?", hint: "A film in which the face is seen.", use: "a person to keep",
  },
  {
    kind: "story", tab: "Story", go: "Tell it", route: "/v1/videos/stories",
    label: "What happens, scene by scene?", hint: "One scene on each line.",
  },
];

/** Whether a job makes a sound without pictures. */
export const isSound = job => ["sound", "extend_sound", "fill_sound"].includes(job.kind);

export const byKind = Object.fromEntries(KINDS.map(kind => [kind.kind, kind]));
