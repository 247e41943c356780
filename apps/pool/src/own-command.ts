/** The words that run a command of this very program, for others to run: no PATH decides which one it is. */
export function ownCommand(name: string): readonly string[] {
  const [, script] = process.argv;
  return script === undefined ? ['headframe', name] : [process.execPath, script, name];
}
