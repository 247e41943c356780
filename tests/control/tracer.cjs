// Required before the program under test: writes which parts of Node it has loaded when it ends.
const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  writeFileSync(process.env.TRACE_FILE, JSON.stringify(process.moduleLoadList));
});
