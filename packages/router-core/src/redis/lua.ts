/**
 * What must be atomic is a script: Redis runs it as one. Each touches keys of one hash slot,
 * so it also runs on a Cluster.
 */

/**
 * The ledger's get-or-set.
 *
 * KEYS[1]  the visitor's hash
 * ARGV     experiment, variant, phase, revision, time to live in ms, ",known,variants,",
 *          ",left:before,variants:revision,"
 * Returns  { 1 when the proposal was written else 0, "variant:phase:revision" }
 *
 * The time to live is only written again once a 64th of it has passed: with AOF on, every
 * write is a write to disk, and a visitor who clicks about needs no more than that.
 */
export const GET_OR_SET = `
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local function departs(variant, revision)
  local _, last = string.find(ARGV[7], ',' .. variant .. ':', 1, true)
  return last and tonumber(revision) < tonumber(string.match(ARGV[7], '^%d+', last + 1))
end
if stored then
  local variant, phase, revision = string.match(stored, '^([%w_-]+):(%d+):(%d+)$')
  if variant and tonumber(phase) >= tonumber(ARGV[3])
      and string.find(ARGV[6], ',' .. variant .. ',', 1, true)
      and not departs(variant, revision) then
    local ttl = tonumber(ARGV[5])
    if redis.call('PTTL', KEYS[1]) < ttl - ttl / 64 then
      redis.call('PEXPIRE', KEYS[1], ARGV[5])
    end
    return { 0, stored }
  end
end
local proposal = ARGV[2] .. ':' .. ARGV[3] .. ':' .. ARGV[4]
redis.call('HSET', KEYS[1], ARGV[1], proposal)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return { 1, proposal }
`;

/**
 * Overrides an assignment.
 *
 * KEYS[1]  the visitor's hash
 * ARGV     experiment, "variant:phase:revision", time to live in ms
 */
export const SET = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
`;

/**
 * Keeps that a visitor was changed, by the server's time, and tells everybody. Drops what is
 * older than it has to be kept.
 *
 * KEYS[1]  the visitors that were changed
 * ARGV     visitor, milliseconds to keep it, channel
 */
export const NOTE_CHANGE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[1])
`;

/**
 * Erases a visitor.
 *
 * KEYS[1]  the visitor's hash
 * Returns  the number of assignments that are gone
 */
export const FORGET = `
local assignments = redis.call('HLEN', KEYS[1])
redis.call('DEL', KEYS[1])
return assignments
`;

/**
 * Replaces the snapshot together with its digest, and tells everybody.
 *
 * KEYS     snapshot, digest
 * ARGV     text, its digest, channel
 */
export const PUBLISH = `
redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[2])
`;
