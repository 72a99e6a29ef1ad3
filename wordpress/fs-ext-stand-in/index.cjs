'use strict';

// The php-wasm runtime asks this module for POSIX file locks. Our server runs
// one PHP instance and hands it one request at a time, so no second holder can
// exist and every lock is granted.
const granted = () => 0;

module.exports = {
  constants: { LOCK_SH: 1, LOCK_EX: 2, LOCK_NB: 4, LOCK_UN: 8 },
  fcntlSync: granted,
  flockSync: granted,
  lockFileExSync: granted,
  unlockFileExSync: granted,
};
