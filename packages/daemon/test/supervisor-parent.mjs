// Run as a program: supervises a node until it is killed itself. Arguments: the module, and the options as JSON.
const { createDaemonSupervisor } = await import(process.argv[2]);
const supervisor = createDaemonSupervisor(JSON.parse(process.argv[3]));
await supervisor.start();
await supervisor.ready();
console.log(`pid ${supervisor.state.pid}`);
