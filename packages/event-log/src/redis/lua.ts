/** Each script touches one key, so that it is atomic on a Cluster too. */

/**
 * Appends events, all or none.
 *
 * KEYS[1]  the stream
 * ARGV     the events
 */
export const APPEND = `
for _, text in ipairs(ARGV) do
  redis.call('XADD', KEYS[1], '*', 'e', text)
end
`;

/**
 * Reads for the group, which is made when it is missing, from the start of the stream: what
 * was appended before the first reader came is for it too.
 */
const READ = `
local group, reader, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local taken = {}

local function keep(entries)
  for _, entry in ipairs(entries) do
    -- One that somebody deleted by hand is still on the list of what was taken.
    if entry and entry[2] then taken[#taken + 1] = { entry[1], entry[2][2] }
    elseif entry then redis.call('XACK', KEYS[1], group, entry[1]) end
  end
end

local function call(...)
  local reply = redis.pcall(...)
  if not (reply and reply.err) then return reply end
  if string.find(reply.err, 'NOGROUP', 1, true) then
    redis.call('XGROUP', 'CREATE', KEYS[1], group, '0', 'MKSTREAM')
  end
  return redis.call(...)
end

local function read(from)
  local reply = call('XREADGROUP', 'GROUP', group, reader, 'COUNT', limit - #taken,
    'STREAMS', KEYS[1], from)
  if reply then keep(reply[1][2]) end
end
`;

/**
 * Takes what a reader has and did not acknowledge.
 *
 * KEYS[1]  the stream
 * ARGV     group, reader, limit
 * Returns  {{ id, event }, …}
 */
export const TAKE_OWN = `${READ}
read('0')
return taken
`;

/**
 * Takes what other readers have had for longer than the lease, then new events.
 *
 * KEYS[1]  the stream
 * ARGV     group, reader, limit, lease in ms
 * Returns  {{ id, event }, …}
 */
export const TAKE_MORE = `${READ}
keep(call('XAUTOCLAIM', KEYS[1], group, reader, ARGV[4], '0-0', 'COUNT', limit)[2])
if #taken < limit then read('>') end
return taken
`;

/**
 * Acknowledges events and drops them, and no others. (XTRIM would drop all before an id, and
 * with them what another reader still works on.)
 *
 * KEYS[1]  the stream
 * ARGV     group, ids
 */
export const ACK = `
-- As many as fit on Lua's stack at once.
for first = 2, #ARGV, 1000 do
  local last = math.min(first + 999, #ARGV)
  redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, first, last))
  redis.call('XDEL', KEYS[1], unpack(ARGV, first, last))
end
`;
