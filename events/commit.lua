-- Appends records to the history and delivers the grants that follow from them.
--
-- KEYS 1 head  2 grants  3 intents  4 leader  5… mailboxes
-- ARGV 1 incarnation  2 epoch
--      3 sequence, 4 hash and 5 cursor that the batch builds on
--      6 sequence, 7 hash and 8 cursor after it
--      9 'resign' to give up the leadership as well, 'trim' to remove from the
--        inbox what lies before the cursor, 'anew' to delete the inbox so that its
--        ids begin anew, or ''
--      10… the records, then for each mailbox its time to live in ms and content
-- Returns 'ok', or 'again' when this very batch was committed before, or
-- 'fenced' when another epoch or incarnation has begun, or 'diverged' when the
-- history is not what the batch builds on. In the last two nothing was written.
--
-- All checks come first, because nothing rolls back a script that fails half
-- way. Of the writes only the first can fail, when somebody else wrote to the
-- history. A bell that may not ring (the Redis user needs the right to publish)
-- is not worth a grant: whoever misses it looks.
--
-- The life is checked because the script may have been loaded into another process
-- than the one of the campaign, and because a process that was demoted and promoted
-- again still knows the script.
local head = redis.call('HMGET', KEYS[1], 'incarnation', 'epoch', 'sequence', 'hash', 'cursor', 'life', 'replid')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] or replaced(head[6], head[7]) then
  return 'fenced'
end
local count = tonumber(ARGV[6]) - tonumber(ARGV[3])
if head[3] == ARGV[6] and head[4] == ARGV[7] and count > 0 then
  return 'again'
end
if head[3] ~= ARGV[3] or head[4] ~= ARGV[4] or head[5] ~= ARGV[5] then
  return 'diverged'
end

local base = tonumber(ARGV[3])
for i = 1, count do
  redis.call('XADD', KEYS[2], string.format('%.0f-0', base + i), 'r', ARGV[9 + i])
end
redis.call('HSET', KEYS[1], 'sequence', ARGV[6], 'hash', ARGV[7], 'cursor', ARGV[8])
local at = 10 + count
for i = 5, #KEYS do
  redis.call('SET', KEYS[i], ARGV[at + 1], 'PX', ARGV[at])
  redis.pcall('PUBLISH', KEYS[i], ARGV[at + 1])
  at = at + 2
end
if ARGV[9] == 'anew' then
  redis.call('DEL', KEYS[3])
elseif ARGV[9] == 'trim' then
  redis.pcall('XTRIM', KEYS[3], 'MINID', '~', ARGV[8])
elseif ARGV[9] == 'resign' then
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[1], 'resigned', ARGV[2]) -- see extend.lua
end
return 'ok'
