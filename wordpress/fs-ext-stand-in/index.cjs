'use strict';

// The php-wasm runtime asks this module for POSIX file locks. Our server runs
// one PHP instance and hands it one request at a time, so no second holder can
// exist and every lock is granted.
const granted = () => 0;

// One assignment each: Node finds the names that an ES module may import from
// here by reading this source, and an object literal with nested values ends
// that search early.
exports.constants = { LOCK_SH: 1, LOCK_EX: 2, LOCK_NB: 4, LOCK_UN: 8 };
exports.fcntlSync = granted;
exports.flockSync = granted;
exports.lockFileExSync = granted;
exports.unlockFileExSync = granted;
