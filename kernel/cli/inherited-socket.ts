// A socket that whoever starts this process made for it: a supervisor, or systemd (sd_listen_fds(3)).
//
// It outlives the process, so that connections that come between the end of one and the start of the next wait in
// it, and no one is refused.

const firstFd = 3;

/**
 * The descriptor to listen on, when there is one. LISTEN_PID says whom it is for; a supervisor that cannot know it before it
 * starts us leaves it out. What is read is removed, since it is not for those whom we start.
 */
export function inheritedSocket(environment = process.env): number | undefined {
  const { LISTEN_FDS: count = "", LISTEN_PID: pid = "" } = environment;
  for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) delete environment[name];
  if (count === "" || (pid !== "" && pid !== String(process.pid))) return undefined;
  if (count !== "1") throw new Error(`LISTEN_FDS is ${count}, and this app listens on one socket. Pass it one.`);
  return firstFd;
}
