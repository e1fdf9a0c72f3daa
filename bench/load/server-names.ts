/** Names of servers in results that more than one file knows. */

/** The daemon without its guest (undecided-server.ts). */
export const UNDECIDED = "edict, nothing decided";
