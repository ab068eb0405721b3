// What can be made, as the server tells it: a tab for each kind of job that has one. A new kind is a file on the server.

export const KINDS = []; // those with a tab, in its order
export const byKind = {};
export const able = new Set(); // all that the served model makes, with a tab or without

/** Takes the kinds of jobs that the server's model knows. */
export function learn(kinds) {
  KINDS.length = 0;
  able.clear();
  for (const { id, tab, starts, ...rest } of kinds) {
    const source = starts.find(start => start.needed);
    able.add(id);
    byKind[id] = { kind: id, ...rest, ...tab, source: source?.field };
    if (tab) KINDS.push(byKind[id]);
  }
}

/** The kind whose form makes a job again, "" for none: a clip with a person is asked for where other clips are. */
export const formOf = job => byKind[job.kind]?.fields ? job.kind : job.request.characters ? "generate" : "";

/** Whether a job makes a sound without pictures. */
export const isSound = job => job.size === "0x0";
