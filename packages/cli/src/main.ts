#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Before anything else is loaded: it halves the time of a start. Not for the edge, which starts
// once, and leaves nothing behind in the temporary folder.
if (process.argv[2] !== 'serve') enableCompileCache();
const { run } = await import('./run.ts');
await run();
