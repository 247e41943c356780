import { spawn } from 'node:child_process';

/** Watches over a node for the case that this process dies without ending it. */
export interface Guardian {
  /** The node has ended: nothing is left to do. */
  dismiss(): void;
}

/**
 * Waits for its input to end, which happens however this process dies: SIGKILL and the out-of-memory killer included. Then
 * it asks the node to end, and kills it after a while. The time at which the process began (field 22 of its stat file)
 * tells the node from another process that got its number; where there is no /proc the number has to do.
 */
const SCRIPT = `
trap '' TERM INT HUP
began() {
  stat=
  { read -r stat < "/proc/$1/stat"; } 2>/dev/null
  set -- \${stat##*) }
  [ $# -ge 20 ] && shift 19 && echo "$1"
}
is_same() { kill -0 "$1" 2>/dev/null && [ "$(began "$1")" = "$since" ]; }
since=$(began "$1")
read -r word
[ "$word" = done ] && exit 0
is_same "$1" || exit 0
kill -TERM "$1" 2>/dev/null
left=$2
while [ "$left" -gt 0 ]; do
  sleep 1
  is_same "$1" || exit 0
  left=$((left - 1))
done
kill -KILL "$1" 2>/dev/null
`;

/**
 * Starts a guardian for a node. It is a small shell, so that it costs next to nothing; nothing of it comes from outside.
 * Without /bin/sh (Windows) there is none, and a node outlives a pool that was killed.
 */
export function startGuardian(pid: number, seconds: number): Guardian {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'headframe-guardian', String(pid), String(Math.ceil(seconds))], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Out of the terminal's group, and without the environment, which may hold secrets.
    detached: true,
    env: { PATH: '/usr/bin:/bin' },
  });
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  child.unref();
  return { dismiss: () => child.stdin.end('done\n') };
}
