-- Extends a leader's lease.
--
-- KEYS 1 leader  2 head
-- ARGV 1 arbiter's id  2 lease in ms  3 incarnation  4 epoch  5 ledger time
-- Returns 1, or 0 when another epoch or incarnation has begun.
local head = redis.call('HMGET', KEYS[2], 'incarnation', 'epoch')
if head[1] ~= ARGV[3] or head[2] ~= ARGV[4] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'now', ARGV[5])
return 1
