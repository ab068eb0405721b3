// What can be made, as the server tells it: a tab for each kind of job that has one. A new kind is a file on the server.

export const KINDS = []; // those with a tab, in its order
export const byKind = {};

/** Takes the kinds of jobs that the server's model knows. */
export function learn(kinds) {
  KINDS.length = 0;
  for (const { id, tab, starts, ...rest } of kinds) {
    const source = starts.find(start => start.needed);
    byKind[id] = { kind: id, ...rest, ...tab, source: source?.field };
    if (tab) KINDS.push(byKind[id]);
  }
}

/** Whether a job makes a sound without pictures. */
export const isSound = job => job.size === "0x0";
