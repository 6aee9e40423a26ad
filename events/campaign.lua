-- Makes an arbiter the leader if nobody leads.
--
-- KEYS 1 leader  2 head  3 grants  4 intents
-- ARGV 1 arbiter's id  2 lease in ms  3 a fresh incarnation, should one be needed
--      4 '1' to win only if one is needed
-- Returns {won, leader, ms left of its lease, incarnation, epoch, sequence,
--          cursor, hash, begun, first, ledger time, gap}; when not won, of these
--          only the first three and then incarnation and sequence. A gap is that
--          somebody removed entries from the inbox: those at the cursor and after
--          it are never trimmed by a commit.
--
-- Another life of the data begins a new incarnation: see life.lua.
local function lost(holder, left)
  local head = redis.call('HMGET', KEYS[2], 'incarnation', 'sequence')
  return {0, holder, left, head[1] or '0', head[2] or '0'}
end

-- A lease that never ends is none: somebody else meddled with it.
local holder = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if holder and holder ~= ARGV[1] and left >= 0 then
  return lost(holder, left)
end

local life, replid = presentLife()

-- The newest entry of the history, and the newest id that it ever had: below
-- that nothing can be added, even if the entry itself was deleted.
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
local entry = newest[1] and newest[1][1] or '0-0'
local id = entry
local stream = redis.pcall('XINFO', 'STREAM', KEYS[3])
if not stream.err then
  for i = 1, #stream - 1, 2 do
    if stream[i] == 'last-generated-id' then id = stream[i + 1] end
  end
end

local head = redis.call('HMGET', KEYS[2], 'incarnation', 'epoch', 'sequence', 'cursor', 'hash', 'life', 'now')
local begun, first = 0, 0
if not head[1] then
  begun = 1
  if id == '0-0' then first = 1 end
elseif head[5] == '' then
  -- Whoever began this incarnation died before it said so.
  begun = 1
  if id == '0-0' and head[3] == '0' then first = 1 end
elseif head[6] ~= life or entry ~= head[3] .. '-0' or id ~= entry then
  begun = 1
end
if begun == 0 and ARGV[4] == '1' then
  return lost('', 0)
end

local epoch = string.format('%.0f', tonumber(head[2] or '0') + 1)
local incarnation, sequence, cursor, hash, now = head[1], head[3], head[4] or '0-0', head[5], head[7] or '0'
if begun == 1 then
  incarnation, sequence, hash, now = ARGV[3], string.match(id, '^%d+'), '', '0'
end
redis.call('HSET', KEYS[2], 'incarnation', incarnation, 'epoch', epoch, 'sequence', sequence,
  'cursor', cursor, 'hash', hash, 'life', life, 'replid', replid, 'now', now)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local gap = 0
if cursor ~= '0-0' and #redis.pcall('XRANGE', KEYS[4], cursor, cursor) == 0 then gap = 1 end
return {1, ARGV[1], tonumber(ARGV[2]), incarnation, epoch, sequence, cursor, hash, begun, first, now, gap}
