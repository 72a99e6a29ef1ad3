#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Before anything else is loaded: it halves the time of a start.
enableCompileCache();
const { run } = await import('./run.ts');
await run();
