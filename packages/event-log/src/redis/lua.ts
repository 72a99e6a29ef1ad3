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
 * Takes events for a reader: those that it has and did not acknowledge, then those that
 * another has had for longer than the lease, then new ones. The group is made when it is
 * missing, from the start of the stream: what was appended before the first reader came is
 * for it too.
 *
 * KEYS[1]  the stream
 * ARGV     group, reader, limit, lease in ms
 * Returns  {{ id, event }, …}
 */
export const TAKE = `
local group, reader, limit, lease = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local taken = {}

local function keep(entries)
  for _, entry in ipairs(entries) do
    -- One that somebody deleted by hand is still on the list of what was taken.
    if entry and entry[2] then taken[#taken + 1] = { entry[1], entry[2][2] }
    elseif entry then redis.call('XACK', KEYS[1], group, entry[1]) end
  end
end

local function read(from)
  return redis.pcall('XREADGROUP', 'GROUP', group, reader, 'COUNT', limit - #taken,
    'STREAMS', KEYS[1], from)
end

local own = read('0')
if own and own.err then
  if not string.find(own.err, 'NOGROUP', 1, true) then return own end
  redis.call('XGROUP', 'CREATE', KEYS[1], group, '0', 'MKSTREAM')
  own = false
end
if own then keep(own[1][2]) end

if #taken < limit then
  keep(redis.call('XAUTOCLAIM', KEYS[1], group, reader, lease, '0-0', 'COUNT', limit - #taken)[2])
end

if #taken < limit then
  local new = read('>')
  if new and new.err then return new end
  if new then keep(new[1][2]) end
end
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
