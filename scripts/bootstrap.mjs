#!/usr/bin/env node
// What `npm start`, `npm test` and `npm run dev` run, on whatever Node and npm
// the machine has. This file alone is read before the version is known: it keeps
// to syntax that older Nodes parse, so that they get the message below and no
// stack trace.

const oldestNode = 18;
if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  process.stderr.write(
    `Turnout needs Node ${oldestNode} or newer to start; this is Node ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org and run the same command again.\n',
  );
  process.exit(1);
}

import('./bootstrap/main.mjs').then(
  (bootstrap) => bootstrap.main(process.argv.slice(2)),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
