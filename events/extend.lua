-- Extends a leader's lease.
--
-- KEYS 1 leader  2 head  3 intents
-- ARGV 1 arbiter's id  2 lease in ms  3 incarnation  4 epoch  5 ledger time
-- Returns {1, number of entries that were ever appended to the inbox (-1: unknown),
-- id of the newest}, or {0} when another epoch or incarnation has
-- begun, or the data has another life, or the leader has resigned: an extension
-- that was late on its way must not keep the standby waiting. That the lease ran
-- out meanwhile is no reason, as long as nobody else leads.
local head = redis.call('HMGET', KEYS[2], 'incarnation', 'epoch', 'life', 'replid', 'resigned')
if head[1] ~= ARGV[3] or head[2] ~= ARGV[4] or head[5] == ARGV[4] or replaced(head[3], head[4]) then
  return {0}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'now', ARGV[5])
local added, newest = -1, '0-0'
local stream = redis.pcall('XINFO', 'STREAM', KEYS[3])
if not stream.err then
  for i = 1, #stream - 1, 2 do
    if stream[i] == 'entries-added' then added = stream[i + 1] end
    if stream[i] == 'last-generated-id' then newest = stream[i + 1] end
  end
end
return {1, added, newest}
